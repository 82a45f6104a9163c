//! Values of conditions: numbers, dates, networks and ARNs, read from text.
//!
//! In comes what a policy or a request has; out goes something that compares, or nothing where it
//! is none. What IAM takes: IAM User Guide, "IAM JSON policy elements: Condition operators".

use core::cmp::Ordering;
use core::net::IpAddr;

/// How many digits after the point count.
const FRACTION_DIGITS: usize = 9;
/// One, as numbers are kept.
const UNIT: i128 = 1_000_000_000;
/// The most characters of a number that is read.
const NUMBER_CHARACTERS_MAX: usize = 30;

/// A comparison of numbers or dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    pub(super) fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering == Ordering::Equal,
            Self::Less => ordering == Ordering::Less,
            Self::LessOrEqual => ordering != Ordering::Greater,
            Self::Greater => ordering == Ordering::Greater,
            Self::GreaterOrEqual => ordering != Ordering::Less,
        }
    }

    /// The smallest and the largest value that it takes, ends included; `None` is without end.
    /// Values are whole here, so an open end is the next one.
    pub(super) fn range(self, value: i128) -> (Option<i128>, Option<i128>) {
        match self {
            Self::Equal => (Some(value), Some(value)),
            Self::Less => (None, Some(value.saturating_sub(1))),
            Self::LessOrEqual => (None, Some(value)),
            Self::Greater => (Some(value.saturating_add(1)), None),
            Self::GreaterOrEqual => (Some(value), None),
        }
    }
}

/// A number, in billionths.
pub(super) fn number(text: &str) -> Option<i128> {
    if text.len() > NUMBER_CHARACTERS_MAX {
        return None;
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) || fraction.len() > FRACTION_DIGITS {
        return None;
    }
    let fraction = format!("{fraction:0<FRACTION_DIGITS$}");
    let value = whole
        .parse::<i128>()
        .ok()?
        .checked_mul(UNIT)?
        .checked_add(fraction.parse().ok()?)?;
    Some(if negative { -value } else { value })
}

/// A moment in billionths of a second since 1970: ISO 8601, a day alone included, or seconds.
pub(super) fn date(text: &str) -> Option<i128> {
    if let Some(seconds) = number(text) {
        return Some(seconds);
    }
    let (day, time) = match text.split_once('T') {
        Some((day, time)) => (day, Some(time)),
        None => (text, None),
    };
    let mut parts = day.split('-');
    let year = digits(parts.next()?, 4)?;
    let month = digits(parts.next()?, 2)?;
    let date = digits(parts.next()?, 2)?;
    if parts.next().is_some() || !(1..=12).contains(&month) || !(1..=31).contains(&date) {
        return None;
    }
    let of_day = time.map_or(Some(0), of_day)?;
    days(year, month, date)
        .checked_mul(86_400 * UNIT)?
        .checked_add(of_day)
}

fn digits(text: &str, count: usize) -> Option<i128> {
    (text.len() == count && text.bytes().all(|b| b.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

/// Billionths of a second since midnight in Greenwich.
fn of_day(time: &str) -> Option<i128> {
    let (clock, offset) = if let Some(clock) = time.strip_suffix('Z') {
        (clock, 0)
    } else {
        match time
            .rfind(['+', '-'])
            .and_then(|at| time.split_at_checked(at))
        {
            Some((clock, zone)) => {
                let (sign, zone) = zone
                    .strip_prefix('-')
                    .map_or((1, zone.trim_start_matches('+')), |zone| (-1, zone));
                let (hours, minutes) = zone.split_once(':').or_else(|| zone.split_at_checked(2))?;
                let minutes = digits(hours, 2)? * 60 + digits(minutes, 2)?;
                (clock, sign * minutes)
            }
            None => (time, 0),
        }
    };
    let mut parts = clock.splitn(3, ':');
    let hours = digits(parts.next()?, 2)?;
    let minutes = digits(parts.next()?, 2)?;
    let seconds = match parts.next() {
        Some(seconds) if seconds.split('.').next().is_some_and(|one| one.len() == 2) => {
            number(seconds)?
        }
        Some(_) => return None,
        None => 0,
    };
    if hours > 24 || minutes > 59 || !(0..=60 * UNIT).contains(&seconds) {
        return None;
    }
    Some((hours * 60 + minutes - offset) * 60 * UNIT + seconds)
}

/// Days from 1970-01-01 in the Gregorian calendar, years counted from March.
fn days(year: i128, month: i128, day: i128) -> i128 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let of_year = (153 * month + 2) / 5 + day - 1;
    365 * year + year / 4 - year / 100 + year / 400 + of_year - 719_468
}

/// A network, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Network {
    is_v6: bool,
    bits: u128,
    prefix: u32,
}

impl Network {
    pub(super) fn read(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let (is_v6, bits, length): (bool, u128, u32) = match address.parse().ok()? {
            IpAddr::V4(address) => (false, u128::from(u32::from(address)), 32),
            IpAddr::V6(address) => (true, u128::from(address), 128),
        };
        let prefix = match prefix {
            Some(prefix) => prefix.parse().ok().filter(|prefix| *prefix <= length)?,
            None => length,
        };
        let host = length.checked_sub(prefix)?;
        Some(Self {
            is_v6,
            bits: bits.checked_shr(host).unwrap_or(0),
            prefix,
        })
    }

    /// Whether all of `narrow`'s addresses are in it.
    pub(super) fn contains(self, narrow: Self) -> bool {
        self.is_v6 == narrow.is_v6
            && narrow
                .prefix
                .checked_sub(self.prefix)
                .is_some_and(|more| narrow.bits.checked_shr(more).unwrap_or(0) == self.bits)
    }
}

/// The six parts of an ARN, patterns included; a variable's colons are its own.
pub(super) fn arn(text: &str) -> Option<[&str; 6]> {
    let mut parts = [""; 6];
    let mut rest = text;
    for part in parts.iter_mut().take(5) {
        let (head, after) = crate::arn::colon(rest)?;
        (*part, rest) = (head, after);
    }
    if let Some(last) = parts.last_mut() {
        *last = rest;
    }
    (parts.first() == Some(&"arn")).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(number("5"), Some(5 * UNIT));
        assert_eq!(number("-0.5"), Some(-UNIT / 2));
        assert_eq!(number("1.000000001"), Some(UNIT + 1));
        assert_eq!(number(&"9".repeat(30)), None);
        assert_eq!(number(&format!("{:030}", 15)), Some(15 * UNIT));
        for text in [
            "",
            "-",
            "1.",
            ".5",
            "x",
            "1e3",
            "1.0000000001",
            "+1",
            &"1".repeat(31),
        ] {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[test]
    fn dates() {
        let seconds = |text: &str| date(text).map(|date| date / UNIT);
        assert_eq!(seconds("1970-01-01"), Some(0));
        assert_eq!(seconds("1970-01-01T00:00:01Z"), Some(1));
        assert_eq!(seconds("2020-02-29T12:34:56Z"), Some(1_582_979_696));
        assert_eq!(seconds("2000-03-01T00:00:00Z"), Some(951_868_800));
        assert_eq!(seconds("2100-03-01"), Some(4_107_542_400));
        assert_eq!(seconds("2020-01-01T01:00:00+01:00"), seconds("2020-01-01"));
        assert_eq!(seconds("2019-12-31T23:00-0100"), seconds("2020-01-01"));
        assert_eq!(seconds("2020-01-01T00:00:00"), seconds("2020-01-01"));
        assert_eq!(seconds("1577836800"), seconds("2020-01-01"));
        assert_eq!(date("1970-01-01T00:00:00.5Z"), Some(UNIT / 2));
        // The last moments of a minute, an hour and a day.
        assert_eq!(seconds("2019-12-31T23:59:60Z"), seconds("2020-01-01"));
        assert_eq!(seconds("2019-12-31T24:00Z"), seconds("2020-01-01"));
        assert_eq!(seconds("1970-01-01T00:59Z"), Some(59 * 60));
        assert_eq!(seconds("2020-01-01T05:30:00+05:30"), seconds("2020-01-01"));
        for text in [
            "",
            "2020-01",
            "2020-13-01",
            "2020-00-01",
            "2020-01-00",
            "2020-01-32",
            "2020-01-01T",
            "2020-01-01T25:00Z",
            "2020-01-01T00:60Z",
            "2020-01-01T00:00:61Z",
            "2020-01-01T00:00:1Z",
            "20-01-01",
            "2020-01-01-01",
            "2020-01-01T00:00:-1Z",
        ] {
            assert_eq!(date(text), None, "{text}");
        }
    }

    #[test]
    fn days_follow_each_other() {
        let mut next = days(1599, 1, 1);
        for year in 1599..=2401 {
            let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let february = if is_leap { 29 } else { 28 };
            let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
            for (month, length) in (1..).zip(lengths) {
                for day in 1..=length {
                    assert_eq!(days(year, month, day), next, "{year}-{month}-{day}");
                    next += 1;
                }
            }
        }
        assert_eq!(days(1970, 1, 1), 0);
    }

    #[test]
    fn orders() {
        use Ordering::{Equal, Greater, Less};
        let all = [
            (Order::Equal, [false, true, false], (Some(7), Some(7))),
            (Order::Less, [true, false, false], (None, Some(6))),
            (Order::LessOrEqual, [true, true, false], (None, Some(7))),
            (Order::Greater, [false, false, true], (Some(8), None)),
            (Order::GreaterOrEqual, [false, true, true], (Some(7), None)),
        ];
        for (order, expected, range) in all {
            assert_eq!([Less, Equal, Greater].map(|one| order.holds(one)), expected);
            assert_eq!(order.range(7), range);
        }
    }

    #[test]
    fn networks() {
        let net = |text: &str| Network::read(text).unwrap();
        assert!(net("10.0.0.0/8").contains(net("10.1.2.3")));
        assert!(net("10.9.0.0/8").contains(net("10.1.0.0/16")));
        assert!(!net("10.0.0.0/8").contains(net("11.1.2.3")));
        assert!(!net("10.0.0.0/16").contains(net("10.0.0.0/8")));
        assert!(net("0.0.0.0/0").contains(net("1.2.3.4")));
        assert!(!net("0.0.0.0/0").contains(net("::1")));
        assert!(net("::/0").contains(net("2001:db8::1")));
        assert!(net("2001:db8::/32").contains(net("2001:db8:1::/48")));
        assert!(net("1.2.3.4").contains(net("1.2.3.4/32")));
        for text in ["", "10.0.0.0/33", "10.0.0/8", "10.0.0.0/", "::/129", "x"] {
            assert_eq!(Network::read(text), None, "{text}");
        }
    }

    #[test]
    fn arns() {
        assert_eq!(
            arn("arn:aws:sns:eu-west-1:1:a:b"),
            Some(["arn", "aws", "sns", "eu-west-1", "1", "a:b"])
        );
        assert_eq!(
            arn("arn:aws:iam::${a:b}:x"),
            Some(["arn", "aws", "iam", "", "${a:b}", "x"])
        );
        assert_eq!(arn("arn:aws:sns:eu-west-1"), None);
        assert_eq!(arn("arm:aws:sns:eu-west-1:1:a"), None);
    }
}
