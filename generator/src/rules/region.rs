//! Sets of detections: what a rule's condition covers, and what is left of it after other rules.
//!
//! A [`Region`] is a box: one set per field, all of which must hold. Every set is closed under
//! intersection and complement, and counts a missing field and values of unexpected types in, so
//! that a box minus a box is exactly a few disjoint boxes, whatever an event looks like.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// The text fields of a detection that rules know, by their names in the event's `detail`.
pub(super) const TEXT_FIELDS: [&str; 6] =
    ["event_type", "camera", "aisle", "aisle_kind", "zone", "period"];
const CONFIDENCE: &str = "confidence";

/// Values of a text field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Texts {
    /// One of these.
    In(BTreeSet<String>),
    /// Anything else, or nothing at all. Empty: no condition.
    NotIn(BTreeSet<String>),
}

impl Texts {
    fn any() -> Self {
        Self::NotIn(BTreeSet::new())
    }

    fn is_any(&self) -> bool {
        *self == Self::any()
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::In(texts) if texts.is_empty())
    }

    fn complement(&self) -> Self {
        match self {
            Self::In(texts) => Self::NotIn(texts.clone()),
            Self::NotIn(texts) => Self::In(texts.clone()),
        }
    }

    fn intersect(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::In(a), Self::In(b)) => Self::In(a & b),
            (Self::In(a), Self::NotIn(b)) | (Self::NotIn(b), Self::In(a)) => Self::In(a - b),
            (Self::NotIn(a), Self::NotIn(b)) => Self::NotIn(a | b),
        }
    }

    fn union(&self, other: &Self) -> Self {
        self.complement().intersect(&other.complement()).complement()
    }

    /// The list of an event pattern that matches exactly these values.
    fn pattern(&self) -> Option<Value> {
        match self {
            _ if self.is_any() => None,
            Self::In(texts) => Some(json!(texts)),
            Self::NotIn(texts) => Some(json!([{ "anything-but": texts }, { "exists": false }])),
        }
    }
}

/// Values of `confidence`: numbers in `low..high`, and perhaps everything that is no number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Numbers {
    low: f64,
    high: f64,
    /// Missing, text, true, false and null.
    others: bool,
}

impl Numbers {
    fn any() -> Self {
        Self { low: f64::NEG_INFINITY, high: f64::INFINITY, others: true }
    }

    pub(super) fn at_least(low: f64) -> Self {
        Self { low, high: f64::INFINITY, others: false }
    }

    fn is_any(self) -> bool {
        self == Self::any()
    }

    fn is_empty(self) -> bool {
        self.low >= self.high && !self.others
    }

    /// Only a condition of a rule has a complement that is one stretch: `at_least`, or any.
    fn complement(self) -> Self {
        if self.is_any() {
            return Self { low: 0.0, high: 0.0, others: false };
        }
        Self { low: f64::NEG_INFINITY, high: self.low, others: !self.others }
    }

    fn intersect(self, other: Self) -> Self {
        Self {
            low: self.low.max(other.low),
            high: self.high.min(other.high),
            others: self.others && other.others,
        }
    }

    /// The two as one stretch, if they are one.
    fn union(self, other: Self) -> Option<Self> {
        let touching = self.low <= other.high && other.low <= self.high;
        touching.then(|| Self {
            low: self.low.min(other.low),
            high: self.high.max(other.high),
            others: self.others || other.others,
        })
    }

    /// The list of an event pattern that matches exactly these values.
    fn pattern(self) -> Option<Value> {
        if self.is_any() {
            return None;
        }
        let mut numeric = Vec::new();
        if self.low.is_finite() {
            numeric.extend([json!(">="), json!(self.low)]);
        }
        if self.high.is_finite() {
            numeric.extend([json!("<"), json!(self.high)]);
        }
        let mut list = Vec::new();
        if self.low < self.high {
            list.push(json!({ "numeric": numeric }));
        }
        if self.others {
            // `prefix` of nothing matches every text, and only texts.
            list.extend([
                json!({ "exists": false }),
                json!({ "prefix": "" }),
                json!(null),
                json!(true),
                json!(false),
            ]);
        }
        Some(Value::Array(list))
    }
}

/// A box of detections.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Region {
    /// In the order of [`TEXT_FIELDS`].
    pub(super) texts: [Texts; 6],
    pub(super) confidence: Numbers,
}

impl Region {
    /// Every event.
    pub(super) fn any() -> Self {
        Self { texts: std::array::from_fn(|_| Texts::any()), confidence: Numbers::any() }
    }

    fn is_empty(&self) -> bool {
        self.texts.iter().any(Texts::is_empty) || self.confidence.is_empty()
    }

    fn intersect(&self, other: &Self) -> Self {
        let mut both = self.clone();
        for (own, other) in both.texts.iter_mut().zip(&other.texts) {
            *own = own.intersect(other);
        }
        both.confidence = self.confidence.intersect(other.confidence);
        both
    }

    /// What is left of this box outside a rule's condition, as disjoint boxes.
    pub(super) fn minus(self, condition: &Self) -> Vec<Self> {
        if self.intersect(condition).is_empty() {
            return vec![self];
        }
        let mut left = Vec::new();
        let mut inside = self;
        for index in 0..TEXT_FIELDS.len() {
            let Some(wanted) = condition.texts.get(index).filter(|texts| !texts.is_any()) else {
                continue;
            };
            let mut outside = inside.clone();
            for (region, set) in
                [(&mut outside, wanted.complement()), (&mut inside, wanted.clone())]
            {
                if let Some(texts) = region.texts.get_mut(index) {
                    *texts = texts.intersect(&set);
                }
            }
            left.push(outside);
        }
        let mut outside = inside;
        outside.confidence = outside.confidence.intersect(condition.confidence.complement());
        left.push(outside);
        left.retain(|region| !region.is_empty());
        left
    }

    /// The two as one box, if they differ in one field only.
    pub(super) fn merge(&self, other: &Self) -> Option<Self> {
        let differing: Vec<_> = (0..TEXT_FIELDS.len())
            .filter(|at| self.texts.get(*at) != other.texts.get(*at))
            .collect();
        let mut merged = self.clone();
        match (&differing[..], self.confidence == other.confidence) {
            ([], _) => merged.confidence = self.confidence.union(other.confidence)?,
            ([at], true) => {
                let (own, other) = (merged.texts.get_mut(*at)?, other.texts.get(*at)?);
                *own = own.union(other);
            }
            _ => return None,
        }
        Some(merged)
    }

    /// Two boxes that together are this one, cut through its longest list; `None` when there is
    /// no list to cut.
    pub(super) fn halves(&self) -> Option<[Self; 2]> {
        let length = |texts: &Texts| match texts {
            Texts::In(texts) if texts.len() > 1 => texts.len(),
            _ => 0,
        };
        let at = (0..TEXT_FIELDS.len()).max_by_key(|at| self.texts.get(*at).map_or(0, length))?;
        let Some(Texts::In(texts)) = self.texts.get(at).filter(|texts| length(texts) > 0) else {
            return None;
        };
        let middle = texts.iter().nth(texts.len() / 2)?;
        let parts = [texts.range(..middle.clone()), texts.range(middle.clone()..)];
        Some(parts.map(|part| {
            let mut half = self.clone();
            if let Some(texts) = half.texts.get_mut(at) {
                *texts = Texts::In(part.cloned().collect());
            }
            half
        }))
    }

    /// The event pattern that matches exactly this box.
    pub(super) fn pattern(&self) -> Value {
        let mut detail = Map::new();
        for (field, texts) in TEXT_FIELDS.iter().zip(&self.texts) {
            if let Some(list) = texts.pattern() {
                detail.insert((*field).to_owned(), list);
            }
        }
        if let Some(list) = self.confidence.pattern() {
            detail.insert(CONFIDENCE.to_owned(), list);
        }
        if detail.is_empty() {
            // EventBridge refuses an empty pattern; every event has a source.
            return json!({ "source": [{ "prefix": "" }] });
        }
        json!({ "detail": detail })
    }
}
