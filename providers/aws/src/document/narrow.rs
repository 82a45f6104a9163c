//! Whether a change of a policy only takes away, which needs no second look.
//!
//! In come two texts, before and after; out goes true only where everything that is allowed after
//! was allowed before. It is sound and incomplete: where that can't be told, the answer is false.
//! Each statement is held against single statements of the other side, never against several
//! together, and patterns are compared piece by piece, which is right whether a `*` reaches across
//! colons or not: AWS's documentation says both.

use std::collections::BTreeSet;

use super::compare::{meaning, resolve_both};
use super::{
    Conditions, Document, Effect, PrincipalKind, Principals, RESOURCE_SIZE_MAX, Selection,
    Statement, Version, check,
};
use crate::arn;

/// Whether everything that `after` allows was allowed by `before`. An empty text is a policy that
/// isn't there.
///
/// Every statement that allows must be within one that allowed, and every one that denied must be
/// within one that denies still.
pub fn narrows(before: &str, after: &str) -> bool {
    if before == after {
        return true;
    }
    // Comparing patterns costs the product of the lengths, and no policy of AWS is longer.
    if [before, after]
        .iter()
        .any(|text| super::size(text) > RESOURCE_SIZE_MAX)
    {
        return false;
    }
    match (or_nothing(before), or_nothing(after)) {
        (Some(mut before), Some(mut after)) => {
            resolve_both(&mut before, &mut after);
            is_within(&after, &before)
        }
        _ => false,
    }
}

fn or_nothing(text: &str) -> Option<Document> {
    if text.trim().is_empty() {
        return Some(Document::of([]));
    }
    meaning(text)
}

fn is_within(after: &Document, before: &Document) -> bool {
    // A variable is plain text in the older language, and in one document of the two it may be.
    let modern = after.version == Version::V2012 && before.version == Version::V2012;
    if !modern && (after.has_variables() || before.has_variables()) {
        return false;
    }
    let with = |document: &'_ Document, effect| -> Vec<Statement> {
        let all = document.statements.iter();
        all.filter(|statement| statement.effect == effect)
            .cloned()
            .collect()
    };
    let allowed = with(before, Effect::Allow);
    let denying = with(after, Effect::Deny);
    with(after, Effect::Allow)
        .iter()
        .all(|narrow| allowed.iter().any(|wide| covers(wide, narrow)))
        && with(before, Effect::Deny)
            .iter()
            .all(|narrow| denying.iter().any(|wide| covers(wide, narrow)))
}

impl Document {
    fn has_variables(&self) -> bool {
        self.compact().contains("${")
    }
}

/// Whether every request that `narrow` is about, `wide` is about too.
fn covers(wide: &Statement, narrow: &Statement) -> bool {
    principals_cover(wide.principals.as_ref(), narrow.principals.as_ref())
        && patterns_cover(&lower(&wide.actions), &lower(&narrow.actions))
        && match (&wide.resources, &narrow.resources) {
            (None, None) => true,
            (Some(wide), Some(narrow)) => patterns_cover(wide, narrow),
            _ => false,
        }
        && conditions_cover(&wide.conditions, &narrow.conditions)
}

fn principals_cover(
    wide: Option<&Selection<Principals>>,
    narrow: Option<&Selection<Principals>>,
) -> bool {
    /// Whether `wide` names all that `narrow` names; `*` stands for every one of AWS's.
    fn names(wide: &Principals, narrow: &Principals, everybody: bool) -> bool {
        narrow.iter().all(|(kind, all)| {
            wide.get(kind).is_some_and(|wide| {
                (everybody && *kind == PrincipalKind::Aws && wide.contains("*"))
                    || all.is_subset(wide)
            })
        })
    }
    match (wide, narrow) {
        (None, None) => true,
        (Some(Selection::Only(wide)), Some(Selection::Only(narrow))) => names(wide, narrow, true),
        (Some(Selection::AllBut(wide)), Some(Selection::AllBut(narrow))) => {
            names(narrow, wide, false)
        }
        _ => false,
    }
}

fn lower(selection: &Selection<BTreeSet<super::Folded>>) -> Selection<BTreeSet<String>> {
    let all = selection.named().iter();
    let all = all.map(|text| text.as_str().to_ascii_lowercase()).collect();
    match selection {
        Selection::Only(_) => Selection::Only(all),
        Selection::AllBut(_) => Selection::AllBut(all),
    }
}

fn patterns_cover(
    wide: &Selection<BTreeSet<String>>,
    narrow: &Selection<BTreeSet<String>>,
) -> bool {
    /// Whether each of `narrow` is within one of `wide`.
    fn within(wide: &BTreeSet<String>, narrow: &BTreeSet<String>) -> bool {
        narrow
            .iter()
            .all(|narrow| wide.iter().any(|wide| contains(wide, narrow)))
    }
    match (wide, narrow) {
        (Selection::Only(wide), Selection::Only(narrow)) => within(wide, narrow),
        (Selection::AllBut(wide), Selection::AllBut(narrow)) => within(narrow, wide),
        (Selection::Only(wide), Selection::AllBut(_)) => wide.contains("*"),
        (Selection::AllBut(_), Selection::Only(_)) => false,
    }
}

/// Whether `narrow` asks for all that `wide` asks for, or for more.
fn conditions_cover(wide: &Conditions, narrow: &Conditions) -> bool {
    wide.iter().all(|(operator, keys)| {
        let base = check::base_operator(operator);
        keys.iter().all(|(key, wide)| {
            let narrow = narrow.get(operator).and_then(|keys| keys.get(key));
            narrow.is_some_and(|narrow| {
                if base == "Null" {
                    narrow == wide
                } else if base.contains("Not") {
                    // None of the values may match, so more of them ask for more.
                    wide.is_subset(narrow)
                } else {
                    narrow.is_subset(wide)
                }
            })
        })
    })
}

// ---- patterns

/// A piece of a pattern.
#[derive(Debug, PartialEq)]
enum Token<'a> {
    /// Stands for itself.
    Char(char),
    /// `?`: one character.
    One,
    /// `*`: any number of them.
    Any,
    /// `${…}`: text that isn't known, but is the same wherever the variable stands.
    Variable(&'a str),
}

/// Whether all that the pattern `narrow` matches, `wide` matches: part by part between colons,
/// where a `*` at the very end also takes the parts that follow.
fn contains(wide: &str, narrow: &str) -> bool {
    let (mut wide, mut narrow) = (wide, narrow);
    loop {
        match (arn::colon(wide), arn::colon(narrow)) {
            (Some((wide_part, wide_rest)), Some((narrow_part, narrow_rest))) => {
                if !part_contains(&tokens(wide_part), &tokens(narrow_part)) {
                    return false;
                }
                (wide, narrow) = (wide_rest, narrow_rest);
            }
            (Some(_), None) => return false,
            (None, None) => return part_contains(&tokens(wide), &tokens(narrow)),
            (None, Some((narrow_part, _))) => {
                let wide = tokens(wide);
                return wide.last() == Some(&Token::Any)
                    && part_contains(&wide, &tokens(narrow_part));
            }
        }
    }
}

/// The pieces of a pattern.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut all = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let variable = rest
            .starts_with("${")
            .then(|| rest.find('}'))
            .flatten()
            .and_then(|end| rest.split_at_checked(end + 1));
        let (token, after) = match (c, variable) {
            (_, Some((variable, after))) => (Token::Variable(variable), after),
            (c, None) => {
                let token = match c {
                    '*' => Token::Any,
                    '?' => Token::One,
                    c => Token::Char(c),
                };
                (token, rest.get(c.len_utf8()..).unwrap_or_default())
            }
        };
        all.push(token);
        rest = after;
    }
    all
}

/// The same within one part. The pieces of `narrow` are taken as letters: its `*` is only within
/// a `*`, its `?` within a `?` or a `*`. A variable may hold a colon, which a `*` that isn't the
/// last piece may not reach across.
fn part_contains(wide: &[Token<'_>], narrow: &[Token<'_>]) -> bool {
    let mut at_wide = 0;
    let mut at_narrow = 0;
    // After the last `*` of `wide`, and how much of `narrow` it takes.
    let mut star: Option<(usize, usize)> = None;
    while let Some(piece) = narrow.get(at_narrow) {
        let matches = match (wide.get(at_wide), piece) {
            (Some(Token::Any), _) => {
                at_wide += 1;
                star = Some((at_wide, at_narrow));
                continue;
            }
            (Some(Token::One), Token::Char(_) | Token::One) => true,
            (Some(wide), piece) => wide == piece,
            (None, _) => false,
        };
        if matches {
            at_wide += 1;
            at_narrow += 1;
            continue;
        }
        let Some((after_star, taken)) = star else {
            return false;
        };
        let is_last = after_star == wide.len();
        if matches!(narrow.get(taken), Some(Token::Variable(_))) && !is_last {
            return false;
        }
        star = Some((after_star, taken + 1));
        at_wide = after_star;
        at_narrow = taken + 1;
    }
    wide.get(at_wide..)
        .is_some_and(|rest| rest.iter().all(|token| *token == Token::Any))
}

#[cfg(test)]
mod tests;
