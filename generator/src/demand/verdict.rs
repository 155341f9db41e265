//! Needs against limits: what is ok, near or over, and what to do about it.
//!
//! A remedy names the quota as Service Quotas does, the number to ask for and the line to write, so
//! that nobody has to look anything up. To change when something is near, change `NEAR_PERCENT`.

use std::collections::BTreeMap;

use crate::diagnostic::At;
use crate::quota::{QUOTAS, Quota, QuotaName, RATES, Raise, Scope, plural, thousands};

use super::count::{Counts, Need};
use super::{Line, Origin, Time, Verdict};

/// From where on a need is near its limit, in percent. Our choice: raising a quota takes days, and
/// a fleet grows by a fifth in less.
const NEAR_PERCENT: u64 = 80;
/// What is asked for, in percent of the need. Our choice: a quarter more, so that what was granted
/// is not near at once.
const ASKED_PERCENT: u64 = 125;

/// What cells need that share an account and region, and what was granted.
pub(super) struct Needs<'a> {
    pub(super) region: &'a Counts,
    pub(super) account: &'a Counts,
    pub(super) region_stated: BTreeMap<QuotaName, At<u32>>,
    pub(super) account_stated: BTreeMap<QuotaName, At<u32>>,
}

/// One line for every quota of which anything is needed.
pub(super) fn lines(needs: &Needs<'_>) -> Vec<Line> {
    let lines = QUOTAS.iter().flat_map(|quota| {
        let instances: Vec<_> = match quota.scope {
            Scope::InstanceType => needs.region.instances().map(|it| Some(it.to_owned())).collect(),
            Scope::Region | Scope::Account | Scope::Each(_) => vec![None],
        };
        let (counts, stated) = match quota.scope {
            Scope::Account => (needs.account, &needs.account_stated),
            _ => (needs.region, &needs.region_stated),
        };
        instances.into_iter().filter_map(move |instance| {
            let name = QuotaName { key: quota.key, instance };
            let need = counts.need(&name);
            let stated = stated.get(&name);
            (need.used > 0).then(|| line(quota, name, need, (counts.stores, stated)))
        })
    });
    lines.collect()
}

fn line(
    quota: &'static Quota,
    name: QuotaName,
    need: Need,
    (stores, stated): (u64, Option<&At<u32>>),
) -> Line {
    let (limit, origin) = match stated {
        Some(stated) => (u64::from(stated.value), Origin::Stated(stated.place.clone())),
        None if quota.raise == Raise::OnRequest => (quota.default, Origin::Default),
        None => (quota.default, Origin::Fixed),
    };
    let verdict = verdict(need.used, limit);
    let remedy = (verdict != Verdict::Ok).then(|| remedy(quota, &name, need, (limit, stores)));
    Line { quota, name, used: need.used, limit, origin, verdict, remedy }
}

fn verdict(used: u64, limit: u64) -> Verdict {
    if used > limit {
        Verdict::Over
    } else if used.saturating_mul(100) > limit.saturating_mul(NEAR_PERCENT) {
        Verdict::Near
    } else {
        Verdict::Ok
    }
}

fn remedy(quota: &Quota, name: &QuotaName, need: Need, (limit, stores): (u64, u64)) -> String {
    let moved = relief(quota, need, (limit, stores));
    if quota.raise != Raise::OnRequest {
        return moved;
    }
    let asked = asked(need.used);
    let number = thousands(asked);
    let raise = if quota.name.is_empty() {
        format!("ask AWS Support for {number} {}", quota.title)
    } else {
        let aws = quota.aws_name(name.instance.as_deref());
        format!("raise `{aws}` of `{}` to at least {number} (Service Quotas)", quota.service)
    };
    format!("{raise}, then write `{}` in fleet.yaml; or {moved}", name.yaml(asked))
}

/// What helps beside raising the quota, with the number of stores where stores are what counts.
fn relief(quota: &Quota, need: Need, (limit, stores): (u64, u64)) -> String {
    let relief = quota.relief;
    if need.of_stores == 0 || quota.scope != Scope::Region {
        return relief.to_owned();
    }
    if need.used > limit {
        let surplus = (need.used - limit).saturating_mul(stores).div_ceil(need.of_stores);
        let of = format!("{} of {} stores", surplus.min(stores), thousands(stores));
        return relief.replace("move stores", &format!("move {of}"));
    }
    let more = (limit - need.used).saturating_mul(stores) / need.of_stores;
    format!("{relief} ({} more like these fit)", plural(more, "store"))
}

/// A quarter more than the need, in two digits and zeros.
fn asked(used: u64) -> u64 {
    let wanted = used.saturating_mul(ASKED_PERCENT).div_ceil(100);
    let mut unit = 1;
    while wanted / unit >= 100 {
        unit *= 10;
    }
    wanted.div_ceil(unit) * unit
}

/// How long the calls take that AWS meters.
pub(super) fn times(counts: &Counts) -> Vec<Time> {
    let times = RATES.iter().map(|rate| {
        let calls = match rate.call {
            "CreateStream" => counts.streams,
            "Subscribe" => counts.subscriptions,
            _ => counts.endpoint_calls(),
        };
        Time { rate, calls, seconds: calls.div_ceil(rate.per_second) }
    });
    times.filter(|time| time.calls > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_a_quarter_more_in_round_numbers() {
        let asked = [1, 8, 80, 200, 242, 1_601, 9_600, 10_000].map(asked);
        assert_eq!(asked, [2, 10, 100, 250, 310, 2_100, 12_000, 13_000]);
    }

    #[test]
    fn four_fifths_are_ok_and_the_limit_itself_is_not_over() {
        assert_eq!(verdict(80, 100), Verdict::Ok);
        assert_eq!(verdict(81, 100), Verdict::Near);
        assert_eq!(verdict(100, 100), Verdict::Near);
        assert_eq!(verdict(101, 100), Verdict::Over);
        assert_eq!(verdict(1, 0), Verdict::Over);
    }
}
