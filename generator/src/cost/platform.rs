//! What a cell's stores share: keys, alarms, idle queues, and the instances of a model that we host.

use contract::settings::FUNCTIONS;
use contract::sweep::TICK_MINUTES;

use crate::demand::{ANALYZE_SECONDS, FUNCTION_ALARMS, KEYS, PLATFORM_ALARMS};
use crate::model::{Cell, Detector, HostedModel, Store};
use crate::price::{INSTANCES, PriceName, Prices};
use crate::quota::{plural, thousands};

use super::assumption::{CELL_METRICS, IDLE_POLLS, POLL_SECONDS, STEP_SECONDS};
use super::store::{MEMORY_MB, windows};
use super::{Bill, Estimate, MONTH_HOURS, MONTH_SECONDS, cents, compute, in_dollars, size};

/// Queues that are empty nearly always: of incidents and of evidence.
const IDLE_QUEUES: u64 = 2;

/// What the platform of a cell with these stores costs in a month.
pub fn of_platform(cell: &Cell, stores: &[&Store], prices: &Prices) -> Estimate {
    let mut bill = Bill::new(prices);
    bill.add("kms_keys", u128::from(KEYS), None);
    let is_hosted = matches!(cell.detector, Detector::Hosted(_));
    let alarms = PLATFORM_ALARMS + FUNCTION_ALARMS * size(FUNCTIONS.len()) + u64::from(is_hosted);
    bill.add("cloudwatch_alarms", u128::from(alarms), None);
    bill.add("cloudwatch_metrics", u128::from(CELL_METRICS), None);
    bill.add(
        "sqs_requests",
        u128::from(IDLE_QUEUES * IDLE_POLLS * MONTH_SECONDS / POLL_SECONDS),
        None,
    );
    let sweeps = MONTH_HOURS * 60 / u64::from(TICK_MINUTES);
    bill.add("scheduler_invocations", u128::from(sweeps), None);
    bill.add("lambda_requests", u128::from(sweeps), None);
    bill.add(compute(cell), u128::from(sweeps * STEP_SECONDS * MEMORY_MB), None);
    match &cell.detector {
        Detector::Hosted(model) => add_instances(&mut bill, model, stores),
        Detector::Existing { endpoint } => bill.notes.push(format!(
            "The instances of the endpoint `{endpoint}` are left out: somebody else deploys it."
        )),
    }
    bill.estimate()
}

/// As many instances as the stores' windows need on average, within what the model allows.
fn add_instances(bill: &mut Bill<'_>, model: &HostedModel, stores: &[&Store]) {
    let HostedModel { instance, instances: (least, most), concurrency, .. } = model;
    let (least, most) = (u64::from(*least), u64::from(*most));
    let busy_seconds = stores.iter().map(|store| windows(store)).sum::<u64>() * ANALYZE_SECONDS;
    let of_one = MONTH_SECONDS * u64::from(*concurrency).max(1);
    let needed = busy_seconds.div_ceil(of_one);
    let number = needed.clamp(least, most.max(least));
    let name = PriceName { key: INSTANCES, instance: Some(instance.clone()) };
    let Some(known) = bill.prices.of(&name) else {
        bill.notes.push(format!(
            "The instances of the model are left out: no price of `{instance}` is known; state it: `prices: {{ {INSTANCES}: {{ {instance}: DOLLARS }} }}`."
        ));
        return;
    };
    let month = u128::from(known.micros) * u128::from(MONTH_HOURS);
    bill.add_named(name, u128::from(MONTH_HOURS * number), Some((number, "instance")));
    let allowed = if least == most { thousands(least) } else { format!("{least} to {most}") };
    bill.notes.push(format!(
        "Of {allowed} instances of `{instance}`, {number} {} counted: on average the windows of {} need {}; each costs {} a month.",
        if number == 1 { "is" } else { "are" },
        plural(size(stores.len()), "store"),
        thousands(needed),
        in_dollars(cents(month)),
    ));
}
