//! One part of a clip: its video is cut, believed only once it shows what was asked for, and put.
//!
//! An MP4 is what people can look at, so it is asked for first. Where none can be made, or the one
//! that came lacks a fragment, the raw fragments are kept: they hold all that the stream has. Where
//! even these cannot be read together for hours, those that can be read alone. Start at [`keep`].

use std::time::Duration;

use casework::cut::{CLIP_BYTES_MAX, Cut, Patience};
use casework::evidence;
use casework::fragment::Fragment;
use casework::id;
use casework::step::StepError;
use casework::time::rfc3339;
use contract::evidence::EvidencePart;

use super::{Accepts, Clip, CutClip, PreserveServices, Wish};
use crate::mp4;

/// What an MP4 may weigh more than the fragments it is made of, in bytes. Our choice: an index
/// entry for each frame of the longest clip, several times over.
const CONTAINER_BYTES: u64 = 4_000_000;

/// After so many failures something else is kept than what keeps failing; waiting for video is none.
/// Our choice: an MP4 is worth some hours of waiting, and less than a day.
const LAST_RESORT_FAILURES: u32 = 20;

/// A day.
const DAY: Duration = Duration::from_hours(24);

/// Name of the tag that every raw fragment carries. Source: API reference of the archived media API,
/// `GetMediaForFragmentList`,
/// <https://docs.aws.amazon.com/kinesisvideostreams/latest/dg/API_reader_GetMediaForFragmentList.html>.
pub(super) const FRAGMENT_TAG: &[u8] = b"AWS_KINESISVIDEO_FRAGMENT_NUMBER";

/// Why a clip is not believed.
#[derive(Debug, thiserror::Error)]
enum ClipError {
    #[error(transparent)]
    Mp4(#[from] mp4::Mp4Error),
    #[error("the answer has {0} of {1} fragments")]
    Fragments(usize, usize),
}

/// The video of a part.
struct Film {
    cut: Cut,
    media_type: &'static str,
    video: Vec<u8>,
    reason: Option<String>,
}

/// What to make of the answer to a call for an MP4.
enum Verdict {
    Whole(Vec<u8>),
    /// It lacks fragments, without saying so.
    Short,
    /// There will be none, for this reason.
    Never(String),
    Gone,
}

/// Cuts a part and puts it into the bucket. Returns it with the cut that it shows, which may be
/// shorter than the one asked for; `None` where the stream says that it is gone, and may come back.
pub(super) async fn keep(
    services: &impl PreserveServices,
    wish: &Wish,
    cut: Cut,
    patience: Patience,
) -> Result<Option<(EvidencePart, Cut)>, StepError> {
    match film(services, wish, cut, patience).await? {
        Some(film) => put(services, wish, film, patience.now_ms).await.map(Some),
        None => Ok(None),
    }
}

/// The video of a cut, or of its first half; `None` where it is gone for now.
async fn film(
    services: &impl PreserveServices,
    wish: &Wish,
    mut cut: Cut,
    patience: Patience,
) -> Result<Option<Film>, StepError> {
    let reason = loop {
        if let Some(reason) = &cut.raw_reason {
            break reason.clone();
        }
        match ask(services, wish, &cut, patience).await? {
            Verdict::Whole(video) => {
                return Ok(Some(Film { cut, media_type: "video/mp4", video, reason: None }));
            }
            Verdict::Short => match cut.first_half() {
                Some(half) => cut = half,
                None => break "GetClip leaves out video without saying so".to_owned(),
            },
            Verdict::Never(reason) => break reason,
            Verdict::Gone => return Ok(None),
        }
    };
    raw(services, wish, cut, reason).await.map(Some)
}

async fn ask(
    services: &impl PreserveServices,
    wish: &Wish,
    cut: &Cut,
    patience: Patience,
) -> Result<Verdict, StepError> {
    let stream = &wish.message.stream;
    let answer = services.cut_clip(stream, cut.ask, CLIP_BYTES_MAX + CONTAINER_BYTES).await;
    let failed = match answer {
        Ok(CutClip::Mp4(video)) => match mp4::played_ms(&video) {
            Ok(played_ms) if cut.is_whole(played_ms) => return Ok(Verdict::Whole(video)),
            Ok(_) => return Ok(Verdict::Short),
            Err(error) => StepError::retryable("cut a clip of", stream, ClipError::from(error)),
        },
        Ok(CutClip::Gone(_)) if patience.now_ms < patience.deadline_ms => return Ok(Verdict::Gone),
        Ok(CutClip::Gone(reason) | CutClip::NotMp4(reason)) => return Ok(Verdict::Never(reason)),
        Err(error) => error,
    };
    let is_last_resort = !failed.retryable || wish.message.failures >= LAST_RESORT_FAILURES;
    if is_last_resort { Ok(Verdict::Never(failed.chain())) } else { Err(failed) }
}

/// The raw fragments of a cut.
async fn raw(
    services: &impl PreserveServices,
    wish: &Wish,
    cut: Cut,
    reason: String,
) -> Result<Film, StepError> {
    let media_type = "video/x-matroska";
    let error = match fetch(services, &wish.message.stream, &cut.fragments).await {
        Ok(video) => return Ok(Film { cut, media_type, video, reason: Some(reason) }),
        Err(error) => error,
    };
    let is_last_resort = !error.retryable || wish.message.failures >= LAST_RESORT_FAILURES;
    if wish.accepts == Accepts::WhatIsListed || !is_last_resort {
        return Err(error);
    }
    let (mut video, mut fragments) = (Vec::new(), Vec::new());
    for fragment in &cut.fragments {
        if let Ok(more) =
            fetch(services, &wish.message.stream, std::slice::from_ref(fragment)).await
        {
            video.extend(more);
            fragments.push(fragment.clone());
        }
    }
    if fragments.is_empty() {
        return Err(error);
    }
    let reason = Some(format!("{reason}; {}", error.chain()));
    Ok(Film { cut: cut.with_only(fragments), media_type, video, reason })
}

/// Reads fragments, all of them.
async fn fetch(
    services: &impl PreserveServices,
    stream: &str,
    fragments: &[Fragment],
) -> Result<Vec<u8>, StepError> {
    let bytes_max = CLIP_BYTES_MAX + CONTAINER_BYTES;
    let video = services.fetch_fragments(stream, fragments, bytes_max).await?;
    let tags = memchr::memmem::find_iter(&video, FRAGMENT_TAG).count();
    if tags < fragments.len() {
        let error = ClipError::Fragments(tags, fragments.len());
        return Err(StepError::retryable("read fragments of", stream, error));
    }
    Ok(video)
}

async fn put(
    services: &impl PreserveServices,
    wish: &Wish,
    film: Film,
    now_ms: i64,
) -> Result<(EvidencePart, Cut), StepError> {
    let Film { cut, media_type, video, reason } = film;
    let message = &wish.message;
    let number = wish.parts().len() + 1;
    let key = evidence::part_key(&message.key, number);
    let key = if media_type == "video/mp4" { key } else { evidence::raw_key(&key) };
    let keep_ms = i64::try_from((DAY * message.keep_days).as_millis()).unwrap_or(i64::MAX);
    let retain_until_ms = now_ms.saturating_add(keep_ms);
    let sha256 = id::sha256(&video);
    let bytes = u64::try_from(video.len()).unwrap_or(u64::MAX);
    let metadata = vec![
        ("case-id", message.case_id.clone()),
        ("store", message.store.clone()),
        ("camera", message.camera.clone()),
        ("sha256", id::hex(&sha256)),
        ("clip", cut.shows.text()),
    ];
    let lock = message.lock;
    let clip =
        Clip { key: key.clone(), media_type, video, sha256, lock, retain_until_ms, metadata };
    let version_id = services.put_clip(clip).await?;
    let part = EvidencePart {
        key,
        media_type: media_type.to_owned(),
        sha256: id::hex(&sha256),
        bytes,
        version_id,
        start: rfc3339(cut.shows.start_ms),
        end: rfc3339(cut.shows.end_ms),
        gaps: cut.gaps.iter().map(evidence::Range::text).collect(),
        retain_until: rfc3339(retain_until_ms),
        reason,
    };
    Ok((part, cut))
}
