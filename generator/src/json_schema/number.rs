//! Regular expressions for numbers in a range, and for lengths of time and rates made of them: a
//! schema sees `24h` as text, so its range has to stand in a pattern.
//!
//! A pattern takes every text that `decode::scalar` takes and, but for the smaller units of a time
//! that must come out whole, no other. To change a form, change `scalar` and then this.

use crate::schema::Unit;

/// Every unit that a length of time may have, with its length in seconds.
const UNITS: [(&str, u64); 4] = [("s", 1), ("(m|min)", 60), ("h", 3_600), ("d", 86_400)];

/// A whole number in this range, with any zeros in front.
pub(super) fn whole(min: u64, max: u64) -> String {
    format!("0*({})", between(min, max, 0).join("|"))
}

/// A length of time.
pub(super) fn duration(unit: Unit, min: u32, max: u32) -> String {
    let (least, most) = (u64::from(min) * unit.seconds(), u64::from(max) * unit.seconds());
    let forms = UNITS.iter().filter(|(_, seconds)| most / seconds > 0 || least == 0);
    let forms = forms.map(|(letter, seconds)| {
        format!("{}\\s*{letter}", whole(least.div_ceil(*seconds), most / seconds))
    });
    format!("^({})$", forms.collect::<Vec<_>>().join("|"))
}

/// A rate from and to so many kbit/s; the most is whole Mbit/s, the least is under one.
pub(super) fn rate(min: u32, max: u32) -> String {
    let (min, mega) = (u64::from(min), u64::from(max) / 1_000);
    let decimals = [(1, 100), (2, 10), (3, 1)];
    let below_one = decimals.map(|(digits, step)| {
        let most = 1_000 / step - 1;
        between(min.div_ceil(step), most, digits).join("|")
    });
    format!(
        "^({}\\.?\\s*kbps|({}(\\.0{{0,3}})?|{}(\\.[0-9]{{0,3}})?|0+\\.({}))\\s*Mbps)$",
        whole(min, u64::from(max)),
        whole(mega, mega),
        whole(1, mega.saturating_sub(1).max(1)),
        below_one.join("|"),
    )
}

/// The alternatives of a pattern for the numbers in a range; with a width, of so many digits.
///
/// The range is cut where digits roll over (`64-70` at 69), so that between two cuts each digit
/// varies on its own.
fn between(min: u64, max: u64, width: usize) -> Vec<String> {
    let mut ends = vec![max];
    let mut power = 10;
    while let Some(end) = Some(min / power * power + power - 1).filter(|end| *end < max) {
        ends.push(end);
        power *= 10;
    }
    let mut power = 10;
    while let Some(end) = ((max + 1) / power * power).checked_sub(1).filter(|end| *end >= min) {
        ends.push(end);
        power *= 10;
    }
    ends.sort_unstable();
    ends.dedup();
    let mut start = min;
    let parts = ends.into_iter().map(|end| {
        let part = digits(start, end, width);
        start = end + 1;
        part
    });
    parts.collect()
}

/// Two numbers of one length, digit by digit; what repeats at the end is counted.
fn digits(start: u64, end: u64, width: usize) -> String {
    let text = |number: u64| format!("{number:0>width$}");
    let (start, end) = (text(start), text(end));
    let mut pairs: Vec<_> = start.chars().zip(end.chars()).collect();
    let any = pairs.iter().rev().take_while(|pair| **pair == ('0', '9')).count();
    pairs.truncate(pairs.len() - any);
    let fixed: String = pairs
        .into_iter()
        .map(|(from, to)| if from == to { from.to_string() } else { format!("[{from}-{to}]") })
        .collect();
    match any {
        0 => fixed,
        1 => fixed + "[0-9]",
        _ => format!("{fixed}[0-9]{{{any}}}"),
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn a_range_is_cut_where_digits_roll_over() {
        assert_snapshot!(whole(64, 20_000), @"0*(6[4-9]|[7-9][0-9]|[1-9][0-9]{2}|[1-9][0-9]{3}|1[0-9]{4}|20000)");
        assert_snapshot!(whole(0, 120), @"0*([0-9]|[1-9][0-9]|1[0-1][0-9]|120)");
        assert_snapshot!(whole(7, 7), @"0*(7)");
    }

    #[test]
    fn every_unit_has_its_own_range() {
        assert_snapshot!(duration(Unit::Hours, 1, 48), @r"^(0*(360[0-9]|36[1-9][0-9]|3[7-9][0-9]{2}|[4-9][0-9]{3}|[1-9][0-9]{4}|1[0-6][0-9]{4}|17[0-1][0-9]{3}|172[0-7][0-9]{2}|172800)\s*s|0*(6[0-9]|[7-9][0-9]|[1-9][0-9]{2}|1[0-9]{3}|2[0-7][0-9]{2}|28[0-7][0-9]|2880)\s*(m|min)|0*([1-9]|[1-3][0-9]|4[0-8])\s*h|0*([1-2])\s*d)$");
        assert_snapshot!(rate(64, 20_000), @r"^(0*(6[4-9]|[7-9][0-9]|[1-9][0-9]{2}|[1-9][0-9]{3}|1[0-9]{4}|20000)\.?\s*kbps|(0*(20)(\.0{0,3})?|0*([1-9]|1[0-9])(\.[0-9]{0,3})?|0+\.([1-9]|0[7-9]|[1-9][0-9]|06[4-9]|0[7-9][0-9]|[1-9][0-9]{2}))\s*Mbps)$");
    }
}
