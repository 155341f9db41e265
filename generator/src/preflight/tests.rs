//! Judgements over a scripted AWS: what it answers, and what is made of it.

use std::cell::RefCell;

use super::*;
use crate::input::{self, CompiledFleet, Content, InputFile};
use crate::name::StoreNames;
use crate::release::CELL_TAG;

const FLEET: &str = r#"
cells:
  us-west:
    account: "123456789012"
    region: us-west-2
    ops_email: ops@example.com
model:
  image: 123456789012.dkr.ecr.us-west-2.amazonaws.com/shelf:1
  data: s3://models/shelf/1.tar.gz
  instance: ml.g4dn.xlarge
  instances: 1-8
quotas:
  sagemaker_instances: { ml.g4dn.xlarge: 10 }
  sagemaker_endpoint_instances: 10
  sagemaker_instances_per_endpoint: 10
audiences: [floor]
defaults:
  cell: us-west
  timezone: America/Los_Angeles
  hours: { mon-sun: 07:00-23:00 }
  rules: [{ name: sweep, when: { event_type: shelf_sweep }, priority: high, notify: [floor] }]
"#;
const STORE: &str = "store: seattle-001
name: Seattle
aisles: [{ id: aisle-1 }]
cameras: [{ id: cam-a, aisle: aisle-1 }, { id: cam-b, aisle: aisle-1 }]
subscribers: [{ audience: floor, sms: ssm:/arm/floor }]
";
const DEPLOYER: &str = "arn:aws:iam::123456789012:role/ci/deployer";

fn fleet() -> CompiledFleet {
    let file = |stem: &str, text: &str| InputFile {
        name: format!("{stem}.yaml"),
        stem: stem.to_owned(),
        content: Content::Bytes(text.as_bytes().to_vec()),
    };
    let stores = vec![file("seattle-001", STORE)];
    let read = input::read(file("fleet", FLEET), stores, "2026-11-22".parse().unwrap());
    let told = format!("{:?}", read.problems);
    read.fleet.unwrap_or_else(|| panic!("{told}"))
}

/// AWS as it should be; each field is what one test has otherwise.
struct Script {
    account: &'static str,
    arn: &'static str,
    expires_ms: Option<i64>,
    /// What `simulate` does not allow, and with which keys missing.
    denied: Vec<(&'static str, &'static [&'static str])>,
    /// What was granted of each quota, but for those here.
    granted: BTreeMap<&'static str, u64>,
    stacks: Vec<DeployedStack>,
    template: Option<String>,
    bucket: Holder,
    has_table: bool,
    streams: Vec<&'static str>,
    found: Found,
    text_messages: TextMessages,
    unconfirmed: Option<u64>,
    /// The call that AWS refuses.
    refused: &'static str,
    questions: RefCell<Vec<Question>>,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            account: "123456789012",
            arn: "arn:aws:sts::123456789012:assumed-role/deployer/run-7",
            expires_ms: None,
            denied: Vec::new(),
            granted: BTreeMap::new(),
            stacks: Vec::new(),
            template: None,
            bucket: Holder::Nobody,
            has_table: false,
            streams: Vec::new(),
            found: Found::There,
            text_messages: TextMessages {
                is_in_sandbox: false,
                monthly_dollars: Some("500".to_owned()),
            },
            unconfirmed: Some(0),
            refused: "",
            questions: RefCell::default(),
        }
    }
}

impl Script {
    fn answer<T>(&self, call: &str, answer: T) -> Result<T, CloudError> {
        if call == self.refused {
            let what = format!("ask {call}");
            return Err(CloudError {
                what,
                trouble: Trouble::Denied,
                source: "AccessDenied: no".into(),
            });
        }
        Ok(answer)
    }
}

impl PreflightServices for Script {
    async fn identity(&self) -> Result<Identity, CloudError> {
        let (account, arn) = (self.account.to_owned(), self.arn.to_owned());
        self.answer("identity", Identity { account, arn, expires_ms: self.expires_ms })
    }

    async fn role_arn(&self, _: &str) -> Result<Option<String>, CloudError> {
        self.answer("role_arn", Some(DEPLOYER.to_owned()))
    }

    async fn simulate(&self, _: &str, question: &Question) -> Result<Vec<Decision>, CloudError> {
        self.questions.borrow_mut().push(question.clone());
        let decisions = question.actions.iter().map(|action| {
            let denied = self.denied.iter().find(|(it, _)| it == action);
            Decision {
                action: action.clone(),
                is_allowed: denied.is_none(),
                missing: denied
                    .map(|(_, keys)| keys.iter().map(|it| (*it).to_owned()).collect())
                    .unwrap_or_default(),
            }
        });
        self.answer("simulate", decisions.collect())
    }

    async fn granted(
        &self,
        region: &str,
        service: &str,
        names: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, u64>, CloudError> {
        let is_global = ["iam", "s3"].contains(&service);
        assert_eq!(region, if is_global { "us-east-1" } else { "us-west-2" }, "{service}");
        let granted = names
            .iter()
            .map(|name| (name.clone(), *self.granted.get(name.as_str()).unwrap_or(&1_000_000)))
            .filter(|(_, granted)| *granted != u64::MAX);
        self.answer("granted", granted.collect())
    }

    async fn stacks(&self) -> Result<Vec<DeployedStack>, CloudError> {
        self.answer("stacks", self.stacks.clone())
    }

    async fn template(&self, _: &str) -> Result<Option<String>, CloudError> {
        self.answer("template", self.template.clone())
    }

    async fn bucket(&self, _: &str) -> Result<Holder, CloudError> {
        self.answer("bucket", self.bucket)
    }

    async fn has_table(&self, _: &str) -> Result<bool, CloudError> {
        self.answer("has_table", self.has_table)
    }

    async fn streams(&self, _: &str) -> Result<BTreeSet<String>, CloudError> {
        self.answer("streams", self.streams.iter().map(|it| (*it).to_owned()).collect())
    }

    async fn image(&self, _: &Image) -> Result<Found, CloudError> {
        self.answer("image", self.found)
    }

    async fn object(&self, _: &str, _: &str) -> Result<Found, CloudError> {
        self.answer("object", self.found)
    }

    async fn text_messages(&self) -> Result<TextMessages, CloudError> {
        self.answer("text_messages", self.text_messages.clone())
    }

    async fn unconfirmed(&self, _: &str) -> Result<Option<u64>, CloudError> {
        self.answer("unconfirmed", self.unconfirmed)
    }
}

async fn report(script: &Script) -> Report {
    let fleet = fleet();
    let cell = &fleet.fleet.cells[0];
    let stores: Vec<_> = fleet.fleet.stores_of(cell).collect();
    look(script, &Wanted::of(&fleet, cell, &stores).unwrap(), 0).await
}

/// What is not passed, as people read it.
async fn trouble(script: Script) -> String {
    let mut report = report(&script).await;
    report.checks.retain(|check| check.verdict != Verdict::Passed);
    page(&[report])
}

fn stack(name: &str, tag: Option<&str>) -> DeployedStack {
    let tags = tag.map(|it| (CELL_TAG.to_owned(), it.to_owned()));
    DeployedStack {
        name: name.to_owned(),
        status: "CREATE_COMPLETE".to_owned(),
        tags: tags.into_iter().collect(),
        ..DeployedStack::default()
    }
}

#[tokio::test]
async fn an_account_that_is_ready_passes_every_check() {
    let report = report(&Script::default()).await;
    insta::assert_snapshot!(page(std::slice::from_ref(&report)));
    assert!(!report.is_refused(Strictness::Everything));
}

#[tokio::test]
async fn every_call_that_is_refused_is_told_and_none_stops_the_others() {
    let calls = [
        ("simulate", Area::Permissions),
        ("granted", Area::Quotas),
        ("stacks", Area::Names),
        ("bucket", Area::Names),
        ("has_table", Area::Names),
        ("streams", Area::Names),
        ("image", Area::Model),
        ("object", Area::Model),
        ("text_messages", Area::TextMessages),
        ("unconfirmed", Area::Subscriptions),
    ];
    for (refused, area) in calls {
        let report = report(&Script { refused, ..Script::default() }).await;
        let unknown = report.checks.iter().filter(|it| it.verdict == Verdict::Unknown);
        let unknown: Vec<_> = unknown.collect();
        assert!(!unknown.is_empty(), "{refused}");
        assert!(unknown.iter().all(|it| it.area == area && it.text.contains("AccessDenied: no")));
        assert!(!report.is_refused(Strictness::Failures), "{refused}");
        assert!(report.is_refused(Strictness::Everything), "{refused}");
        let areas: BTreeSet<_> = report.checks.iter().map(|it| it.area).collect();
        assert_eq!(areas.len(), 7, "{refused}");
    }
}

#[tokio::test]
async fn credentials_of_another_account_fail_and_nothing_else_is_asked() {
    let script = Script { account: "999999999999", ..Script::default() };
    let report = report(&script).await;
    assert!(script.questions.borrow().is_empty());
    insta::assert_snapshot!(page(&[report]));
}

#[tokio::test]
async fn credentials_that_end_soon_are_a_warning() {
    for (expires_ms, verdict) in
        [(0, Verdict::Warning), (899_000, Verdict::Warning), (900_000, Verdict::Passed)]
    {
        let script = Script { expires_ms: Some(expires_ms), ..Script::default() };
        let report = report(&script).await;
        assert_eq!(report.checks[0].verdict, verdict, "{expires_ms}");
    }
}

#[tokio::test]
async fn what_is_denied_is_listed_by_what_needs_it() {
    let denied: Vec<(&str, &'static [&'static str])> = vec![
        ("kinesisvideo:CreateStream", &[]),
        ("sns:DeleteTopic", &[]),
        ("lambda:CreateFunction", &["aws:SourceVpc"]),
        ("ssm:GetParameters", &[]),
    ];
    insta::assert_snapshot!(trouble(Script { denied, ..Script::default() }).await);
}

#[tokio::test]
async fn each_action_is_asked_about_on_the_resource_that_a_deploy_makes() {
    let script = Script::default();
    report(&script).await;
    let questions = script.questions.into_inner();
    let of = |action: &str| {
        let asked = questions.iter().filter(|it| it.actions.iter().any(|one| one == action));
        asked.map(|it| it.resource_arn.as_str()).collect::<Vec<_>>()
    };
    let ours = "123456789012";
    assert_eq!(of("iam:PassRole"), [format!("arn:aws:iam::{ours}:role/arm-us-west-dispatch")]);
    let stream = "stream/arm-us-west-seattle-001-gw-cam-a/*";
    let stream = format!("arn:aws:kinesisvideo:us-west-2:{ours}:{stream}");
    assert_eq!(of("kinesisvideo:CreateStream"), [stream]);
    let parameter = format!("arn:aws:ssm:us-west-2:{ours}:parameter/arm/floor");
    assert_eq!(of("ssm:GetParameters"), [parameter]);
    assert_eq!(of("cloudformation:ExecuteChangeSet").len(), 3);
    assert!(questions.iter().all(|it| !it.resource_arn.contains('{')));
}

#[tokio::test]
async fn who_cannot_be_simulated_is_unknown_with_the_reason() {
    let script = Script { arn: "arn:aws:iam::123456789012:root", ..Script::default() };
    insta::assert_snapshot!(trouble(script).await);
}

#[tokio::test]
async fn what_was_granted_decides_not_what_is_stated() {
    let granted = BTreeMap::from([
        ("ml.g4dn.xlarge for endpoint usage", 2),
        ("Number of instances across active endpoints", 9),
        ("Concurrent executions", 1),
        ("Stack count", 3),
        ("Event buses", u64::MAX),
    ]);
    insta::assert_snapshot!(trouble(Script { granted, ..Script::default() }).await);
}

#[tokio::test]
async fn names_that_are_taken_are_told_with_whose_they_are() {
    let script = Script {
        stacks: vec![
            stack("arm-us-west-artifacts", Some("us-east")),
            stack("arm-us-west-store-seattle-001", None),
        ],
        bucket: Holder::OutOfSight,
        has_table: true,
        streams: vec!["arm-us-west-seattle-001-gw-cam-b", "arm-us-west-other-001-gw-cam-a"],
        template: Some(r#"{"Resources": {"A": {"Type": "AWS::SNS::Topic"}}}"#.to_owned()),
        ..Script::default()
    };
    insta::assert_snapshot!(trouble(script).await);
}

#[tokio::test]
async fn streams_that_a_store_s_own_stack_has_are_not_taken() {
    let store = StoreNames::new(&Id::new("us-west").unwrap(), &Id::new("seattle-001").unwrap());
    let resource = r#"{"Type": "AWS::KinesisVideo::Stream", "Properties": {"Name": "NAME"}}"#;
    let resource = resource.replace("NAME", "arm-us-west-seattle-001-gw-cam-a");
    let script = || Script {
        stacks: vec![
            stack("arm-us-west-artifacts", Some("us-west")),
            stack("arm-us-west-platform", Some("us-west")),
            stack(store.stack(), Some("us-west")),
        ],
        bucket: Holder::Us,
        streams: vec!["arm-us-west-seattle-001-gw-cam-a"],
        template: Some(format!(r#"{{"Resources": {{"A": {resource}}}}}"#)),
        ..Script::default()
    };
    assert!(trouble(script()).await.contains("0 failed, 0 warnings, 0 unknown"));
    let kept = vec!["arm-us-west-seattle-001-gw-cam-a", "arm-us-west-seattle-001-gw-cam-b"];
    let told = trouble(Script { streams: kept, ..script() }).await;
    assert!(told.contains("1 video stream is there"), "{told}");
    assert!(told.contains("- arm-us-west-seattle-001-gw-cam-b"), "{told}");
    let unread = trouble(Script { refused: "template", ..script() }).await;
    assert!(unread.contains("not known"), "{unread}");
}

#[tokio::test]
async fn a_model_that_is_not_there_fails_and_one_out_of_sight_is_unknown() {
    for (found, verdict) in [
        (Found::Missing, Verdict::Failed),
        (Found::OtherRegion, Verdict::Failed),
        (Found::OutOfSight, Verdict::Unknown),
    ] {
        let report = report(&Script { found, ..Script::default() }).await;
        let checks = report.checks.iter().filter(|it| it.area == Area::Model);
        assert_eq!(checks.map(|it| it.verdict).collect::<Vec<_>>(), [verdict, verdict]);
    }
}

#[tokio::test]
async fn people_who_would_not_be_told_are_a_warning() {
    let script = Script {
        text_messages: TextMessages { is_in_sandbox: true, monthly_dollars: None },
        unconfirmed: Some(2),
        ..Script::default()
    };
    insta::assert_snapshot!(trouble(script).await);
}

#[tokio::test]
async fn programs_get_every_check_with_its_verdict() {
    let report = report(&Script { unconfirmed: None, ..Script::default() }).await;
    let value = to_json(&[report], Strictness::Failures);
    assert_eq!((&value["schema"], &value["refused"]), (&"arm.preflight/1".into(), &false.into()));
    let cell = &value["cells"][0];
    assert_eq!((&cell["cell"], &cell["failed"]), (&"us-west".into(), &0.into()));
    let areas: Vec<_> =
        cell["checks"].as_array().unwrap().iter().map(|it| it["area"].as_str().unwrap()).collect();
    assert_eq!(
        areas,
        [
            "identity",
            "permissions",
            "quotas",
            "names",
            "model",
            "model",
            "text-messages",
            "subscriptions"
        ]
    );
}
