//! The room that is left on a page: parts that fit whole are taken, lists are cut between items.
//!
//! Nothing is cut in silence: a list that is cut ends with a count, and a part that does not fit at
//! all is told as left out; for headings and such notes, [`KEPT_BACK`] is never given away. Bytes
//! are counted.

/// What is kept back for headings and for what says that a part is left out, in bytes: more than 40
/// of either. Our choice; a page has less than 30 parts.
pub(super) const KEPT_BACK: usize = 2_048;

const NO_ROOM: &str = "\n(a part is cut here: there is no room)\n";

/// Bytes that are left.
pub(super) struct Budget {
    left: usize,
}

impl Budget {
    pub(super) fn new(limit: usize) -> Self {
        Self { left: limit.saturating_sub(KEPT_BACK) }
    }

    /// What is made with one of so many equal parts of the room; what it leaves goes back.
    pub(super) fn shared<T>(&mut self, parts: usize, take: impl FnOnce(&mut Self) -> T) -> T {
        let share = self.left / parts.max(1);
        let mut own = Self { left: share };
        let taken = take(&mut own);
        self.left = self.left.saturating_sub(share - own.left);
        taken
    }

    /// A part as it is; a note where it does not fit; nothing for nothing.
    pub(super) fn whole(&mut self, part: String) -> String {
        match part.len() {
            0 => part,
            length if length <= self.left => self.spend(part),
            _ => NO_ROOM.to_owned(),
        }
    }

    /// As many items as fit between an opening and a closing; what says that so many are cut comes
    /// after the last of them. Nothing for no items.
    pub(super) fn list(
        &mut self,
        opening: &str,
        items: &[String],
        closing: &str,
        cut: impl Fn(usize) -> String,
    ) -> String {
        if items.is_empty() {
            return String::new();
        }
        let frame = opening.len() + closing.len();
        if frame + items.iter().map(String::len).sum::<usize>() <= self.left {
            return self.spend(format!("{opening}{}{closing}", items.concat()));
        }
        let Some(mut room) = self.left.checked_sub(frame + cut(items.len()).len()) else {
            return NO_ROOM.to_owned();
        };
        let mut text = String::new();
        let mut shown = 0;
        for item in items {
            if item.len() > room {
                break;
            }
            room -= item.len();
            shown += 1;
            text.push_str(item);
        }
        self.spend(format!("{opening}{text}{}{closing}", cut(items.len() - shown)))
    }

    fn spend(&mut self, part: String) -> String {
        self.left = self.left.saturating_sub(part.len());
        part
    }
}
