//! What somebody probably meant who wrote a value in a form that is not read: `48 hours`, `2,5Mbps`,
//! `65%`, `24.12.2026`.
//!
//! A guess is made only where one meaning is likely, and only of a value that the key takes: who
//! copies it into the file must not be refused again.

use std::ops::RangeInclusive;

use jiff::civil::Date;

use crate::schema::Unit;

use super::scalar;

/// A length of time in the key's unit, within its range.
pub(super) fn duration(text: &str, unit: Unit, range: &RangeInclusive<u32>) -> Option<String> {
    let text = text.trim().to_lowercase().replace(',', ".");
    let mut rest = text.as_str();
    let (mut seconds, mut parts, mut plain) = (0.0_f64, 0, None);
    while !rest.is_empty() {
        let end = rest.find(|it: char| !(it.is_ascii_digit() || it == '.')).unwrap_or(rest.len());
        let (number, behind) = rest.split_at(end);
        let behind = behind.trim_start();
        let end = behind.find(|it: char| it.is_ascii_digit()).unwrap_or(behind.len());
        let (word, behind) = behind.split_at(end);
        let (letter, length) = match word.trim() {
            "" if parts == 0 => (Some(unit.letter()), unit.seconds()),
            "s" | "sec" | "secs" | "second" | "seconds" | "sek" | "sekunden" => (Some('s'), 1),
            "m" | "min" | "mins" | "minute" | "minutes" | "minuten" => (Some('m'), 60),
            "h" | "hr" | "hrs" | "hour" | "hours" | "std" | "stunden" => (Some('h'), 3_600),
            "d" | "day" | "days" | "tag" | "tage" | "tagen" => (Some('d'), 86_400),
            "w" | "week" | "weeks" | "wochen" => (None, 7 * 86_400),
            "y" | "yr" | "year" | "years" | "jahre" => (None, 365 * 86_400),
            _ => return None,
        };
        let length = f64::from(u32::try_from(length).ok()?);
        seconds += number.parse::<f64>().ok().filter(|_| number.len() <= 8)? * length;
        plain = letter.filter(|_| parts == 0).map(|letter| format!("{number}{letter}"));
        parts += 1;
        rest = behind;
    }
    let units = seconds / f64::from(u32::try_from(unit.seconds()).ok()?);
    let units = format!("{units}").parse::<u32>().ok().filter(|it| range.contains(it))?;
    let as_it_is = plain.filter(|it| scalar::duration_in(it, unit) == Some(units));
    Some(as_it_is.unwrap_or_else(|| unit.shown(units)))
}

/// A rate, within its range in kbit/s. A bare number over the range is taken for bit/s.
pub(super) fn rate(text: &str, range: &RangeInclusive<u32>) -> Option<String> {
    let text = text.trim().replace(',', ".");
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    number.parse::<f64>().ok().filter(|_| number.len() <= 12)?;
    let suffix = suffix.trim().to_ascii_lowercase();
    let rest_fits = suffix.chars().skip(1).all(|it| "bpsit/ ".contains(it));
    let unit = match suffix.chars().next() {
        None if number.len() <= 2 || number.contains('.') => "Mbps",
        None => "kbps",
        Some('m') if rest_fits => "Mbps",
        Some('k') if rest_fits => "kbps",
        Some('b') if rest_fits => "bps",
        _ => return None,
    };
    let is_known = |it: &String| scalar::rate_kbps(it).is_some_and(|it| range.contains(&it));
    let bits = || {
        let kbps = scalar::whole(number).filter(|it| it.is_multiple_of(1_000))? / 1_000;
        let megabits = kbps.is_multiple_of(1_000);
        Some(if megabits { format!("{}Mbps", kbps / 1_000) } else { format!("{kbps}kbps") })
    };
    let near = Some(format!("{number}{unit}")).filter(is_known);
    near.or_else(|| bits().filter(|_| suffix.is_empty() || unit == "bps").filter(is_known))
}

/// A number: `65%` is 0.65, and `0,8` is 0.8.
pub(super) fn number(text: &str) -> Option<String> {
    let text = text.trim().replace(',', ".");
    let near = match text.strip_suffix('%') {
        Some(percent) => {
            let percent = percent.trim();
            let (whole, decimals) = percent.split_once('.').unwrap_or((percent, ""));
            let whole: u32 = scalar::whole(whole).filter(|it| *it <= 100)?;
            let digits = format!("{}.{:02}{decimals}", whole / 100, whole % 100);
            digits.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        None => text,
    };
    scalar::number(&near).map(|_| near)
}

/// A percentage as it is written: `10 percent` and `10 %` are `10%`.
pub(super) fn percent(text: &str) -> String {
    let text = text.trim().to_lowercase().replace("percent", "%").replace("pct", "%");
    text.split_whitespace().collect()
}

/// A list of numbers in brackets.
pub(super) fn numbers<'t>(texts: impl Iterator<Item = &'t str>) -> Option<String> {
    let all: Vec<_> = texts.map(number).collect::<Option<_>>()?;
    (all.len() == 4).then(|| format!("[{}]", all.join(", ")))
}

/// The help for what is no date: the date that was meant, or why there is none.
pub(super) fn date(text: &str) -> Option<String> {
    let parts: Vec<_> = text.trim().split(['-', '.', '/']).collect();
    let [first, second, third] = parts[..] else { return None };
    let number = |text: &str| scalar::whole(text).and_then(|it| i16::try_from(it).ok());
    let (a, b, c) = (number(first)?, number(second)?, number(third)?);
    let (year, month, day) = match (first.len(), third.len()) {
        (4, _) => (a, b, c),
        // Months stand first in America, and only a day over 12 tells.
        (_, 4) if text.contains('/') && a <= 12 && b <= 12 && a != b => return None,
        (_, 4) if text.contains('/') && b > 12 => (c, a, b),
        (_, 4) => (c, b, a),
        _ => return None,
    };
    let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
    if let Ok(date) = Date::new(year, month, day) {
        return Some(format!("did you mean `{date}`?"));
    }
    let days = Date::new(year, month, 1).ok()?.days_in_month();
    Some(format!("write a day that exists: {year:04}-{month:02} has {days} days"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guess_is_a_value_that_is_taken() {
        let hours = |text| duration(text, Unit::Hours, &(1..=87_600)).unwrap_or_default();
        let seconds = |text| duration(text, Unit::Seconds, &(1..=86_400)).unwrap_or_default();
        let given = ["48 hours", "2 days", "48H", "90 Tage", "1.5h", "12w", "10y", "24", "x"];
        assert_eq!(given.map(hours), ["48h", "2d", "48h", "90d", "", "84d", "3650d", "24h", ""]);
        let given = ["1.5h", "1h30m", "120sec", "60", "99d", "1h30", ""];
        assert_eq!(given.map(seconds), ["90m", "90m", "120s", "60s", "", "", ""]);
        let rate = |text| rate(text, &(100..=20_000)).unwrap_or_default();
        let given = ["2", "1.5", "800", "1mbps", "1 Mbit/s", "500kb", "fast", "1GB", ""];
        let meant = ["2Mbps", "1.5Mbps", "800kbps", "1Mbps", "1Mbps", "500kbps", "", "", ""];
        assert_eq!(given.map(rate), meant);
        let given = ["2000000", "1500000", "2,5Mbps", "1Mpbs", "99", "2000000 bit/s"];
        assert_eq!(given.map(rate), ["2Mbps", "1500kbps", "2.5Mbps", "1Mbps", "", "2Mbps"]);
        let number = |text| number(text).unwrap_or_default();
        assert_eq!(
            ["65%", "100 %", "5%", "0,8", "-1"].map(number),
            ["0.65", "1", "0.05", "0.8", ""]
        );
    }

    #[test]
    fn a_percentage_is_written_without_a_space() {
        let given = ["10 %", " 10 percent", "10%", "ten"];
        assert_eq!(given.map(percent), ["10%", "10%", "10%", "ten"]);
    }

    #[test]
    fn dates_of_other_countries_are_understood_for_the_help() {
        let given = ["24.12.2026", "12/25/2026", "2026-2-3", "1/2/2026", "2026-02-30", "soon"];
        let told = given.map(|text| date(text).unwrap_or_default());
        let meant = [
            "did you mean `2026-12-24`?",
            "did you mean `2026-12-25`?",
            "did you mean `2026-02-03`?",
        ];
        assert_eq!(told[..3], meant);
        let none = ["", "write a day that exists: 2026-02 has 28 days", ""];
        assert_eq!(told[3..], none);
    }
}
