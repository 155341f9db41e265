//! Cells: account, region and model.

use std::collections::{HashMap, HashSet};

use crate::config::{CellConfig, ModelConfig};
use crate::diagnostic::{At, Diagnostic, is_near};
use crate::model::{Architecture, Cell, Detector, Endpoint, HostedModel};

use super::Context;
use super::{instance, region, role};

/// Days that log groups keep events unless the cell says otherwise. Our choice: a quarter.
const LOG_DAYS: u32 = 90;
/// What `CloudWatch` Logs accepts. Source: `AWS::Logs::LogGroup`, `RetentionInDays`.
const LOG_DAYS_ALLOWED: &[u32] = &[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1_096, 1_827, 2_192, 2_557,
    2_922, 3_288, 3_653,
];
/// Invocations in flight per instance that scaling aims at, unless the model says otherwise.
/// Our choice: the GPU of an `ml.g4dn.xlarge` decodes about four 720p streams at once.
const CONCURRENCY: u32 = 4;

pub(super) fn validate(context: &mut Context<'_>, config: &CellConfig) -> Option<Cell> {
    let id = context.id_within(&config.id, "a cell", 1, Cell::ID_MAX);
    let account = config.account.as_ref().filter(|account| check_account(context, account));
    let region = config.region.as_ref();
    let wrong_region = region.and_then(region::check);
    let region = region.filter(|_| wrong_region.is_none());
    if let Some(problem) = wrong_region {
        context.report(problem);
    }
    let model = config.model.as_ref().or(context.fleet.model.as_ref()).cloned();
    let detector = if let Some(model) = &model {
        detector(context, model, region.map(|region| region.value.as_str()))
    } else {
        let message = format!("the cell `{}` has no model", config.id.value);
        let help = "add `model: { endpoint: NAME }` for an endpoint that exists, or `model: { image: ..., instance: ... }`";
        context.report(Diagnostic::error("missing-model", &config.id.place, message).help(help));
        None
    };
    let role = role::validate(context, config);
    check_emails(context, &config.ops_email);
    let ops_email =
        config.ops_email.iter().filter_map(|email| super::subscriber::email(context, email));
    Some(Cell {
        ops_email: ops_email.collect::<Vec<Endpoint>>(),
        log_days: log_days(context, config),
        role,
        id: id?,
        account: account?.value.clone(),
        region: region?.value.clone(),
        architecture: config.architecture.as_ref().map_or(Architecture::X86_64, |it| it.value),
        detector: detector?,
    })
}

/// Reports an address that is told twice.
fn check_emails(context: &mut Context<'_>, emails: &[At<String>]) {
    let mut seen: HashMap<&str, &At<String>> = HashMap::new();
    for email in emails {
        let first = *seen.entry(&email.value).or_insert(email);
        if first.place != email.place {
            let message = format!("`ops_email` has the address `{}` twice", email.value);
            let problem = Diagnostic::error("duplicate-email", &email.place, message)
                .label("again here")
                .related(&first.place, "first here")
                .help("delete one of the two, or write the address that was meant");
            context.report(problem);
        }
    }
}

fn check_account(context: &mut Context<'_>, account: &At<String>) -> bool {
    let valid = account.value.len() == 12 && account.value.bytes().all(|b| b.is_ascii_digit());
    if !valid {
        let message = format!("`{}` is no AWS account id", account.value);
        let digits: String = account.value.chars().filter(char::is_ascii_digit).collect();
        let help = if digits.len() == 12 {
            format!("write its twelve digits alone, in quotes: `\"{digits}\"`")
        } else {
            let number = digits.len();
            format!("write its twelve digits in quotes, with leading zeros; these are {number}")
        };
        context.report(Diagnostic::error("bad-account", &account.place, message).help(help));
    }
    valid
}

fn log_days(context: &mut Context<'_>, config: &CellConfig) -> u32 {
    let Some(days) = &config.log_days else { return LOG_DAYS };
    if !LOG_DAYS_ALLOWED.contains(&days.value) {
        let longer = LOG_DAYS_ALLOWED.iter().find(|it| **it > days.value).unwrap_or(&LOG_DAYS);
        let message = format!("CloudWatch Logs cannot keep logs for {} days", days.value);
        let help = format!("use `{longer}d`, the next that it can");
        context.report(Diagnostic::error("bad-log-retention", &days.place, message).help(help));
    }
    days.value
}

pub(super) fn detector(
    context: &mut Context<'_>,
    model: &At<ModelConfig>,
    region: Option<&str>,
) -> Option<Detector> {
    let ModelConfig { endpoint, image, data, instance, instances, concurrency } = &model.value;
    if let (Some(endpoint), None) = (endpoint, image) {
        let name = &endpoint.value;
        let valid = (1..=63).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !name.starts_with('-')
            && !name.ends_with('-');
        if data.is_some() || instance.is_some() || instances.is_some() || concurrency.is_some() {
            let place = [data.as_ref(), instance.as_ref()].into_iter().flatten().next();
            let place = place.map(|it| &it.place).or(instances.as_ref().map(|it| &it.place));
            let message = "an endpoint that exists has its own model data, instances and scaling";
            let help = "delete `data`, `instance`, `instances` and `concurrency`; or, for a model that arm hosts, write `image` in place of `endpoint`";
            let problem = Diagnostic::error("bad-model", place.unwrap_or(&model.place), message);
            context.report(problem.help(help));
        }
        if !valid {
            let message =
                format!("`{}` cannot be the name of a SageMaker endpoint", endpoint.value);
            let help = match name.rsplit_once('/') {
                Some((arn, last)) if arn.starts_with("arn:") => {
                    format!("write the name alone: `{last}`")
                }
                _ => "use letters, digits and hyphens, at most 63 characters, no hyphen at either end"
                    .to_owned(),
            };
            context.report(Diagnostic::error("bad-endpoint", &endpoint.place, message).help(help));
        }
        return valid.then(|| Detector::Existing { endpoint: endpoint.value.clone() });
    }
    let (None, Some(image)) = (endpoint, image) else {
        let message = "a model is either an endpoint that exists or an image to host";
        let help = "give `endpoint`, or `image` and `instance`, not both";
        context.report(Diagnostic::error("bad-model", &model.place, message).help(help));
        return None;
    };
    check_image(context, image, region);
    if let Some(data) = data {
        let parts = data.value.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
        if !parts.is_some_and(|(bucket, key)| is_bucket(bucket) && is_archive(key)) {
            let message = format!("`{}` is no model archive in S3", data.value);
            let help = "write `s3://bucket/path/model.tar.gz`";
            context.report(Diagnostic::error("bad-model-data", &data.place, message).help(help));
        }
    }
    let Some(instance) = instance else {
        let message = "a hosted model needs an instance type";
        let help = "add `instance: ml.g4dn.xlarge`";
        context.report(Diagnostic::error("bad-instance", &model.place, message).help(help));
        return None;
    };
    check_instance(context, instance);
    Some(Detector::Hosted(HostedModel {
        image: image.value.clone(),
        data: data.as_ref().map(|data| data.value.clone()),
        instance: instance.value.clone(),
        instances: instances.as_ref().map_or((1, 1), |it| it.value),
        concurrency: concurrency.as_ref().map_or(CONCURRENCY, |it| it.value),
    }))
}

/// `<account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag>` or `@sha256:...`, in the cell's
/// region: SageMaker pulls from its own region only.
fn check_image(context: &mut Context<'_>, image: &At<String>, region: Option<&str>) {
    let host_and_name = image.value.split_once('/');
    let host: Vec<_> = host_and_name.map_or(vec![], |(host, _)| host.split('.').collect());
    let [account, "dkr", "ecr", at, "amazonaws", ..] = host[..] else {
        let message = format!("`{}` is no image in Amazon ECR", image.value);
        let help = "write `123456789012.dkr.ecr.us-west-2.amazonaws.com/repository:tag`";
        return context.report(Diagnostic::error("bad-image", &image.place, message).help(help));
    };
    let digits = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    let name = host_and_name.map_or("", |(_, name)| name);
    if !digits || !is_repository(name) {
        let message = format!("`{}` names no account's image with a tag or digest", image.value);
        let help = "write `123456789012.dkr.ecr.us-west-2.amazonaws.com/repository:tag`";
        context.report(Diagnostic::error("bad-image", &image.place, message).help(help));
    }
    if region.is_some_and(|region| region != at) {
        let message = format!("the image is in {at}, the cell in {}", region.unwrap_or_default());
        let help = "copy the image to the cell's region, and give the cell a `model` of its own";
        context.report(Diagnostic::error("image-region", &image.place, message).help(help));
    }
}

fn check_instance(context: &mut Context<'_>, instance: &At<String>) {
    let parts: Vec<_> = instance.value.split('.').collect();
    let lower = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    if matches!(parts[..], ["ml", "t2" | "t3", _]) {
        let message =
            format!("`{}` is burstable, and SageMaker does not scale those", instance.value);
        let help = "use a type such as `ml.g4dn.xlarge`, or `ml.c5.large` for a model without GPU";
        context.report(Diagnostic::error("bad-instance", &instance.place, message).help(help));
    }
    if !matches!(parts[..], ["ml", family, size] if lower(family) && lower(size)) {
        let message = format!("`{}` is no SageMaker instance type", instance.value);
        // EC2's name of the same machine.
        let help = if matches!(parts[..], [family, size] if lower(family) && lower(size)) {
            format!("did you mean `ml.{}`?", instance.value)
        } else {
            "write a type such as `ml.g4dn.xlarge`".to_owned()
        };
        context.report(Diagnostic::error("bad-instance", &instance.place, message).help(help));
    } else if !instance::is_known(&instance.value) {
        let message = format!(
            "`{}` is none of the types that arm knows SageMaker to host models on",
            instance.value
        );
        let known: Vec<_> = instance::all().collect();
        let near = known.iter().map(String::as_str).filter(|known| is_near(&instance.value, known));
        let help = match near.min_by_key(|near| near.len().abs_diff(instance.value.len())) {
            Some(near) => format!("did you mean `{near}`? a type that is new can be accepted with `allow`"),
            None => "look it up under SageMaker pricing; a type that is new can be accepted with `allow`".to_owned(),
        };
        let mut problem =
            Diagnostic::warning("unknown-instance", &instance.place, message).help(help);
        problem.of.clone_from(&instance.value);
        context.report(problem);
    }
}

/// Letters that mean nothing to IAM, `Fn::Sub` or a shell.
fn is_plain(text: &str, others: &[u8]) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || others.contains(&b);
    !text.is_empty() && text.bytes().all(allowed)
}

/// Source: S3 user guide, "Bucket naming rules".
fn is_bucket(text: &str) -> bool {
    (3..=63).contains(&text.len()) && is_plain(text, b".-") && text == text.to_ascii_lowercase()
}

fn is_archive(key: &str) -> bool {
    key.len() <= 1_024 && is_plain(key, b"!_.()/-") && key.ends_with(".tar.gz")
}

/// A repository with a tag, or with a digest.
fn is_repository(text: &str) -> bool {
    let (name, version) = match text.split_once("@sha256:") {
        Some((name, digest)) => (name, digest.len() == 64 && is_plain(digest, b"")),
        None => {
            text.split_once(':').map_or((text, false), |(name, tag)| (name, is_plain(tag, b"_.-")))
        }
    };
    version && is_plain(name, b"._/-") && name == name.to_ascii_lowercase()
}

/// Names carry the cell and then the store: in one account and region, no cell's id may be the
/// beginning of another's, or their names could meet.
pub(super) fn check_collisions(context: &mut Context<'_>, cells: &[Cell]) {
    let places: HashMap<_, _> =
        context.fleet.cells.iter().map(|it| (it.id.value.as_str(), &it.id.place)).collect();
    let home = |cell: &Cell, id: &str| (cell.account.clone(), cell.region.clone(), id.to_owned());
    let all: HashSet<_> = cells.iter().map(|cell| home(cell, cell.id.as_str())).collect();
    for cell in cells {
        let id = cell.id.as_str();
        let beginnings = id.match_indices('-').filter_map(|(at, _)| id.get(..at));
        for short in beginnings.filter(|short| all.contains(&home(cell, short))) {
            let (Some(here), Some(there)) = (places.get(id), places.get(short)) else { continue };
            let message = format!(
                "the cells `{short}` and `{id}` share an account and region, and their names would meet"
            );
            context.report(
                Diagnostic::error("cell-names-meet", here, message)
                    .related(there, "the other cell")
                    .help("choose ids of which none begins with the other and a hyphen"),
            );
        }
    }
}
