//! Every name that we give away: stacks, AWS resources, logical ids.
//!
//! Names are how stacks find each other (there are no exports), how functions are told apart in
//! IAM policies, and what people search for, so each is made here and nowhere else. All carry the
//! cell. Changing one replaces the resource, or loses it: it is a reviewed change.
//!
//! Lengths hold for the longest ids that the model admits; the tests try them. Pure.

use crate::digest::sha256;
use crate::model::{Cell, Id};

/// Longest stack name. Source: CloudFormation API reference, `CreateStack`, `StackName`.
pub const STACK_CHARACTERS_MAX: usize = 128;
/// Longest name of a general purpose bucket. Source: S3 user guide, "Bucket naming rules".
pub const BUCKET_CHARACTERS_MAX: usize = 63;
/// Longest logical id. Source: CloudFormation user guide, "Resources section structure".
pub const LOGICAL_ID_CHARACTERS_MAX: usize = 255;

/// Tags of every stack and resource that we make: the ids of its cell, and of its store if it has one.
pub const CELL_TAG: &str = "arm:cell";
pub const STORE_TAG: &str = "arm:store";
/// Tags of a camera's stream: its id, and its aisle's.
pub const CAMERA_TAG: &str = "arm:camera";
pub const AISLE_TAG: &str = "arm:aisle";

/// The buckets of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bucket {
    /// Templates and function zips.
    Artifacts,
    /// Evidence clips.
    Evidence,
    /// Rows about cases, for Athena.
    Analytics,
    /// Who read and wrote in the other buckets.
    Logs,
}

impl Bucket {
    fn as_str(self) -> &'static str {
        match self {
            Self::Artifacts => "artifacts",
            Self::Evidence => "evidence",
            Self::Analytics => "analytics",
            Self::Logs => "logs",
        }
    }
}

/// The names of one cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellNames {
    prefix: String,
    cell: String,
    account: String,
    region: String,
}

impl CellNames {
    pub fn new(cell: &Cell) -> Self {
        Self {
            prefix: cell_prefix(&cell.id),
            cell: cell.id.to_string(),
            account: cell.account.clone(),
            region: cell.region.clone(),
        }
    }

    /// What every name of the cell begins with, such as `arm-us-west`.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The cell's id.
    pub fn cell(&self) -> &str {
        &self.cell
    }

    pub fn artifacts_stack(&self) -> String {
        self.part("artifacts")
    }

    pub fn platform_stack(&self) -> String {
        self.part("platform")
    }

    /// The store whose stack has this name, if one of this cell may have it.
    pub fn store_of_stack(&self, stack: &str) -> Option<Id> {
        stack.strip_prefix(self.prefix.as_str())?.strip_prefix("-store-").and_then(Id::new)
    }

    /// Bucket names are unique over all of AWS, hence account and region.
    pub fn bucket(&self, bucket: Bucket) -> String {
        format!("{}-{}-{}", self.part(bucket.as_str()), self.account, self.region)
    }

    /// The same name as text for `Fn::Sub`, so that a template names no account.
    pub fn bucket_sub(&self, bucket: Bucket) -> String {
        format!("{}-${{AWS::AccountId}}-${{AWS::Region}}", self.part(bucket.as_str()))
    }

    /// One of `windows`, `incidents`, `evidence`, `undelivered`.
    pub fn queue(&self, queue: &str) -> String {
        self.part(queue)
    }

    /// Where messages go that a consumer of `source` gave up on.
    pub fn dead_letter_queue(&self, source: &str) -> String {
        self.part(&format!("{source}-dlq"))
    }

    /// One of [`contract::settings::FUNCTIONS`]; the function's role has the same name.
    pub fn function(&self, function: &str) -> String {
        self.part(function)
    }

    pub fn log_group(&self, function: &str) -> String {
        format!("/aws/lambda/{}", self.function(function))
    }

    pub fn case_table(&self) -> String {
        self.part("cases")
    }

    /// One of `video`, `evidence`, `cases`, `logs`.
    pub fn key_alias(&self, domain: &str) -> String {
        format!("alias/{}", self.part(domain))
    }

    /// The endpoint of a model that we host; its role has the same name.
    pub fn detector(&self) -> String {
        self.part("detector")
    }

    pub fn ops_topic(&self) -> String {
        self.part("ops")
    }

    /// What the alarm is about, such as `windows-age`.
    pub fn alarm(&self, about: &str) -> String {
        self.part(about)
    }

    pub fn scheduler_role(&self) -> String {
        self.part("scheduler")
    }

    /// What makes the function `sweep` run.
    pub fn sweep_schedule(&self) -> String {
        self.part("sweep")
    }

    /// The policy, the role alias and the role of all store gateways.
    pub fn gateway(&self) -> String {
        self.part("gateway")
    }

    /// The Athena workgroup.
    pub fn workgroup(&self) -> String {
        self.part("cases")
    }

    /// The dashboard of whoever operates the cell.
    pub fn operations(&self) -> &str {
        &self.prefix
    }

    /// The Glue database; Athena's SQL wants no hyphens, and ids have no underscores to mix up.
    pub fn database(&self) -> String {
        format!("arm_{}", self.cell.replace('-', "_"))
    }

    fn part(&self, part: &str) -> String {
        format!("{}-{part}", self.prefix)
    }
}

/// The names of one store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreNames {
    prefix: String,
    stack: String,
}

impl StoreNames {
    /// Takes the ids of the store's cell and of the store.
    pub fn new(cell: &Id, store: &Id) -> Self {
        let cell = cell_prefix(cell);
        Self { prefix: format!("{cell}-{store}"), stack: format!("{cell}-store-{store}") }
    }

    pub fn stack(&self) -> &str {
        &self.stack
    }

    /// The gateway, as a thing.
    pub fn thing(&self) -> String {
        format!("{}-gw", self.prefix)
    }

    /// A camera's stream is this followed by the camera's id.
    ///
    /// It starts with the thing's name: that is how the one policy of all gateways lets each write
    /// its own streams only. The `-gw` keeps store `1` out of the streams of store `10`.
    pub fn stream_prefix(&self) -> String {
        format!("{}-", self.thing())
    }

    pub fn stream(&self, camera: &Id) -> String {
        format!("{}{camera}", self.stream_prefix())
    }

    pub fn bus(&self) -> &str {
        &self.prefix
    }

    pub fn alerts_topic(&self) -> String {
        format!("{}-alerts", self.prefix)
    }

    /// The alarm for cameras that send nothing.
    pub fn offline_alarm(&self) -> String {
        format!("{}-cameras-offline", self.prefix)
    }

    pub fn watch_schedule(&self) -> String {
        format!("{}-watch", self.prefix)
    }
}

fn cell_prefix(cell: &Id) -> String {
    format!("arm-{cell}")
}

/// The logical id of the resource of this kind for one id.
///
/// `PascalCase` forgets where hyphens stood, so ids as different as `aisle-5-1` and `aisle-51` would
/// meet; ten digits of the id's SHA-256 keep them apart. A collision of those is an error when the
/// template is parsed (a duplicate key), never a lost resource.
pub fn logical_id(kind: &str, id: &str) -> String {
    anonymous_id(&format!("{kind}{}", pascal_case(id)), id)
}

/// The same without the id's letters, for what must not stand in a name: addresses of people.
pub fn anonymous_id(kind: &str, id: &str) -> String {
    let digest = sha256(id.as_bytes()).to_uppercase();
    kind.chars().chain(digest.chars().take(10)).collect()
}

/// `aisle-5-a` -> `Aisle5A`; everything but ASCII letters and digits separates words.
pub fn pascal_case(id: &str) -> String {
    let words = id.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words
        .flat_map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::{Architecture, Detector, Store};

    fn id(text: &str) -> Id {
        Id::new(text).unwrap()
    }

    fn cell(id: Id, region: &str) -> CellNames {
        CellNames::new(&Cell {
            id,
            account: "123456789012".to_owned(),
            region: region.to_owned(),
            architecture: Architecture::Arm64,
            detector: Detector::Existing { endpoint: "model".to_owned() },
            ops_email: vec![],
            log_days: 30,
            role: None,
        })
    }

    #[test]
    fn the_longest_names_fit_their_services() {
        let cell_id = id(&"c".repeat(Cell::ID_MAX));
        let store = StoreNames::new(&cell_id, &id(&"s".repeat(Store::ID_MAX)));
        let cell = cell(cell_id, "ap-southeast-2");
        let camera = id(&"k".repeat(Id::MAX));
        let buckets = [Bucket::Artifacts, Bucket::Evidence, Bucket::Analytics, Bucket::Logs];
        let mut names: Vec<(String, usize)> = vec![
            (cell.platform_stack(), STACK_CHARACTERS_MAX),
            (store.stack().to_owned(), STACK_CHARACTERS_MAX),
            (cell.dead_letter_queue("incidents"), 80), // SQS, CreateQueue
            (cell.function("dispatch"), 64),           // Lambda and IAM, FunctionName and RoleName
            (cell.detector(), 63),                     // SageMaker, CreateEndpoint
            (cell.gateway(), 64),                      // IAM, RoleName; IoT admits 128
            (cell.database(), 255),                    // Glue, CreateDatabase
            (cell.key_alias("evidence"), 256),         // KMS, CreateAlias
            (store.thing(), 128),                      // IoT, CreateThing
            (store.stream(&camera), 256),              // Kinesis Video Streams, CreateStream
            (store.bus().to_owned(), 256),             // EventBridge, CreateEventBus
            (store.alerts_topic(), 256),               // SNS, CreateTopic
            (store.watch_schedule(), 64),              // EventBridge Scheduler, CreateSchedule
            (logical_id("Camera", camera.as_str()), LOGICAL_ID_CHARACTERS_MAX),
        ];
        names.extend(buckets.map(|bucket| (cell.bucket(bucket), BUCKET_CHARACTERS_MAX)));
        for (name, limit) in names {
            assert!(name.len() <= limit, "{name}: {} > {limit}", name.len());
        }
    }

    #[test]
    fn names_carry_the_cell() {
        let store = StoreNames::new(&id("us-west"), &id("seattle-001"));
        let cell = cell(id("us-west"), "us-west-2");
        insta::assert_snapshot!(
            [
                cell.artifacts_stack(),
                cell.bucket(Bucket::Evidence),
                cell.bucket_sub(Bucket::Evidence),
                cell.dead_letter_queue("windows"),
                cell.log_group("respond"),
                cell.database(),
                cell.key_alias("video"),
                store.stack().to_owned(),
                store.bus().to_owned(),
                store.thing(),
                store.stream(&id("aisle-5-a")),
            ]
            .join("\n"),
            @r"
        arm-us-west-artifacts
        arm-us-west-evidence-123456789012-us-west-2
        arm-us-west-evidence-${AWS::AccountId}-${AWS::Region}
        arm-us-west-windows-dlq
        /aws/lambda/arm-us-west-respond
        arm_us_west
        alias/arm-us-west-video
        arm-us-west-store-seattle-001
        arm-us-west-seattle-001
        arm-us-west-seattle-001-gw
        arm-us-west-seattle-001-gw-aisle-5-a
        "
        );
    }

    #[test]
    fn ids_that_differ_only_in_hyphens_get_different_logical_ids() {
        let ids = ["aisle-5-1", "aisle-51", "aisle51", "a-isle51", "aisle-5-1-a", "aisle-51-a"];
        let logical: BTreeSet<_> = ids.iter().map(|id| logical_id("Camera", id)).collect();
        assert_eq!(logical.len(), ids.len());
    }

    #[test]
    fn a_logical_id_is_letters_and_digits_and_stays_the_same() {
        assert_eq!(logical_id("Camera", "aisle-5-a"), "CameraAisle5A9A0D653020");
        assert_eq!(anonymous_id("Sms", "+12065550100"), "SmsB4FA1A0E9E");
        let odd = logical_id("Rule", "über@größe_1");
        assert!(odd.bytes().all(|b| b.is_ascii_alphanumeric()), "{odd}");
    }
}
