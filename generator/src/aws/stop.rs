//! The person's wish to stop, which Ctrl-C and SIGTERM tell.
//!
//! Whoever has begun something looks here between two steps, and ends it in order.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Time between two looks at the wish while waiting. Our choice: nobody notices it.
const LOOK_TIME: Duration = Duration::from_millis(200);

/// Whether the person has asked to stop.
#[derive(Debug, Default)]
pub struct Stop {
    asked: AtomicBool,
}

impl Stop {
    /// From now on the first signal is only noted, instead of ending the process. Ends with the second.
    pub async fn hear(&self) {
        // A signal that cannot be heard ends the process itself, as any does.
        let hear = |kind| signal(kind).ok();
        let (mut interrupt, mut terminate) =
            (hear(SignalKind::interrupt()), hear(SignalKind::terminate()));
        for _ in 0..2 {
            tokio::select! {
                () = next(interrupt.as_mut()) => {}
                () = next(terminate.as_mut()) => {}
            }
            if self.asked.swap(true, Ordering::Relaxed) {
                return;
            }
        }
    }

    /// Waits, but not longer than until the person asks to stop.
    pub(super) async fn pause(&self, time: Duration) {
        let until = tokio::time::Instant::now() + time;
        while !self.is_asked() && tokio::time::Instant::now() < until {
            let left = until.saturating_duration_since(tokio::time::Instant::now());
            tokio::time::sleep(left.min(LOOK_TIME)).await;
        }
    }

    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }
}

/// The next signal of a kind.
async fn next(heard: Option<&mut Signal>) {
    match heard {
        Some(heard) => drop(heard.recv().await),
        None => std::future::pending().await,
    }
}
