//! Text for a terminal: paragraphs that are broken between words.
//!
//! Owns the width of what people read; nothing here knows what is said. Pure.

/// Widest line of text, in characters. Our choice: half of a wide screen, or an 11 inch page.
pub const WIDTH: usize = 110;

/// A paragraph that begins with a mark, broken between words and indented below the mark.
///
/// A word that is wider than a line stays whole. Ends with a line break.
pub fn wrapped(mark: &str, text: &str) -> String {
    wrapped_to(WIDTH, mark, text)
}

/// The same with lines of another width.
pub fn wrapped_to(width: usize, mark: &str, text: &str) -> String {
    let indent = " ".repeat(mark.chars().count());
    let mut lines = vec![mark.to_owned()];
    let mut is_start = true;
    for word in text.split(' ') {
        let last = lines.last_mut().expect("there is a first line");
        if !is_start && last.chars().count() + 1 + word.chars().count() > width {
            lines.push(format!("{indent}{word}"));
            continue;
        }
        if !is_start {
            last.push(' ');
        }
        last.push_str(word);
        is_start = false;
    }
    lines.join("\n") + "\n"
}

/// A text in so many characters: what is left out is in the middle, because both ends tell most.
pub fn shortened(text: &str, width: usize) -> String {
    let length = text.chars().count();
    if length <= width {
        return text.to_owned();
    }
    let kept = width.saturating_sub(3);
    let (head, tail) = (kept.div_ceil(2), kept / 2);
    let head: String = text.chars().take(head).collect();
    let tail: String = text.chars().skip(length - tail).collect();
    format!("{head}...{tail}")
}

/// The first few names, and how many more there are: `a, b and 7 more`.
pub fn first_of<T: AsRef<str>>(names: &[T], most: usize) -> String {
    let first: Vec<_> = names.iter().take(most).map(AsRef::as_ref).collect();
    let first = first.join(", ");
    match names.len().saturating_sub(most) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_few_of_many_are_named_and_the_rest_is_counted() {
        assert_eq!(first_of(&["a", "b"], 2), "a, b");
        assert_eq!(first_of(&["a", "b", "c", "d"], 2), "a, b and 2 more");
        assert_eq!(first_of::<&str>(&[], 2), "");
    }

    #[test]
    fn lines_are_broken_between_words_and_indented_below_the_mark() {
        let text = wrapped("  - ", "word ".repeat(30).trim_end());
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH));
        assert!(lines[1].starts_with("    word"));
        assert_eq!(wrapped("", &"x".repeat(200)), "x".repeat(200) + "\n");
    }
}
