//! Numbers as EventBridge compares them: by value, as doubles.
//!
//! A number that a double cannot hold to its last digit, such as 2^53 + 1, is no number to
//! EventBridge but text: it equals itself and lies in no range. Source: event-ruler's
//! `ComparableNumber`. To add a comparison, start in [`Range`].

use serde_json::Number;

/// The numbers between two bounds; without a bound, all on that side.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Range {
    pub(super) low: Option<Bound>,
    pub(super) high: Option<Bound>,
}

/// The end of a range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bound {
    pub(super) value: f64,
    pub(super) inclusive: bool,
}

impl Range {
    pub(super) fn holds(&self, number: &Number) -> bool {
        let Some(value) = comparable(number) else { return false };
        let above = |it: Bound| value > it.value || it.inclusive && value >= it.value;
        let below = |it: Bound| value < it.value || it.inclusive && value <= it.value;
        self.low.is_none_or(above) && self.high.is_none_or(below)
    }
}

/// The number as a double, if that is the very same number.
pub(super) fn comparable(number: &Number) -> Option<f64> {
    /// Up to here every whole number is a double. Source: IEEE 754, 53 bits of mantissa.
    const WHOLE_MAX: u64 = 1 << 53;
    let value = number.as_f64()? + 0.0; // makes -0.0 the 0.0 that it equals
    let whole = number.as_i64().map(i64::unsigned_abs).or(number.as_u64());
    let exact = whole.is_none_or(|it| it <= WHOLE_MAX || value.to_string() == number.to_string());
    exact.then_some(value)
}

/// Whether two numbers are equal to EventBridge: `1` equals `1.0`.
pub(super) fn same(a: &Number, b: &Number) -> bool {
    match (comparable(a), comparable(b)) {
        (Some(a), Some(b)) => a.total_cmp(&b).is_eq(),
        (None, None) => a == b,
        _ => false,
    }
}
