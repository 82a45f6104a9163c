//! Waiting for a target to tell what was written, by looking again and never blindly.

use std::time::Duration;

use remit_sdk::Read;

/// The pause before the second reading back; it doubles each time.
const READ_BACK_PAUSE: Duration = Duration::from_millis(50);

/// The longest pause between two readings back: so much later at most is a change seen.
const READ_BACK_PAUSE_MAX: Duration = Duration::from_secs(1);

/// Pauses between readings of an object that may still be told as it was: growing, bounded, and
/// over when the target has had its time to catch up.
pub(super) struct Settling {
    pause: Duration,
    left: Duration,
    /// Whether parts of one object may be told anew before others are.
    pub(super) in_parts: bool,
}

impl Settling {
    pub(super) fn new(reader: &dyn Read) -> Self {
        let settles = reader.settles();
        Self {
            pause: READ_BACK_PAUSE,
            left: Duration::from_millis(settles.within_milliseconds),
            in_parts: settles.in_parts,
        }
    }

    /// Whether there is no time left, so that what is read counts.
    pub(super) fn is_over(&self) -> bool {
        self.left.is_zero()
    }

    pub(super) async fn pause(&mut self) {
        let pause = self.pause.min(self.left);
        tokio::time::sleep(pause).await;
        self.left -= pause;
        self.pause = (self.pause * 2).min(READ_BACK_PAUSE_MAX);
    }
}
