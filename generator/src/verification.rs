//! Holds cases against their audit trails, and clips against what their cases say. Pure.
//!
//! The trail is the witness: it is chained by hash, and it names every clip that was kept. So the case is
//! held against the trail, and each clip against the entry that tells of it; a clip that a longer one
//! replaced is held too. To find something more, start in [`of_case`] or [`of_clip`].

use casework::audit;
use casework::time::parse_ms;
use contract::case::{AuditEntry, CaseItem, Evidence, EvidenceStatus};
use contract::evidence::{EvidencePart, LockMode};

/// A clip that a case keeps, and what is said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clip {
    pub case_id: String,
    pub key: String,
    pub version_id: Option<String>,
    /// In lower-case hex.
    pub sha256: String,
    pub bytes: Option<u64>,
    /// Until when it is locked, in milliseconds since the epoch.
    pub retain_until_ms: Option<i64>,
    pub lock: Option<LockMode>,
}

/// An object as the bucket has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object {
    /// Read, not announced.
    pub bytes: u64,
    /// Of what was read, in lower-case hex.
    pub sha256: String,
    /// What S3 says of it, in lower-case hex.
    pub own_sha256: Option<String>,
    pub lock: Option<LockMode>,
    pub locked_until_ms: Option<i64>,
    /// The case that it names itself.
    pub case_id: Option<String>,
}

/// What does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    #[error("the case is not on record, or its item is gone")]
    NoCase,
    #[error("the case cannot be read: {0}")]
    CaseUnread(String),
    #[error("an entry of the trail cannot be read: {0}")]
    EntryUnread(String),
    #[error("{0}")]
    Trail(audit::Finding),
    #[error("the case names another bucket for its clip, `{0}`")]
    OtherBucket(String),
    #[error(
        "the case does not name the clip of which its trail tells last: `{field}` was changed in one \
         of the two"
    )]
    OtherClip { field: &'static str },
    #[error("the case names a clip, and no entry of its trail tells of it")]
    UntoldClip,
    #[error("the case says that its clip is kept, and names none")]
    NoClip,
    #[error("the clip {clip} is gone, and it was to be kept until {until}")]
    Gone { clip: String, until: String },
    #[error("the clip {clip} is not the video that was kept: its SHA-256 is {found}, not {said}")]
    OtherVideo { clip: String, found: String, said: String },
    #[error("the clip {clip} has {found} bytes, not {said}")]
    OtherSize { clip: String, found: u64, said: u64 },
    #[error("S3 states another SHA-256 for the clip {clip} than its bytes have, {found}")]
    OtherChecksum { clip: String, found: String },
    #[error("S3 states no SHA-256 for the clip {clip}: it was put by something else")]
    NoChecksum { clip: String },
    #[error("the clip {clip} is not locked: anybody with the right may delete it")]
    Unlocked { clip: String },
    #[error("the clip {clip} is locked until {found}, and the case says until {said}")]
    LockedShorter { clip: String, found: String, said: String },
    #[error("the clip {clip} is locked in mode governance, and the case asks for compliance")]
    LockedWeaker { clip: String },
    #[error("the clip {clip} says that it is of the case `{found}`")]
    OtherCase { clip: String, found: String },
}

impl Finding {
    /// The word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoCase => "no-case",
            Self::CaseUnread(_) => "case-unread",
            Self::EntryUnread(_) => "entry-unread",
            Self::Trail(_) => "trail",
            Self::OtherBucket(_) => "other-bucket",
            Self::OtherClip { .. } => "other-clip",
            Self::UntoldClip => "untold-clip",
            Self::NoClip => "no-clip",
            Self::Gone { .. } => "clip-gone",
            Self::OtherVideo { .. } => "other-video",
            Self::OtherSize { .. } => "other-size",
            Self::OtherChecksum { .. } => "other-checksum",
            Self::NoChecksum { .. } => "no-checksum",
            Self::Unlocked { .. } => "unlocked",
            Self::LockedShorter { .. } => "locked-shorter",
            Self::LockedWeaker { .. } => "locked-weaker",
            Self::OtherCase { .. } => "other-case",
        }
    }
}

/// Holds a case against its trail and against the bucket of its cell.
pub fn of_case(case: &CaseItem, entries: &[AuditEntry], bucket: &str) -> Vec<Finding> {
    let trail = audit::verify(case, entries).into_iter().map(Finding::Trail);
    let mut findings: Vec<_> = trail.collect();
    let evidence = &case.evidence;
    if evidence.bucket != bucket {
        findings.push(Finding::OtherBucket(evidence.bucket.clone()));
    }
    let is_kept = matches!(evidence.status, EvidenceStatus::Stored | EvidenceStatus::Incomplete);
    match (told(entries).pop(), &evidence.sha256) {
        (Some(told), Some(_)) => findings.extend(
            differences(&told, evidence).into_iter().map(|field| Finding::OtherClip { field }),
        ),
        (Some(_), None) => findings.push(Finding::OtherClip { field: "sha256" }),
        (None, Some(_)) => findings.push(Finding::UntoldClip),
        (None, None) if is_kept => findings.push(Finding::NoClip),
        (None, None) => {}
    }
    findings
}

/// Every clip that a case keeps, each once: those of which its trail tells, and the one that it names.
pub fn clips(case: &CaseItem, entries: &[AuditEntry]) -> Vec<Clip> {
    let named = [case.evidence.clone()];
    let mut clips: Vec<Clip> = Vec::new();
    for evidence in told(entries).iter().chain(&named) {
        let lock = evidence.request.as_ref().or(case.evidence.request.as_ref()).map(|it| it.lock);
        for clip in objects(&case.case_id, evidence, lock) {
            if !clips.contains(&clip) {
                clips.push(clip);
            }
        }
    }
    clips
}

/// The objects of one clip: its parts where it has several.
fn objects(case_id: &str, evidence: &Evidence, lock: Option<LockMode>) -> Vec<Clip> {
    let first = evidence.sha256.as_ref().map(|sha256| Clip {
        case_id: case_id.to_owned(),
        key: evidence.key.clone(),
        version_id: evidence.version_id.clone(),
        sha256: sha256.clone(),
        bytes: evidence.bytes,
        retain_until_ms: evidence.retain_until.as_deref().and_then(parse_ms),
        lock,
    });
    let part = |part: &EvidencePart| Clip {
        case_id: case_id.to_owned(),
        key: part.key.clone(),
        version_id: part.version_id.clone(),
        sha256: part.sha256.clone(),
        bytes: Some(part.bytes),
        retain_until_ms: parse_ms(&part.retain_until),
        lock,
    };
    let parts = evidence.parts.iter().map(part);
    first.into_iter().chain(parts).collect()
}

/// Holds a clip against its object; `None`: there is none. After its time a clip may be gone.
pub fn of_clip(clip: &Clip, object: Option<&Object>, now_ms: i64) -> Vec<Finding> {
    let name = || match &clip.version_id {
        Some(version) => format!("{} (version {version})", clip.key),
        None => clip.key.clone(),
    };
    let said = || clip.retain_until_ms.map_or("a moment that is not said".to_owned(), rfc3339_s);
    let is_over = clip.retain_until_ms.is_some_and(|until_ms| until_ms <= now_ms);
    let Some(object) = object else {
        let gone = Finding::Gone { clip: name(), until: said() };
        return if is_over { Vec::new() } else { vec![gone] };
    };
    let mut findings = Vec::new();
    if object.sha256 != clip.sha256 {
        let (found, said) = (object.sha256.clone(), clip.sha256.clone());
        findings.push(Finding::OtherVideo { clip: name(), found, said });
    }
    if let Some(said) = clip.bytes.filter(|said| *said != object.bytes) {
        findings.push(Finding::OtherSize { clip: name(), found: object.bytes, said });
    }
    match &object.own_sha256 {
        None => findings.push(Finding::NoChecksum { clip: name() }),
        Some(own) if *own != object.sha256 => {
            findings.push(Finding::OtherChecksum { clip: name(), found: object.sha256.clone() });
        }
        Some(_) => {}
    }
    if let Some(found) = object.case_id.clone().filter(|it| *it != clip.case_id) {
        findings.push(Finding::OtherCase { clip: name(), found });
    }
    if !is_over {
        findings.extend(of_lock(clip, object, (&name(), &said())));
    }
    findings
}

fn of_lock(clip: &Clip, object: &Object, (name, said): (&str, &str)) -> Vec<Finding> {
    let (clip_name, said) = (name.to_owned(), said.to_owned());
    let (Some(lock), Some(until_ms)) = (object.lock, object.locked_until_ms) else {
        return vec![Finding::Unlocked { clip: clip_name }];
    };
    let mut findings = Vec::new();
    // S3 keeps whole seconds.
    if clip.retain_until_ms.is_some_and(|said_ms| until_ms / 1_000 < said_ms / 1_000) {
        let found = rfc3339_s(until_ms);
        findings.push(Finding::LockedShorter { clip: clip_name.clone(), found, said });
    }
    if clip.lock == Some(LockMode::Compliance) && lock == LockMode::Governance {
        findings.push(Finding::LockedWeaker { clip: clip_name });
    }
    findings
}

fn rfc3339_s(at_ms: i64) -> String {
    casework::time::rfc3339(at_ms)
}

/// The clips of which a trail tells, the newest last.
fn told(entries: &[AuditEntry]) -> Vec<Evidence> {
    let evidence = |entry: &AuditEntry| match entry.action.as_str() {
        "evidence-stored" => Some(entry.facts.clone()),
        "evidence-completed" => entry.facts.get("evidence").cloned(),
        _ => None,
    };
    let told = entries.iter().filter_map(evidence);
    told.filter_map(|facts| serde_json::from_value(facts).ok()).collect()
}

/// What a case says otherwise of its clip than its trail.
fn differences(told: &Evidence, named: &Evidence) -> Vec<&'static str> {
    let fields = [
        ("key", told.key == named.key),
        ("sha256", told.sha256 == named.sha256),
        ("bytes", told.bytes == named.bytes),
        ("version_id", told.version_id == named.version_id),
        ("parts", told.parts == named.parts),
        ("retain_until", told.retain_until == named.retain_until),
    ];
    fields.into_iter().filter(|(_, is_same)| !is_same).map(|(field, _)| field).collect()
}

#[cfg(test)]
mod tests;
