//! Whose the credentials are: they must be of the cell's account, and last long enough.
//!
//! Also what IAM calls their owner: AWS names a session, and the simulator wants the role behind it. Pure.

use crate::deploy::{CloudError, Trouble};

use super::{Area, Check, Verdict, Wanted, reason};

/// How long credentials must last, in milliseconds. Our choice: a cell's first deploy takes about as long.
const LASTS_MS: i64 = 15 * 60 * 1_000;

/// The owner of the credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub account: String,
    pub arn: String,
    /// When they end, in milliseconds since the epoch; `None` where they do not, or do not say.
    pub expires_ms: Option<i64>,
}

/// What the simulator of IAM can be asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Principal {
    /// The ARN of a user.
    User(String),
    /// The name of a role; a session does not tell its path.
    Role(String),
    /// Why there is nothing to simulate.
    None(&'static str),
}

impl Identity {
    /// Such as `aws`; of an ARN that is none, the same.
    pub(super) fn partition(&self) -> &str {
        self.arn.split(':').nth(1).filter(|it| !it.is_empty()).unwrap_or("aws")
    }

    /// Who is behind the credentials. Source of the forms: IAM user guide, "IAM identifiers".
    pub(super) fn principal(&self) -> Principal {
        let parts: Vec<&str> = self.arn.splitn(6, ':').collect();
        let (Some(service), Some(resource)) = (parts.get(2), parts.get(5)) else {
            return Principal::None("AWS gives no ARN of theirs");
        };
        match (*service, resource.split_once('/')) {
            ("iam", Some(("user", _))) => Principal::User(self.arn.clone()),
            ("sts", Some(("assumed-role", session))) => {
                let role = session.split('/').next().unwrap_or_default();
                Principal::Role(role.to_owned())
            }
            ("iam", Some(("role", path))) => {
                Principal::Role(path.rsplit('/').next().unwrap_or_default().to_owned())
            }
            ("iam", None) if *resource == "root" => {
                Principal::None("they are the account's root user, which IAM does not simulate")
            }
            _ => Principal::None("IAM simulates users and roles, and they are neither"),
        }
    }
}

pub(super) fn judge(
    asked: &Result<Identity, CloudError>,
    wanted: &Wanted<'_>,
    now_ms: i64,
) -> Check {
    let cell = wanted.cell;
    let identity = match asked {
        Ok(identity) => identity,
        Err(error) => {
            let text = format!("it is not known whose the credentials are: {}", reason(error));
            let remedy = match error.trouble {
                Trouble::Transient | Trouble::Throttled => {
                    "look whether AWS can be reached from here, then run it again"
                }
                _ => {
                    "give credentials by AWS_PROFILE, `aws sso login`, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
                }
            };
            return Check::new(Area::Identity, Verdict::Failed, text).remedy(remedy);
        }
    };
    if identity.account != cell.account {
        let text = format!(
            "the credentials are {} of account {}, and the cell is account {}",
            identity.arn, identity.account, cell.account
        );
        return Check::new(Area::Identity, Verdict::Failed, text)
            .remedy("use credentials of the cell's account, or correct `account` in fleet.yaml");
    }
    let who = format!("{} of account {}", identity.arn, identity.account);
    let Some(expires_ms) = identity.expires_ms else {
        return Check::new(Area::Identity, Verdict::Passed, who);
    };
    let left_ms = expires_ms.saturating_sub(now_ms).max(0);
    let text = format!("{who}; these credentials last {} more min", left_ms / 60_000);
    if left_ms < LASTS_MS {
        let text = format!("{text}, and a deploy may take longer");
        let remedy = "renew them first, unless they come from a source that renews them by itself";
        return Check::new(Area::Identity, Verdict::Warning, text).remedy(remedy);
    }
    Check::new(Area::Identity, Verdict::Passed, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn principal(arn: &str) -> Principal {
        Identity { account: String::new(), arn: arn.to_owned(), expires_ms: None }.principal()
    }

    #[test]
    fn a_session_is_taken_for_its_role_and_what_iam_cannot_simulate_says_why() {
        let role = |name: &str| Principal::Role(name.to_owned());
        let session = "arn:aws:sts::123456789012:assumed-role/deployer/run-7";
        assert_eq!(principal(session), role("deployer"));
        assert_eq!(principal("arn:aws:iam::123456789012:role/ci/deployer"), role("deployer"));
        let user = "arn:aws:iam::123456789012:user/people/kim";
        assert_eq!(principal(user), Principal::User(user.to_owned()));
        for odd in [
            "arn:aws:iam::123456789012:root",
            "arn:aws:sts::123456789012:federated-user/kim",
            "",
            "nonsense",
        ] {
            assert!(matches!(principal(odd), Principal::None(_)), "{odd}");
        }
    }
}
