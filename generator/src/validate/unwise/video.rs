//! Warnings about video: kept too briefly, too much for one clip, too much for the store's line.

use crate::diagnostic::Diagnostic;

use super::Subject;

/// Shortest retention that raises no warning, in hours. Our choice: evidence that could not be kept
/// at closing time is found when people are back at work, and the video must still be there.
const RETENTION_HOURS_MIN: u32 = 12;
/// Most bytes of a clip. Source: Kinesis Video Streams archived media API reference, `GetClip`.
const CLIP_BYTES_MAX: u64 = 100_000_000;
/// Share of the uplink, in percent, over which cameras crowd each other out. Our choice: bitrates
/// vary, and the store's tills use the line too.
const UPLINK_PERCENT_MAX: u64 = 80;

pub(super) fn warn(subject: &mut Subject<'_, '_>) {
    for index in 0..subject.inherited.cameras.len() {
        retention(subject, index);
        clip(subject, index);
    }
    uplink(subject);
}

fn retention(subject: &mut Subject<'_, '_>, index: usize) {
    let Some(camera) = subject.inherited.cameras.get(index) else { return };
    let hours = camera.retention_hours;
    let Some(place) = hours.place.filter(|_| hours.value < RETENTION_HOURS_MIN) else { return };
    let id = &camera.config.id.value;
    let message = format!(
        "video is kept for {} h: evidence that fails in the evening is lost by the morning",
        hours.value
    );
    let help = format!("keep at least {RETENTION_HOURS_MIN}h; `24h` costs little more");
    subject.warn(Diagnostic::warning("retention-short", place, message).help(help), id);
}

fn clip(subject: &mut Subject<'_, '_>, index: usize) {
    let Some(camera) = subject.inherited.cameras.get(index) else { return };
    let (before, after) = (subject.inherited.before_s, subject.inherited.after_s);
    let bytes_per_s = u64::from(camera.bitrate_kbps.value) * 1_000 / 8;
    let bytes = bytes_per_s * u64::from(before.value + after.value);
    if bytes <= CLIP_BYTES_MAX {
        return;
    }
    let id = &camera.config.id.value;
    let place = [camera.bitrate_kbps.place, before.place, after.place].into_iter().flatten().next();
    let place = place.unwrap_or(&camera.config.id.place);
    let message = format!(
        "{} s of evidence at {} kbit/s are {} MB, over the {} MB of one file: each clip has several parts",
        before.value + after.value,
        camera.bitrate_kbps.value,
        bytes / 1_000_000,
        CLIP_BYTES_MAX / 1_000_000,
    );
    let seconds = CLIP_BYTES_MAX / bytes_per_s;
    let help = format!("let `before` and `after` be at most {seconds} s together, or send less");
    subject.warn(Diagnostic::warning("clip-over-budget", place, message).help(help), id);
}

fn uplink(subject: &mut Subject<'_, '_>) {
    let Some(uplink) = subject.inherited.uplink_kbps else { return };
    let cameras = &subject.inherited.cameras;
    let sum: u64 = cameras.iter().map(|camera| u64::from(camera.bitrate_kbps.value)).sum();
    if sum * 100 <= u64::from(uplink.value) * UPLINK_PERCENT_MAX {
        return;
    }
    let percent = sum * 100 / u64::from(uplink.value.max(1));
    let message = format!(
        "{} cameras send {sum} kbit/s together, {percent} % of the store's line of {} kbit/s",
        cameras.len(),
        uplink.value
    );
    let wanted = (sum * 100).div_ceil(UPLINK_PERCENT_MAX).div_ceil(1_000);
    let help = format!(
        "order a line that sends {wanted} Mbit/s, or lower bitrates: what does not fit arrives late or is lost"
    );
    subject.warn(Diagnostic::warning("uplink-too-small", &uplink.place, message).help(help), "");
}
