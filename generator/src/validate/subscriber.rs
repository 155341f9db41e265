//! Subscribers: who is in an audience, and whether the address could be one.

use std::collections::BTreeSet;

use contract::health::OPS_AUDIENCE;

use crate::config::{CellConfig, SubscriberConfig};
use crate::diagnostic::{At, Diagnostic};
use crate::inherit::Inherited;
use crate::model::{Channel, Endpoint, Id, Subscriber};

use super::Context;

pub(super) fn validate(
    context: &mut Context<'_>,
    cell: Option<&CellConfig>,
    config: &SubscriberConfig,
) -> Option<Subscriber> {
    let audience = context.id(&config.audience, "an audience");
    let declared = &context.fleet.audiences;
    let is_known = context.audiences.contains(config.audience.value.as_str())
        || config.audience.value == OPS_AUDIENCE;
    if !declared.is_empty() && !is_known {
        let message = format!("fleet.yaml has no audience `{}`", config.audience.value);
        let known = declared.iter().map(|it| it.value.as_str());
        context.unknown("unknown-audience", &config.audience, message, known);
    }
    let endpoint = endpoint(context, config.channel, &config.endpoint);
    if let (Channel::Push, Some(Endpoint::Literal(_))) = (config.channel, &endpoint) {
        check_push_home(context, cell, &config.endpoint);
    }
    Some(Subscriber { audience: audience?, channel: config.channel, endpoint: endpoint? })
}

/// SNS delivers to push endpoints of the topic's own account and region only.
fn check_push_home(context: &mut Context<'_>, cell: Option<&CellConfig>, arn: &At<String>) {
    let home = cell.and_then(|cell| {
        Some((cell.region.as_ref()?.value.as_str(), cell.account.as_ref()?.value.as_str()))
    });
    let parts: Vec<_> = arn.value.splitn(6, ':').collect();
    if let (Some((region, account)), [_, _, _, at, of, _]) = (home, &parts[..])
        && (region != *at || account != *of)
    {
        let message = format!(
            "the push endpoint is in account {of}, {at}; the store's cell is in account {account}, {region}"
        );
        let help =
            "make the platform application in the cell's account and region, and use its endpoint";
        context.report(Diagnostic::error("push-elsewhere", &arn.place, message).help(help));
    }
}

/// The audiences that rules of a store may notify: those that the fleet declares, or else every
/// one that has a subscriber here.
pub(super) fn known_audiences(
    context: &Context<'_>,
    inherited: &Inherited<'_>,
) -> BTreeSet<String> {
    let declared = context.fleet.audiences.iter().map(|it| it.value.clone());
    if context.fleet.audiences.is_empty() {
        return inherited.subscribers.iter().map(|it| it.audience.value.clone()).collect();
    }
    declared.collect()
}

/// An e-mail address of the ops topic.
pub(super) fn email(context: &mut Context<'_>, text: &At<String>) -> Option<Endpoint> {
    endpoint(context, Channel::Email, text)
}

fn endpoint(context: &mut Context<'_>, channel: Channel, text: &At<String>) -> Option<Endpoint> {
    if text.value.starts_with("ssm:") || text.value.starts_with("secret:") {
        return reference(context, text);
    }
    let (valid, code, message, help) = match channel {
        Channel::Email => (
            is_email(&text.value),
            "bad-email",
            "is no e-mail address",
            "write an address such as `lp@example.com`",
        ),
        Channel::Sms => (
            is_e164(&text.value),
            "bad-phone-number",
            "is no phone number in international form (E.164)",
            "write `+`, the country code and the number, digits only, in quotes, such as `\"+12065550100\"`",
        ),
        Channel::Https => (
            is_https(&text.value),
            "bad-url",
            "is no HTTPS address",
            "write an address such as `https://hooks.example.com/floor`",
        ),
        Channel::Push => (
            is_push(&text.value),
            "bad-push-endpoint",
            "is no SNS mobile push endpoint",
            "write the endpoint's ARN, `arn:aws:sns:REGION:ACCOUNT:endpoint/...`",
        ),
    };
    if !valid {
        let message = format!("`{}` {message}", text.value);
        let help = meant(channel, &text.value)
            .map_or_else(|| help.to_owned(), |meant| format!("did you mean `{meant}`?"));
        context.report(Diagnostic::error(code, &text.place, message).help(help));
    }
    valid.then(|| Endpoint::Literal(text.value.clone()))
}

/// The address that was meant, where only its spelling is wrong.
fn meant(channel: Channel, text: &str) -> Option<String> {
    match channel {
        Channel::Sms => {
            // `(0)` is dialled inside the country only; `00` is how many dial `+`.
            let plain = text.trim().replace("(0)", "");
            let plain = plain.strip_prefix("00").map_or(plain.clone(), |rest| format!("+{rest}"));
            let digits: String = plain.chars().filter(char::is_ascii_digit).collect();
            let only_spacing = |c: char| c.is_ascii_digit() || " +()-./".contains(c);
            let number = format!("+{digits}");
            let international = plain.starts_with(['+', '(']) && plain.contains('+');
            (international && plain.chars().all(only_spacing) && is_e164(&number)).then_some(number)
        }
        Channel::Https => {
            let host = text.strip_prefix("http://").unwrap_or(text);
            Some(format!("https://{host}")).filter(|url| is_https(url))
        }
        _ => None,
    }
}

/// Reads `ssm:/path` or `secret:name`.
pub(super) fn reference(context: &mut Context<'_>, text: &At<String>) -> Option<Endpoint> {
    let found = match text.value.split_once(':') {
        Some(("ssm", path)) => is_parameter(path).then(|| Endpoint::Ssm(path.to_owned())),
        Some(("secret", name)) => is_secret(name).then(|| Endpoint::Secret(name.to_owned())),
        _ => None,
    };
    if found.is_none() {
        let message = format!("`{}` is no reference to a stored address", text.value);
        let path = text.value.strip_prefix("ssm:").map(|path| format!("/{path}"));
        let help = match path.filter(|path| is_parameter(path)) {
            Some(path) => format!("did you mean `ssm:{path}`?"),
            None => "write `ssm:/path/to/parameter` (each part letters, digits, `.`, `-`, `_`; not under `/aws`) or `secret:name`".to_owned(),
        };
        context.report(Diagnostic::error("bad-reference", &text.place, message).help(help));
    }
    found
}

/// Source: Systems Manager API reference, `PutParameter`, `Name`: at most 15 levels, none empty,
/// and the prefixes `aws` and `ssm` are AWS's own.
fn is_parameter(path: &str) -> bool {
    let Some(rest) = path.strip_prefix('/') else { return false };
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
    let levels: Vec<_> = rest.split('/').collect();
    let own = levels.first().map(|first| first.to_ascii_lowercase()).unwrap_or_default();
    let full = levels.iter().all(|level| !level.is_empty() && level.bytes().all(allowed));
    full && levels.len() <= 15
        && path.len() <= 512
        && !own.starts_with("aws")
        && !own.starts_with("ssm")
}

/// Source: Secrets Manager API reference, `CreateSecret`, `Name`; what CloudFormation's references
/// cannot hold is left out.
fn is_secret(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"/_.-".contains(&b);
    (1..=512).contains(&name.len()) && name.bytes().all(allowed) && !name.ends_with('/')
}

/// `+`, then 8 to 15 digits that do not begin with 0. Source: ITU-T E.164, section 6.
fn is_e164(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    (8..=15).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit())
        && !digits.starts_with('0')
}

/// One `@`, a local part of RFC 5322 atoms, a host with a dot; SNS is the judge of the rest.
fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.split_once('@') else { return false };
    let atom = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&b);
    let dots = |part: &str| part.starts_with('.') || part.ends_with('.') || part.contains("..");
    (1..=64).contains(&local.len()) && local.bytes().all(atom) && !dots(local) && is_host(host)
}

fn is_host(host: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.len() <= 253 && host.contains('.') && host.split('.').all(label)
}

fn is_https(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://") else { return false };
    let (authority, _) = rest.split_once(['/', '?']).unwrap_or((rest, ""));
    let (host, port) = authority.split_once(':').unwrap_or((authority, "443"));
    let printable = text.bytes().all(|b| b.is_ascii_graphic() && !b"<>\"\\^`{|}".contains(&b));
    is_host(host) && port.parse::<u16>().is_ok() && printable && text.len() <= 2_048
}

fn is_push(text: &str) -> bool {
    let parts: Vec<_> = text.splitn(6, ':').collect();
    matches!(parts[..], ["arn", partition, "sns", region, account, resource]
        if partition.starts_with("aws") && !region.is_empty() && account.len() == 12
            && Id::new(region).is_some()
            && account.bytes().all(|b| b.is_ascii_digit())
            && resource.starts_with("endpoint/")
            && resource.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_.-".contains(&b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_or_refused() {
        assert!(is_e164("+12065550100") && is_e164("+4915112345678"));
        for wrong in
            ["12065550100", "+0123456789", "+1 206 555 0100", "+1234567", "+1234567890123456"]
        {
            assert!(!is_e164(wrong), "{wrong}");
        }
        assert!(is_email("lp-seattle@example.com") && is_email("a.b+c@sub.example.co.uk"));
        for wrong in
            ["lp@example", "lp example@x.com", "@x.com", "a@@x.com", "a..b@x.com", "a@-x.com"]
        {
            assert!(!is_email(wrong), "{wrong}");
        }
        assert!(is_https("https://hooks.example.com/floor?x=1") && is_https("https://a.b:8443/"));
        for wrong in
            ["http://a.b/", "https://localhost/", "https://a.b/ c", "https://a.b:x/", "https:///x"]
        {
            assert!(!is_https(wrong), "{wrong}");
        }
        assert!(is_push("arn:aws:sns:us-west-2:123456789012:endpoint/GCM/app/uuid-1"));
        assert!(!is_push("arn:aws:sns:us-west-2:123456789012:app/GCM/app"));
    }
}
