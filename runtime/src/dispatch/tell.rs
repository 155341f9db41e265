//! Telling people of cameras that ail, after a tick's windows are sent.
//!
//! At least once: a trouble is noted as told after its message went out, and its end is forgotten
//! after that was told. Every failure is counted and logged, and left to the next tick.

use casework::respond::Alert;
use casework::step::StepError;
use contract::alert::{
    ATTRIBUTE_AISLE, ATTRIBUTE_EVENT_TYPE, ATTRIBUTE_PRIORITY, ATTRIBUTE_STORE, CameraRef,
    HealthFacts, health_texts,
};
use contract::health::{Ailment, AilmentItem, OPS_AUDIENCE};
use contract::priority::Priority;
use contract::watch::WatchInput;

use super::{DispatchServices, Removed, kept};
use crate::health::STEADY_MS;
use crate::metric::{Count, Metric};
use crate::outlook::{Notice, Outlook, Turn, outlook, since_ms};

/// Does what a tick owes to the health of a store's cameras, and counts those that ail.
pub(super) async fn tell(
    services: &impl DispatchServices,
    input: &WatchInput,
    ailments: &[AilmentItem],
    (minute_ms, now_ms): (i64, i64),
) {
    let store = &input.store.id;
    let outlook = outlook(input, ailments, minute_ms, now_ms);
    count(services, store, &outlook);
    for item in &outlook.forgotten {
        let removed = services.remove_ailment(item).await;
        kept(services, store, Metric::HealthErrors, removed);
    }
    for notice in &outlook.notices {
        let told = publish(services, input, notice, (outlook.watched, now_ms)).await;
        kept(services, store, Metric::HealthErrors, told);
    }
}

/// Counts also when there is nothing: the store's alarm rings when the counts stop.
fn count(services: &impl DispatchServices, store: &str, outlook: &Outlook) {
    let by_ailment = outlook.by_ailment.iter().map(|(ailment, value)| {
        let metric = match ailment {
            Ailment::Offline => Metric::CamerasOffline,
            Ailment::Skewed => Metric::CamerasSkewed,
            Ailment::Frozen => Metric::CamerasFrozen,
        };
        (metric, *value)
    });
    for (metric, value) in [(Metric::CamerasAiling, outlook.ailing)].into_iter().chain(by_ailment) {
        services.count(Count { metric, value, store: store.to_owned(), camera: String::new() });
    }
}

/// Publishes a message, and then notes it with each of its cameras.
async fn publish(
    services: &impl DispatchServices,
    input: &WatchInput,
    notice: &Notice,
    (watched, now_ms): (usize, i64),
) -> Result<(), StepError> {
    // A schedule of an older release names no topic: nobody can be told yet.
    if input.topic.is_empty() {
        return Ok(());
    }
    services.publish(&alert(input, notice, watched, now_ms)).await?;
    for item in &notice.items {
        match notice.turn {
            Turn::Begun => services.put_told(item, Some(since_ms(item))).await?,
            // The trouble is back, and people believe that it is over.
            Turn::Over => match services.remove_ailment(item).await? {
                Removed::Done => {}
                Removed::SeenAgain => services.put_told(item, None).await?,
            },
        }
    }
    Ok(())
}

fn alert(input: &WatchInput, notice: &Notice, watched: usize, now_ms: i64) -> Alert {
    let ids: Vec<_> = notice.items.iter().map(|item| item.camera.as_str()).collect();
    let cameras: Vec<_> = input.cameras.iter().filter(|it| ids.contains(&it.id.as_str())).collect();
    let name = |aisle: &str| {
        let known = input.aisles.iter().find(|it| it.id == aisle);
        known.map_or_else(|| aisle.to_owned(), |it| it.name.clone())
    };
    let began = |item: &AilmentItem| item.told_since_ms.unwrap_or_else(|| since_ms(item));
    let lasted = notice.items.iter().map(|item| item.seen_ms - began(item)).max();
    let facts = HealthFacts {
        ailment: notice.ailment,
        lasted_ms: lasted.filter(|_| notice.turn == Turn::Over),
        store: input.store.clone(),
        cameras: cameras
            .iter()
            .map(|it| CameraRef { id: it.id.clone(), aisle_name: name(&it.aisle) })
            .collect(),
        watched,
        since_ms: notice.items.iter().map(began).min().unwrap_or(now_ms),
        now_ms,
        delay_ms: common_delay_ms(&notice.items),
        is_late: notice.items.iter().any(|item| item.is_late),
    };
    let priority = match notice.turn {
        Turn::Begun => Priority::High,
        Turn::Over => Priority::Low,
    };
    let mut attributes = vec![
        (ATTRIBUTE_PRIORITY, priority.as_str().to_owned()),
        (ATTRIBUTE_EVENT_TYPE, notice.ailment.event_type().to_owned()),
        (ATTRIBUTE_STORE, input.store.id.clone()),
    ];
    if let [camera] = cameras.as_slice() {
        attributes.push((ATTRIBUTE_AISLE, camera.aisle.clone()));
    }
    Alert {
        topic: input.topic.clone(),
        texts: health_texts(&facts),
        audiences: vec![OPS_AUDIENCE.to_owned()],
        attributes,
    }
}

/// The delay of all cameras, where they have practically the same.
fn common_delay_ms(items: &[AilmentItem]) -> Option<i64> {
    let delays = || items.iter().filter_map(|item| item.delay_ms);
    let (least, most) = (delays().min()?, delays().max()?);
    (most - least <= STEADY_MS).then_some(least)
}
