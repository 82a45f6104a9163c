//! Conditions as formulas, for comparing what two sets of policies allow.
//!
//! In come conditions and patterns; out go formulas over atoms, facts that a request decides, and
//! whether several formulas can hold together. What is known of atoms is how each two of them
//! relate: `aws:SourceIp in 10.1.0.0/16` implies `… in 10.0.0.0/8`. Where nothing is known, two
//! atoms are free of each other, so a request that can't be may be found, and none is missed.

use std::collections::BTreeSet;

use super::condition::{Operator, Set, Test};
use super::pattern::{Pattern, Piece};
use super::value::{self, Network, Order};
use crate::document::{Conditions, Effect, Version};

/// How many choices a search may make. Statements of one policy have few conditions, and past
/// this the answer is that it couldn't be told.
const CHOICES_MAX: usize = 20_000;

/// Keys of the `aws:` family that have several values. Others of it have one.
const MULTIVALUED: &[&str] = &[
    "aws:calledvia",
    "aws:principalorgpaths",
    "aws:principalservicenameslist",
    "aws:resourceorgpaths",
    "aws:sourceorgpaths",
    "aws:tagkeys",
];

/// A fact that a request decides.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Atom {
    /// The request lacks the key.
    Null(String),
    /// The request's value of the key is what the pattern asks for.
    Value {
        set: Set,
        test: Test,
        key: String,
        value: Pattern,
    },
    /// All of the request's values of the key are what one of the patterns asks for.
    All {
        test: Test,
        key: String,
        values: BTreeSet<Pattern>,
    },
    /// The resource is what a pattern with variables asks for.
    Resource(Pattern),
    /// What the documentation leaves open, in words.
    Open(String),
    /// A policy that isn't known allows this, or denies it.
    Unknown(Effect, String),
}

/// A formula.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Formula {
    /// An atom that holds, or doesn't.
    Is(Atom, bool),
    /// All hold; none is always.
    And(Vec<Formula>),
    /// One holds; none is never.
    Or(Vec<Formula>),
}

/// An atom and whether it holds.
pub(super) type Literal = (Atom, bool);

impl Formula {
    pub(super) const TRUE: Self = Self::And(Vec::new());
    pub(super) const FALSE: Self = Self::Or(Vec::new());

    pub(super) fn not(self) -> Self {
        let all = |all: Vec<Self>| all.into_iter().map(Self::not).collect();
        match self {
            Self::Is(atom, holds) => Self::Is(atom, !holds),
            Self::And(parts) => Self::Or(all(parts)),
            Self::Or(parts) => Self::And(all(parts)),
        }
    }

    pub(super) fn and(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut kept = Vec::new();
        for part in parts {
            match part {
                part if part == Self::FALSE => return Self::FALSE,
                Self::And(more) => kept.extend(more),
                part => kept.push(part),
            }
        }
        Self::And(kept)
    }

    pub(super) fn or(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut kept = Vec::new();
        for part in parts {
            match part {
                part if part == Self::TRUE => return Self::TRUE,
                Self::Or(more) => kept.extend(more),
                part => kept.push(part),
            }
        }
        Self::Or(kept)
    }
}

/// A statement's conditions as a formula. `rename` gives a key the name under which it is
/// compared.
pub(super) fn of_conditions(
    conditions: &Conditions,
    version: Version,
    rename: &dyn Fn(&str) -> String,
) -> Formula {
    let mut all = Vec::new();
    for (operator, keys) in conditions {
        // It never holds.
        let Some(operator) = Operator::read(operator) else {
            return Formula::FALSE;
        };
        for (key, values) in keys {
            let key = rename(&key.as_str().to_ascii_lowercase());
            all.push(of_condition(operator, &key, values, version, rename));
        }
    }
    Formula::and(all)
}

fn of_condition(
    operator: Operator,
    key: &str,
    values: &BTreeSet<String>,
    version: Version,
    rename: &dyn Fn(&str) -> String,
) -> Formula {
    let null = || Formula::Is(Atom::Null(key.to_owned()), true);
    let test = operator.test;
    if test == Test::Null {
        return Formula::or(
            values
                .iter()
                .map(|value| match value.to_ascii_lowercase().as_str() {
                    "true" => null(),
                    "false" => null().not(),
                    _ => Formula::FALSE,
                }),
        );
    }
    let patterns = values.iter().map(|value| {
        let mut pattern = super::condition::pattern(test, value, version);
        pattern.rename(rename);
        pattern
    });
    // A negated operator over all values is the opposite of one over any value, and the other way
    // round.
    let set = match (operator.set, operator.is_negated) {
        (Set::All, true) => Set::Any,
        (Set::Any, true) => Set::All,
        (set, _) => set,
    };
    let found = if set == Set::All {
        let atom = Atom::All {
            test,
            key: key.to_owned(),
            values: patterns.collect(),
        };
        Formula::Is(atom, true)
    } else {
        Formula::or(patterns.map(|value| {
            let atom = Atom::Value {
                set,
                test,
                key: key.to_owned(),
                value,
            };
            Formula::Is(atom, true)
        }))
    };
    let found = if operator.is_negated {
        found.not()
    } else {
        found
    };
    if operator.if_exists && operator.set == Set::Any {
        let open = Atom::Open(super::condition::any_if_exists(key));
        Formula::or([Formula::and([null(), Formula::Is(open, true)]), found])
    } else if operator.if_exists {
        Formula::or([null(), found])
    } else {
        found
    }
}

// ---- how atoms relate

impl Atom {
    fn key(&self) -> Option<&str> {
        match self {
            Self::Null(key) | Self::Value { key, .. } | Self::All { key, .. } => Some(key),
            Self::Resource(_) | Self::Open(_) | Self::Unknown(..) => None,
        }
    }

    /// Whether it can't hold without the other; never claimed where it can.
    pub(super) fn implies(&self, other: &Self) -> bool {
        if self == other {
            return true;
        }
        match (self, other) {
            (Self::Null(key), Self::All { key: other, .. }) => key == other,
            (Self::Resource(narrow), Self::Resource(wide)) => wide.contains(narrow),
            (
                Self::Value {
                    set,
                    test,
                    key,
                    value,
                },
                Self::Value {
                    set: other_set,
                    test: other_test,
                    key: other_key,
                    value: other,
                },
            ) => {
                set == other_set && key == other_key && is_within(*test, value, *other_test, other)
            }
            (
                Self::All { test, key, values },
                Self::All {
                    test: other_test,
                    key: other_key,
                    values: others,
                },
            ) => {
                key == other_key
                    && values.iter().all(|value| {
                        others
                            .iter()
                            .any(|other| is_within(*test, value, *other_test, other))
                    })
            }
            _ => false,
        }
    }

    /// Whether it can't hold together with the other; never claimed where it can.
    pub(super) fn excludes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null(null), Self::Value { key, .. })
            | (Self::Value { key, .. }, Self::Null(null)) => null == key,
            (
                Self::Value {
                    set: Set::One,
                    test,
                    key,
                    value,
                },
                Self::Value {
                    set: Set::One,
                    test: other_test,
                    key: other_key,
                    value: other,
                },
            ) => {
                key == other_key && has_one_value(key) && is_apart(*test, value, *other_test, other)
            }
            _ => false,
        }
    }

    /// Whether it may be one of several that cover the other together.
    pub(super) fn may_cover_in_part(&self, other: &Self) -> bool {
        let (
            Self::Value {
                set,
                test,
                key,
                value,
            },
            Self::Value {
                set: other_set,
                test: other_test,
                key: other_key,
                value: other,
            },
        ) = (self, other)
        else {
            return false;
        };
        // One value is all or nothing of what the other takes.
        let is_part = match test {
            Test::Like => !value.is_literal(),
            Test::Number(order) | Test::Date(order) => *order != Order::Equal,
            Test::Ip | Test::Arn => true,
            _ => false,
        };
        set == other_set
            && key == other_key
            && is_part
            && family(*test) == family(*other_test)
            && !is_apart(*test, value, *other_test, other)
    }

    /// Whether how it relates to the other is known for sure.
    pub(super) fn is_told_from(&self, other: &Self) -> bool {
        if self.key() != other.key() {
            return !matches!((self, other), (Self::Resource(_), Self::Resource(_)));
        }
        let plain = |pattern: &Pattern| !pattern.has_variables();
        match (self, other) {
            (Self::Null(_) | Self::Open(_) | Self::Unknown(..), _) | (_, Self::Null(_)) => true,
            (
                Self::Value {
                    set, test, value, ..
                },
                Self::Value {
                    set: other_set,
                    test: other_test,
                    value: other,
                    ..
                },
            ) => {
                set == other_set
                    && family(*test) == family(*other_test)
                    && plain(value)
                    && plain(other)
            }
            _ => false,
        }
    }
}

/// Tests whose values compare with each other.
fn family(test: Test) -> u8 {
    match test {
        Test::Equals | Test::EqualsIgnoreCase | Test::Like => 0,
        Test::Number(_) => 1,
        Test::Date(_) => 2,
        Test::Bool => 3,
        Test::Binary => 4,
        Test::Ip => 5,
        Test::Arn => 6,
        Test::Null => 7,
    }
}

fn has_one_value(key: &str) -> bool {
    key.starts_with("aws:") && !MULTIVALUED.contains(&key)
}

fn is_within(test: Test, value: &Pattern, other_test: Test, other: &Pattern) -> bool {
    let same = value.pieces == other.pieces;
    match (test, other_test) {
        (Test::Equals, Test::Equals) | (Test::Binary, Test::Binary) => same,
        (Test::Equals | Test::Like, Test::Like) => other.contains(value),
        (Test::Equals | Test::EqualsIgnoreCase, Test::EqualsIgnoreCase) => {
            same || same_ignoring_case(value, other)
        }
        // A pattern without wildcards is one value.
        (Test::Like, Test::Equals) => same && value.is_literal(),
        (Test::Like, Test::EqualsIgnoreCase) => same_ignoring_case(value, other),
        (Test::Bool, Test::Bool) => same || same_ignoring_case(value, other),
        (Test::Number(_) | Test::Date(_), Test::Number(_) | Test::Date(_)) => {
            (test == other_test && same)
                || matches!((range(test, value), range(other_test, other)), (Some(narrow), Some(wide))
                    if family(test) == family(other_test) && holds_range(wide, narrow))
        }
        (Test::Ip, Test::Ip) => {
            same || matches!((network(value), network(other)), (Some(narrow), Some(wide)) if wide.contains(narrow))
        }
        (Test::Arn, Test::Arn) => same || arn_within(value, other),
        _ => false,
    }
}

fn is_apart(test: Test, value: &Pattern, other_test: Test, other: &Pattern) -> bool {
    let both = |one: &Pattern, two: &Pattern| Some((one.literal()?, two.literal()?));
    match (test, other_test) {
        (Test::Equals | Test::Like, Test::Equals | Test::Like) => {
            !value.has_variables() && !other.has_variables() && !value.overlaps(other)
        }
        (Test::Equals | Test::EqualsIgnoreCase, Test::Equals | Test::EqualsIgnoreCase)
        | (Test::Bool, Test::Bool) => {
            both(value, other).is_some_and(|(one, two)| one.to_lowercase() != two.to_lowercase())
        }
        (Test::Number(_), Test::Number(_)) | (Test::Date(_), Test::Date(_)) => {
            matches!((range(test, value), range(other_test, other)), (Some(one), Some(two)) if are_apart(one, two))
        }
        (Test::Ip, Test::Ip) => {
            matches!((network(value), network(other)), (Some(one), Some(two)) if !one.contains(two) && !two.contains(one))
        }
        _ => false,
    }
}

fn same_ignoring_case(one: &Pattern, two: &Pattern) -> bool {
    matches!((one.literal(), two.literal()), (Some(one), Some(two)) if one.to_lowercase() == two.to_lowercase())
}

type Range = (Option<i128>, Option<i128>);

fn range(test: Test, value: &Pattern) -> Option<Range> {
    let text = value.literal()?;
    match test {
        Test::Number(order) => Some(order.range(value::number(&text)?)),
        Test::Date(order) => Some(order.range(value::date(&text)?)),
        _ => None,
    }
}

fn holds_range(wide: Range, narrow: Range) -> bool {
    wide.0
        .is_none_or(|wide| narrow.0.is_some_and(|narrow| narrow >= wide))
        && wide
            .1
            .is_none_or(|wide| narrow.1.is_some_and(|narrow| narrow <= wide))
}

fn are_apart(one: Range, two: Range) -> bool {
    let before =
        |one: Range, two: Range| matches!((one.1, two.0), (Some(end), Some(start)) if end < start);
    before(one, two) || before(two, one)
}

fn network(value: &Pattern) -> Option<Network> {
    Network::read(&value.literal()?)
}

/// Part by part, as ARNs of conditions are compared.
fn arn_within(narrow: &Pattern, wide: &Pattern) -> bool {
    let part = |pieces: &[Piece]| Pattern {
        text: String::new(),
        pieces: pieces.to_vec(),
    };
    let split = |pattern: &Pattern| -> Vec<Pattern> {
        pattern
            .pieces
            .splitn(6, |piece| *piece == Piece::Char(':'))
            .map(part)
            .collect()
    };
    let (narrow, wide) = (split(narrow), split(wide));
    narrow.len() == 6
        && wide.len() == 6
        && wide
            .iter()
            .zip(&narrow)
            .all(|(wide, narrow)| wide.contains(narrow))
}

fn conflict(one: &Literal, two: &Literal) -> bool {
    match (one, two) {
        ((one, true), (two, true)) => one.excludes(two),
        ((one, true), (two, false)) | ((two, false), (one, true)) => one.implies(two),
        ((_, false), (_, false)) => false,
    }
}

// ---- whether formulas can hold together

/// What a search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// They can, as with these.
    Together(Vec<Literal>),
    /// They can't.
    Never,
    /// There are too many ways to look at.
    TooMany,
}

/// Whether formulas can hold together.
pub(super) fn together<'f>(formulas: impl IntoIterator<Item = &'f Formula>) -> Found {
    let mut search = Search { choices: 0 };
    let waiting: Vec<&Formula> = formulas.into_iter().collect();
    match search.run(waiting, &mut Vec::new()) {
        Ok(Some(found)) => Found::Together(found),
        Ok(None) => Found::Never,
        Err(TooMany) => Found::TooMany,
    }
}

struct TooMany;

struct Search {
    choices: usize,
}

impl Search {
    fn run<'f>(
        &mut self,
        mut waiting: Vec<&'f Formula>,
        held: &mut Vec<Literal>,
    ) -> Result<Option<Vec<Literal>>, TooMany> {
        let mut choices: Vec<&'f [Formula]> = Vec::new();
        let before = held.len();
        while let Some(formula) = waiting.pop() {
            match formula {
                Formula::And(parts) => waiting.extend(parts),
                Formula::Or(parts) => match parts.as_slice() {
                    [only] => waiting.push(only),
                    parts => choices.push(parts),
                },
                Formula::Is(atom, holds) => {
                    let literal = (atom.clone(), *holds);
                    if held.iter().any(|other| conflict(other, &literal)) {
                        held.truncate(before);
                        return Ok(None);
                    }
                    if !held.contains(&literal) {
                        held.push(literal);
                    }
                }
            }
        }
        // The one with the fewest ways first.
        choices.sort_by_key(|parts| std::cmp::Reverse(parts.len()));
        let Some(parts) = choices.pop() else {
            let found = held.clone();
            held.truncate(before);
            return Ok(Some(found));
        };
        let rest: Vec<Formula> = choices
            .iter()
            .map(|parts| Formula::Or(parts.to_vec()))
            .collect();
        for part in parts {
            self.choices += 1;
            if self.choices > CHOICES_MAX {
                return Err(TooMany);
            }
            let waiting = rest.iter().chain([part]).collect();
            if let Some(found) = self.run(waiting, held)? {
                held.truncate(before);
                return Ok(Some(found));
            }
        }
        held.truncate(before);
        Ok(None)
    }
}

#[cfg(test)]
mod tests;
