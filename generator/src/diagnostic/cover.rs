//! What is shown of people's text: no passwords, and nothing that a terminal would obey.
//!
//! A password stands in an address, between its scheme and `@`, or behind `password=`. It gets stars,
//! as many as it has bytes, so that every place still holds. Where it is not certain what belongs
//! to a password, too much is covered. Takes one pass.

use std::borrow::Cow;

/// Query parameters of cameras' addresses that hold a password.
const PASSWORD_KEYS: [&str; 5] = ["password=", "passwd=", "pass=", "pwd=", "token="];

/// The text with its passwords covered.
pub fn cover(text: &str) -> Cow<'_, str> {
    let mut shown: Option<String> = None;
    let mut done = 0;
    for (at, _) in text.match_indices(':') {
        if at < done || !is_scheme_end(text, at) {
            continue;
        }
        let address = address(text, at + 1);
        done = address.end;
        for secret in secrets(text.get(address.clone()).unwrap_or_default()) {
            let (start, end) = (address.start + secret.start, address.start + secret.end);
            let covering = "*".repeat(end - start);
            shown.get_or_insert_with(|| text.to_owned()).replace_range(start..end, &covering);
        }
    }
    shown.map_or(Cow::Borrowed(text), Cow::Owned)
}

/// The text with its passwords covered and its control characters taken out.
pub(super) fn clean(text: &str) -> String {
    let harmless = |c: char| if c.is_control() && c != '\n' { '\u{fffd}' } else { c };
    cover(text).chars().map(harmless).collect()
}

/// Whether a colon ends a scheme: what goes on with `//`, `rtsp:` however it goes on, and a key `rtsp:`
/// whose value has no scheme of its own.
fn is_scheme_end(text: &str, at: usize) -> bool {
    let (before, after) = (text.get(..at).unwrap_or_default(), text.get(at..).unwrap_or_default());
    let is_rtsp = before.ends_with("rtsp") || before.ends_with("rtsps");
    let is_key = after.starts_with(": ");
    let has_scheme = || first_line(after).contains("://");
    after.starts_with("://") || (is_rtsp && !(is_key && has_scheme()))
}

/// The line that a text begins with, as far as an address can reach.
fn first_line(text: &str) -> &str {
    /// Longest address that is looked through, in bytes. Our choice: four times what is accepted.
    const ADDRESS_BYTES_MAX: usize = 2_048;
    let near = (0..=ADDRESS_BYTES_MAX.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    let text = near.and_then(|end| text.get(..end)).unwrap_or_default();
    text.lines().next().unwrap_or_default()
}

/// Where an address goes on behind its scheme, up to the end of its quotes, its entry or its line.
fn address(text: &str, from: usize) -> std::ops::Range<usize> {
    let line = first_line(text.get(from..).unwrap_or_default());
    let skipped = line.len() - line.trim_start_matches([' ', '/', '\\']).len();
    let body = line.get(skipped..).unwrap_or_default();
    let scheme = text
        .get(..from)
        .unwrap_or_default()
        .trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == ':');
    let (open, skipped) = match body.chars().next() {
        Some(quote @ ('"' | '\'')) => (Some(quote), skipped + 1),
        _ => (scheme.chars().next_back().filter(|c| matches!(c, '"' | '\'')), skipped),
    };
    let body = line.get(skipped..).unwrap_or_default();
    let end = match open {
        Some('"') => body.find('"'),
        // In single quotes, a quote is doubled; one before a separator ends them.
        Some(_) => ["',", "' ", "'}", "']"].iter().filter_map(|end| body.find(end)).min(),
        None => [", ", " }", " #", "]"].iter().filter_map(|end| body.find(end)).min(),
    };
    from + skipped..from + skipped + end.unwrap_or(body.len())
}

/// The secret parts of an address behind its scheme.
fn secrets(address: &str) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    let authority = address.find(['/', '?']).unwrap_or(address.len());
    let (authority, _) = address.split_at(authority);
    let has_port = authority.rsplit_once(':').is_none_or(|(_, port)| port.parse::<u16>().is_ok());
    // A password with a slash in it ends the authority too early.
    let user = authority.rfind('@').or_else(|| address.rfind('@').filter(|_| !has_port));
    found.extend(user.map(|end| 0..end));
    for key in PASSWORD_KEYS {
        for (at, _) in address.match_indices(key) {
            let start = at + key.len();
            let rest = address.get(start..).unwrap_or_default();
            found.push(start..start + rest.find('&').unwrap_or(rest.len()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_passwords_get_stars() {
        let texts = [
            "rtsp: rtsp://a:pw@10.0.0.1/1 # b@c",
            "x: \"https://é:b c@h/\"\ny: rtsps://cam/1",
            "rtsp: \"rtsp://viewer:it's9@10.0.5.11/1\"",
            "{ rtsp: 'rtsp://viewer:it''s9@h/1', aisle: a@b }",
            "rtsp: rtsp:v:pw@host",
            "rtsp: rtsp:/u:pw@h",
            "rtsp: \"rtsp:\\/\\/u:p@h\"",
            "rtsp: rtsp://u:p/w@h/1",
            "rtsp: rtsp://10.0.0.1/cam@1",
            "rtsp: rtsp://10.0.0.1/1?user=a&password=x9&c=1",
            "[{ https: https://h/x }, { audience: lp, email: bad@ }]",
            "rtsp: viewer:pw@10.0.0.1/1",
            "lp@example.com",
        ];
        let covered = texts.map(|text| cover(text).into_owned());
        insta::assert_snapshot!(covered.join("\n"), @r#"
        rtsp: rtsp://****@10.0.0.1/1 # b@c
        x: "https://******@h/"
        y: rtsps://cam/1
        rtsp: "rtsp://************@10.0.5.11/1"
        { rtsp: 'rtsp://*************@h/1', aisle: a@b }
        rtsp: *********@host
        rtsp: **********@h
        rtsp: "************@h"
        rtsp: rtsp://*****@h/1
        rtsp: rtsp://10.0.0.1/cam@1
        rtsp: rtsp://10.0.0.1/1?user=a&password=**&c=1
        [{ https: https://h/x }, { audience: lp, email: bad@ }]
        rtsp: *********@10.0.0.1/1
        lp@example.com
        "#);
        assert!(texts.iter().zip(&covered).all(|(text, covered)| text.len() == covered.len()));
    }

    #[test]
    fn a_terminal_gets_nothing_to_obey() {
        assert_eq!(clean("a\u{1b}[31m\u{7}b\nc"), "a\u{fffd}[31m\u{fffd}b\nc");
    }
}
