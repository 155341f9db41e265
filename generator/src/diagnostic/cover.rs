//! Passwords in addresses are never shown: what stands between `://` and `@` gets stars, as many as
//! it has bytes, so that every place still holds.

use std::borrow::Cow;

/// The text as it may be shown.
pub fn cover(text: &str) -> Cow<'_, str> {
    if !text.contains("://") {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        // To the end of the line or of the quotes: a password may hold anything else.
        let end = after.find(['\n', '\r', '"', '\'']).unwrap_or(after.len());
        let secret = after.get(..end).and_then(|address| address.rfind('@')).unwrap_or(0);
        shown.push_str(before);
        shown.extend(std::iter::repeat_n('*', secret));
        rest = after.get(secret..).unwrap_or_default();
    }
    shown.push_str(rest);
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_passwords_get_stars() {
        let texts = [
            "rtsp: rtsp://a:p@ss w@10.0.0.1/1 # b",
            "x: \"https://é:b@h/\"\ny: rtsps://cam/1",
            "lp@example.com",
        ];
        assert_eq!(
            texts.map(|text| cover(text).into_owned()),
            [
                "rtsp: rtsp://********@10.0.0.1/1 # b",
                "x: \"https://****@h/\"\ny: rtsps://cam/1",
                "lp@example.com",
            ]
        );
        assert!(texts.iter().all(|text| cover(text).len() == text.len()));
    }
}
