//! A numbered list that remembers its last entries: calls, and messages to subscribers. Pure.

use std::collections::VecDeque;

use serde::Serialize;

/// Entries that a journal remembers. Our choice: an hour of rehearsal, and little memory.
const ENTRIES_MAX: usize = 20_000;

/// An entry and its number; numbers begin at 1 and have no gaps.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Numbered<T> {
    pub n: u64,
    #[serde(flatten)]
    pub entry: T,
}

/// What happened, in order.
#[derive(Clone, Debug)]
pub struct Journal<T> {
    entries: VecDeque<Numbered<T>>,
    last: u64,
}

impl<T> Default for Journal<T> {
    fn default() -> Self {
        Self { entries: VecDeque::new(), last: 0 }
    }
}

impl<T> Journal<T> {
    pub fn record(&mut self, entry: T) {
        if self.entries.len() == ENTRIES_MAX {
            self.entries.pop_front();
        }
        self.last += 1;
        self.entries.push_back(Numbered { n: self.last, entry });
    }

    /// The entries with a higher number than `n`.
    pub fn after(&self, n: u64) -> impl Iterator<Item = &Numbered<T>> {
        self.entries.iter().filter(move |it| it.n > n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_on_when_old_entries_are_forgotten() {
        let mut journal = Journal::default();
        (0..ENTRIES_MAX + 3).for_each(|it| journal.record(it));
        let numbers: Vec<_> = journal.after(20_001).map(|it| (it.n, it.entry)).collect();
        assert_eq!(numbers, [(20_002, 20_001), (20_003, 20_002)]);
        assert_eq!(journal.after(0).count(), ENTRIES_MAX);
    }
}
