//! Where a store's gateway gets a camera's video. A password never belongs in a file under version
//! control; one that is there is not shown (`diagnostic::cover`).

use crate::diagnostic::{At, Diagnostic, cover};
use crate::model::Endpoint;

use super::{Context, subscriber};

pub(super) fn validate(
    context: &mut Context<'_>,
    camera: &str,
    text: &At<String>,
) -> Option<Endpoint> {
    if text.value.starts_with("ssm:") || text.value.starts_with("secret:") {
        return subscriber::reference(context, text);
    }
    let Some((user, _)) = split(&text.value).filter(|(_, host)| is_device_name(host)) else {
        let message = "this is no RTSP address";
        let help = "write `rtsp://HOST/PATH`, with a DNS name or an IPv4 address, or `ssm:/path` or `secret:name`";
        context.report(Diagnostic::error("bad-rtsp", &text.place, message).help(help));
        return None;
    };
    let query = text.value.to_lowercase();
    let in_query = ["pass", "pwd=", "token="].iter().any(|key| query.contains(key));
    if user.is_some() || in_query {
        let message = "the camera's address holds a user and password in clear";
        let help = "change the password on the camera, put the whole address into a secret, and write `rtsp: \"secret:NAME\"` here";
        let mut problem = Diagnostic::warning("rtsp-password", &text.place, message).help(help);
        camera.clone_into(&mut problem.of);
        context.report(problem);
    }
    Some(Endpoint::Literal(text.value.clone()))
}

/// The host of an RTSP address; `None` for a reference.
pub fn host(source: &Endpoint) -> Option<&str> {
    match source {
        Endpoint::Literal(address) => split(address).map(|(_, host)| host),
        Endpoint::Ssm(_) | Endpoint::Secret(_) => None,
    }
}

/// The address as it may be shown, even where it lacks a scheme.
pub fn shown(text: &str) -> String {
    const KEY: &str = "rtsp: ";
    let covered = cover(&format!("{KEY}{text}")).into_owned();
    covered.strip_prefix(KEY).map_or(covered.clone(), str::to_owned)
}

/// User with password, and host.
fn split(text: &str) -> Option<(Option<&str>, &str)> {
    let rest = text.strip_prefix("rtsp://").or_else(|| text.strip_prefix("rtsps://"))?;
    let printable = rest.len() <= 512 && rest.bytes().all(|b| b.is_ascii_graphic() && b != b'"');
    let (authority, _) = rest.split_once(['/', '?']).unwrap_or((rest, ""));
    let (user, place) = match authority.rsplit_once('@') {
        Some((user, place)) => (Some(user), place),
        None => (None, authority),
    };
    let (host, port) = place.split_once(':').unwrap_or((place, "554"));
    (printable && port.parse::<u16>().is_ok()).then_some((user, host))
}

/// What Kinesis Video Streams takes for a device name. Source: API reference, `CreateStream`,
/// `DeviceName`.
fn is_device_name(host: &str) -> bool {
    (1..=128).contains(&host.len())
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart() {
        let parts = [
            "rtsp://10.20.0.15/stream1",
            "rtsps://cam-5.store.example:8554/live?channel=1",
            "rtsp://admin:p@ss@10.0.0.1",
        ];
        assert_eq!(
            parts.map(|text| split(text).unwrap()),
            [(None, "10.20.0.15"), (None, "cam-5.store.example"), (Some("admin:p@ss"), "10.0.0.1"),]
        );
        for wrong in ["http://a/", "rtsp://a:port/", "rtsp://a/ b"] {
            assert_eq!(split(wrong), None, "{wrong}");
        }
        assert!(!is_device_name("") && !is_device_name("a b") && !is_device_name("[::1]"));
    }
}
