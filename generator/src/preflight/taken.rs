//! Whether names that a deploy gives away are free: stacks, buckets, the case table, video streams.
//!
//! What outlives its stack by `DeletionPolicy` is asked about, and stacks themselves: everything else is
//! gone with the stack that made it. A name that is taken makes CloudFormation fail and roll back. To ask
//! about another resource that is retained, begin in [`look`].

use std::collections::{BTreeMap, BTreeSet};

use crate::deploy::CloudError;
use crate::deployed::DeployedStack;
use crate::name::Bucket;
use crate::quota::plural;
use crate::release::CELL_TAG;
use crate::template::Template;

use super::{Area, Check, PreflightServices, Verdict, Wanted, reason};

/// Whose a bucket's name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    Nobody,
    /// It is there, and these credentials may look at it.
    Us,
    /// S3 answers 403: another account's, or ours and out of sight.
    OutOfSight,
    /// S3 answers 301: it is in another region.
    OtherRegion,
}

/// Most templates of deployed stacks that are read. Our choice: a call each, and a fleet's first release
/// after streams were left behind concerns few stores.
const TEMPLATES_MAX: usize = 40;
/// Names that are listed one by one. Our choice: a screen.
const NAMES_MAX: usize = 12;

/// The buckets, each with whether the stack of the artifacts makes it.
const BUCKETS: [(Bucket, bool); 4] = [
    (Bucket::Artifacts, true),
    (Bucket::Evidence, false),
    (Bucket::Analytics, false),
    (Bucket::Logs, false),
];

/// The stacks of the account and region that hold anything, by their names.
type Stacks = BTreeMap<String, DeployedStack>;

pub(super) async fn look(services: &impl PreflightServices, wanted: &Wanted<'_>) -> Vec<Check> {
    let stacks = match services.stacks().await {
        Ok(stacks) => stacks,
        Err(error) => {
            let what = "which names are taken is not known, as it depends on the stacks there are";
            return vec![Check::unasked(Area::Names, what, &error)];
        }
    };
    let has_any = |it: &DeployedStack| {
        !matches!(it.status.as_str(), "REVIEW_IN_PROGRESS" | "DELETE_COMPLETE")
    };
    let stacks: Stacks =
        stacks.into_iter().filter(has_any).map(|it| (it.name.clone(), it)).collect();
    let mut checks: Vec<Check> = foreign(wanted, &stacks).into_iter().collect();
    for (bucket, is_artifacts) in BUCKETS {
        let name = wanted.names.bucket(bucket);
        let stack = if is_artifacts {
            wanted.names.artifacts_stack()
        } else {
            wanted.names.platform_stack()
        };
        let holder = services.bucket(&name).await;
        checks.extend(of_bucket(&name, stacks.contains_key(&stack), &holder));
    }
    if !stacks.contains_key(&wanted.names.platform_stack()) {
        let table = wanted.names.case_table();
        checks.extend(of_table(&table, &services.has_table(&table).await));
    }
    checks.extend(of_streams(services, wanted, &stacks).await);
    if checks.is_empty() {
        let text = format!(
            "the names of {}, 4 buckets, the case table and all video streams are free, or in use by the cell's own stacks",
            counted(wanted.stacks.len() + 2, "stack")
        );
        checks.push(Check::new(Area::Names, Verdict::Passed, text));
    }
    checks
}

/// Stacks by names of ours that we did not make. One that carries a release digest is ours, whatever its tags.
fn foreign(wanted: &Wanted<'_>, stacks: &Stacks) -> Option<Check> {
    let shared = [wanted.names.artifacts_stack(), wanted.names.platform_stack()];
    let names = shared.iter().chain(wanted.stacks.iter().map(|it| &it.name));
    let cell = wanted.cell.id.as_str();
    let details = names.filter_map(|name| {
        let stack = stacks.get(name)?;
        match stack.tags.get(CELL_TAG) {
            Some(tag) if tag == cell => None,
            Some(tag) => Some(format!("{name}: of the cell `{tag}`, by its tag {CELL_TAG}")),
            None if stack.digest.is_some() => None,
            None => Some(format!("{name}: has no tag {CELL_TAG}; something else made it")),
        }
    });
    let details: Vec<_> = details.collect();
    (!details.is_empty()).then(|| {
        let text = format!(
            "{} would be overwritten that `arm` did not make for this cell",
            counted(details.len(), "stack")
        );
        Check::new(Area::Names, Verdict::Failed, text)
            .details(details)
            .remedy("delete or rename these stacks, or give the cell another id in fleet.yaml")
    })
}

fn of_bucket(name: &str, has_stack: bool, holder: &Result<Holder, CloudError>) -> Option<Check> {
    let check = |verdict, text: String| Check::new(Area::Names, verdict, text);
    match (holder, has_stack) {
        (Ok(Holder::Nobody), false) | (Ok(Holder::Us), true) => None,
        (Ok(Holder::Nobody), true) => Some(
            check(
                Verdict::Warning,
                format!("the bucket {name} is gone, and its stack is there: a deploy may fail on it"),
            )
            .remedy("look at the stack's drift, and restore the bucket or delete the stack"),
        ),
        (Ok(Holder::Us), false) => Some(
            check(
                Verdict::Failed,
                format!("the bucket {name} is there outside of any stack of the cell, as one that was kept when its stack was deleted; the stack that makes it would fail"),
            )
            .remedy("import it into its stack, or save what is in it and delete it"),
        ),
        (Ok(Holder::OutOfSight), false) => Some(
            check(
                Verdict::Failed,
                format!("the bucket {name} belongs to another account, or to this one out of these credentials' sight; the stack that makes it would fail"),
            )
            .remedy("give the cell another id in fleet.yaml, or, if the bucket is yours, allow `s3:ListBucket` and see what is in it"),
        ),
        (Ok(Holder::OutOfSight), true) => Some(
            check(
                Verdict::Unknown,
                format!("whose the bucket {name} is cannot be seen; its stack is there, and so it should be the stack's"),
            )
            .remedy("allow `s3:ListBucket` on it"),
        ),
        (Ok(Holder::OtherRegion), _) => Some(
            check(
                Verdict::Failed,
                format!("the bucket {name} is there in another region; the stack that makes it would fail"),
            )
            .remedy("delete it if it is yours, or give the cell another id in fleet.yaml"),
        ),
        (Err(error), _) => Some(Check::unasked(
            Area::Names,
            &format!("whether the bucket name {name} is free is not known"),
            error,
        )),
    }
}

fn of_table(name: &str, has_table: &Result<bool, CloudError>) -> Option<Check> {
    match has_table {
        Ok(false) => None,
        Ok(true) => {
            let text = format!(
                "the table {name} is there outside of any stack of the cell, as one that was kept when its stack was deleted; the platform stack would fail"
            );
            let remedy = "import it into the platform stack, or save what is in it and delete it";
            Some(Check::new(Area::Names, Verdict::Failed, text).remedy(remedy))
        }
        Err(error) => {
            let what = format!("whether the table name {name} is free is not known");
            Some(Check::unasked(Area::Names, &what, error))
        }
    }
}

async fn of_streams(
    services: &impl PreflightServices,
    wanted: &Wanted<'_>,
    stacks: &Stacks,
) -> Vec<Check> {
    if wanted.stacks.is_empty() {
        return Vec::new();
    }
    let prefix = format!("{}-", wanted.names.prefix());
    let there = match services.streams(&prefix).await {
        Ok(there) => there,
        Err(error) => {
            let what = "whether video streams are left from before is not known";
            return vec![Check::unasked(Area::Names, what, &error)];
        }
    };
    let (mut left, mut unread, mut read) = (Vec::new(), Vec::new(), 0);
    for store in &wanted.stacks {
        let taken: BTreeSet<_> = store.streams.intersection(&there).cloned().collect();
        let stack = stacks.get(&store.name);
        // A stack that is in step has its streams, and one without any has no trouble with them.
        if taken.is_empty() || stack.is_some_and(|it| it.digest.as_ref() == Some(&store.digest)) {
            continue;
        }
        let own = match stack {
            None => BTreeSet::new(),
            Some(_) if read >= TEMPLATES_MAX => {
                unread.push(format!("{}: its template was not read, as one of many", store.name));
                continue;
            }
            Some(_) => {
                read += 1;
                match services.template(&store.name).await {
                    Ok(template) => streams_of(template.as_deref()),
                    Err(error) => {
                        unread.push(format!("{}: {}", store.name, reason(&error)));
                        continue;
                    }
                }
            }
        };
        left.extend(taken.difference(&own).cloned());
    }
    told(left, unread)
}

/// The names of a template's video streams; of one that cannot be read, none.
fn streams_of(template: Option<&str>) -> BTreeSet<String> {
    let Some(template) = template.and_then(|it| Template::parse(it).ok()) else {
        return BTreeSet::new();
    };
    let streams = template.resources().filter_map(|(_, resource)| {
        let is_stream = resource.get("Type")?.as_str()? == "AWS::KinesisVideo::Stream";
        is_stream.then_some(resource.pointer("/Properties/Name")?.as_str()?.to_owned())
    });
    streams.collect()
}

fn told(left: Vec<String>, unread: Vec<String>) -> Vec<Check> {
    let mut checks = Vec::new();
    if !left.is_empty() {
        let text = format!(
            "{} with names of cameras, outside of any stack, as those that were kept when a store or a camera went; the stacks that make them would fail",
            if left.len() == 1 {
                "1 video stream is there".to_owned()
            } else {
                format!("{} are there", counted(left.len(), "video stream"))
            }
        );
        checks.push(
            Check::new(Area::Names, Verdict::Failed, text)
                .details(shortened(left))
                .remedy("import them into the stores' stacks, or delete them with the video that they hold; or give the cameras other ids"),
        );
    }
    if !unread.is_empty() {
        let text = format!(
            "whether the video streams of {} are in them is not known",
            counted(unread.len(), "stack")
        );
        checks.push(
            Check::new(Area::Names, Verdict::Unknown, text)
                .details(shortened(unread))
                .remedy("deploy fewer stores at once, or look at these with `arm diff --live`"),
        );
    }
    checks
}

/// `1 stack`, `2 stacks`.
fn counted(number: usize, noun: &str) -> String {
    plural(u64::try_from(number).unwrap_or(u64::MAX), noun)
}

/// As many lines as fit a screen, and how many more there are.
fn shortened(mut lines: Vec<String>) -> Vec<String> {
    let more = lines.len().saturating_sub(NAMES_MAX);
    lines.truncate(NAMES_MAX);
    lines.extend((more > 0).then(|| format!("and {more} more")));
    lines
}
