//! How fast requests go out, learnt from what AWS refuses as too much. Pure: told the time.
//!
//! In comes when requests are about to be sent, refused or answered, out goes how long to wait.
//! At first nothing waits. A refusal puts a gap between requests, of all that share this pace and
//! not only of the one that was refused; further refusals widen it, answers narrow it until it is
//! gone. Requests that were on their way when the gap was widened don't widen it again.

use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The first gap: twenty requests a second, which is about what IAM takes for long.
const GAP_MIN: Duration = Duration::from_millis(50);

/// The widest gap. Wider ones would have a plan of a hundred objects take minutes.
const GAP_MAX: Duration = Duration::from_secs(1);

/// The pace of one service.
#[derive(Debug, Default)]
pub(super) struct Pace(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    gap: Duration,
    /// When the next request may go out.
    next: Option<Instant>,
    /// When the gap was widened last.
    widened: Option<Instant>,
}

impl Pace {
    /// How long a request must wait from now; its place is kept for it.
    pub(super) fn turn(&self, now: Instant) -> Duration {
        let Ok(mut state) = self.0.lock() else {
            return Duration::ZERO;
        };
        let at = state.next.unwrap_or(now).max(now);
        state.next = if state.gap.is_zero() {
            None
        } else {
            Some(at + state.gap)
        };
        at.saturating_duration_since(now)
    }

    /// A request sent at `sent` was refused as too much.
    pub(super) fn refused(&self, sent: Instant, now: Instant) {
        let Ok(mut state) = self.0.lock() else {
            return;
        };
        if state.widened.is_some_and(|widened| sent < widened) {
            return;
        }
        state.gap = (state.gap * 2).clamp(GAP_MIN, GAP_MAX);
        state.widened = Some(now);
        let next = now + state.gap;
        state.next = Some(state.next.unwrap_or(next).max(next));
    }

    /// A request was taken. Five eighths of the gap stay: if one of three is refused, whatever
    /// the pace, the gap still closes.
    pub(super) fn passed(&self) {
        let Ok(mut state) = self.0.lock() else {
            return;
        };
        state.gap = state.gap * 5 / 8;
        if state.gap < GAP_MIN / 4 {
            state.gap = Duration::ZERO;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_waits_until_something_is_refused() {
        let (pace, now) = (Pace::default(), Instant::now());
        for _ in 0..1000 {
            assert_eq!(pace.turn(now), Duration::ZERO);
            pace.passed();
        }
    }

    #[test]
    fn a_refusal_spreads_everybody_out() {
        let (pace, now) = (Pace::default(), Instant::now());
        pace.refused(now, now);
        let waits: Vec<_> = (0..3).map(|_| pace.turn(now)).collect();
        assert_eq!(waits, [GAP_MIN, GAP_MIN * 2, GAP_MIN * 3]);
    }

    #[test]
    fn requests_refused_together_count_once() {
        let (pace, sent) = (Pace::default(), Instant::now());
        let later = sent + Duration::from_millis(1);
        for _ in 0..10 {
            pace.refused(sent, later);
        }
        assert_eq!(pace.turn(later), GAP_MIN);
        for _ in 0..100 {
            pace.refused(later, later);
        }
        assert!(pace.turn(later) <= GAP_MAX * 2);
    }

    #[test]
    fn one_refused_of_three_does_not_slow_down_for_good() {
        let (pace, mut now) = (Pace::default(), Instant::now());
        let started = now;
        for request in 0..300 {
            now += pace.turn(now);
            if request % 3 == 0 {
                pace.refused(now, now);
            } else {
                pace.passed();
            }
        }
        assert!(
            now - started < Duration::from_secs(15),
            "{:?}",
            now - started
        );
    }
}
