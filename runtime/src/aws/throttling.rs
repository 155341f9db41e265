//! Throttled calls: which answers mean that a call is welcome again in a moment.
//!
//! The SDK knows a list of codes, and not those of every service: Kinesis Video's
//! `ClientLimitExceededException` and SQS's `KmsThrottled` come with status 400, and without this each
//! would end its call at the first attempt. Every client gets [`Throttled`] but the case table's, whose
//! codes are all on the SDK's list. To change what counts, change [`is_throttling`].

use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use serde_json::Value;

/// Whether a code says that there were too many calls, and nothing about this one.
pub(super) fn is_throttling(code: &str) -> bool {
    code.contains("Throttl")
        || code.contains("LimitExceeded")
        || code.contains("TooManyRequests")
        || code.contains("ThroughputExceeded")
        || code.contains("TransactionInProgress")
}

/// Has the SDK try again what was throttled, as often and with the pauses that its client has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Throttled;

impl ClassifyRetry for Throttled {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let is_error = context.output_or_error().is_some_and(|it| it.is_err());
        let code = context.response().filter(|_| is_error).and_then(code);
        if code.is_some_and(|code| is_throttling(&code)) {
            RetryAction::throttling_error()
        } else {
            RetryAction::NoActionIndicated
        }
    }

    fn name(&self) -> &'static str {
        "throttled, in the words of every service"
    }
}

/// The code of an error, as the three protocols of our services have it: in a header, in JSON or in XML.
fn code(answer: &HttpResponse) -> Option<String> {
    if let Some(named) = answer.headers().get("x-amzn-errortype") {
        return Some(plain(named));
    }
    let body = str::from_utf8(answer.body().bytes()?).ok()?;
    if let Ok(json) = serde_json::from_str::<Value>(body) {
        return Some(plain(json.get("__type").or_else(|| json.get("code"))?.as_str()?));
    }
    let (_, rest) = body.split_once("<Code>")?;
    Some(rest.split_once("</Code>")?.0.to_owned())
}

/// A code without the namespace before it and the address after it.
fn plain(code: &str) -> String {
    let code = code.rsplit_once('#').map_or(code, |(_, code)| code);
    code.split_once(':').map_or(code, |(code, _)| code).to_owned()
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::primitives::SdkBody;

    use super::*;

    #[test]
    fn the_code_of_an_error_is_found_in_every_protocol() {
        let check = |header: Option<&'static str>, body: &'static str| {
            let status = 400_u16.try_into().unwrap();
            let mut answer = HttpResponse::new(status, SdkBody::from(body));
            if let Some(header) = header {
                answer.headers_mut().insert("x-amzn-errortype", header);
            }
            code(&answer)
        };
        let limit = Some("ClientLimitExceededException".to_owned());
        assert_eq!(check(Some("ClientLimitExceededException"), ""), limit);
        assert_eq!(check(Some("ClientLimitExceededException:http://amazon.com/"), ""), limit);
        let json = r#"{"__type":"com.amazonaws.sqs#KmsThrottled","message":"slow"}"#;
        assert_eq!(check(None, json), Some("KmsThrottled".to_owned()));
        let xml = "<ErrorResponse><Error><Code>KMSThrottling</Code></Error></ErrorResponse>";
        assert_eq!(check(None, xml), Some("KMSThrottling".to_owned()));
        assert_eq!(check(None, "not a word"), None);
    }

    #[test]
    fn only_too_many_calls_are_throttling() {
        for code in ["ClientLimitExceededException", "KmsThrottled", "Throttled"] {
            assert!(is_throttling(code), "{code}");
        }
        for code in ["InvalidArgumentException", "AccessDenied", "ResourceNotFoundException"] {
            assert!(!is_throttling(code), "{code}");
        }
    }
}
