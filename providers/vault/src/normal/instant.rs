//! Moments in time, in the one form that the server gives back.
//!
//! In comes an RFC 3339 text in any zone and with any fraction, out goes the same moment in UTC,
//! with as much of a fraction as counts: nanoseconds, without zeros at the end (tried on 2.7.2).
//! What the server would refuse is refused here, with the form to write. There is no clock here,
//! so whether the moment has passed is not known.

use remit_sdk::text::safe;

const SECONDS_A_DAY: i64 = 86_400;

/// Fractions finer than a nanosecond are cut off, as the server cuts them.
const FRACTION_DIGITS: usize = 9;

/// The normal form of a moment.
pub(super) fn instant(text: &str) -> Result<String, String> {
    parse(text).ok_or_else(|| {
        format!(
            "`{}` is no moment in time; write `2030-01-31T00:00:00Z`, or with a zone \
             `2030-01-31T01:00:00+01:00`",
            safe(text)
        )
    })
}

fn parse(text: &str) -> Option<String> {
    let (date, time) = text.split_once(['T', 't'])?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let zone_at = time.find(['Z', 'z', '+', '-'])?;
    let (time, zone) = time.split_at_checked(zone_at)?;
    let (time, fraction) = match time.split_once('.') {
        Some((time, fraction)) => (time, Some(fraction)),
        None => (time, None),
    };
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    let is_date = (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
    if !is_date || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds =
        days_from_civil(year, month, day) * SECONDS_A_DAY + hour * 3600 + minute * 60 + second
            - offset(zone)?;
    let (year, month, day) = civil_from_days(seconds.div_euclid(SECONDS_A_DAY));
    let rest = seconds.rem_euclid(SECONDS_A_DAY);
    // Another zone may lead out of the years that have four digits.
    if !(0..=9999).contains(&year) {
        return None;
    }
    Some(format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}{}Z",
        rest / 3600,
        rest / 60 % 60,
        rest % 60,
        fraction.map_or(Some(String::new()), shortened)?
    ))
}

/// `.5` of `500`; nothing of zeros alone.
fn shortened(digits: &str) -> Option<String> {
    if !is_digits(digits) {
        return None;
    }
    let kept = digits.get(..FRACTION_DIGITS).unwrap_or(digits);
    let kept = kept.trim_end_matches('0');
    Some(if kept.is_empty() {
        String::new()
    } else {
        format!(".{kept}")
    })
}

/// Seconds east of Greenwich.
fn offset(zone: &str) -> Option<i64> {
    if matches!(zone, "Z" | "z") {
        return Some(0);
    }
    let (sign, rest) = match zone.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, zone.strip_prefix('+')?),
    };
    let (hours, minutes) = rest.split_once(':')?;
    let (hours, minutes) = (number(hours, 2)?, number(minutes, 2)?);
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn number(text: &str, length: usize) -> Option<i64> {
    (is_digits(text) && text.len() == length)
        .then(|| text.parse().ok())
        .flatten()
}

fn numbers(text: &str, between: char, lengths: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(between);
    let mut found = [0; 3];
    for (place, length) in found.iter_mut().zip(lengths) {
        *place = number(parts.next()?, length)?;
    }
    parts.next().is_none().then_some(found)
}

const fn days_in(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01. Years are counted from March, so that a leap day is a year's last, and
/// in eras of 400 years, which have 146,097 days.
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year.div_euclid(400) * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The inverse.
const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = (from_march + 2) % 12 + 1;
    let year = year + days.div_euclid(146_097) * 400;
    (if month <= 2 { year + 1 } else { year }, month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_moment_has_one_form() {
        for (text, form) in [
            ("2030-01-01T00:00:00Z", "2030-01-01T00:00:00Z"),
            ("2030-01-01t00:00:00z", "2030-01-01T00:00:00Z"),
            ("2030-01-01T01:00:00+01:00", "2030-01-01T00:00:00Z"),
            ("2030-01-01T00:00:00+23:59", "2029-12-31T00:01:00Z"),
            ("2028-02-28T23:30:00-00:45", "2028-02-29T00:15:00Z"),
            ("2030-01-01T00:00:00-00:00", "2030-01-01T00:00:00Z"),
            ("2030-01-01T00:00:00.000Z", "2030-01-01T00:00:00Z"),
            ("2030-01-01T00:00:00.1200Z", "2030-01-01T00:00:00.12Z"),
            (
                "2030-01-01T00:00:00.1234567891Z",
                "2030-01-01T00:00:00.123456789Z",
            ),
            ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(instant(text).as_deref(), Ok(form), "{text}");
        }
        for text in [
            "2030-01-01",
            "2030-01-01T00:00:00",
            " 2030-01-01T00:00:00Z",
            "2030-01-01 00:00:00Z",
            "2030-01-01T24:00:00Z",
            "2030-02-29T00:00:00Z",
            "2030-06-30T23:59:60Z",
            "10000-01-01T00:00:00Z",
            "9999-12-31T23:59:59-01:00",
            "2030-01-01T00:00:00+24:00",
            "2030-01-01T00:00:00.Z",
            "2030-01-01T00:00:00Zx",
            "2030-1-01T00:00:00Z",
            "+030-01-01T00:00:00Z",
            "1893456000",
            "tomorrow",
            "",
        ] {
            let error = instant(text).expect_err(text);
            assert!(error.contains("write `2030-01-31T00:00:00Z`"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn days_and_dates_are_inverse(days in -719_528_i64..2_932_897) {
            let (year, month, day) = civil_from_days(days);
            prop_assert!((0..=9999).contains(&year) && (1..=days_in(year, month)).contains(&day));
            prop_assert_eq!(days_from_civil(year, month, day), days);
        }

        #[test]
        fn a_form_is_its_own(text in "20[0-9]{2}-[01][0-9]-[0-3][0-9][Tt][0-2][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,12})?([Zz]|[+-][0-2][0-9]:[0-5][0-9])") {
            if let Ok(form) = instant(&text) {
                prop_assert_eq!(instant(&form), Ok(form));
            }
        }
    }
}
