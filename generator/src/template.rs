//! A template: what CloudFormation is given.
//!
//! Made from a rendered blueprint, or from a stack that is deployed already. The bytes of
//! [`Template::to_json`] are what is reviewed, uploaded and deployed; the digest is theirs. They
//! keep the order in which the blueprint states things, so the same input gives the same bytes.
//!
//! Pure. A key that stands twice is an error here: readers of YAML and JSON commonly keep the last
//! one, and a resource would be lost without a word.

use serde_json::{Map, Value};

use crate::digest::sha256;

/// Largest template that may travel inside a request, in bytes; a larger one goes through the
/// artifacts bucket. Source: CloudFormation quotas,
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>.
pub const INLINE_BYTES_MAX: usize = 51_200;
/// Largest template in a bucket, in bytes. Source: the same page.
pub const BYTES_MAX: usize = 1_000_000;
/// Most resources in one template. Source: the same page.
pub const RESOURCES_MAX: usize = 500;

/// A template whose resources are known by their logical ids.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    body: Map<String, Value>,
}

/// Why a text is no template.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The line is 1-based and counts in the text that was given.
    #[error("line {line}: {detail}")]
    Syntax { line: usize, detail: String },
    #[error("a template has `Resources`, each with a `Type`; this text has not")]
    Shape,
    #[error("`{0}` is a short form of an intrinsic function; write `Fn::...: ...`")]
    ShortForm(String),
}

impl Template {
    /// Reads YAML, or JSON, which is YAML too.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let yaml: serde_yaml::Value = serde_yaml::from_str(text).map_err(|error| {
            let line = error.location().map_or(1, |place| place.line());
            TemplateError::Syntax { line, detail: error.to_string() }
        })?;
        let Value::Object(body) = json(yaml)? else { return Err(TemplateError::Shape) };
        let template = Self { body };
        let typed = |resource: &Value| resource.get("Type").is_some_and(Value::is_string);
        let resources = template.body.get("Resources").and_then(Value::as_object);
        let sound = resources.is_some_and(|all| !all.is_empty() && all.values().all(typed));
        sound.then_some(template).ok_or(TemplateError::Shape)
    }

    /// Resources by logical id, in the order of the template.
    pub fn resources(&self) -> impl Iterator<Item = (&str, &Value)> {
        let resources = self.body.get("Resources").and_then(Value::as_object);
        resources.into_iter().flatten().map(|(id, resource)| (id.as_str(), resource))
    }

    /// Another top-level section, such as `Parameters`; `None` when the template has none.
    pub fn section(&self, name: &str) -> Option<&Value> {
        self.body.get(name)
    }

    /// One line, the shortest form: what is deployed.
    pub fn to_json(&self) -> String {
        serde_json::to_string(&self.body).expect("a template holds only JSON")
    }

    /// Indented, for people; CloudFormation reads it as the same template.
    pub fn to_yaml(&self) -> String {
        let mut text = String::new();
        write_block(&mut text, &Value::Object(self.body.clone()), 0);
        text
    }

    /// SHA-256 of the bytes of [`Self::to_json`] in lower-case hex.
    pub fn digest(&self) -> String {
        sha256(self.to_json().as_bytes())
    }
}

/// YAML as JSON. Keys must be texts; tags, which YAML's short forms of functions are, have no JSON.
fn json(yaml: serde_yaml::Value) -> Result<Value, TemplateError> {
    match yaml {
        serde_yaml::Value::Mapping(mapping) => {
            let entries = mapping.into_iter().map(|(key, value)| match key {
                serde_yaml::Value::String(key) => Ok((key, json(value)?)),
                _ => Err(TemplateError::Shape),
            });
            entries.collect::<Result<_, _>>().map(Value::Object)
        }
        serde_yaml::Value::Sequence(items) => {
            items.into_iter().map(json).collect::<Result<_, _>>().map(Value::Array)
        }
        serde_yaml::Value::Tagged(tagged) => Err(TemplateError::ShortForm(tagged.tag.to_string())),
        scalar => serde_json::to_value(scalar).map_err(|_| TemplateError::Shape),
    }
}

/// Block style, two spaces a level. Our own writer, because CloudFormation reads YAML 1.1, where an
/// unquoted `OFF` is a boolean, and the serializer that we parse with writes YAML 1.2.
fn write_block(text: &mut String, value: &Value, indent: usize) {
    let margin = " ".repeat(indent);
    match value {
        Value::Object(mapping) if !mapping.is_empty() => {
            for (key, value) in mapping {
                text.extend([&margin, scalar(key).as_str(), ":"]);
                let is_block = matches!(value, Value::Object(it) if !it.is_empty())
                    || matches!(value, Value::Array(it) if !it.is_empty());
                text.push(if is_block { '\n' } else { ' ' });
                write_block(text, value, if is_block { indent + 2 } else { 0 });
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                let mut block = String::new();
                write_block(&mut block, item, indent + 2);
                text.extend([&margin, "- ", block.trim_start_matches(' ')]);
            }
        }
        Value::String(value) => text.extend([&margin, scalar(value).as_str(), "\n"]),
        other => text.extend([&margin, other.to_string().as_str(), "\n"]),
    }
}

/// Plain where no reader of any YAML can take it for anything but this text, quoted otherwise.
fn scalar(value: &str) -> String {
    const WORDS: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    let letters = |c: char| c.is_ascii_alphanumeric() || "_-./:".contains(c);
    let is_word = WORDS.iter().any(|word| value.eq_ignore_ascii_case(word));
    let begins_and_ends =
        value.starts_with(|c: char| c.is_ascii_alphabetic()) && !value.ends_with(':');
    if begins_and_ends && value.chars().all(letters) && !is_word {
        return value.to_owned();
    }
    Value::from(value).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"
AWSTemplateFormatVersion: "2010-09-09"
Resources:
  B: { Type: "AWS::SNS::Topic", Properties: { TopicName: b, DisplayName: "off" } }
  A: { Type: "AWS::SNS::Topic" }
"#;

    const NESTED: &str = r#"
Resources:
  A:
    Type: AWS::Scheduler::Schedule
    Properties:
      Mode: "OFF"
      Empty: [{}, [], "", null]
      Lists: [[1, 2.5], { a: x, b: [true, "true", "1", "0x1", "1e3", "2010-09-09", "~"] }]
      Text: "a: b\nc\t# d \u0007 🛒 - 'e' \"f\" {{resolve:ssm:/g}}"
      "on": "NO"
      "x: y": "*"
"#;

    fn refusal(text: &str) -> String {
        Template::parse(text).expect_err("refused").to_string()
    }

    #[test]
    fn json_keeps_the_order_and_has_no_spaces() {
        let template = Template::parse(SMALL).unwrap();
        assert_eq!(
            template.to_json(),
            r#"{"AWSTemplateFormatVersion":"2010-09-09","Resources":{"B":{"Type":"AWS::SNS::Topic","Properties":{"TopicName":"b","DisplayName":"off"}},"A":{"Type":"AWS::SNS::Topic"}}}"#
        );
        assert_eq!(template.resources().map(|(id, _)| id).collect::<Vec<_>>(), ["B", "A"]);
        assert_eq!(template.digest(), sha256(template.to_json().as_bytes()));
    }

    #[test]
    fn both_forms_read_back_as_the_same_template() {
        for text in [SMALL, NESTED] {
            let template = Template::parse(text).unwrap();
            assert_eq!(Template::parse(&template.to_json()).unwrap(), template);
            assert_eq!(Template::parse(&template.to_yaml()).unwrap(), template);
        }
    }

    #[test]
    fn yaml_quotes_what_any_reader_could_take_for_something_else() {
        let yaml = Template::parse(NESTED).unwrap().to_yaml();
        insta::assert_snapshot!(yaml, @r##"
        Resources:
          A:
            Type: AWS::Scheduler::Schedule
            Properties:
              Mode: "OFF"
              Empty:
                - {}
                - []
                - ""
                - null
              Lists:
                - - 1
                  - 2.5
                - a: x
                  b:
                    - true
                    - "true"
                    - "1"
                    - "0x1"
                    - "1e3"
                    - "2010-09-09"
                    - "~"
              Text: "a: b\nc\t# d \u0007 🛒 - 'e' \"f\" {{resolve:ssm:/g}}"
              "on": "NO"
              "x: y": "*"
        "##);
    }

    #[test]
    fn a_key_that_stands_twice_is_refused_in_yaml_and_in_json() {
        let twice = "Resources:\n  A: { Type: x }\n  A: { Type: y }\n";
        assert_eq!(
            refusal(twice),
            "line 2: Resources: duplicate entry with key \"A\" at line 2 column 3"
        );
        assert!(Template::parse(r#"{"Resources":{"A":{"Type":"x","Type":"y"}}}"#).is_err());
    }

    #[test]
    fn what_is_no_template_is_refused() {
        let shape = "a template has `Resources`, each with a `Type`; this text has not";
        for text in ["", "a: b", "Resources: {}", "Resources: { A: { Typ: x } }", "[1]"] {
            assert_eq!(refusal(text), shape, "{text}");
        }
        assert_eq!(
            refusal("Resources: { A: { Type: x, Properties: { B: !Ref C } } }"),
            "`!Ref` is a short form of an intrinsic function; write `Fn::...: ...`"
        );
    }
}
