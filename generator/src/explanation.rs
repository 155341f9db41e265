//! What each diagnostic code means, why it matters, and how to mend it: `arm check --explain CODE`.
//!
//! One Markdown file per code in `generator/explanations/`, each with an example that is wrong in
//! just this way and the same example mended; `tests/diagnostics.rs` runs them all, and holds that
//! the codes here are those that the sources report. To add a code: its file there, its line here.

use crate::diagnostic::Severity;

/// One code, explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    pub code: &'static str,
    pub severity: Severity,
    /// Markdown, from the heading with the code to the mended example.
    pub text: &'static str,
}

impl Explanation {
    /// The first paragraph: one sentence on one line.
    pub fn summary(&self) -> &'static str {
        self.text.split("\n\n").nth(1).unwrap_or_default()
    }
}

/// Every explanation, sorted by code.
pub fn all() -> &'static [Explanation] {
    EXPLANATIONS
}

/// The explanation of one code.
pub fn find(code: &str) -> Option<&'static Explanation> {
    let at = EXPLANATIONS.binary_search_by(|it| it.code.cmp(code)).ok()?;
    EXPLANATIONS.get(at)
}

/// The code that a text that is none was probably meant to be.
pub fn nearest(text: &str) -> Option<&'static str> {
    /// Longest text that is compared: no code is longer, and comparing is quadratic.
    const COMPARED_MAX: usize = 64;
    let folded: String = text.chars().take(COMPARED_MAX).collect();
    let folded = folded.to_lowercase().replace(['_', ' '], "-");
    let distance = |code: &str| strsim::damerau_levenshtein(&folded, code);
    let nearest = EXPLANATIONS.iter().map(|it| it.code).min_by_key(|code| distance(code))?;
    // A third of the letters may differ; our choice: beyond that, another word was meant.
    (distance(nearest) <= nearest.len() / 3).then_some(nearest)
}

/// A text for a terminal: headings in bold, examples in cyan, everything else as it stands.
pub fn coloured(text: &str) -> String {
    const BOLD: &str = "\u{1b}[1m";
    const CYAN: &str = "\u{1b}[36m";
    const RESET: &str = "\u{1b}[0m";
    let mut in_example = false;
    let lines = text.lines().map(|line| {
        let fence = line.starts_with("```");
        let heading = line.starts_with("# ") || matches!(line, "Wrong:" | "Right:");
        let style = match (fence || in_example, heading) {
            (true, _) => CYAN,
            (false, true) => BOLD,
            (false, false) => return format!("{line}\n"),
        };
        in_example ^= fence;
        format!("{style}{line}{RESET}\n")
    });
    lines.collect()
}

macro_rules! explanations {
    ($($severity:ident $code:literal,)*) => {
        &[$(Explanation {
            code: $code,
            severity: Severity::$severity,
            text: include_str!(concat!("../explanations/", $code, ".md")),
        }),*]
    };
}

/// Sorted by code.
const EXPLANATIONS: &[Explanation] = explanations![
    Warning "aisle-without-camera",
    Warning "allow-expired",
    Warning "allow-unused",
    Warning "audience-never-told",
    Warning "audience-without-subscriber",
    Error "bad-account",
    Error "bad-day",
    Error "bad-email",
    Error "bad-endpoint",
    Error "bad-event",
    Error "bad-event-type",
    Error "bad-external-id",
    Error "bad-hours",
    Error "bad-id",
    Error "bad-image",
    Error "bad-instance",
    Error "bad-log-retention",
    Error "bad-model",
    Error "bad-model-data",
    Error "bad-name",
    Error "bad-phone-number",
    Error "bad-push-endpoint",
    Error "bad-reason",
    Error "bad-reference",
    Error "bad-role",
    Error "bad-rtsp",
    Error "bad-time",
    Error "bad-url",
    Error "bad-wave",
    Error "bad-wording",
    Error "beside-event",
    Warning "camera-unreached",
    Error "cell-names-meet",
    Warning "clip-over-budget",
    Error "confidence-out-of-range",
    Error "control-character",
    Error "duplicate-aisle",
    Error "duplicate-audience",
    Error "duplicate-camera",
    Error "duplicate-email",
    Error "duplicate-key",
    Error "duplicate-rule",
    Error "duplicate-scenario",
    Warning "duplicate-subscriber",
    Error "duplicate-wave",
    Error "duplicate-zone",
    Error "empty-condition",
    Error "empty-file",
    Error "empty-value",
    Warning "empty-wave",
    Warning "event-type-spelling",
    Error "file-too-large",
    Error "hours-twice",
    Error "image-region",
    Error "key-not-text",
    Error "missing-expectation",
    Error "missing-key",
    Error "missing-model",
    Warning "never-open",
    Warning "never-watched",
    Warning "no-camera",
    Warning "no-rule",
    Warning "no-stores",
    Error "not-a-file",
    Error "not-allowable",
    Error "not-utf-8",
    Error "not-yaml-suffix",
    Warning "partly-shadowed",
    Warning "period-never",
    Error "push-elsewhere",
    Error "quota-exceeded",
    Warning "quota-near",
    Error "quotas-disagree",
    Error "reserved-name",
    Warning "retention-short",
    Warning "rtsp-password",
    Warning "rule-never-applies",
    Warning "rule-without-camera",
    Error "rules-too-large",
    Error "several-documents",
    Warning "sms-shortened",
    Error "stack-too-large",
    Error "store-not-file-name",
    Error "subscriber-channel",
    Error "syntax",
    Error "too-deep",
    Error "too-many-aisles",
    Error "too-many-cameras",
    Error "too-many-stores",
    Error "unknown-aisle",
    Error "unknown-aisle-kind",
    Error "unknown-audience",
    Error "unknown-camera",
    Error "unknown-cell",
    Error "unknown-code",
    Error "unknown-format",
    Warning "unknown-instance",
    Error "unknown-key",
    Error "unknown-label",
    Error "unknown-placeholder",
    Error "unknown-region",
    Error "unknown-rule",
    Error "unknown-store",
    Error "unknown-subscriber",
    Error "unknown-timezone",
    Error "unknown-zone",
    Error "unmet-expectation",
    Warning "unreachable-rule",
    Warning "uplink-too-small",
    Warning "vague-wording",
    Error "window-too-large",
    Error "wrong-type",
    Error "wrong-value",
    Error "yaml-anchor",
    Error "yaml-tag",
    Error "zone-outside-picture",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_begins_with_its_code_and_one_sentence() {
        for it in all() {
            assert!(it.text.starts_with(&format!("# {}\n\n", it.code)), "{}", it.code);
            assert!(it.summary().ends_with('.') && !it.summary().contains('\n'), "{}", it.code);
        }
    }

    #[test]
    fn codes_are_found_and_stand_in_order() {
        assert!(all().is_sorted_by(|a, b| a.code < b.code));
        assert!(all().iter().all(|it| find(it.code) == Some(it)));
        assert_eq!(find("unknown"), None);
    }

    #[test]
    fn a_code_that_is_none_is_taken_for_the_nearest() {
        assert_eq!(nearest("unknown_isle"), Some("unknown-aisle"));
        assert_eq!(nearest("Bad-Fone-Number"), Some("bad-phone-number"));
        assert_eq!(nearest("E0308"), None);
    }

    #[test]
    fn a_terminal_shows_headings_in_bold_and_examples_in_cyan() {
        let text = "# x\n\nProse.\n\nWrong:\n\n```yaml a.yaml\n# A comment.\n```\nProse.\n";
        let shown = coloured(text).replace("\u{1b}[1m", "<b>").replace("\u{1b}[36m", "<c>");
        assert_eq!(
            shown.replace("\u{1b}[0m", "</>"),
            "<b># x</>\n\nProse.\n\n<b>Wrong:</>\n\n<c>```yaml a.yaml</>\n<c># A comment.</>\n<c>```</>\nProse.\n"
        );
    }
}
