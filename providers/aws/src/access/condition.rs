//! Conditions: whether one holds for a request, as far as the request is known.
//!
//! In comes an operator with its key and values, and what is known of a request's context; out
//! goes yes, no, or what it depends on. Operators, and what each makes of a key that the request
//! lacks: IAM User Guide, "IAM JSON policy elements: Condition operators" and "Set operators for
//! multivalued context keys".

use std::collections::{BTreeMap, BTreeSet};

use super::pattern::{Filled, Match, Pattern, glob};
use super::value::{self, Network, Order};
use crate::document::Version;

/// What is known of a request's value for a condition key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    /// Its values.
    Values(BTreeSet<String>),
    /// The request lacks it.
    Absent,
    /// Nothing.
    Unknown,
}

/// What is known of a request's context.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    keys: BTreeMap<String, Given>,
    is_closed: bool,
}

impl Context {
    /// With one value of a key; a second one adds to it.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        let given = self
            .keys
            .entry(key.to_ascii_lowercase())
            .or_insert_with(|| Given::Values(BTreeSet::new()));
        match given {
            Given::Values(values) => {
                values.insert(value.into());
            }
            other => *other = Given::Values(BTreeSet::from([value.into()])),
        }
        self
    }

    /// With a key whose values are none.
    #[must_use]
    pub fn with_no_values(mut self, key: &str) -> Self {
        self.keys
            .insert(key.to_ascii_lowercase(), Given::Values(BTreeSet::new()));
        self
    }

    /// Without a key.
    #[must_use]
    pub fn without(mut self, key: &str) -> Self {
        self.keys.insert(key.to_ascii_lowercase(), Given::Absent);
        self
    }

    /// It lacks every key that isn't said.
    #[must_use]
    pub fn and_nothing_else(mut self) -> Self {
        self.is_closed = true;
        self
    }

    /// What is known of a key.
    pub fn get(&self, key: &str) -> Given {
        match self.keys.get(&key.to_ascii_lowercase()) {
            Some(given) => given.clone(),
            None if self.is_closed => Given::Absent,
            None => Given::Unknown,
        }
    }

    /// A variable's text: what has several values has none.
    pub(super) fn fill(&self, key: &str) -> Filled {
        match self.get(key) {
            Given::Values(values) if values.len() == 1 => values
                .into_iter()
                .next()
                .map_or(Filled::Absent, Filled::Text),
            Given::Values(_) | Given::Absent => Filled::Absent,
            Given::Unknown => Filled::Unknown,
        }
    }
}

/// Yes, no, or what it depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It holds.
    True,
    /// It doesn't.
    False,
    /// It holds or doesn't, depending on these condition keys and facts.
    Depends(BTreeSet<String>),
}

impl Truth {
    /// Whether both hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::False, _) | (_, Self::False) => Self::False,
            (Self::True, rest) | (rest, Self::True) => rest,
            (Self::Depends(mut on), Self::Depends(more)) => {
                on.extend(more);
                Self::Depends(on)
            }
        }
    }

    /// Whether one of both holds.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.not().and(other.not()).not()
    }

    /// Whether it doesn't hold.
    #[must_use]
    #[expect(
        clippy::should_implement_trait,
        reason = "it stands beside `and` and `or`"
    )]
    pub fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            depends @ Self::Depends(_) => depends,
        }
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

impl From<Match> for Truth {
    fn from(found: Match) -> Self {
        match found {
            Match::Yes => Self::True,
            Match::No => Self::False,
            Match::Maybe(on) => Self::Depends(on),
        }
    }
}

// ---- operators

/// Which of a request's values an operator asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Set {
    /// The only one.
    One,
    /// Every one: `ForAllValues:`.
    All,
    /// At least one: `ForAnyValue:`.
    Any,
}

/// How values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Test {
    Equals,
    EqualsIgnoreCase,
    Like,
    Number(Order),
    Date(Order),
    Bool,
    Binary,
    Ip,
    Arn,
    Null,
}

/// A condition operator in its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Operator {
    pub(super) set: Set,
    pub(super) test: Test,
    /// It holds where none of the policy's values match.
    pub(super) is_negated: bool,
    /// It holds where the request lacks the key.
    pub(super) if_exists: bool,
}

impl Operator {
    /// Reads one; `None` is an operator that IAM doesn't have.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (set, rest) = if let Some(rest) = text.strip_prefix("ForAllValues:") {
            (Set::All, rest)
        } else if let Some(rest) = text.strip_prefix("ForAnyValue:") {
            (Set::Any, rest)
        } else {
            (Set::One, text)
        };
        let (base, if_exists) = match rest.strip_suffix("IfExists") {
            Some(base) => (base, true),
            None => (rest, false),
        };
        let (test, is_negated) = match base {
            "StringEquals" => (Test::Equals, false),
            "StringNotEquals" => (Test::Equals, true),
            "StringEqualsIgnoreCase" => (Test::EqualsIgnoreCase, false),
            "StringNotEqualsIgnoreCase" => (Test::EqualsIgnoreCase, true),
            "StringLike" => (Test::Like, false),
            "StringNotLike" => (Test::Like, true),
            "NumericNotEquals" => (Test::Number(Order::Equal), true),
            "DateNotEquals" => (Test::Date(Order::Equal), true),
            "Bool" => (Test::Bool, false),
            "BinaryEquals" => (Test::Binary, false),
            "IpAddress" => (Test::Ip, false),
            "NotIpAddress" => (Test::Ip, true),
            "ArnEquals" | "ArnLike" => (Test::Arn, false),
            "ArnNotEquals" | "ArnNotLike" => (Test::Arn, true),
            "Null" if set == Set::One && !if_exists => (Test::Null, false),
            _ => (ordered(base)?, false),
        };
        Some(Self {
            set,
            test,
            is_negated,
            if_exists,
        })
    }
}

fn ordered(base: &str) -> Option<Test> {
    let (make, rest): (fn(Order) -> Test, &str) = match base.strip_prefix("Numeric") {
        Some(rest) => (Test::Number, rest),
        None => (Test::Date, base.strip_prefix("Date")?),
    };
    let order = match rest {
        "Equals" => Order::Equal,
        "LessThan" => Order::Less,
        "LessThanEquals" => Order::LessOrEqual,
        "GreaterThan" => Order::Greater,
        "GreaterThanEquals" => Order::GreaterOrEqual,
        _ => return None,
    };
    Some(make(order))
}

/// Whether a condition holds. An operator that can't be read never does.
pub(super) fn holds(
    operator: &str,
    key: &str,
    values: &BTreeSet<String>,
    version: Version,
    context: &Context,
) -> Truth {
    let Some(operator) = Operator::read(operator) else {
        return Truth::False;
    };
    let given = context.get(key);
    let own = match given {
        Given::Unknown => return Truth::Depends(BTreeSet::from([key.to_owned()])),
        Given::Absent => BTreeSet::new(),
        Given::Values(own) => own,
    };
    if operator.test == Test::Null {
        // A key without values is one that isn't there.
        let wanted = if own.is_empty() { "true" } else { "false" };
        return any(values.iter().map(|value| {
            let value = Pattern::plain(value, version);
            matches(Test::EqualsIgnoreCase, &value, wanted, context)
        }));
    }
    if own.is_empty() {
        if operator.if_exists && operator.set == Set::Any {
            return Truth::Depends(BTreeSet::from([any_if_exists(key)]));
        }
        let holds = operator.if_exists
            || match operator.set {
                Set::All => true,
                Set::Any => false,
                Set::One => operator.is_negated,
            };
        return holds.into();
    }
    if operator.set == Set::One && own.len() > 1 {
        let why = format!("{key}, which has several values where the operator takes one");
        return Truth::Depends(BTreeSet::from([why]));
    }
    let of_each = own.iter().map(|own| {
        let matched = any(values.iter().map(|value| {
            let value = pattern(operator.test, value, version);
            matches(operator.test, &value, own, context)
        }));
        if operator.is_negated {
            matched.not()
        } else {
            matched
        }
    });
    match operator.set {
        Set::Any => any(of_each),
        Set::All | Set::One => of_each.fold(Truth::True, Truth::and),
    }
}

/// `ForAnyValue:` doesn't hold for a key that the request lacks, and `…IfExists` does: which of
/// both counts isn't told.
pub(super) fn any_if_exists(key: &str) -> String {
    format!(
        "whether `ForAnyValue` or `IfExists` counts where {key} is absent, which AWS's documentation leaves open"
    )
}

fn any(mut all: impl Iterator<Item = Truth>) -> Truth {
    all.try_fold(Truth::False, |sum, one| match sum.or(one) {
        Truth::True => Err(Truth::True),
        rest => Ok(rest),
    })
    .unwrap_or_else(|truth| truth)
}

/// A value of a policy as its operator reads it.
pub(super) fn pattern(test: Test, value: &str, version: Version) -> Pattern {
    match test {
        Test::Like | Test::Arn => Pattern::wild(value, version),
        _ => Pattern::plain(value, version),
    }
}

/// Whether a request's value is what the policy's value asks for.
fn matches(test: Test, value: &Pattern, own: &str, context: &Context) -> Truth {
    let fill = |key: &str| context.fill(key);
    if matches!(test, Test::Equals | Test::Like) {
        return value.matches(own, &fill).into();
    }
    let Some((filled, unknown)) = value.fill(&fill) else {
        return Truth::False;
    };
    if !unknown.is_empty() {
        return Truth::Depends(unknown);
    }
    if test == Test::Arn {
        return arn_matches(&filled, own);
    }
    let Some(text) = filled.literal() else {
        return Truth::False;
    };
    compare(test, &text, own).into()
}

fn compare(test: Test, wanted: &str, own: &str) -> bool {
    let ordered = |order: Order, read: fn(&str) -> Option<i128>| matches!((read(own), read(wanted)), (Some(own), Some(wanted)) if order.holds(own.cmp(&wanted)));
    match test {
        Test::EqualsIgnoreCase => own.to_lowercase() == wanted.to_lowercase(),
        Test::Bool => own.eq_ignore_ascii_case(wanted),
        Test::Number(order) => ordered(order, value::number),
        Test::Date(order) => ordered(order, value::date),
        Test::Ip => {
            matches!((Network::read(own), Network::read(wanted)), (Some(own), Some(wanted)) if wanted.contains(own))
        }
        Test::Equals | Test::Like | Test::Binary | Test::Arn | Test::Null => own == wanted,
    }
}

/// Part by part; wildcards reach no further than theirs.
fn arn_matches(wanted: &Pattern, own: &str) -> Truth {
    use super::pattern::Piece;
    let Some(parts) = value::arn(own) else {
        return Truth::False;
    };
    let wanted_parts: Vec<_> = wanted
        .pieces
        .splitn(6, |piece| *piece == Piece::Char(':'))
        .collect();
    if wanted_parts.len() < parts.len() {
        let whole: Vec<char> = own.chars().collect();
        if !glob(&wanted.pieces, &whole) {
            return Truth::False;
        }
        let on = format!(
            "whether `{}`, which has fewer than six parts, stands for ARNs, which AWS's documentation leaves open",
            wanted.text
        );
        return Truth::Depends(BTreeSet::from([on]));
    }
    let mut all = wanted_parts.iter().zip(parts);
    all.all(|(wanted, own)| glob(wanted, &own.chars().collect::<Vec<_>>()))
        .into()
}

#[cfg(test)]
mod tests;
