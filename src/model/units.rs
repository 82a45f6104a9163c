//! Durations, dates and addresses, from text.

use std::net::IpAddr;

/// Seconds of `15m`, `1h30m`, `30d`: whole numbers, each with `s`, `m`, `h` or `d`.
pub(crate) fn duration_seconds(text: &str) -> Option<u64> {
    let mut seconds: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let (digits, after) = rest.split_at_checked(rest.find(|c: char| !c.is_ascii_digit())?)?;
        let unit = match after.chars().next()? {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86400,
            _ => return None,
        };
        let number: u64 = digits.parse().ok()?;
        seconds = seconds.checked_add(number.checked_mul(unit)?)?;
        rest = after.get(1..)?;
    }
    // Targets keep seconds as signed 64-bit integers.
    (!text.is_empty() && i64::try_from(seconds).is_ok()).then_some(seconds)
}

/// Seconds as a person writes them.
pub(crate) fn duration_text(seconds: u64) -> String {
    let mut text = String::new();
    let mut rest = seconds;
    for (unit, name) in [(86400, "d"), (3600, "h"), (60, "m"), (1, "s")] {
        if rest >= unit {
            text.push_str(&(rest / unit).to_string());
            text.push_str(name);
            rest %= unit;
        }
    }
    if text.is_empty() { "0s".into() } else { text }
}

/// Whether `text` is a date: `YYYY-MM-DD`.
pub(super) fn is_date(text: &str) -> bool {
    text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok()
}

/// Whether `text` is a date, or a time with its offset by RFC 3339.
pub(super) fn is_time(text: &str) -> bool {
    let zoned = || text.contains('T') && !text.contains('[');
    is_date(text) || (zoned() && text.parse::<jiff::Timestamp>().is_ok())
}

/// Whether `text` is an address block such as `10.20.0.0/16`, without bits beyond its prefix.
pub(super) fn is_cidr(text: &str) -> bool {
    let Some((address, prefix)) = text.split_once('/') else {
        return false;
    };
    let Ok(prefix_bits) = prefix.parse::<u32>() else {
        return false;
    };
    if prefix != prefix_bits.to_string() {
        return false;
    }
    let (bits, width) = match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => (u128::from(u32::from(address)) << 96, 32),
        Ok(IpAddr::V6(address)) => (u128::from(address), 128),
        Err(_) => return false,
    };
    prefix_bits <= width && bits.checked_shl(prefix_bits).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, seconds) in [
            ("15m", Some(900)),
            ("1h30m", Some(5400)),
            ("30d", Some(2_592_000)),
            ("0s", Some(0)),
            ("", None),
            ("15", None),
            ("m", None),
            ("1w", None),
            ("1h ", None),
            ("-1h", None),
            ("99999999999999999999s", None),
            ("9999999999999999d", None),
        ] {
            assert_eq!(duration_seconds(text), seconds, "{text}");
        }
        assert_eq!(duration_text(5400), "1h30m");
        assert_eq!(duration_text(0), "0s");
    }

    #[test]
    fn dates() {
        assert!(is_date("2027-03-31") && !is_date("2027-02-30") && !is_date("2027-3-1"));
        assert!(is_time("2027-03-31") && is_time("2027-03-31T10:00:00Z"));
        assert!(is_time("2027-03-31T10:00:00+02:00"));
        assert!(!is_time("2027-03-31T10:00:00") && !is_time("tomorrow"));
    }

    #[test]
    fn cidrs() {
        for good in [
            "10.20.0.0/16",
            "0.0.0.0/0",
            "10.0.0.1/32",
            "2001:db8::/32",
            "::/0",
        ] {
            assert!(is_cidr(good), "{good}");
        }
        for bad in [
            "10.20.0.1/16",
            "10.0.0.0",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "x/8",
            "::1/64",
        ] {
            assert!(!is_cidr(bad), "{bad}");
        }
    }
}
