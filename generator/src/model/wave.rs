//! Waves: which stores are deployed together, and what must hold before the next begin. Which store is
//! in which wave follows from the whole fleet, and is for `rollout`.

use std::fmt;
use std::str::FromStr;

use super::Id;

/// Stores that are deployed together, before those of the next wave begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wave {
    /// Unique in the fleet.
    pub name: Id,
    pub takes: Takes,
    /// Seconds for which the wave's alarms are watched before the next wave begins.
    pub bake_s: u32,
    /// Failed stores of the wave above which no later wave begins.
    pub failures_max: Portion,
}

impl Wave {
    /// The name of the only wave of a fleet that has no `waves`.
    pub const ALL: &str = "all";
    /// The name of the wave that takes the stores that no other takes.
    pub const REST: &str = "rest";
}

/// Which stores a wave takes, of those that no earlier wave took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Those with any of these labels.
    Labels(Vec<Id>),
    /// So many; a percentage is of all stores of the fleet.
    Portion(Portion),
    Rest,
}

/// So many of some stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Portion {
    Count(usize),
    /// From 0 to 100.
    Percent(u8),
}

impl Portion {
    /// Most stores that can be written. Our choice: a hundred times the largest fleet that we thought of.
    pub const COUNT_MAX: u32 = 100_000;

    /// So many of `all`, at least the portion: 10 % of 11 are 2.
    pub fn rounded_up(self, all: usize) -> usize {
        match self {
            Self::Count(count) => count,
            Self::Percent(percent) => (all * usize::from(percent)).div_ceil(100),
        }
    }

    /// So many of `all`, at most the portion: 10 % of 11 are 1.
    pub fn rounded_down(self, all: usize) -> usize {
        match self {
            Self::Count(count) => count,
            Self::Percent(percent) => all * usize::from(percent) / 100,
        }
    }
}

/// A text that is no portion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a number of stores such as `2`, or a percentage from 0% to 100% such as `2%`")]
pub struct NoPortion;

impl FromStr for Portion {
    type Err = NoPortion;

    /// `2` or `2%`, in decimal digits.
    fn from_str(text: &str) -> Result<Self, NoPortion> {
        let (digits, is_percent) =
            text.strip_suffix('%').map_or((text, false), |digits| (digits, true));
        if !digits.bytes().all(|it| it.is_ascii_digit()) {
            return Err(NoPortion);
        }
        let number: u32 = digits.parse().map_err(|_| NoPortion)?;
        if is_percent {
            let percent = u8::try_from(number).ok().filter(|it| *it <= 100);
            return percent.map(Self::Percent).ok_or(NoPortion);
        }
        let count = usize::try_from(number).ok().filter(|_| number <= Self::COUNT_MAX);
        count.map(Self::Count).ok_or(NoPortion)
    }
}

impl fmt::Display for Portion {
    /// As it is written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_portion_is_a_number_or_a_percentage() {
        let read = |text: &str| text.parse::<Portion>();
        assert_eq!(read("0"), Ok(Portion::Count(0)));
        assert_eq!(read("100000"), Ok(Portion::Count(100_000)));
        assert_eq!(read("100%"), Ok(Portion::Percent(100)));
        for wrong in ["", "%", "101%", "100001", "-1", "+1", "1.5%", "2 %", "2%%", "many"] {
            assert_eq!(read(wrong), Err(NoPortion), "{wrong}");
        }
    }

    #[test]
    fn a_wave_takes_at_least_its_portion_and_failures_stay_within_theirs() {
        let tenth = Portion::Percent(10);
        assert_eq!([0, 1, 10, 11].map(|all| tenth.rounded_up(all)), [0, 1, 1, 2]);
        assert_eq!([0, 1, 10, 11, 20].map(|all| tenth.rounded_down(all)), [0, 0, 1, 1, 2]);
        assert_eq!(Portion::Count(3).rounded_down(2), 3);
    }
}
