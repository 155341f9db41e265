//! How a text is written as a YAML scalar, for every file and page that `arm` writes. Pure.
//!
//! What is written here reads back as the same text, on a line of its own and between brackets. To
//! leave more texts without quotes, widen [`written`]; `layout` keeps the quotes that people wrote.

/// Writes a text as YAML: plain where that is sure to be read as it stands, else in quotes.
pub fn written(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || " -_./@+:'".contains(c);
    // No reader takes a sign at the beginning of a word for more than a sign.
    let begins = |word: &str| word.starts_with(|c: char| c.is_alphanumeric() || c == '/');
    let first = text.split(' ').all(begins);
    let last = !text.ends_with([' ', ':']);
    // Other readers of YAML take `Null` and `NULL` for nothing too.
    let null = text.eq_ignore_ascii_case("null");
    let sure = first && last && text.chars().all(plain) && !text.contains(": ") && !null;
    if sure { text.to_owned() } else { quoted(text) }
}

/// Writes a text in double quotes on one line.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            letter if letter.is_control() => {
                quoted.extend(format!("\\u{:04x}", u32::from(letter)).chars());
            }
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::diagnostic::Sources;
    use crate::yaml;

    #[test]
    fn text_is_quoted_where_it_would_mean_something_else() {
        let texts = ["Pike Place", "a: b", "+12065550100", "", "null", "O'Brien", "- x", "x #1"];
        assert_eq!(
            texts.map(written),
            [
                "Pike Place",
                "\"a: b\"",
                "\"+12065550100\"",
                "\"\"",
                "\"null\"",
                "O'Brien",
                "\"- x\"",
                "\"x #1\""
            ]
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_written_reads_back_as_the_same_text(
            text in prop_oneof!["[ a/:'#\"\\\\,{}~\t\n-]{0,8}", "\\PC{0,12}"]
        ) {
            let file = Sources::default().add(String::new(), String::new());
            let shown = [written(&text), quoted(&text)];
            for yaml in shown.map(|it| format!("[{it}, {{ a: {it} }}]")) {
                let (node, problems) = yaml::parse(file, &yaml);
                prop_assert!(problems.is_empty(), "{}: {:?}", yaml, problems);
                let Some(yaml::Value::Sequence(items)) = node.map(|node| node.value) else {
                    panic!("a list is a list: {yaml}");
                };
                let yaml::Value::Scalar { text: read, .. } = &items[0].value else {
                    panic!("a scalar is a scalar: {yaml}");
                };
                prop_assert_eq!(read, &text);
            }
        }
    }
}
