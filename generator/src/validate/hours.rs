//! Opening hours: days, dates and spans, in a time zone that exists.

use std::collections::BTreeMap;

use contract::hours::{Hours, Span};

use crate::config::HoursConfig;
use crate::diagnostic::{At, Diagnostic, Place};

use super::Context;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Checks a time zone's name against the tz database.
pub(super) fn timezone(context: &mut Context<'_>, name: &At<String>) -> Option<String> {
    let known = context.timezones.entry(name.value.clone()).or_insert_with(|| {
        match jiff::tz::TimeZone::get(&name.value) {
            // The database's own spelling: not every reader of it is blind to case.
            Ok(zone) => Ok(zone.iana_name().unwrap_or(&name.value).to_owned()),
            Err(_) => Err(nearest_zone(&name.value)),
        }
    });
    match known.clone() {
        Ok(known) => Some(known),
        Err(help) => {
            let message = format!("`{}` is no time zone of the IANA database", name.value);
            context.report(Diagnostic::error("unknown-timezone", &name.place, message).help(help));
            None
        }
    }
}

fn nearest_zone(text: &str) -> String {
    let zones: Vec<_> = jiff::tz::db().available().map(|zone| zone.to_string()).collect();
    let near = zones.iter().filter(|zone| zone.contains('/')).map(String::as_str);
    let near = near
        .filter(|_| text.len() <= 64)
        .min_by_key(|zone| strsim::damerau_levenshtein(zone, text));
    match near {
        Some(near) if strsim::damerau_levenshtein(near, text) <= 3 => {
            format!("did you mean `{near}`?")
        }
        _ => "write a continent and city, such as `America/Los_Angeles`".to_owned(),
    }
}

/// Reads opening hours. Days that are not named are closed.
pub(super) fn validate(
    context: &mut Context<'_>,
    timezone: String,
    config: Option<&At<HoursConfig>>,
) -> Hours {
    let Some(config) = config else {
        return Hours { timezone, ..Hours::default() };
    };
    let mut week: Vec<Option<(Vec<Span>, Place)>> = vec![None; 7];
    let mut dates = BTreeMap::new();
    for (key, texts) in &config.value.days {
        let spans = spans(context, texts);
        if let Some(days) = weekdays(&key.value) {
            for day in days {
                if let Some(slot) = week.get_mut(day)
                    && let Some((_, first)) = slot.replace((spans.clone(), key.place.clone()))
                {
                    let message = format!("`{}` has hours twice", DAYS.get(day).unwrap_or(&""));
                    let problem = Diagnostic::error("hours-twice", &key.place, message)
                        .label("again here")
                        .related(&first, "first here")
                        .help("let each day stand in one key only");
                    context.report(problem);
                }
            }
        } else if key.value.parse::<jiff::civil::Date>().is_ok_and(|it| it.to_string() == key.value)
        {
            // Keys differ from one another, so no date can stand twice.
            dates.insert(key.value.clone(), spans);
        } else {
            let message = format!("`{}` is no day", key.value);
            let help = meant_days(&key.value).map_or_else(
                || "write `mon` to `sun`, a range such as `mon-sat`, or a date such as `2026-12-25`".to_owned(),
                |meant| {
                    let several = meant.contains('`');
                    let ask = if several { "write a key for each:" } else { "did you mean" };
                    format!("{ask} `{meant}`{}", if several { "" } else { "?" })
                },
            );
            context.report(Diagnostic::error("bad-day", &key.place, message).help(help));
        }
    }
    let week =
        week.into_iter().map(|day| day.map(|(spans, _)| spans).unwrap_or_default()).collect();
    Hours { timezone, week, dates }
}

/// `mon`, or `mon-sat`, or over the week's end `sat-mon`; 0 is Monday.
fn weekdays(key: &str) -> Option<Vec<usize>> {
    let index = |name: &str| DAYS.iter().position(|day| *day == name);
    let (from, to) = key.split_once('-').unwrap_or((key, key));
    let (from, to) = (index(from)?, index(to)?);
    let length = (to + 7 - from) % 7;
    Some((from..=from + length).map(|day| day % 7).collect())
}

/// `monday-saturday` and `Mon - Sat` as we write them.
fn meant_days(key: &str) -> Option<String> {
    let day = |name: &str| {
        let short: String = name.trim().to_lowercase().chars().take(3).collect();
        DAYS.into_iter().find(|day| *day == short)
    };
    let each: Vec<_> = key.split([',', '/', '&', '+']).collect();
    if each.len() > 1 {
        let each: Option<Vec<_>> = each.into_iter().map(meant_days).collect();
        return Some(each?.join("` and `"));
    }
    match key.split_once(['-', '–']) {
        Some((from, to)) => Some(format!("{}-{}", day(from)?, day(to)?)),
        None => day(key).map(str::to_owned),
    }
}

/// `7-23`, `7:00-23` and `9am - 5:30pm` as we write them.
fn meant_span(text: &str) -> Option<Span> {
    let time = |text: &str| {
        let text = text.trim().to_lowercase();
        let text = text.trim_end_matches("uhr").trim_end_matches('h').trim_end();
        let afternoon = text.ends_with("pm");
        let digits = text.trim_end_matches("am").trim_end_matches("pm").trim_end();
        let (hour, minute) = digits.split_once([':', '.', 'h']).unwrap_or((digits, "0"));
        let hour = hour.parse::<u16>().ok().filter(|hour| *hour <= 24)?;
        let minute = minute.parse::<u16>().ok().filter(|minute| *minute < 60)?;
        let hour = match (afternoon, hour) {
            (true, 1..=11) => hour + 12,
            (false, 12) if text.ends_with("am") => 0,
            _ => hour,
        };
        Some(hour * 60 + minute)
    };
    let (from, to) = ["-", "–", "—", " to ", " bis "].iter().find_map(|it| text.split_once(it))?;
    Span::new(time(from)?, time(to)?)
}

/// The help for a text that is no span, if what was meant is clear.
fn meant_spans(text: &str) -> Option<String> {
    let all: Option<Vec<_>> = text.split([',', ';']).map(meant_span).collect();
    match &all?[..] {
        [] => None,
        [only] => Some(format!("did you mean `{only}`?")),
        more => {
            let more: Vec<_> = more.iter().map(ToString::to_string).collect();
            Some(format!("put the spans in brackets: `[{}]`", more.join(", ")))
        }
    }
}

fn spans(context: &mut Context<'_>, texts: &[At<String>]) -> Vec<Span> {
    if let [only] = texts
        && only.value == "closed"
    {
        return Vec::new();
    }
    let mut spans: Vec<Span> = Vec::new();
    for text in texts {
        let Ok(span) = text.value.parse::<Span>() else {
            let message = format!("`{}` is no opening time", text.value);
            let form = "write `07:00-23:00`, past midnight `18:00-02:00`, or `closed`";
            let help = meant_spans(&text.value).unwrap_or_else(|| form.to_owned());
            context.report(Diagnostic::error("bad-hours", &text.place, message).help(help));
            continue;
        };
        let overlaps = |other: &Span| {
            let ((a, b), (c, d)) = (span.minutes(), other.minutes());
            a < d && c < b
        };
        if spans.iter().any(overlaps) {
            let message = format!("`{span}` overlaps another span of the same day");
            context.report(
                Diagnostic::error("bad-hours", &text.place, message).help("join the two spans"),
            );
        }
        spans.push(span);
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_days_run_over_the_end_of_the_week() {
        assert_eq!(weekdays("mon-sat"), Some(vec![0, 1, 2, 3, 4, 5]));
        assert_eq!(weekdays("sat-mon"), Some(vec![5, 6, 0]));
        assert_eq!(weekdays("sun"), Some(vec![6]));
        assert_eq!(weekdays("mo-fr"), None);
    }

    #[test]
    fn days_and_times_in_other_spellings_are_understood_for_the_help() {
        assert_eq!(meant_days("Monday - Saturday").as_deref(), Some("mon-sat"));
        assert_eq!(meant_days("sunday").as_deref(), Some("sun"));
        assert_eq!(meant_days("holiday"), None);
        let span = |text| meant_span(text).map(|it| it.to_string());
        assert_eq!(span("7-23").as_deref(), Some("07:00-23:00"));
        assert_eq!(span("9am - 5:30pm").as_deref(), Some("09:00-17:30"));
        assert_eq!(span("12pm-12am").as_deref(), Some("12:00-00:00"));
        assert_eq!(span("8-20 Uhr").as_deref(), Some("08:00-20:00"));
        assert_eq!(span("8h30-20h").as_deref(), Some("08:30-20:00"));
        assert_eq!(meant_days("mon,tue").as_deref(), Some("mon` and `tue"));
        for none in ["25-26", "7", "all day", "7-7", "7:61-8"] {
            assert_eq!(span(none), None, "{none}");
        }
    }
}
