//! Paths and ARNs with wildcards: whether two can mean one thing, and which environment one is
//! named after.

use std::collections::BTreeSet;

use remit_sdk::declaration::Environment;

/// Whether some path is meant by both: `*` at the end stands for any rest, `+` for one segment.
pub(super) fn overlap(one: &str, other: &str) -> bool {
    let (mut left, mut right) = (one.split('/').peekable(), other.split('/').peekable());
    loop {
        let (a, b) = match (left.next(), right.next()) {
            (Some(a), Some(b)) => (a, b),
            (None, None | Some("*")) | (Some("*"), None) => return true,
            (Some(_), None) | (None, Some(_)) => return false,
        };
        let a_ends = a.strip_suffix('*').filter(|_| left.peek().is_none());
        let b_ends = b.strip_suffix('*').filter(|_| right.peek().is_none());
        match (a_ends, b_ends) {
            (Some(a), Some(b)) => return a.starts_with(b) || b.starts_with(a) || is_plus(a, b),
            (Some(a), None) => return b.starts_with(a) || b == "+",
            (None, Some(b)) => return a.starts_with(b) || a == "+",
            (None, None) if a == b || is_plus(a, b) => {}
            (None, None) => return false,
        }
    }
}

fn is_plus(a: &str, b: &str) -> bool {
    a == "+" || b == "+"
}

/// The words of a name, a path or an ARN: what stands between other characters than letters and
/// digits.
pub(super) fn words(text: &str) -> Vec<&str> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect()
}

/// The environments whose names stand among `words`. Where names overlap the longest counts:
/// `eu-prod` isn't also named after `prod`.
pub(super) fn named<'e>(
    words: &[&str],
    environments: &[(Vec<&str>, &'e Environment)],
) -> Vec<&'e Environment> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = words.get(at..).filter(|rest| !rest.is_empty()) {
        let longest = environments
            .iter()
            .filter(|(name, _)| !name.is_empty() && rest.starts_with(name))
            .max_by_key(|(name, _)| name.len());
        match longest {
            Some((name, environment)) => {
                found.push(*environment);
                at += name.len();
            }
            None => at += 1,
        }
    }
    found
}

/// `read, list`.
pub(super) fn list(all: &BTreeSet<String>) -> String {
    let words: Vec<String> = all.iter().map(|one| remit_sdk::text::safe(one)).collect();
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_overlap() {
        for (one, other, expected) in [
            ("a/b", "a/b", true),
            ("a/b", "a/c", false),
            ("a/*", "a/c", true),
            ("a/*", "a/c/d", true),
            ("a/*", "b/c", false),
            ("a/b*", "a/bc", true),
            ("a/b*", "a/c*", false),
            ("a/b*", "a/bc*", true),
            ("a/+/c", "a/b/c", true),
            ("a/+/c", "a/b/d", false),
            ("a/+", "a/b*", true),
            ("a/b", "a/b/c", false),
            ("*", "a/b", true),
            ("a/b/*", "a/b", true),
        ] {
            assert_eq!(overlap(one, other), expected, "{one} {other}");
            assert_eq!(overlap(other, one), expected, "{other} {one}");
        }
    }
}
