//! What people are told of a letter: what AWS says of it, what an alert was about, how it begins.
//!
//! The text of a letter was written by anybody; what a terminal would obey is shown as a space.
//! Sources: EventBridge user guide, "Using dead-letter queues to process undelivered events"; Lambda
//! developer guide, "Capturing records of asynchronous invocations" and "Adding a dead-letter queue".
//! To show more of AWS's reasons, start in [`Letter::from_aws`].

use serde_json::Value;

use super::Letter;

/// Longest excerpt of a letter, in characters. Our choice: one line of a wide terminal.
pub(super) const EXCERPT_CHARACTERS_MAX: usize = 160;

/// By which AWS says in attributes why it gave up: EventBridge's and Scheduler's names, then Lambda's.
const REASONS: [&str; 5] =
    ["ERROR_CODE", "ERROR_MESSAGE", "EXHAUSTED_RETRY_CONDITION", "ErrorCode", "ErrorMessage"];

/// The same in the body, as Lambda's destinations write it.
const BODY_REASONS: [&str; 3] =
    ["/requestContext/condition", "/responsePayload/errorType", "/responsePayload/errorMessage"];

/// An alert that did not reach somebody, as SNS has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alert {
    /// The last part of the topic's name; it names the store.
    pub topic: String,
    pub subject: String,
    /// When it was published, as SNS writes it.
    pub at: String,
}

impl Alert {
    /// Reads the form of SNS.
    pub fn of(letter: &Letter) -> Self {
        let body: Value = serde_json::from_str(&letter.body).unwrap_or_default();
        let text =
            |field: &str| printable(body.get(field).and_then(Value::as_str).unwrap_or_default());
        let topic = text("TopicArn");
        Self {
            topic: topic.rsplit(':').next().unwrap_or_default().to_owned(),
            subject: text("Subject"),
            at: text("Timestamp"),
        }
    }
}

impl Letter {
    /// How it begins, on one line.
    pub fn excerpt(&self) -> String {
        let begin: String = self.body.chars().take(EXCERPT_CHARACTERS_MAX).collect();
        let shown = printable(&begin);
        if begin.len() < self.body.len() { format!("{shown} ...") } else { shown }
    }

    /// Why AWS did not deliver it, in AWS's words.
    pub fn from_aws(&self) -> Option<String> {
        let of_attributes = REASONS.iter().filter_map(|name| self.attributes.get(*name).cloned());
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        let of_body = BODY_REASONS.iter().filter_map(|place| body.pointer(place)?.as_str());
        let said: Vec<_> =
            of_attributes.chain(of_body.map(str::to_owned)).map(|it| printable(&it)).collect();
        (!said.is_empty()).then(|| said.join(": "))
    }
}

/// A text without what a terminal would obey: controls, breaks of lines, and marks that turn or hide
/// the text after them.
pub fn printable(text: &str) -> String {
    let is_shown = |c: char| {
        !c.is_control()
            && !matches!(c,
                '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
    };
    text.chars().map(|c| if is_shown(c) { c } else { ' ' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_not_shown() {
        let text = "a\u{1b}[2J\u{202e}b\u{200b}c\u{2028}d\u{2066}e\u{feff}ä";
        assert_eq!(printable(text), "a [2J b c d e ä");
    }

    #[test]
    fn the_reason_of_aws_is_told_in_its_words() {
        let attribute = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let rule = Letter {
            attributes: [
                attribute("ERROR_CODE", "NO_PERMISSIONS"),
                attribute("ERROR_MESSAGE", "not authorized"),
            ]
            .into(),
            ..Letter::default()
        };
        assert_eq!(rule.from_aws().unwrap(), "NO_PERMISSIONS: not authorized");
        let body = r#"{"requestContext":{"condition":"RetriesExhausted"},
            "responsePayload":{"errorMessage":"timed out"}}"#;
        let lambda = Letter { body: body.to_owned(), ..Letter::default() };
        assert_eq!(lambda.from_aws().unwrap(), "RetriesExhausted: timed out");
        assert_eq!(Letter::default().from_aws(), None);
    }

    #[test]
    fn an_alert_names_its_topic_subject_and_time() {
        let body = r#"{"TopicArn":"arn:aws:sns:r:a:arm-us-west-renton-007-alerts",
            "Subject":"[HIGH] sweep","Timestamp":"2026-11-22T18:03:03.000Z"}"#;
        let alert = Alert::of(&Letter { body: body.to_owned(), ..Letter::default() });
        let expected =
            ("arm-us-west-renton-007-alerts", "[HIGH] sweep", "2026-11-22T18:03:03.000Z");
        assert_eq!((&*alert.topic, &*alert.subject, &*alert.at), expected);
    }
}
