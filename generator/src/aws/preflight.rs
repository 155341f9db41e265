//! What a preflight asks AWS: who the caller is and what it may do, what was granted, what is there.
//!
//! Every call reads only. They are given up sooner than those of a deploy: what is not answered is told as
//! unknown, and nothing waits for it.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::time::{Duration, UNIX_EPOCH};

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{Region, SdkConfig};
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::describe_table::DescribeTableError;
use aws_sdk_ecr::types::ImageIdentifier;
use aws_sdk_iam::operation::get_role::GetRoleError;
use aws_sdk_iam::types::{
    ContextEntry, ContextKeyTypeEnum, EvaluationResult, PolicyEvaluationDecisionType,
};
use aws_sdk_kinesisvideo::types::{ComparisonOperator, StreamNameCondition};
use aws_sdk_servicequotas::types::ServiceQuota;
use aws_sdk_sns::operation::get_topic_attributes::GetTopicAttributesError;
use aws_sdk_sts::config::ProvideCredentials;

use crate::deploy::{CloudError, Trouble};
use crate::deployed::{DeployedServices, DeployedStack};
use crate::preflight::{
    Decision, Found, Holder, Identity, Image, PreflightServices, Question, TextMessages, Version,
};

use super::deployed::Deployment;
use super::{Target, failed};

/// Attempts of one call. Our choice: a look that AWS throttles for longer is told as unknown.
const ATTEMPTS: u32 = 4;
/// Longest time for one call with all its attempts. Our choice, for the same reason.
const CALL_TIME: Duration = Duration::from_secs(30);
/// Most pages of a list that are read. Our choice: SageMaker has some 3,000 quotas, a hundred a page, and a
/// full cell some 8,000 streams, a thousand a page.
const PAGES_MAX: usize = 100;
/// Quotas in a page. Source: Service Quotas API reference, `ListServiceQuotas`.
const QUOTAS_IN_PAGE: i32 = 100;
/// Streams in a page. Source: Kinesis Video Streams API reference, `ListStreams`: up to 10,000.
const STREAMS_IN_PAGE: i32 = 1_000;
/// Who calls for a caller whose stack is deployed. Source: IAM user guide, "AWS global condition context
/// keys", `aws:CalledVia`.
const CLOUDFORMATION: &str = "cloudformation.amazonaws.com";

/// Clients for one cell's account and region.
#[derive(Debug)]
pub struct Lookout {
    config: SdkConfig,
    deployment: Deployment,
    dynamodb: aws_sdk_dynamodb::Client,
    iam: aws_sdk_iam::Client,
    kinesis_video: aws_sdk_kinesisvideo::Client,
    s3: aws_sdk_s3::Client,
    sns: aws_sdk_sns::Client,
    sts: aws_sdk_sts::Client,
}

impl Lookout {
    pub async fn connect(target: &Target) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(5))
            .operation_attempt_timeout(Duration::from_secs(10))
            .operation_timeout(CALL_TIME)
            .build();
        let config = target.config().await;
        let config = config
            .into_builder()
            .timeout_config(timeouts)
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .build();
        // An emulator has no host name per bucket.
        let is_emulator = config.endpoint_url().is_some();
        let s3 = aws_sdk_s3::config::Builder::from(&config).force_path_style(is_emulator).build();
        Self {
            deployment: Deployment::connect(target).await,
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            iam: aws_sdk_iam::Client::new(&config),
            kinesis_video: aws_sdk_kinesisvideo::Client::new(&config),
            s3: aws_sdk_s3::Client::from_conf(s3),
            sns: aws_sdk_sns::Client::new(&config),
            sts: aws_sdk_sts::Client::from_conf(super::first_call(&config)),
            config,
        }
    }

    /// The same settings in another region.
    fn in_region(&self, region: &str) -> SdkConfig {
        self.config.clone().into_builder().region(Region::new(region.to_owned())).build()
    }

    /// When the credentials end; `None` where they do not say.
    async fn expires_ms(&self) -> Option<i64> {
        let provider = self.config.credentials_provider()?;
        let end = provider.provide_credentials().await.ok()?.expiry()?;
        i64::try_from(end.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()
    }
}

impl PreflightServices for Lookout {
    async fn identity(&self) -> Result<Identity, CloudError> {
        let answer = self.sts.get_caller_identity().send().await;
        let answer = answer.map_err(refused("ask AWS whose credentials these are"))?;
        Ok(Identity {
            account: answer.account.unwrap_or_default(),
            arn: answer.arn.unwrap_or_default(),
            expires_ms: self.expires_ms().await,
        })
    }

    async fn role_arn(&self, name: &str) -> Result<Option<String>, CloudError> {
        match self.iam.get_role().role_name(name).send().await {
            Ok(answer) => Ok(answer.role().map(|role| role.arn().to_owned())),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(GetRoleError::is_no_such_entity_exception) =>
            {
                Ok(None)
            }
            Err(error) => Err(refused(format!("read the role {name}"))(error)),
        }
    }

    async fn simulate(
        &self,
        principal: &str,
        question: &Question,
    ) -> Result<Vec<Decision>, CloudError> {
        let call = self
            .iam
            .simulate_principal_policy()
            .policy_source_arn(principal)
            .set_action_names(Some(question.actions.clone()))
            .resource_arns(&question.resource_arn)
            .set_context_entries(Some(context(question)));
        let mut pages = call.into_paginator().send();
        let mut decisions = Vec::new();
        for _ in 0..PAGES_MAX {
            let Some(page) = pages.next().await else { return Ok(decisions) };
            let page = page.map_err(refused(format!("simulate what {principal} may do")))?;
            decisions.extend(page.evaluation_results().iter().map(decision));
        }
        Err(CloudError::other(format!("simulate what {principal} may do"), TooMany))
    }

    async fn granted(
        &self,
        region: &str,
        service: &str,
        names: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, u64>, CloudError> {
        let client = aws_sdk_servicequotas::Client::new(&self.in_region(region));
        let what = || format!("list the quotas of `{service}` in {region}");
        let mut granted = BTreeMap::new();
        let call = client.list_service_quotas().service_code(service);
        let mut pages = call.max_results(QUOTAS_IN_PAGE).into_paginator().send();
        for _ in 0..PAGES_MAX {
            if granted.len() == names.len() {
                return Ok(granted);
            }
            let Some(page) = pages.next().await else { break };
            note(&mut granted, names, page.map_err(refused(what()))?.quotas());
        }
        // A quota that was never raised may be in the list of defaults alone.
        let call = client.list_aws_default_service_quotas().service_code(service);
        let mut pages = call.max_results(QUOTAS_IN_PAGE).into_paginator().send();
        for _ in 0..PAGES_MAX {
            if granted.len() == names.len() {
                break;
            }
            let Some(page) = pages.next().await else { break };
            note(&mut granted, names, page.map_err(refused(what()))?.quotas());
        }
        Ok(granted)
    }

    async fn stacks(&self) -> Result<Vec<DeployedStack>, CloudError> {
        self.deployment.stacks().await
    }

    async fn template(&self, stack: &str) -> Result<Option<String>, CloudError> {
        self.deployment.template(stack).await
    }

    async fn bucket(&self, name: &str) -> Result<Holder, CloudError> {
        match self.s3.head_bucket().bucket(name).send().await {
            Ok(_) => Ok(Holder::Us),
            Err(error) => match error.raw_response().map(|it| it.status().as_u16()) {
                Some(404) => Ok(Holder::Nobody),
                Some(403) => Ok(Holder::OutOfSight),
                Some(301 | 307) => Ok(Holder::OtherRegion),
                _ => Err(refused(format!("look for the bucket {name}"))(error)),
            },
        }
    }

    async fn has_table(&self, name: &str) -> Result<bool, CloudError> {
        match self.dynamodb.describe_table().table_name(name).send().await {
            Ok(_) => Ok(true),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DescribeTableError::is_resource_not_found_exception) =>
            {
                Ok(false)
            }
            Err(error) => Err(refused(format!("look for the table {name}"))(error)),
        }
    }

    async fn streams(&self, prefix: &str) -> Result<BTreeSet<String>, CloudError> {
        let condition = StreamNameCondition::builder()
            .comparison_operator(ComparisonOperator::BeginsWith)
            .comparison_value(prefix)
            .build();
        let call = self.kinesis_video.list_streams().stream_name_condition(condition);
        let mut pages = call.max_results(STREAMS_IN_PAGE).into_paginator().send();
        let what = || format!("list the video streams {prefix}*");
        let mut names = BTreeSet::new();
        for _ in 0..PAGES_MAX {
            let Some(page) = pages.next().await else { return Ok(names) };
            let page = page.map_err(refused(what()))?;
            let page = page.stream_info_list().iter().filter_map(|it| it.stream_name());
            names.extend(page.map(str::to_owned));
        }
        Err(CloudError::other(what(), TooMany))
    }

    async fn image(&self, image: &Image) -> Result<Found, CloudError> {
        let id = match &image.version {
            Version::Tag(tag) => ImageIdentifier::builder().image_tag(tag),
            Version::Digest(digest) => ImageIdentifier::builder().image_digest(digest),
        };
        let client = aws_sdk_ecr::Client::new(&self.in_region(&image.region));
        let call = client
            .describe_images()
            .registry_id(&image.registry)
            .repository_name(&image.repository)
            .image_ids(id.build());
        let Err(error) = call.send().await else { return Ok(Found::There) };
        let is_missing = error.as_service_error().is_some_and(|it| {
            it.is_image_not_found_exception() || it.is_repository_not_found_exception()
        });
        if is_missing {
            return Ok(Found::Missing);
        }
        let error = refused(format!("look for the image in {}", image.repository))(error);
        if error.trouble == Trouble::Denied { Ok(Found::OutOfSight) } else { Err(error) }
    }

    async fn object(&self, bucket: &str, key: &str) -> Result<Found, CloudError> {
        match self.s3.head_object().bucket(bucket).key(key).send().await {
            Ok(_) => Ok(Found::There),
            Err(error) => match error.raw_response().map(|it| it.status().as_u16()) {
                Some(404) => Ok(Found::Missing),
                Some(403) => Ok(Found::OutOfSight),
                Some(301 | 307) => Ok(Found::OtherRegion),
                _ => Err(refused(format!("look for s3://{bucket}/{key}"))(error)),
            },
        }
    }

    async fn text_messages(&self) -> Result<TextMessages, CloudError> {
        let sandbox = self.sns.get_sms_sandbox_account_status().send().await;
        let sandbox = sandbox.map_err(refused("ask SNS about its SMS sandbox"))?;
        let asked = self.sns.get_sms_attributes().attributes("MonthlySpendLimit").send().await;
        let asked = asked.map_err(refused("ask SNS what may be spent on text messages"))?;
        let limit = asked.attributes().and_then(|it| it.get("MonthlySpendLimit"));
        Ok(TextMessages {
            is_in_sandbox: sandbox.is_in_sandbox(),
            monthly_dollars: limit.filter(|it| !it.is_empty()).cloned(),
        })
    }

    async fn unconfirmed(&self, topic: &str) -> Result<Option<u64>, CloudError> {
        let what = || format!("read the topic {topic}");
        let answer = match self.sns.get_topic_attributes().topic_arn(topic).send().await {
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(GetTopicAttributesError::is_not_found_exception) =>
            {
                return Ok(None);
            }
            answer => answer.map_err(refused(what()))?,
        };
        let said = answer.attributes().and_then(|it| it.get("SubscriptionsPending"));
        let number = said.and_then(|it| it.parse().ok());
        number.map(Some).ok_or_else(|| CloudError::other(what(), NoCount))
    }
}

#[derive(Debug, thiserror::Error)]
#[error("it has more than {PAGES_MAX} pages")]
struct TooMany;

#[derive(Debug, thiserror::Error)]
#[error("SNS does not say how many subscriptions are pending")]
struct NoCount;

/// What AWS answered that it will not do, in its own words.
#[derive(Debug, thiserror::Error)]
#[error("{code}: {message}")]
struct Said {
    code: String,
    message: String,
}

/// Codes by which these services say that the caller may not ask, beside those that every service has.
/// Source: API references of SNS and Kinesis Video Streams, errors of the calls above.
const DENIED: [&str; 2] = ["AuthorizationError", "NotAuthorizedException"];

/// For `map_err`: names what was tried, with AWS's own words as the cause, because people read them.
fn refused<E>(what: impl Into<String>) -> impl FnOnce(SdkError<E>) -> CloudError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let what = what.into();
    move |source| {
        let said = source.code().map(|code| Said {
            code: code.to_owned(),
            message: source.message().unwrap_or("no reason is given").to_owned(),
        });
        let error = failed(what)(source);
        let Some(said) = said else { return error };
        let is_denied = DENIED.contains(&said.code.as_str());
        let trouble = if is_denied { Trouble::Denied } else { error.trouble };
        CloudError { trouble, source: Box::new(said), ..error }
    }
}

/// What a request of CloudFormation for the caller would be made with.
fn context(question: &Question) -> Vec<ContextEntry> {
    let entry = |name: &str, value: &str, kind| {
        ContextEntry::builder()
            .context_key_name(name)
            .context_key_values(value)
            .context_key_type(kind)
            .build()
    };
    let mut entries =
        vec![entry("aws:RequestedRegion", &question.region, ContextKeyTypeEnum::String)];
    let is_direct = |service: &str| question.actions.iter().all(|it| it.starts_with(service));
    // What `arm` calls itself is called by nobody for it.
    if !is_direct("cloudformation:") {
        entries.push(entry("aws:CalledVia", CLOUDFORMATION, ContextKeyTypeEnum::StringList));
        entries.push(entry("aws:CalledViaFirst", CLOUDFORMATION, ContextKeyTypeEnum::String));
        entries.push(entry("aws:CalledViaLast", CLOUDFORMATION, ContextKeyTypeEnum::String));
        entries.push(entry("aws:ViaAWSService", "true", ContextKeyTypeEnum::Boolean));
    }
    entries
}

fn decision(result: &EvaluationResult) -> Decision {
    // What an organization or a boundary forbids is denied in the decision itself.
    Decision {
        action: result.eval_action_name().to_owned(),
        is_allowed: *result.eval_decision() == PolicyEvaluationDecisionType::Allowed,
        missing: result.missing_context_values().to_vec(),
    }
}

/// Takes what was asked for from a page. A quota is a whole number; what is no number is left out.
fn note(granted: &mut BTreeMap<String, u64>, names: &BTreeSet<String>, page: &[ServiceQuota]) {
    for quota in page {
        let (Some(name), Some(value)) = (quota.quota_name(), quota.value()) else { continue };
        if let (true, Ok(value)) = (names.contains(name), format!("{:.0}", value.floor()).parse()) {
            granted.entry(name.to_owned()).or_insert(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_page_of_quotas_what_was_asked_for_is_taken_once() {
        let quota =
            |name: &str, value| ServiceQuota::builder().quota_name(name).value(value).build();
        let names = BTreeSet::from(["Stack count".to_owned(), "Event buses".to_owned()]);
        let mut granted = BTreeMap::new();
        note(&mut granted, &names, &[quota("Stack count", 2000.0), quota("Else", 1.0)]);
        note(&mut granted, &names, &[quota("Stack count", 5.0), quota("Event buses", -1.0)]);
        assert_eq!(granted, BTreeMap::from([("Stack count".to_owned(), 2_000)]));
    }

    #[test]
    fn what_is_neither_allowed_nor_denied_is_not_allowed() {
        let result = |decision: &str| {
            let result = EvaluationResult::builder()
                .eval_action_name("s3:GetObject")
                .eval_decision(decision.into())
                .missing_context_values("aws:SourceVpc");
            super::decision(&result.build().unwrap())
        };
        assert!(result("allowed").is_allowed);
        for no in ["implicitDeny", "explicitDeny", "something new"] {
            assert!(!result(no).is_allowed, "{no}");
        }
        assert_eq!(result("implicitDeny").missing, ["aws:SourceVpc"]);
    }

    #[test]
    fn calls_of_arm_itself_are_not_asked_about_as_calls_of_cloudformation() {
        let keys = |action: &str| {
            let question = Question {
                resource_arn: "*".to_owned(),
                actions: vec![action.to_owned()],
                region: "us-west-2".to_owned(),
            };
            context(&question).len()
        };
        assert_eq!((keys("cloudformation:CreateChangeSet"), keys("sns:CreateTopic")), (1, 5));
    }
}
