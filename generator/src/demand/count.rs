//! Counts what one cell needs of every quota, from the model.
//!
//! What every store, every platform and every hosted model brings is a constant here, beside the
//! resource type that it counts; a test renders the templates and compares. To add a resource to a
//! blueprint of a type that is listed here, change its number.

use std::collections::{BTreeMap, BTreeSet};

use contract::settings::FUNCTIONS;
use contract::watch::WatchWhen;

use crate::model::{Cell, Channel, Detector, Store};
use crate::quota::QuotaName;
use crate::rules::RuleSet;

use super::Watch;

/// Roles beside those of the functions: of the scheduler and of the gateways.
const OTHER_ROLES: u64 = 2;
/// Schedules of a cell beside those of its stores: of the function `sweep`.
const CELL_SCHEDULES: u64 = 1;
/// Buckets: artifacts, evidence, analytics, logs.
const BUCKETS: u64 = 4;
/// Keys: video, evidence, cases, logs.
pub(crate) const KEYS: u64 = 4;
/// Alarms about queues, counts and lags; each function has two more.
pub(crate) const PLATFORM_ALARMS: u64 = 15;
/// Alarms of one function: errors, throttles.
pub(crate) const FUNCTION_ALARMS: u64 = 2;
/// Stacks of a cell beside its stores: artifacts, platform.
const CELL_STACKS: u64 = 2;
/// Resources of a store beside cameras, rules and subscriptions: gateway, bus, topic with policy,
/// schedule, alarm.
const STORE_RESOURCES: u64 = 6;

/// Seconds that `analyze` takes for one window. Our choice, because the model answers within two
/// seconds or cannot keep up with a camera on one GPU; fragments are fetched within that time.
pub(crate) const ANALYZE_SECONDS: u64 = 2;
/// Operations for which `analyze` asks where a stream is served: `ListFragments` and
/// `GetMediaForFragmentList` (`runtime/src/aws/kinesis_video.rs`).
const ENDPOINTS_OF_CAMERA: u64 = 2;
/// Executions of a store beside `analyze`: its tick, and one incident. Our choice; every store
/// ticks at the turn of the minute, so all of them are at once.
pub(super) const STORE_EXECUTIONS: u64 = 2;
/// Longest window in seconds. Source: `watch.window` in stores/README.md.
const WINDOW_SECONDS_MAX: u128 = 60;
/// A second in parts of which every window is a whole number: the least common multiple of all
/// lengths of windows.
const SECOND_PARTS: u128 = least_common_multiple(WINDOW_SECONDS_MAX);

const fn least_common_multiple(of_all_to: u128) -> u128 {
    let (mut multiple, mut number) = (1, 2);
    while number <= of_all_to {
        let (mut a, mut b) = (multiple, number);
        while b > 0 {
            (a, b) = (b, a % b);
        }
        multiple *= number / a;
        number += 1;
    }
    multiple
}

/// A need, and how much of it the stores bring: the rest stays when stores move.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Need {
    pub(super) used: u64,
    pub(super) of_stores: u64,
}

/// What a cell, or several that share their quotas, need.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    pub(super) stores: u64,
    /// What adds up over cells.
    sums: BTreeMap<QuotaName, Need>,
    /// What each thing has for itself: the largest.
    largest: BTreeMap<&'static str, u64>,
    pub(super) streams: u64,
    pub(super) subscriptions: u64,
    pub(super) cameras_on_watch: u64,
    /// Windows in a second, in parts of [`SECOND_PARTS`].
    window_parts: u128,
}

impl Counts {
    pub(super) fn of_cell<'a>(
        cell: &Cell,
        stores: &[&'a Store],
        rules_of: impl Fn(&'a Store) -> &'a RuleSet,
    ) -> Self {
        let mut counts = Self { stores: size(stores.len()), ..Self::default() };
        for store in stores {
            counts.add_store(store, size(rules_of(store).rules.len()));
        }
        counts.add_platform(cell);
        counts.add_watch();
        counts
    }

    /// The need of a quota; nothing when the fleet has no use for it.
    pub(super) fn need(&self, name: &QuotaName) -> Need {
        let largest = self.largest.get(name.key).copied();
        let largest = largest.map(|used| Need { used, of_stores: 0 });
        self.sums.get(name).copied().or(largest).unwrap_or_default()
    }

    /// The instance types that are needed.
    pub(super) fn instances(&self) -> impl Iterator<Item = &str> {
        self.sums.keys().filter_map(|name| name.instance.as_deref())
    }

    pub(super) fn watch(&self) -> Watch {
        Watch { cameras: self.cameras_on_watch, windows_in_ten_s: self.windows_in(10) }
    }

    /// Adds what another cell in the same account needs.
    pub(super) fn add(&mut self, other: &Self) {
        self.stores += other.stores;
        for (name, need) in &other.sums {
            let sum = self.sums.entry(name.clone()).or_default();
            sum.used += need.used;
            sum.of_stores += need.of_stores;
        }
        for (key, number) in &other.largest {
            self.raise(key, *number);
        }
        self.streams += other.streams;
        self.subscriptions += other.subscriptions;
        self.cameras_on_watch += other.cameras_on_watch;
        self.window_parts += other.window_parts;
    }

    fn add_store(&mut self, store: &Store, rules: u64) {
        let addresses: BTreeSet<_> =
            store.subscribers.iter().map(|it| (it.channel, &it.endpoint)).collect();
        let to_confirm =
            addresses.iter().filter(|(it, _)| matches!(it, Channel::Email | Channel::Https));
        let (cameras, subscriptions) = (size(store.cameras.len()), size(addresses.len()));
        self.of_stores("kinesis_video_streams", cameras);
        self.of_stores("cloudformation_stacks", 1);
        self.of_stores("eventbridge_buses", 1);
        self.of_stores("scheduler_schedules", 1);
        self.of_stores("sns_topics", 1);
        self.of_stores("sns_filter_policies", subscriptions);
        self.of_stores("sns_subscriptions_pending", size(to_confirm.count()));
        self.of_stores("cloudwatch_alarms", 1);
        self.raise("sns_filter_policies_per_topic", subscriptions);
        self.raise("eventbridge_rules_per_bus", rules);
        let resources = cameras + rules + subscriptions + STORE_RESOURCES;
        self.raise("cloudformation_resources_per_stack", resources);
        self.streams += cameras;
        self.subscriptions += subscriptions;
        for camera in store.cameras.iter().filter(|camera| camera.when != WatchWhen::Never) {
            self.cameras_on_watch += 1;
            self.window_parts += SECOND_PARTS / u128::from(camera.window_s.max(1));
        }
    }

    fn add_platform(&mut self, cell: &Cell) {
        let functions = size(FUNCTIONS.len());
        let emails = size(cell.ops_email.len());
        self.of_cell_itself("cloudformation_stacks", CELL_STACKS);
        self.of_cell_itself("sns_topics", 1);
        self.of_cell_itself("sns_subscriptions_pending", emails);
        self.of_cell_itself("cloudwatch_alarms", PLATFORM_ALARMS + FUNCTION_ALARMS * functions);
        self.of_cell_itself("cloudwatch_log_groups", functions);
        self.of_cell_itself("scheduler_schedules", CELL_SCHEDULES);
        self.of_cell_itself("iam_roles", functions + OTHER_ROLES);
        self.of_cell_itself("s3_buckets", BUCKETS);
        self.of_cell_itself("dynamodb_tables", 1);
        self.of_cell_itself("kms_keys", KEYS);
        self.subscriptions += emails;
        let Detector::Hosted(model) = &cell.detector else { return };
        let (_, most) = model.instances;
        let instance = Some(model.instance.clone());
        let name = QuotaName { key: "sagemaker_instances", instance };
        self.sums.entry(name).or_default().used += u64::from(most);
        self.of_cell_itself("sagemaker_endpoint_instances", u64::from(most));
        self.raise("sagemaker_instances_per_endpoint", u64::from(most));
        self.of_cell_itself("cloudwatch_alarms", 1);
        self.of_cell_itself("cloudwatch_log_groups", 1);
        self.of_cell_itself("iam_roles", 1);
    }

    /// What the functions do at once, once every store has been counted.
    fn add_watch(&mut self) {
        let at_once = self.windows_in(ANALYZE_SECONDS);
        self.raise("windows_at_once", at_once);
        // Any execution gets any camera's window and remembers the endpoints for itself. As long as it
        // has met few cameras, nearly every window asks: the peak, after a deploy or a busy hour.
        self.of_stores("kinesis_video_endpoint_calls", self.windows_in(1) * ENDPOINTS_OF_CAMERA);
        self.of_stores("lambda_concurrency", at_once + STORE_EXECUTIONS * self.stores);
    }

    /// Calls of `GetDataEndpoint` until every execution of `analyze` knows every camera: a call for each
    /// execution, stream and operation.
    pub(super) fn endpoint_calls(&self) -> u64 {
        let most = crate::quota::find("windows_at_once").map_or(u64::MAX, |it| it.default);
        let at_once = self.windows_in(ANALYZE_SECONDS).min(most);
        at_once.saturating_mul(self.cameras_on_watch).saturating_mul(ENDPOINTS_OF_CAMERA)
    }

    /// Windows in so many seconds, rounded up.
    fn windows_in(&self, seconds: u64) -> u64 {
        let windows = (self.window_parts * u128::from(seconds)).div_ceil(SECOND_PARTS);
        u64::try_from(windows).unwrap_or(u64::MAX)
    }

    fn of_stores(&mut self, key: &'static str, number: u64) {
        let need = self.sums.entry(QuotaName { key, instance: None }).or_default();
        need.used += number;
        need.of_stores += number;
    }

    fn of_cell_itself(&mut self, key: &'static str, number: u64) {
        self.sums.entry(QuotaName { key, instance: None }).or_default().used += number;
    }

    fn raise(&mut self, key: &'static str, number: u64) {
        let largest = self.largest.entry(key).or_default();
        *largest = number.max(*largest);
    }
}

fn size(number: usize) -> u64 {
    u64::try_from(number).expect("a number of things fits 64 bits")
}
