//! Whether the credentials may do what a deploy does: by IAM's own simulator.
//!
//! CloudFormation works with the caller's credentials, so that a deploy takes what `arm` calls itself,
//! and what CloudFormation does to every type of resource. One resource of each type is asked about, the
//! first, by its ARN: who may make one may make its like. What no deploy can do without is a failure;
//! what a change or a deletion may take is a warning, as is what a condition decides that only a
//! real call can meet. Session policies and policies on resources are not simulated.

use std::collections::{BTreeMap, BTreeSet};

use crate::change::resource_type;
use crate::deploy::{CloudError, Trouble};
use crate::name::{Bucket, StoreNames};

use super::identity::{Identity, Principal};
use super::{Area, Check, PreflightServices, Verdict, Wanted, access};

/// What is asked of the simulator at once: actions on one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub resource_arn: String,
    /// Sorted.
    pub actions: Vec<String>,
    /// What the request would be made with, besides.
    pub region: String,
}

/// What IAM would decide of one action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub action: String,
    pub is_allowed: bool,
    /// Keys of conditions on which it depends, and which the question did not have.
    pub missing: Vec<String>,
}

/// How much a deploy needs an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Need {
    Perhaps,
    Surely,
}

/// Why an action is asked about on one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Reason {
    need: Need,
    /// What needs it, in words.
    by: BTreeSet<String>,
}

/// By ARN and action.
type Reasons = BTreeMap<String, BTreeMap<String, Reason>>;

/// What `arm` calls itself on a stack. Source: the calls in `aws/cloudformation.rs` and `aws/deployed.rs`.
const OF_STACKS: [&str; 7] = [
    "CreateChangeSet",
    "DeleteChangeSet",
    "DeleteStack",
    "DescribeChangeSet",
    "DescribeStackEvents",
    "DescribeStacks",
    "ExecuteChangeSet",
];
/// The same on the artifacts bucket's objects. Source: the calls in `aws/s3.rs`; CloudFormation reads large templates.
const OF_OBJECTS: [&str; 2] = ["GetObject", "PutObject"];

/// What `arm` itself is called as one that needs a permission.
const OURSELVES: &str = "`arm deploy` itself";

pub(super) async fn look(
    services: &impl PreflightServices,
    wanted: &Wanted<'_>,
    identity: &Identity,
) -> Vec<Check> {
    let unknown = |text: &str| {
        let text = format!("whether the credentials may deploy is not known: {text}");
        vec![Check::new(Area::Permissions, Verdict::Unknown, text)]
    };
    let principal = match identity.principal() {
        Principal::User(arn) => arn,
        Principal::None(reason) => return unknown(reason),
        Principal::Role(name) => match services.role_arn(&name).await {
            Ok(Some(arn)) => arn,
            Ok(None) => return unknown(&format!("IAM knows no role `{name}`")),
            // Its path is not known then; most roles have none.
            Err(error) if error.trouble == Trouble::Denied => {
                format!("arn:{}:iam::{}:role/{name}", identity.partition(), identity.account)
            }
            Err(error) => return vec![unasked(&error)],
        },
    };
    let reasons = reasons(wanted, identity.partition());
    let mut decisions = Vec::new();
    for (arn, actions) in &reasons {
        let question = Question {
            resource_arn: arn.clone(),
            actions: actions.keys().cloned().collect(),
            region: wanted.cell.region.clone(),
        };
        match services.simulate(&principal, &question).await {
            Ok(answers) => decisions.push((arn.as_str(), answers)),
            Err(error) => return vec![unasked(&error)],
        }
    }
    let mut checks = judge(&principal, &reasons, &decisions);
    let strange = wanted.examples.iter().filter(|(_, example)| example.arn.is_none());
    let strange: Vec<_> = strange.map(|(name, _)| name.clone()).collect();
    if !strange.is_empty() {
        let text = "what these resource types take is not known, and was not asked";
        checks.push(Check::new(Area::Permissions, Verdict::Unknown, text).details(strange));
    }
    checks
}

fn unasked(error: &CloudError) -> Check {
    Check::unasked(Area::Permissions, "whether the credentials may deploy is not known", error)
}

/// Everything that is asked about, and why.
fn reasons(wanted: &Wanted<'_>, partition: &str) -> Reasons {
    let mut reasons = Reasons::new();
    let mut ask = |arn: &str, action: String, need: Need, by: &str| {
        let arn = arn.replace("{partition}", partition);
        let actions: &mut BTreeMap<String, Reason> = reasons.entry(arn).or_default();
        let reason = actions.entry(action).or_insert_with(|| Reason { need, by: BTreeSet::new() });
        reason.need = reason.need.max(need);
        reason.by.insert(by.to_owned());
    };
    let (account, region) = (&wanted.cell.account, &wanted.cell.region);
    let store = wanted.stores.first().map(|it| StoreNames::new(&it.cell, &it.id));
    let store = store.map(|it| it.stack().to_owned());
    let stacks = [wanted.names.artifacts_stack(), wanted.names.platform_stack()];
    for stack in stacks.into_iter().chain(store) {
        let arn = format!("arn:{{partition}}:cloudformation:{region}:{account}:stack/{stack}/*");
        for action in OF_STACKS {
            ask(&arn, format!("cloudformation:{action}"), Need::Surely, OURSELVES);
        }
        ask(&arn, "cloudformation:GetTemplate".to_owned(), Need::Perhaps, "`arm diff --live`");
    }
    let bucket = format!("arn:{{partition}}:s3:::{}", wanted.names.bucket(Bucket::Artifacts));
    ask(&bucket, "s3:ListBucket".to_owned(), Need::Surely, OURSELVES);
    for action in OF_OBJECTS {
        ask(&format!("{bucket}/*"), format!("s3:{action}"), Need::Surely, OURSELVES);
    }
    for reference in &wanted.references {
        if let Some((arn, action)) = stored(reference, (region, account)) {
            ask(&arn, action.to_owned(), Need::Surely, "stored addresses");
        }
    }
    for (name, example) in &wanted.examples {
        let (Some(access), Some(arn)) = (access::find(name), &example.arn) else { continue };
        let by = resource_type::words(name).map_or(name.as_str(), |words| words.many);
        for action in &access.create {
            let arn = neighbour(action, arn, wanted).unwrap_or_else(|| arn.clone());
            ask(&arn, action.clone(), Need::Surely, by);
        }
        for action in &access.others {
            ask(arn, action.clone(), Need::Perhaps, by);
        }
    }
    reasons
}

/// The ARN of what a resource of one service needs of another: `None` where the action is of the
/// resource's own service.
fn neighbour(action: &str, arn: &str, wanted: &Wanted<'_>) -> Option<String> {
    let service = action.split(':').next()?;
    if arn.split(':').nth(2) == Some(service) {
        return None;
    }
    let (account, region) = (&wanted.cell.account, &wanted.cell.region);
    match service {
        "iam" => wanted.examples.get("AWS::IAM::Role")?.arn.clone(),
        "kms" => Some(format!("arn:{{partition}}:kms:{region}:{account}:key/*")),
        "s3" => {
            Some(format!("arn:{{partition}}:s3:::{}/*", wanted.names.bucket(Bucket::Artifacts)))
        }
        _ => Some("*".to_owned()),
    }
}

/// What reading a stored address takes. Source: CloudFormation user guide, "Get values stored in other
/// services using dynamic references".
fn stored(reference: &str, (region, account): (&str, &str)) -> Option<(String, &'static str)> {
    let (service, name) = reference.split_once(':')?;
    match service {
        "ssm" => Some((
            format!(
                "arn:{{partition}}:ssm:{region}:{account}:parameter/{}",
                name.trim_start_matches('/')
            ),
            "ssm:GetParameters",
        )),
        "secretsmanager" => Some((
            format!("arn:{{partition}}:secretsmanager:{region}:{account}:secret:{name}-*"),
            "secretsmanager:GetSecretValue",
        )),
        _ => None,
    }
}

fn judge(principal: &str, reasons: &Reasons, decisions: &[(&str, Vec<Decision>)]) -> Vec<Check> {
    let (mut asked, mut answered) = (0, 0);
    let mut denied: BTreeMap<Kind, BTreeMap<(String, &str), Vec<String>>> = BTreeMap::new();
    for (arn, actions) in reasons {
        asked += actions.len();
        let answers = decisions.iter().find(|(of, _)| of == arn).map_or(&[][..], |(_, it)| it);
        for (action, reason) in actions {
            let Some(decision) = answers.iter().find(|it| it.action.eq_ignore_ascii_case(action))
            else {
                continue;
            };
            answered += 1;
            let Some(kind) = Kind::of(reason.need, decision) else { continue };
            let by = reason.by.iter().cloned().collect::<Vec<_>>().join(", ");
            let text = match decision.missing.as_slice() {
                [] => action.clone(),
                keys => format!("{action} ({})", keys.join(", ")),
            };
            denied.entry(kind).or_default().entry((by, arn)).or_default().push(text);
        }
    }
    let mut checks: Vec<Check> =
        denied.iter().map(|(kind, of)| kind.check(principal, of)).collect();
    if answered < asked {
        let text = format!(
            "IAM gave no answer about {} of {asked} actions of {principal}",
            asked - answered
        );
        checks.push(Check::new(Area::Permissions, Verdict::Unknown, text).remedy("run it again"));
    }
    if checks.is_empty() {
        let text = format!("{principal} may do all {asked} actions on the resources of a deploy");
        checks.push(Check::new(Area::Permissions, Verdict::Passed, text));
    }
    checks
}

/// In what way a decision is no plain yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Needed,
    MayBeNeeded,
    Conditional,
}

impl Kind {
    fn of(need: Need, decision: &Decision) -> Option<Self> {
        match (decision.is_allowed, decision.missing.is_empty(), need) {
            (true, ..) => None,
            (false, false, _) => Some(Self::Conditional),
            (false, true, Need::Surely) => Some(Self::Needed),
            (false, true, Need::Perhaps) => Some(Self::MayBeNeeded),
        }
    }

    fn check(self, principal: &str, of: &BTreeMap<(String, &str), Vec<String>>) -> Check {
        let number: usize = of.values().map(Vec::len).sum();
        let actions = format!("{number} action{}", if number == 1 { "" } else { "s" });
        let (verdict, text, remedy) = match self {
            Self::Needed => (
                Verdict::Failed,
                format!(
                    "{principal} may not do {actions} that a deploy needs; its stacks would fail and roll back"
                ),
                "allow these actions, or deploy with another role",
            ),
            Self::MayBeNeeded => (
                Verdict::Warning,
                format!(
                    "{principal} may not do {actions} that a change or a deletion may take; stacks that come to it fail"
                ),
                "allow these actions, unless they are kept from this role on purpose",
            ),
            Self::Conditional => (
                Verdict::Warning,
                format!(
                    "whether {principal} may do {actions} depends on conditions that only a real call meets"
                ),
                "look whether a deploy meets the conditions in parentheses",
            ),
        };
        let details =
            of.iter().map(|((by, arn), actions)| format!("{by}: {} on {arn}", actions.join(", ")));
        Check::new(Area::Permissions, verdict, text).details(details.collect()).remedy(remedy)
    }
}
