//! Data from anywhere as text of a GitHub comment: no Markdown, no HTML, no link, nobody notified.
//!
//! GitHub makes mentions, issue numbers, commits and addresses into links after the Markdown is
//! rendered, so a backslash does not stop it; code does. Therefore every word that could become more
//! than itself is shown as code, and what stands between backticks stays code. Source: GitHub
//! documentation, "Basic writing and formatting syntax", "Autolinked references and URLs",
//! "Writing mathematical expressions".

/// A text on one line, in a paragraph, a list item or a table cell.
pub(super) fn text(text: &str) -> String {
    let mut safe = String::new();
    let parts: Vec<_> = text.split('`').collect();
    let last = parts.len().saturating_sub(1);
    for (index, part) in parts.iter().enumerate() {
        let is_code = index % 2 == 1;
        match (is_code, index == last) {
            // A backtick without its partner means nothing.
            (true, true) => safe.extend([format!("&#96;{}", words(part))]),
            (true, false) if part.trim().is_empty() => safe.push_str("&#96;&#96;"),
            (true, false) => safe.push_str(&code(part)),
            (false, _) => safe.push_str(&words(part)),
        }
    }
    safe
}

/// A text as code on one line.
pub(super) fn code(text: &str) -> String {
    if text.trim().is_empty() {
        return String::new();
    }
    // In a table, a bar ends the cell even in code; elsewhere the entity would be shown as it stands.
    let text = text.replace('`', "'").replace('|', "\u{2502}");
    format!("`{text}`")
}

/// A block of code whose fence nothing in it can end.
pub(super) fn block(language: &str, text: &str) -> String {
    let mut fence = "```".to_owned();
    while text.contains(&fence) {
        fence.push('`');
    }
    format!("{fence}{language}\n{}\n{fence}\n", text.trim_end())
}

fn words(text: &str) -> String {
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn word(word: &str) -> String {
    match word {
        "->" => return "\u{2192}".to_owned(),
        "&" => return "&amp;".to_owned(),
        _ => {}
    }
    if !word.chars().any(char::is_alphanumeric) {
        return escaped(word);
    }
    let bare = word.trim_start_matches(['(', '"', '\'']);
    let bare = bare.trim_end_matches(|it: char| "),.;:!?'\"".contains(it));
    if is_money(bare) {
        return escaped(word).replace('$', "<span>$</span>");
    }
    if is_plain(bare) {
        return escaped(word);
    }
    let (before, after) = word.split_once(bare).unwrap_or(("", ""));
    format!("{}{}{}", escaped(before), code(bare), escaped(after))
}

/// `$412`, `+$1,204.50`.
fn is_money(word: &str) -> bool {
    let number = word.trim_start_matches(['+', '-']).strip_prefix('$');
    number.is_some_and(|it| it.chars().all(|it| it.is_ascii_digit() || ",.".contains(it)))
}

/// Whether nothing makes more of a word than itself.
fn is_plain(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    let is_commit = word.len() >= 7 && word.bytes().all(|it| it.is_ascii_hexdigit());
    let is_reference = lower.starts_with("www.") || lower.starts_with("gh-");
    let is_harmless = |it: char| it.is_alphanumeric() || "-'%+/.,()".contains(it);
    word.chars().all(is_harmless) && !is_commit && !is_reference && !word.contains("//")
}

/// Every mark that Markdown or HTML could read something into, as itself.
fn escaped(text: &str) -> String {
    let mut safe = String::new();
    for it in text.chars() {
        match it {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '|' => safe.push_str("&#124;"),
            '\'' | ',' | ';' | '/' | '%' | '$' | '?' | ':' | '@' | '"' => safe.push(it),
            it if it.is_ascii_punctuation() && is_special(it, text) => {
                safe.push('\\');
                safe.push(it);
            }
            it => safe.push(it),
        }
    }
    safe
}

/// Whether a mark needs a backslash where it stands: within a word, most need none.
fn is_special(mark: char, word: &str) -> bool {
    let is_number = word.trim_end_matches(['.', ')']).chars().all(|it| it.is_ascii_digit());
    let has_letters = word.chars().any(char::is_alphabetic);
    match mark {
        '.' | ')' => is_number && (word.ends_with('.') || word.ends_with(')')),
        '-' | '+' | '=' => !has_letters && !word.chars().any(|it| it.is_ascii_digit()),
        '(' => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_that_could_become_more_than_themselves_are_code() {
        let cases = [
            ("tell @octo-org/everyone now", "tell `@octo-org/everyone` now"),
            ("see #12, a/b#3 and GH-7", "see `#12`, `a/b#3` and `GH-7`"),
            ("<img src=x onerror=alert(1)>", "`<img` `src=x` `onerror=alert(1)>`"),
            (
                "[click](https://evil.example) www.evil.example",
                "`[click](https://evil.example`\\) `www.evil.example`",
            ),
            ("Tom & Jerry's **wine** :tada:", "Tom &amp; Jerry's `**wine**` `:tada`:"),
            (
                "+$412 a month (from $1,204)",
                "+<span>$</span>412 a month (from <span>$</span>1,204)",
            ),
            (
                "commit deadbeef1 in `a b` and a ` alone",
                "commit `deadbeef1` in `a b` and a &#96; alone",
            ),
            ("1. - + # --- 24h -> 48h", "1\\. \\- \\+ \\# \\-\\-\\- 24h \u{2192} 48h"),
            ("email lp@example.com is told", "email `lp@example.com` is told"),
            ("a|b `c|d`", "`a\u{2502}b` `c\u{2502}d`"),
        ];
        for (given, wanted) in cases {
            assert_eq!(text(given), wanted);
        }
    }

    proptest! {
        /// Outside code no mark is left that GitHub makes a mention, a link, markup or a cell of.
        #[test]
        fn nothing_but_code_holds_what_github_reads_something_into(given in r"[ -~éß→]{0,60}") {
            let safe = text(&given);
            let outside: String = safe.split('`').step_by(2).collect::<Vec<_>>().join(" ");
            let outside = outside.replace("<span>$</span>", "");
            prop_assert_eq!(safe.matches('`').count() % 2, 0);
            prop_assert!(!outside.contains(['<', '>', '|']), "{}", outside);
            for mark in ['*', '_', '[', ']', '~', '#', '{', '}'] {
                for (at, _) in outside.match_indices(mark) {
                    let before = outside[..at].chars().next_back();
                    prop_assert!(matches!(before, Some('\\' | '&')), "{mark} in {outside}");
                }
            }
            for (at, _) in outside.match_indices('@') {
                let after = outside[at + 1..].chars().next();
                prop_assert!(!after.is_some_and(char::is_alphanumeric), "{}", outside);
            }
            prop_assert!(!outside.contains("://") && !outside.to_lowercase().contains("www."), "{}", outside);
        }
    }
}
