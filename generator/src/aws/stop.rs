//! The person's wish to stop, which Ctrl-C and SIGTERM tell.
//!
//! Whoever has begun something looks here between two steps, and ends it in order.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Whether the person has asked to stop.
#[derive(Debug, Default)]
pub(super) struct Stop {
    asked: AtomicBool,
}

impl Stop {
    /// From now on the first signal is only noted, instead of ending the process. Ends with the second.
    pub(super) async fn hear(&self) {
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

    pub(super) fn is_asked(&self) -> bool {
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
