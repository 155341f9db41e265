//! What the text of a scalar says: lengths of time, rates, numbers, dates. Each reader takes the
//! forms that `stores/README.md` lists and no other; a range is for the caller to hold.

use crate::schema::Unit;
use crate::yaml::{Node, Value};

/// A length of time in whole units.
pub(super) fn duration_in(text: &str, unit: Unit) -> Option<u32> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, suffix) = text.split_at(digits);
    let factor: u64 = match suffix.trim_start() {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    let seconds = number.parse::<u64>().ok()?.checked_mul(factor)?;
    let whole = seconds % unit.seconds() == 0;
    whole.then(|| u32::try_from(seconds / unit.seconds()).ok()).flatten()
}

/// A rate in kbit/s.
pub(super) fn rate_kbps(text: &str) -> Option<u32> {
    let digits = text.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
    let (number, suffix) = text.split_at(digits);
    let decimals = number.split_once('.').map_or("", |(_, decimals)| decimals);
    let factor = match suffix.trim_start() {
        "kbps" if decimals.is_empty() => 1,
        "Mbps" if decimals.len() <= 3 => 1_000,
        _ => return None,
    };
    let (whole, _) = number.split_once('.').unwrap_or((number, ""));
    let thousandths = format!("{decimals:0<3}").parse::<u32>().ok()?;
    let whole = whole.parse::<u32>().ok()?.checked_mul(factor)?;
    whole.checked_add(if factor == 1 { 0 } else { thousandths })
}

/// A whole number in decimal digits.
pub(super) fn whole(text: &str) -> Option<u32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// `2`, or `1-8`.
pub(super) fn range(text: &str) -> Option<(u32, u32)> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    whole(from.trim()).zip(whole(to.trim()))
}

/// Dollars in micro-dollars: at most six decimals.
pub(super) fn micros(text: &str) -> Option<u64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let fits = digits(whole) && digits(decimals) && decimals.len() <= 6;
    let decimals = fits.then(|| format!("{decimals:0<6}").parse::<u64>().ok()).flatten()?;
    whole.parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(decimals)
}

/// A number without exponent or sign.
pub(super) fn number(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    plain.then(|| text.parse().ok()).flatten()
}

/// A tree as JSON: without quotes, what JSON takes for a number, `true` or `false` is that, and nothing
/// at all is `null`; everything else is text.
pub(super) fn json(node: &Node) -> serde_json::Value {
    use serde_json::Value as Json;

    match &node.value {
        _ if node.is_null() => Json::Null,
        Value::Scalar { text, plain: true } => match serde_json::from_str(text) {
            Ok(value @ (Json::Bool(_) | Json::Number(_))) => value,
            _ => Json::String(text.clone()),
        },
        Value::Scalar { text, .. } => Json::String(text.clone()),
        Value::Sequence(items) => items.iter().map(json).collect(),
        Value::Mapping(entries) => {
            let entry = |(key, value): &(Node, Node)| {
                let Value::Scalar { text, .. } = &key.value else { return None };
                Some((text.clone(), json(value)))
            };
            Json::Object(entries.iter().filter_map(entry).collect())
        }
    }
}

/// A calendar date in the one form `YYYY-MM-DD`.
pub(super) fn date(text: &str) -> Option<jiff::civil::Date> {
    text.parse::<jiff::civil::Date>().ok().filter(|date| date.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_whole_units() {
        assert_eq!(duration_in("15s", Unit::Seconds), Some(15));
        assert_eq!(duration_in("2m", Unit::Seconds), Some(120));
        assert_eq!(duration_in("90d", Unit::Days), Some(90));
        assert_eq!(duration_in("48h", Unit::Days), Some(2));
        for wrong in ["36h", "15", "1.5d", "-1d", "d", "1w", "99999999999999999999d", ""] {
            assert_eq!(duration_in(wrong, Unit::Days), None, "{wrong}");
        }
    }

    #[test]
    fn rates_are_exact() {
        assert_eq!(rate_kbps("1Mbps"), Some(1_000));
        assert_eq!(rate_kbps("1.5Mbps"), Some(1_500));
        assert_eq!(rate_kbps("800kbps"), Some(800));
        for wrong in ["1", "1mbps", "1.2345Mbps", "1.5kbps", "99999999999Mbps", ".Mbps", "Mbps"] {
            assert_eq!(rate_kbps(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn dollars_are_exact() {
        assert_eq!(micros("0.0085"), Some(8_500));
        assert_eq!((micros("16.6667"), micros("3")), (Some(16_666_700), Some(3_000_000)));
        for wrong in ["", ".5", "1.", "0.0000001", "1e3", "-1", "$1", "99999999999999999999"] {
            assert_eq!(micros(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn numbers_and_dates_have_one_form() {
        assert_eq!(
            (whole("12"), whole("+1"), whole("1e3"), whole("")),
            (Some(12), None, None, None)
        );
        assert_eq!((range("1-8"), range("3"), range("1-")), (Some((1, 8)), Some((3, 3)), None));
        assert_eq!((number("0.5"), number(".inf"), number("1e3")), (Some(0.5), None, None));
        assert!(date("2027-03-31").is_some());
        assert_eq!((date("2027-3-31"), date("2027-02-30"), date("20270331")), (None, None, None));
    }
}
