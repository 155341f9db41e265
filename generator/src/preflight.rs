//! Looks, before anything is touched, whether a deploy of a cell can succeed: one report.
//!
//! Every check is made before anything is said to be fine, and ends as failed, warning, unknown or
//! passed; what could not be asked is unknown, with the reason, and never left out. Nothing in AWS is
//! changed. Calls go through [`PreflightServices`]; each file below `preflight/` judges one area, as a
//! function of answers. To add a check, begin in the file of its area, or with a new [`Area`].

mod access;
mod granted;
mod identity;
mod model;
mod page;
mod permission;
mod taken;
mod telling;
mod wanted;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::time::Duration;

pub use identity::Identity;
pub use model::{Found, Image, Version};
pub use page::{page, to_json};
pub use permission::{Decision, Question};
pub use taken::Holder;
pub use telling::TextMessages;
pub use wanted::Wanted;

use crate::deploy::{CloudError, Trouble};
use crate::deployed::DeployedStack;
use crate::model::Id;

/// Longest time for one area of a cell. Our choice: the slowest, permissions, is some 40 short calls;
/// a pipeline should not wait longer for what only warns.
const AREA_TIME: Duration = Duration::from_mins(2);

/// What a look needs of AWS, in its own words; `aws` implements it, the tests script it.
#[expect(async_fn_in_trait, reason = "only our own commands and tests implement it")]
pub trait PreflightServices {
    /// Whose the credentials are.
    async fn identity(&self) -> Result<Identity, CloudError>;
    /// The whole ARN of a role, which has its path; `None` when there is no such role.
    async fn role_arn(&self, name: &str) -> Result<Option<String>, CloudError>;
    /// What IAM would decide, action by action; `principal` is the ARN of a user or role.
    async fn simulate(
        &self,
        principal: &str,
        question: &Question,
    ) -> Result<Vec<Decision>, CloudError>;
    /// What was granted of a service's quotas, by their names; those it does not know are left out.
    async fn granted(
        &self,
        region: &str,
        service: &str,
        names: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, u64>, CloudError>;
    /// Every stack of the account and region that is not deleted.
    async fn stacks(&self) -> Result<Vec<DeployedStack>, CloudError>;
    /// A stack's template as it was given; `None` when the stack is gone meanwhile.
    async fn template(&self, stack: &str) -> Result<Option<String>, CloudError>;
    async fn bucket(&self, name: &str) -> Result<Holder, CloudError>;
    async fn has_table(&self, name: &str) -> Result<bool, CloudError>;
    /// The video streams whose names begin so.
    async fn streams(&self, prefix: &str) -> Result<BTreeSet<String>, CloudError>;
    async fn image(&self, image: &Image) -> Result<Found, CloudError>;
    async fn object(&self, bucket: &str, key: &str) -> Result<Found, CloudError>;
    async fn text_messages(&self) -> Result<TextMessages, CloudError>;
    /// How many subscriptions of a topic nobody has confirmed; `None` when there is no such topic.
    async fn unconfirmed(&self, topic: &str) -> Result<Option<u64>, CloudError>;
}

/// What the checks of one cell add up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub cell: Id,
    pub account: String,
    pub region: String,
    /// In the order of [`Area`].
    pub checks: Vec<Check>,
}

/// One check and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    pub area: Area,
    pub verdict: Verdict,
    /// What was found, and what it means for a deploy.
    pub text: String,
    /// One line each.
    pub details: Vec<String>,
    /// A sentence that starts with a verb; `None` where nothing is to be done.
    pub remedy: Option<String>,
}

/// What a check is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Area {
    Identity,
    Permissions,
    Quotas,
    Names,
    Model,
    TextMessages,
    Subscriptions,
}

impl Area {
    /// As people and programs read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Permissions => "permissions",
            Self::Quotas => "quotas",
            Self::Names => "names",
            Self::Model => "model",
            Self::TextMessages => "text-messages",
            Self::Subscriptions => "subscriptions",
        }
    }
}

/// How a check ended, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The deploy would fail, or do harm: it is not begun.
    Failed,
    /// The deploy goes on, and somebody should know.
    Warning,
    /// It could not be asked.
    Unknown,
    Passed,
}

impl Verdict {
    /// As people and programs read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Warning => "warning",
            Self::Unknown => "unknown",
            Self::Passed => "passed",
        }
    }
}

impl Check {
    fn new(area: Area, verdict: Verdict, text: impl Into<String>) -> Self {
        Self { area, verdict, text: text.into(), details: Vec::new(), remedy: None }
    }

    /// A question that AWS did not answer.
    fn unasked(area: Area, what: &str, error: &CloudError) -> Self {
        let check = Self::new(area, Verdict::Unknown, format!("{what}: {}", reason(error)));
        match error.trouble {
            Trouble::Denied => check.remedy("allow these credentials to ask, or look yourself"),
            Trouble::Throttled | Trouble::Transient => check.remedy("run it again"),
            Trouble::Credentials => check.remedy("renew the credentials, then run it again"),
            Trouble::Absent | Trouble::Other => check,
        }
    }

    fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    fn details(mut self, details: Vec<String>) -> Self {
        self.details = details;
        self
    }
}

impl Report {
    /// How many checks ended so.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.checks.iter().filter(|check| check.verdict == verdict).count()
    }

    /// Whether a deploy must not begin; with `strict`, whether anything is not known to be fine.
    pub fn is_refused(&self, strictness: Strictness) -> bool {
        let bad = |check: &Check| match strictness {
            Strictness::Failures => check.verdict == Verdict::Failed,
            Strictness::Everything => check.verdict != Verdict::Passed,
        };
        self.checks.iter().any(bad)
    }
}

/// What counts as a "no".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    Failures,
    /// Warnings and what is unknown, too.
    Everything,
}

/// Makes every check of a cell. `now_ms` is the time, in milliseconds since the epoch.
pub async fn look(services: &impl PreflightServices, wanted: &Wanted<'_>, now_ms: i64) -> Report {
    let asked = services.identity().await;
    let mut checks = vec![identity::judge(&asked, wanted, now_ms)];
    match asked {
        // The answers would be about somebody else's account.
        Ok(identity) if identity.account == wanted.cell.account => {
            let (permissions, quotas, names, model, texts, subscriptions) = tokio::join!(
                within(Area::Permissions, Box::pin(permission::look(services, wanted, &identity))),
                within(Area::Quotas, Box::pin(granted::look(services, wanted))),
                within(Area::Names, Box::pin(taken::look(services, wanted))),
                within(Area::Model, Box::pin(model::look(services, wanted))),
                within(Area::TextMessages, Box::pin(telling::text_messages(services, wanted))),
                within(
                    Area::Subscriptions,
                    Box::pin(telling::subscriptions(services, wanted, &identity))
                ),
            );
            for of_area in [permissions, quotas, names, model, texts, subscriptions] {
                checks.extend(of_area);
            }
        }
        _ => checks.extend(unasked_areas()),
    }
    Report {
        cell: wanted.cell.id.clone(),
        account: wanted.cell.account.clone(),
        region: wanted.cell.region.clone(),
        checks,
    }
}

/// The checks of an area, or that they took too long.
async fn within(area: Area, checks: impl Future<Output = Vec<Check>>) -> Vec<Check> {
    tokio::time::timeout(AREA_TIME, checks).await.unwrap_or_else(|_| {
        let text = format!("not known: AWS took longer than {} s", AREA_TIME.as_secs());
        vec![Check::new(area, Verdict::Unknown, text).remedy("run it again")]
    })
}

/// What is not asked with credentials that are not of the cell's account.
fn unasked_areas() -> impl Iterator<Item = Check> {
    let areas = [
        Area::Permissions,
        Area::Quotas,
        Area::Names,
        Area::Model,
        Area::TextMessages,
        Area::Subscriptions,
    ];
    areas.into_iter().map(|area| {
        Check::new(area, Verdict::Unknown, "not asked without credentials of the cell's account")
    })
}

/// An error with all that caused it, on one line.
fn reason(error: &CloudError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.ends_with(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    text.lines().map(str::trim).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests;
