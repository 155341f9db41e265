//! Whether people can be told: text messages, and subscriptions that nobody has confirmed.
//!
//! None of it stops a deploy: alerts are what would not arrive. Who has not confirmed, `arm status
//! --subscribers` lists.

use crate::deploy::CloudError;
use crate::model::Channel;

use super::{Area, Check, Identity, PreflightServices, Verdict, Wanted};

/// How an account may send text messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextMessages {
    /// Only to numbers that were verified.
    pub is_in_sandbox: bool,
    /// Most that may be spent in a month, in US dollars, as SNS has it; `None` where nobody set it.
    pub monthly_dollars: Option<String>,
}

/// What may be spent in a month unless somebody raised it, in US dollars. Source: SNS developer guide,
/// "Requesting increases to your monthly SMS spending quota".
const DOLLARS_DEFAULT: f64 = 1.0;

pub(super) async fn text_messages(
    services: &impl PreflightServices,
    wanted: &Wanted<'_>,
) -> Vec<Check> {
    let has_sms = |it: &&&crate::model::Store| {
        it.subscribers.iter().any(|subscriber| subscriber.channel == Channel::Sms)
    };
    match wanted.stores.iter().filter(has_sms).count() {
        0 => vec![Check::new(
            Area::TextMessages,
            Verdict::Passed,
            "no subscriber of the cell gets text messages",
        )],
        stores => judge(stores, &services.text_messages().await),
    }
}

fn judge(stores: usize, answer: &Result<TextMessages, CloudError>) -> Vec<Check> {
    let stores = match stores {
        1 => "1 store alerts".to_owned(),
        many => format!("{many} stores alert"),
    };
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            let what = format!(
                "whether the account may send text messages, by which {stores}, is not known"
            );
            return vec![Check::unasked(Area::TextMessages, &what, error)];
        }
    };
    let mut checks = Vec::new();
    if answer.is_in_sandbox {
        let text = format!(
            "the account is in SNS's SMS sandbox: text messages reach only numbers that were verified there, and {stores} by them"
        );
        checks.push(Check::new(Area::TextMessages, Verdict::Warning, text).remedy(
            "ask AWS Support to move the account out of the SMS sandbox, or verify every number",
        ));
    }
    let dollars = answer.monthly_dollars.as_deref().map_or(Ok(DOLLARS_DEFAULT), str::parse::<f64>);
    match dollars {
        Ok(dollars) if dollars <= DOLLARS_DEFAULT => {
            let text = format!(
                "the account may spend ${dollars} on text messages in a month; SNS drops what comes after, and {stores} by them"
            );
            checks.push(
                Check::new(Area::TextMessages, Verdict::Warning, text)
                    .remedy("ask AWS Support for a higher SMS spending quota, then set `MonthlySpendLimit` (`aws sns set-sms-attributes`)"),
            );
        }
        Ok(_) => {}
        Err(_) => {
            let said = answer.monthly_dollars.as_deref().unwrap_or_default();
            let text = format!(
                "what may be spent on text messages in a month is not known: SNS says `{said}`"
            );
            checks.push(Check::new(Area::TextMessages, Verdict::Unknown, text));
        }
    }
    if let (true, Ok(dollars)) = (checks.is_empty(), dollars) {
        let text = format!("the account may text any number, for ${dollars} in a month");
        checks.push(Check::new(Area::TextMessages, Verdict::Passed, text));
    }
    checks
}

pub(super) async fn subscriptions(
    services: &impl PreflightServices,
    wanted: &Wanted<'_>,
    identity: &Identity,
) -> Vec<Check> {
    let cell = wanted.cell;
    if cell.ops_email.is_empty() {
        let text = "the cell has no `ops_email`, so that nobody need confirm";
        return vec![Check::new(Area::Subscriptions, Verdict::Passed, text)];
    }
    let topic = wanted.names.ops_topic();
    let arn = format!("arn:{}:sns:{}:{}:{topic}", identity.partition(), cell.region, cell.account);
    let check = match services.unconfirmed(&arn).await {
        Ok(None) => Check::new(
            Area::Subscriptions,
            Verdict::Passed,
            format!("the topic {topic} is new; everybody in `ops_email` must confirm once it is there"),
        ),
        Ok(Some(0)) => Check::new(
            Area::Subscriptions,
            Verdict::Passed,
            format!("everybody who is subscribed to {topic} has confirmed"),
        ),
        Ok(Some(number)) => Check::new(
            Area::Subscriptions,
            Verdict::Warning,
            format!("{number} of the subscriptions to {topic} are not confirmed; whoever they are for is told of no alarm"),
        )
        .remedy("ask them to follow the link in AWS's mail; it is good for 2 days"),
        Err(error) => {
            let what = format!("whether everybody who is subscribed to {topic} has confirmed is not known");
            Check::unasked(Area::Subscriptions, &what, &error)
        }
    };
    vec![check]
}
