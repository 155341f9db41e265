//! Whether the account was granted what the fleet needs, by Service Quotas.
//!
//! What is needed is counted in `demand`; here it meets what AWS says, instead of its defaults and what
//! people state. AWS is asked by its own names of the quotas; one that it does not know by that name is
//! unknown. Other users of the account are not counted. What nobody raises is compared by `arm check`.

use std::collections::{BTreeMap, BTreeSet};

use crate::demand::{Line, Origin};
use crate::deploy::{CloudError, Trouble};
use crate::quota::{Raise, Scope, thousands};

use super::{Area, Check, PreflightServices, Verdict, Wanted, reason};

/// Where Service Quotas has the quotas of a whole account. Source: Service Quotas user guide, "Viewing
/// service quotas": those of global services are in US East (N. Virginia).
const ACCOUNT_REGION: &str = "us-east-1";
/// From where on a need is near its limit, in percent, as `arm quotas` has it.
const NEAR_PERCENT: u64 = 80;

/// Region and service: of each, what is to be asked.
type Places<'a> = BTreeMap<(&'a str, &'a str), BTreeSet<String>>;

pub(super) async fn look(services: &impl PreflightServices, wanted: &Wanted<'_>) -> Vec<Check> {
    let mut places: Places<'_> = BTreeMap::new();
    for line in raised(wanted) {
        if !line.quota.name.is_empty() {
            let names = places.entry((region(wanted, line), line.quota.service)).or_default();
            names.insert(aws_name(line));
        }
    }
    let mut answers = BTreeMap::new();
    for ((region, service), names) in &places {
        let answer = services.granted(region, service, names).await;
        answers.insert((*region, *service), answer);
    }
    judge(wanted, &answers)
}

/// The needs of what AWS raises on request.
fn raised<'a>(wanted: &'a Wanted<'_>) -> impl Iterator<Item = &'a Line> {
    wanted.home.lines.iter().filter(|line| line.quota.raise == Raise::OnRequest)
}

fn region<'a>(wanted: &'a Wanted<'_>, line: &Line) -> &'a str {
    match line.quota.scope {
        Scope::Account => ACCOUNT_REGION,
        Scope::Region | Scope::InstanceType | Scope::Each(_) => &wanted.cell.region,
    }
}

fn aws_name(line: &Line) -> String {
    line.quota.aws_name(line.name.instance.as_deref())
}

type Answers<'a> = BTreeMap<(&'a str, &'a str), Result<BTreeMap<String, u64>, CloudError>>;

fn judge(wanted: &Wanted<'_>, answers: &Answers<'_>) -> Vec<Check> {
    let (mut checks, mut fits, mut unlisted) = (Vec::new(), Vec::new(), Vec::new());
    for line in raised(wanted) {
        let answer = answers.get(&(region(wanted, line), line.quota.service));
        match answer {
            Some(Err(_)) => {}
            Some(Ok(granted)) => match granted.get(&aws_name(line)) {
                Some(granted) => match compared(line, *granted) {
                    Some(check) => checks.push(check),
                    None => fits.push(format!("{} ({})", line.name, numbers(line, *granted))),
                },
                None => unlisted.push(format!(
                    "{}: Service Quotas has no `{}` of `{}`; needed: {}",
                    line.name,
                    aws_name(line),
                    line.quota.service,
                    thousands(line.used)
                )),
            },
            None if line.used <= line.quota.default => fits.push(format!(
                "{} ({} needed, {} by AWS's documentation, as Service Quotas does not have it)",
                line.name,
                thousands(line.used),
                thousands(line.quota.default)
            )),
            None => unlisted.push(format!(
                "{}: Service Quotas does not have it; needed: {}, and {} by AWS's documentation",
                line.name,
                thousands(line.used),
                thousands(line.quota.default)
            )),
        }
    }
    checks.extend(refused(answers));
    if !unlisted.is_empty() {
        let text = "what was granted of these quotas is not known";
        checks.push(Check::new(Area::Quotas, Verdict::Unknown, text).details(unlisted));
    }
    if !fits.is_empty() {
        let number = fits.len();
        let text = format!(
            "{number} quota{} leave the fleet the room that it needs",
            if number == 1 { "" } else { "s" }
        );
        checks.push(Check::new(Area::Quotas, Verdict::Passed, text).details(fits));
    }
    if checks.is_empty() {
        checks.push(Check::new(Area::Quotas, Verdict::Passed, "nothing is needed of any quota"));
    }
    checks
}

/// The services that could not be asked, together where the reason is the same.
fn refused(answers: &Answers<'_>) -> Vec<Check> {
    let mut reasons: BTreeMap<String, (Trouble, Vec<&str>)> = BTreeMap::new();
    for ((_, service), answer) in answers {
        if let Err(error) = answer {
            let why = reason(error).replace(&format!("`{service}`"), "them");
            reasons.entry(why).or_insert((error.trouble, Vec::new())).1.push(service);
        }
    }
    let checks = reasons.into_iter().map(|(why, (trouble, services))| {
        let services = services.join(", ");
        let text = format!("what was granted of the quotas of {services} is not known: {why}");
        let remedy = match trouble {
            Trouble::Denied => "allow `servicequotas:ListServiceQuotas` and `servicequotas:ListAWSDefaultServiceQuotas`, or look in Service Quotas",
            Trouble::Throttled | Trouble::Transient => "run it again, or look in Service Quotas",
            Trouble::Credentials | Trouble::Absent | Trouble::Other => "look in Service Quotas",
        };
        Check::new(Area::Quotas, Verdict::Unknown, text).remedy(remedy)
    });
    checks.collect()
}

/// A need beside what was granted; `None` where it fits with room.
fn compared(line: &Line, granted: u64) -> Option<Check> {
    let name = &line.name;
    let aws = format!("`{}` of `{}`", aws_name(line), line.quota.service);
    let raise = format!(
        "raise {aws} (Service Quotas) to at least {}; or {}",
        thousands(line.used),
        line.quota.relief
    );
    let said = numbers(line, granted);
    if line.used > granted && !line.quota.estimate {
        let text = format!("`{name}`: {said}; a deploy would stop half-way");
        return Some(Check::new(Area::Quotas, Verdict::Failed, text).remedy(raise));
    }
    if matches!(line.origin, Origin::Stated(_)) && line.limit > granted {
        let text = format!(
            "`{name}`: fleet.yaml states {}, and the account was granted {}; `arm check` counts on what is not there",
            thousands(line.limit),
            thousands(granted)
        );
        let remedy = format!(
            "raise {aws} (Service Quotas), or write `{}` in fleet.yaml",
            name.yaml(granted)
        );
        return Some(Check::new(Area::Quotas, Verdict::Failed, text).remedy(remedy));
    }
    if line.used > granted {
        let text = format!("`{name}`: {said}, by an estimate; video would be watched late");
        return Some(Check::new(Area::Quotas, Verdict::Warning, text).remedy(raise));
    }
    if line.used.saturating_mul(100) > granted.saturating_mul(NEAR_PERCENT) {
        let text = format!("`{name}`: {said}; what others in the account use is not counted");
        return Some(Check::new(Area::Quotas, Verdict::Warning, text).remedy(raise));
    }
    None
}

fn numbers(line: &Line, granted: u64) -> String {
    format!("{} needed, {} granted", thousands(line.used), thousands(granted))
}
