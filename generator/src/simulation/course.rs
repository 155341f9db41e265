//! A case as a simulation follows it: by which rule it stands, who heard of it, how large it grew.
//!
//! Of a case that became part of another, what it did counts there. Pure. To follow something more,
//! start in [`Course::follow`].

use contract::case::CaseItem;
use contract::incident::UNROUTED;
use contract::priority::Priority;

use super::{Silence, Storm, place};
use crate::rules::CompiledRule;

/// A case, as far as it is summed up.
#[derive(Clone, Debug)]
pub(super) struct Course<'a> {
    /// The rule whose detection opened it.
    pub(super) opened_by: &'a str,
    rule: &'a str,
    pub(super) priority: Priority,
    is_shadow: bool,
    is_log_only: bool,
    pub(super) is_told: bool,
    pub(super) storm: Storm,
}

impl<'a> Course<'a> {
    /// The case that a detection has opened.
    pub(super) fn new(case: &CaseItem, rule: &'a CompiledRule, at_ms: i64) -> Self {
        Self {
            opened_by: &rule.rule,
            rule: &rule.rule,
            priority: case.priority,
            is_shadow: rule.shadow,
            is_log_only: rule.notify.is_empty(),
            is_told: false,
            storm: Storm {
                case_id: case.case_id.clone(),
                event_type: case.event_type.clone(),
                place: place(case),
                detections: case.detections,
                first_ms: at_ms,
                last_ms: at_ms,
                alerts: 0,
            },
        }
    }

    /// Takes over a case that became part of this one, as `case` stands now.
    pub(super) fn take_over(&mut self, part: &Self, case: &CaseItem) {
        if case.rule == part.rule {
            self.rule = part.rule;
            self.is_shadow = part.is_shadow;
            self.is_log_only = part.is_log_only;
        }
        self.is_told |= part.is_told;
        self.storm.first_ms = self.storm.first_ms.min(part.storm.first_ms);
        self.storm.alerts += part.storm.alerts;
    }

    /// Takes over how the case stands after a detection, and by which rule.
    pub(super) fn follow(&mut self, case: &CaseItem, rule: &'a CompiledRule, at_ms: i64) {
        if case.rule == rule.rule {
            self.rule = &rule.rule;
            self.is_shadow = rule.shadow;
            self.is_log_only = rule.notify.is_empty();
        }
        self.priority = case.priority;
        self.storm.detections = case.detections;
        self.storm.last_ms = at_ms;
    }
}

impl Course<'_> {
    pub(super) fn silence(&self) -> Silence {
        match self {
            _ if self.rule == UNROUTED => Silence::Unrouted,
            Self { is_shadow: true, .. } => Silence::Shadow,
            Self { is_log_only: true, .. } => Silence::LogOnly,
            _ => Silence::NoSubscriber,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Condition, Confidence, Rule, Store};
    use crate::rules;
    use crate::simulation::Simulation;
    use crate::stack::fixture::{id, large_store};
    use crate::trial::{Event, Sighting};

    /// A store whose rule for sure detections has a short cooldown, and the other a long one.
    fn store() -> Store {
        let rule = |name, priority, cooldown_s, min_confidence| Rule {
            name: id(name),
            when: Condition {
                event_types: Some(vec!["concealment".to_owned()]),
                min_confidence,
                ..Condition::default()
            },
            priority,
            notify: Vec::new(),
            cooldown_s,
            shadow: false,
        };
        Store {
            rules: vec![
                rule("sure", Priority::Critical, 10, Confidence::new(0.8)),
                rule("any", Priority::Medium, 300, None),
            ],
            ..large_store(2)
        }
    }

    #[test]
    fn a_case_that_became_part_of_another_is_counted_once_with_all_that_it_did() {
        let store = store();
        let rules = rules::compile(&store).unwrap();
        let mut simulation = Simulation::new(&store, &rules);
        // The second is no part of the first's incident until the third links them.
        let seen = [(0, 0.5), (100, 0.9), (101, 0.9), (150, 0.5), (160, 0.9)];
        for (second, confidence) in seen {
            let sighting = Sighting {
                event_type: "concealment".to_owned(),
                camera: Some("aisle-5-1".to_owned()),
                zone: None,
                confidence: Some(confidence),
                at_ms: 1_795_384_803_000 + second * 1_000,
            };
            simulation.put(&Event::of_sighting(&store, &sighting));
        }
        let summary = simulation.finish();
        assert_eq!((summary.detections, summary.case_count()), (5, 1));
        let rules: Vec<_> =
            summary.rules.iter().map(|it| (it.name, it.detections, it.cases, it.joined)).collect();
        assert_eq!(rules, [("sure", 3, 0, 3), ("any", 2, 1, 1), ("unrouted", 0, 0, 0)]);
        let [largest] = summary.storms.try_into().unwrap();
        assert_eq!((largest.detections, largest.last_ms - largest.first_ms), (5, 160_000));
        let critical = summary.cases.iter().find(|(it, _)| *it == Priority::Critical);
        assert_eq!(critical.unwrap().1, 1, "it has the priority of what it took over");
    }
}
