//! Blueprints: CloudFormation before rendering, and the one way to render it.
//!
//! The files in `blueprints/` are part of the program, so `arm` works in any directory. Rendering
//! is strict (an undefined value is an error with its line) and quotes for itself: `{{ value }}`
//! is one JSON literal, whatever the value holds. To add a blueprint, name it in [`SOURCES`].
//!
//! Pure.

use std::sync::LazyLock;

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior};
use serde::Serialize;

/// Every blueprint, and the parts that they include, by its path in `blueprints/`.
const SOURCES: [(&str, &str); 12] = [
    ("artifacts.yaml.j2", include_str!("../../blueprints/artifacts.yaml.j2")),
    ("platform.yaml.j2", include_str!("../../blueprints/platform.yaml.j2")),
    ("platform/keys.yaml.j2", include_str!("../../blueprints/platform/keys.yaml.j2")),
    ("platform/storage.yaml.j2", include_str!("../../blueprints/platform/storage.yaml.j2")),
    ("platform/queues.yaml.j2", include_str!("../../blueprints/platform/queues.yaml.j2")),
    ("platform/roles.yaml.j2", include_str!("../../blueprints/platform/roles.yaml.j2")),
    ("platform/functions.yaml.j2", include_str!("../../blueprints/platform/functions.yaml.j2")),
    ("platform/detector.yaml.j2", include_str!("../../blueprints/platform/detector.yaml.j2")),
    ("platform/gateway.yaml.j2", include_str!("../../blueprints/platform/gateway.yaml.j2")),
    ("platform/analytics.yaml.j2", include_str!("../../blueprints/platform/analytics.yaml.j2")),
    ("platform/operations.yaml.j2", include_str!("../../blueprints/platform/operations.yaml.j2")),
    ("store.yaml.j2", include_str!("../../blueprints/store.yaml.j2")),
];

/// Why a blueprint cannot be rendered: always our mistake. Says nothing about the values.
#[derive(Debug, thiserror::Error)]
#[error("cannot render blueprints/{blueprint}:{line}: {detail}")]
pub struct BlueprintError {
    pub blueprint: String,
    /// 1-based.
    pub line: usize,
    pub detail: String,
}

/// The blueprints, parsed once.
static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(environment);

/// Renders a blueprint with the values that it asks for; gives YAML.
pub fn render(blueprint: &str, context: &impl Serialize) -> Result<String, BlueprintError> {
    render_in(&ENVIRONMENT, blueprint, context)
}

/// Text that CloudFormation replaces with a value that is kept elsewhere, such as
/// `{{resolve:ssm:/path}}`. It is made here because its braces are the blueprints' own.
pub fn dynamic_reference(reference: &str) -> String {
    format!("{{{{resolve:{reference}}}}}")
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Json);
    // Both mark text as safe and so switch the quoting off.
    environment.remove_filter("safe");
    environment.remove_filter("tojson");
    for (name, source) in SOURCES {
        environment.add_template(name, source).expect("the tests render every blueprint");
    }
    environment
}

fn render_in(
    environment: &Environment<'_>,
    blueprint: &str,
    context: &impl Serialize,
) -> Result<String, BlueprintError> {
    let template =
        environment.get_template(blueprint).map_err(|error| failure(blueprint, &error))?;
    template.render(Serde(context)).map_err(|error| failure(blueprint, &error))
}

/// A failure inside an included part names that part and its line.
fn failure(blueprint: &str, error: &minijinja::Error) -> BlueprintError {
    use std::error::Error;

    let inner = error.source().and_then(|source| source.downcast_ref::<minijinja::Error>());
    if let (ErrorKind::BadInclude, Some(inner)) = (error.kind(), inner) {
        return failure(blueprint, inner);
    }
    BlueprintError {
        blueprint: error.name().unwrap_or(blueprint).to_owned(),
        line: error.line().unwrap_or(1),
        detail: error.detail().map_or_else(
            || error.kind().to_string(),
            |detail| format!("{}: {detail}", error.kind()),
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Renders one line of a made-up blueprint and reads it back.
    fn check(source: &str, context: &Value) -> Result<Value, String> {
        let mut environment = environment();
        environment.add_template("check.yaml.j2", source).unwrap();
        let text =
            render_in(&environment, "check.yaml.j2", context).map_err(|error| error.to_string())?;
        serde_yaml::from_str(&text).map_err(|error| error.to_string())
    }

    #[test]
    fn any_text_is_one_scalar() {
        let hostile = [
            "plain",
            "it's \"quoted\"",
            "two\nlines",
            "{{ cell }}",
            "{% raw %}",
            "${AWS::Region}",
            "!Ref Topic",
            "<detail>",
            "NO",
            "~",
            "0755",
            "a: b",
            "# no comment",
            "- item",
            "🛒 Ünï",
            "back\\slash",
            "&anchor",
            "*alias",
            "</script>",
        ];
        for text in hostile {
            assert_eq!(
                check("value: {{ value }}", &json!({ "value": text })),
                Ok(json!({ "value": text }))
            );
            assert_eq!(
                check("{{ value }}: 1", &json!({ "value": text })),
                Ok(json!({ text: 1 })),
                "as a key"
            );
        }
    }

    #[test]
    fn structure_and_numbers_keep_their_types() {
        let value = json!({ "a": [1, 2.5, true, null, "x"], "b": { "c": {} } });
        assert_eq!(
            check("value: {{ value }}", &json!({ "value": value })),
            Ok(json!({ "value": value }))
        );
    }

    #[test]
    fn a_missing_value_is_an_error_with_its_line() {
        assert_eq!(
            check("a: 1\nb: {{ missing }}", &json!({})),
            Err("cannot render blueprints/check.yaml.j2:2: undefined value".to_owned())
        );
    }

    #[test]
    fn quoting_cannot_be_switched_off() {
        for source in ["a: {{ value | safe }}", "a: {{ value | tojson }}"] {
            let refusal = check(source, &json!({ "value": "x" })).unwrap_err();
            assert!(refusal.contains("unknown filter"), "{refusal}");
        }
        for (name, source) in SOURCES {
            assert!(!source.contains("autoescape"), "{name}");
        }
    }

    #[test]
    fn a_failure_in_an_included_part_names_the_part() {
        let context = json!({ "description": "x", "keys": [{ "logical_id": "A" }] });
        assert_eq!(
            render("platform.yaml.j2", &context).unwrap_err().to_string(),
            "cannot render blueprints/platform/keys.yaml.j2:17: undefined value"
        );
    }

    #[test]
    fn a_dynamic_reference_survives_rendering() {
        let reference = dynamic_reference("ssm:/arm/phone");
        assert_eq!(reference, "{{resolve:ssm:/arm/phone}}");
        assert_eq!(
            check("a: {{ value }}", &json!({ "value": reference })),
            Ok(json!({ "a": "{{resolve:ssm:/arm/phone}}" }))
        );
    }

    #[test]
    fn every_blueprint_says_what_it_is_given_makes_and_outputs() {
        for (name, source) in SOURCES {
            let header = source.strip_prefix("{#").and_then(|rest| rest.split_once("#}"));
            let header = header.map_or("", |(header, _)| header);
            for word in ["Given:", "Makes:", "Outputs:"] {
                assert!(header.contains(word), "{name} lacks {word}");
            }
        }
    }
}
