//! Settings: what the platform template says through the environment. Names stand in the contract.
#![expect(clippy::disallowed_methods, reason = "shell: the one place that reads the environment")]

use std::env;

use contract::settings::FUNCTIONS;

/// The function that this process serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    Dispatch,
    Analyze,
    Respond,
    Preserve,
    Project,
    Sweep,
}

/// A setting that is missing or wrong.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    #[error("the environment variable `{0}` is not set")]
    Missing(&'static str),
    #[error("`_HANDLER` is `{0}`, which is none of {names}", names = FUNCTIONS.join(", "))]
    UnknownFunction(String),
}

/// Which function to serve, from `_HANDLER`.
pub fn function() -> Result<Function, SettingsError> {
    named(&required("_HANDLER")?)
}

/// Reads a setting that the function cannot do without.
pub fn required(name: &'static str) -> Result<String, SettingsError> {
    env::var(name).ok().filter(|value| !value.is_empty()).ok_or(SettingsError::Missing(name))
}

/// The endpoint that a service, such as `S3`, is to be called at instead of AWS's own.
pub fn endpoint_url(service_id: &str) -> Option<String> {
    endpoint_among(service_id, |name| env::var(name).ok())
}

/// Whether S3 is somewhere else than AWS, where bucket names may not resolve as host names.
pub fn is_s3_redirected() -> bool {
    endpoint_url("S3").is_some()
}

/// The service's own variable counts before that of all services.
fn endpoint_among(service_id: &str, value: impl Fn(&str) -> Option<String>) -> Option<String> {
    let service = service_id.replace([' ', '-'], "_").to_uppercase();
    let names = [format!("AWS_ENDPOINT_URL_{service}"), "AWS_ENDPOINT_URL".to_owned()];
    names.iter().find_map(|name| value(name).filter(|url| !url.is_empty()))
}

fn named(handler: &str) -> Result<Function, SettingsError> {
    let functions = [
        Function::Dispatch,
        Function::Analyze,
        Function::Respond,
        Function::Preserve,
        Function::Project,
        Function::Sweep,
    ];
    let named = FUNCTIONS.iter().zip(functions).find(|(name, _)| **name == handler);
    let unknown = || SettingsError::UnknownFunction(handler.to_owned());
    named.map(|(_, function)| function).ok_or_else(unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_s_own_endpoint_counts_before_that_of_all() {
        let value = |name: &str| match name {
            "AWS_ENDPOINT_URL" => Some("http://all".to_owned()),
            "AWS_ENDPOINT_URL_KINESIS_VIDEO_ARCHIVED_MEDIA" => Some("http://media".to_owned()),
            "AWS_ENDPOINT_URL_S3" => Some(String::new()),
            _ => None,
        };
        let check = |service_id| endpoint_among(service_id, value);
        assert_eq!(check("Kinesis Video Archived Media").as_deref(), Some("http://media"));
        assert_eq!(check("DynamoDB").as_deref(), Some("http://all"));
        assert_eq!(check("S3").as_deref(), Some("http://all"), "an empty one says nothing");
        assert_eq!(endpoint_among("S3", |_| None), None);
    }

    #[test]
    fn every_function_of_the_contract_is_served_and_no_other() {
        assert_eq!(named("dispatch"), Ok(Function::Dispatch));
        assert_eq!(named("project"), Ok(Function::Project));
        assert!(FUNCTIONS.iter().all(|name| named(name).is_ok()));
        assert_eq!(
            named("index.handler").unwrap_err().to_string(),
            "`_HANDLER` is `index.handler`, which is none of dispatch, analyze, respond, preserve, \
             project, sweep"
        );
    }
}
