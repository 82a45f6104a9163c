//! Dates and moments. A date without a time ends with its day, in UTC.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Whether `moment` (RFC 3339, or `YYYY-MM-DD`) lies before `now` (RFC 3339). What can't be read
/// counts as past: nothing may live on by a date that nobody understands.
pub(super) fn is_past(moment: &str, now: &str) -> bool {
    let Ok(now) = now.parse::<Timestamp>() else {
        return true;
    };
    if let Ok(moment) = moment.parse::<Timestamp>() {
        return moment <= now;
    }
    let today = now.to_zoned(TimeZone::UTC).date();
    moment.parse::<Date>().map_or(true, |date| date < today)
}

#[cfg(test)]
mod tests {
    use super::is_past;

    #[test]
    fn a_date_ends_with_its_day() {
        let now = "2026-06-15T12:00:00Z";
        for (moment, past) in [
            ("2026-06-14", true),
            ("2026-06-15", false),
            ("2026-06-16", false),
            ("2026-06-15T11:59:59Z", true),
            ("2026-06-15T12:00:01Z", false),
            ("2026-06-15T13:00:00+02:00", true),
            ("soon", true),
        ] {
            assert_eq!(is_past(moment, now), past, "{moment}");
        }
        assert!(is_past("2999-01-01", "soon"));
    }
}
