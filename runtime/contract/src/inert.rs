//! JSON text that nobody but a JSON reader finds anything in.
//!
//! What the generator hands the functions passes CloudFormation (`{{resolve:`, `${`) and EventBridge
//! (`<...>`) on its way. All of them leave JSON's `\u` escapes alone, and the functions read these
//! back as the characters. Pure. To escape another character, add it to [`inert`].

use std::fmt::Write;

use serde_json::json;

/// The JSON with every character escaped that somebody on the way would take for their own; what
/// YAML takes for line breaks, or refuses, as well.
pub fn inert(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        let is_second_brace = character == '{' && text.ends_with('{');
        let is_special =
            matches!(character, '<' | '>' | '$' | '\u{2028}' | '\u{2029}' | '\u{feff}');
        if is_second_brace || is_special || character.is_control() {
            // A text takes everything.
            let _ = write!(text, "\\u{:04x}", u32::from(character));
        } else {
            text.push(character);
        }
    }
    text
}

/// How many characters a text takes inside such JSON.
pub fn characters(text: &str) -> usize {
    // Without the quotes.
    inert(&json!(text).to_string()).chars().count().saturating_sub(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_takes_what_its_escapes_take() {
        assert_eq!(characters("Räuber"), 6);
        assert_eq!(characters("\"\\\n"), 6);
        for special in ["<", ">", "$", "\u{2028}", "\u{7f}"] {
            assert_eq!(characters(special), 6, "{special:?}");
        }
        assert_eq!(characters("{{place}}"), 14, "the second brace");
    }
}
