//! The clock and the source of random names: handed to everything that needs one.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use remit_sdk::Diagnostic;

/// Now, RFC 3339 in UTC, to the second.
pub(super) fn now() -> String {
    format!("{:.0}", Timestamp::now())
}

/// The moment `duration` from now, RFC 3339.
pub(super) fn in_future(duration: SignedDuration) -> String {
    let now = Timestamp::now();
    format!("{:.0}", now.checked_add(duration).unwrap_or(now))
}

/// Whether a moment lies in the past; `None` for what is no moment.
pub(super) fn is_past(moment: &str) -> Option<bool> {
    let moment: Timestamp = moment.parse().ok()?;
    Some(moment < Timestamp::now())
}

/// 128 random bits in the form of a UUID: a lineage, a nonce.
pub(super) fn random_id() -> Result<String, Vec<Diagnostic>> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        vec![Diagnostic::error(
            "no random numbers",
            format!("the system gives none: {error}"),
        )]
    })?;
    let text = hex::encode(bytes);
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    Ok(format!(
        "{}-{}-{}-{}-{}",
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32)
    ))
}

/// `30s`, `5m`, `1h`, or seconds.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    const SHAPE: &str = "a duration is written 30s, 5m or 1h";
    let (number, factor) = match text.strip_suffix(['s', 'm', 'h']) {
        Some(number) if text.ends_with('m') => (number, 60),
        Some(number) if text.ends_with('h') => (number, 3600),
        Some(number) => (number, 1),
        None => (text, 1),
    };
    let number: u64 = number.parse().map_err(|_| SHAPE.to_owned())?;
    let seconds = number.checked_mul(factor).ok_or_else(|| SHAPE.to_owned())?;
    Ok(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(parse_duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(parse_duration("5m"), Ok(Duration::from_mins(5)));
        assert_eq!(parse_duration("7"), Ok(Duration::from_secs(7)));
        for wrong in ["", "s", "1d", "-1s", "1.5m", "99999999999999999999"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn moments() {
        assert_eq!(is_past("2020-01-01T00:00:00Z"), Some(true));
        assert_eq!(
            is_past(&in_future(SignedDuration::from_mins(1))),
            Some(false)
        );
        assert_eq!(is_past("soon"), None);
        assert_eq!(random_id().unwrap().len(), 36);
    }
}
