//! Patterns of actions, resources and condition values, with `*`, `?` and policy variables.
//!
//! In comes the text of one; out go whether it matches a text, whether one pattern takes all that
//! another takes, and every way in which several of them can match together. Wildcards and
//! variables: IAM User Guide, "IAM JSON policy elements: Resource" and "IAM policy elements:
//! Variables and tags".
//!
//! A `*` at the end of an ARN's segment reaches across colons; whether one elsewhere does, AWS's
//! documentation leaves open, so both are looked at ([`Reach`]).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::document::Version;

/// How many places a walk may look at, over all its states: the largest policies stay below, and
/// patterns with many `*` each could otherwise multiply without end.
const PLACES_MAX: usize = 150_000;

/// Stands for any text that no pattern has.
pub(super) const OTHER: char = '…';

/// A piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Piece {
    /// Stands for itself.
    Char(char),
    /// `?`: one character.
    One,
    /// `*`: any number of them.
    Any,
    /// `${key}` or `${key, 'default'}`: text that the request holds.
    Variable(Variable),
}

/// A policy variable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Variable {
    /// The condition key, in lower case.
    pub(super) key: String,
    /// What stands for it where the request lacks the key.
    pub(super) default: Option<String>,
}

/// How far a `*` inside a segment reaches, and a `?`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    /// Across colons.
    Across,
    /// Within its segment.
    Segment,
}

/// A pattern.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pattern {
    /// As it was written.
    pub(super) text: String,
    pub(super) pieces: Vec<Piece>,
}

/// A request's value for a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Filled {
    /// Its text.
    Text(String),
    /// There is none, so nothing matches.
    Absent,
    /// It isn't known.
    Unknown,
}

/// Whether a pattern matches a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Match {
    /// It does.
    Yes,
    /// It doesn't.
    No,
    /// It may, depending on these.
    Maybe(BTreeSet<String>),
}

impl Pattern {
    /// An action, which counts without regard to case and has no variables.
    pub(super) fn action(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            pieces: pieces(&text.to_ascii_lowercase(), true, false),
        }
    }

    /// A resource or a value with wildcards.
    pub(super) fn wild(text: &str, version: Version) -> Self {
        Self {
            text: text.to_owned(),
            pieces: pieces(text, true, version == Version::V2012),
        }
    }

    /// A value in which `*` and `?` stand for themselves.
    pub(super) fn plain(text: &str, version: Version) -> Self {
        Self {
            text: text.to_owned(),
            pieces: pieces(text, false, version == Version::V2012),
        }
    }

    /// The keys of its variables.
    pub(super) fn variables(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Variable(variable) => Some(variable.key.as_str()),
            _ => None,
        })
    }

    /// Gives its variables the names under which their keys are compared.
    pub(super) fn rename(&mut self, rename: &dyn Fn(&str) -> String) {
        for piece in &mut self.pieces {
            if let Piece::Variable(variable) = piece {
                variable.key = rename(&variable.key);
            }
        }
    }

    /// Whether the request decides what it is.
    pub(super) fn has_variables(&self) -> bool {
        self.variables().next().is_some()
    }

    /// Whether it is one text.
    pub(super) fn is_literal(&self) -> bool {
        self.pieces
            .iter()
            .all(|piece| matches!(piece, Piece::Char(_)))
    }

    /// Its text, if it is one.
    pub(super) fn literal(&self) -> Option<String> {
        self.pieces
            .iter()
            .map(|piece| match piece {
                Piece::Char(c) => Some(*c),
                _ => None,
            })
            .collect()
    }

    /// Whether how far its wildcards reach can make a difference.
    pub(super) fn is_ambiguous(&self) -> bool {
        self.pieces.iter().enumerate().any(|(at, piece)| {
            *piece == Piece::One || (*piece == Piece::Any && !ends_segment(&self.pieces, at))
        })
    }

    /// The same with its variables filled in. A value's own `*` and `?` stand for themselves.
    /// Those that aren't known are told, and any text stands for them.
    pub(super) fn fill(&self, value: &dyn Fn(&str) -> Filled) -> Option<(Self, BTreeSet<String>)> {
        let mut unknown = BTreeSet::new();
        let mut filled = Vec::new();
        for piece in &self.pieces {
            let Piece::Variable(variable) = piece else {
                filled.push(piece.clone());
                continue;
            };
            match (value(&variable.key), &variable.default) {
                (Filled::Text(text), _) => filled.extend(text.chars().map(Piece::Char)),
                (Filled::Absent, Some(text)) => filled.extend(text.chars().map(Piece::Char)),
                (Filled::Absent, None) => return None,
                (Filled::Unknown, _) => {
                    unknown.insert(variable.key.clone());
                    filled.push(Piece::Any);
                }
            }
        }
        let pattern = Self {
            text: self.text.clone(),
            pieces: filled,
        };
        Some((pattern, unknown))
    }

    /// Whether it matches, with the values that a request has for variables.
    pub(super) fn matches(&self, text: &str, value: &dyn Fn(&str) -> Filled) -> Match {
        let Some((filled, unknown)) = self.fill(value) else {
            return Match::No;
        };
        let text: Vec<char> = text.chars().collect();
        if !glob(&filled.pieces, &text) {
            Match::No
        } else if unknown.is_empty() {
            Match::Yes
        } else {
            Match::Maybe(unknown)
        }
    }

    /// Whether it matches wherever its wildcards end.
    pub(super) fn matches_within_segments(&self, text: &str) -> bool {
        signatures(&[self], Reach::Segment, Some(text))
            .is_some_and(|found| found.keys().any(|matched| !matched.is_empty()))
    }

    /// Whether it takes all that `narrow` takes: never claimed where it isn't so.
    pub(super) fn contains(&self, narrow: &Self) -> bool {
        glob_over(&self.pieces, &narrow.pieces)
    }

    /// Whether some text may match both; a variable may be any text.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        // Places of both that one text leads to.
        let mut seen = BTreeSet::from([(0, 0)]);
        let mut waiting = vec![(0, 0)];
        while let Some((at, other_at)) = waiting.pop() {
            let (one, two) = (self.pieces.get(at), other.pieces.get(other_at));
            let any =
                |piece: Option<&Piece>| matches!(piece, Some(Piece::Any | Piece::Variable(_)));
            let next = match (one, two) {
                (None, None) => return true,
                _ if any(one) => vec![(at + 1, other_at), (at, other_at + 1)],
                _ if any(two) => vec![(at, other_at + 1), (at + 1, other_at)],
                (Some(Piece::Char(one)), Some(Piece::Char(two))) if one != two => Vec::new(),
                (Some(_), Some(_)) => vec![(at + 1, other_at + 1)],
                _ => Vec::new(),
            };
            for place in next {
                let is_within = place.0 <= self.pieces.len() && place.1 <= other.pieces.len();
                if is_within && seen.insert(place) {
                    waiting.push(place);
                }
            }
        }
        false
    }
}

/// The pieces of a text.
fn pieces(text: &str, wild: bool, variables: bool) -> Vec<Piece> {
    let mut all: Vec<Piece> = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let inner = variables.then(|| inner(rest)).flatten();
        let piece = match (c, inner) {
            (_, Some((inner, after))) => {
                rest = after;
                variable(inner)
            }
            (c, None) => {
                rest = rest.get(c.len_utf8()..).unwrap_or_default();
                match c {
                    '*' if wild => Piece::Any,
                    '?' if wild => Piece::One,
                    c => Piece::Char(c),
                }
            }
        };
        if piece != Piece::Any || all.last() != Some(&Piece::Any) {
            all.push(piece);
        }
    }
    all
}

/// What stands in `${…}` at the beginning, and what follows.
fn inner(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix("${")?.split_once('}')
}

fn variable(inner: &str) -> Piece {
    match inner {
        "*" => Piece::Char('*'),
        "?" => Piece::Char('?'),
        "$" => Piece::Char('$'),
        _ => {
            let (key, default) = match inner.split_once(',') {
                Some((key, default)) => (key, Some(default)),
                None => (inner, None),
            };
            Piece::Variable(Variable {
                key: key.trim().to_ascii_lowercase(),
                default: default.map(|text| text.trim().trim_matches('\'').to_owned()),
            })
        }
    }
}

/// Whether the piece at this place is the last of its segment.
fn ends_segment(pieces: &[Piece], at: usize) -> bool {
    matches!(
        pieces.get(at.saturating_add(1)),
        None | Some(Piece::Char(':'))
    )
}

/// Whether pieces match a text, with wildcards that reach across colons.
pub(super) fn glob(pieces: &[Piece], text: &[char]) -> bool {
    let letters: Vec<Piece> = text.iter().copied().map(Piece::Char).collect();
    glob_over(pieces, &letters)
}

/// The same over pieces: a `*` of `narrow` is within a `*` alone, its `?` within `?` and `*`, and
/// a variable within itself and `*`.
fn glob_over(wide: &[Piece], narrow: &[Piece]) -> bool {
    let (mut at_wide, mut at_narrow) = (0, 0);
    // After the last `*` of `wide`, and how much of `narrow` it takes.
    let mut star: Option<(usize, usize)> = None;
    while let Some(piece) = narrow.get(at_narrow) {
        let matches = match (wide.get(at_wide), piece) {
            (Some(Piece::Any), _) => {
                at_wide += 1;
                star = Some((at_wide, at_narrow));
                continue;
            }
            (Some(Piece::One), Piece::Char(_) | Piece::One) => true,
            (Some(wide), piece) => wide == piece,
            (None, _) => false,
        };
        if matches {
            at_wide += 1;
            at_narrow += 1;
            continue;
        }
        let Some((after_star, taken)) = &mut star else {
            return false;
        };
        *taken += 1;
        (at_wide, at_narrow) = (*after_star, *taken);
    }
    wide.get(at_wide..)
        .is_some_and(|rest| rest.iter().all(|piece| *piece == Piece::Any))
}

// ---- several patterns together

/// Where each pattern may be: its number and its next piece.
type Places = BTreeSet<(usize, usize)>;

struct Walk<'a> {
    patterns: &'a [&'a Pattern],
    reach: Reach,
}

impl Walk<'_> {
    fn piece(&self, (number, at): (usize, usize)) -> Option<&Piece> {
        self.patterns.get(number)?.pieces.get(at)
    }

    /// Whether the wildcard at this place takes the character.
    fn takes(&self, place: (usize, usize), c: char) -> bool {
        if c != ':' || self.reach == Reach::Across {
            return true;
        }
        match self.piece(place) {
            // Its value may hold a colon.
            Some(Piece::Variable(_)) => true,
            Some(Piece::Any) => self
                .patterns
                .get(place.0)
                .is_some_and(|pattern| ends_segment(&pattern.pieces, place.1)),
            _ => false,
        }
    }

    fn is_star(&self, place: (usize, usize)) -> bool {
        matches!(self.piece(place), Some(Piece::Any | Piece::Variable(_)))
    }

    /// With the places behind wildcards that take nothing, and without those that a later `*`
    /// makes up for.
    fn close(&self, places: Places) -> Places {
        let mut all = Places::new();
        let mut waiting: Vec<(usize, usize)> = places.into_iter().collect();
        while let Some(place) = waiting.pop() {
            if all.insert(place) && self.is_star(place) {
                waiting.push((place.0, place.1 + 1));
            }
        }
        let mut last: BTreeMap<usize, usize> = BTreeMap::new();
        for (number, at) in &all {
            if self.is_star((*number, *at)) && self.takes((*number, *at), ':') {
                last.insert(*number, *at);
            }
        }
        all.retain(|(number, at)| last.get(number).is_none_or(|star| at >= star));
        all
    }

    fn step(&self, places: &Places, c: char) -> Places {
        let mut next = Places::new();
        for place in places {
            match self.piece(*place) {
                Some(Piece::Char(own)) if *own == c => {
                    next.insert((place.0, place.1 + 1));
                }
                Some(Piece::One) if self.takes(*place, c) => {
                    next.insert((place.0, place.1 + 1));
                }
                Some(Piece::Any | Piece::Variable(_)) if self.takes(*place, c) => {
                    next.insert(*place);
                }
                _ => {}
            }
        }
        self.close(next)
    }

    /// The characters that make a difference here.
    fn ways(&self, places: &Places) -> BTreeSet<char> {
        let own = places.iter().filter_map(|place| match self.piece(*place) {
            Some(Piece::Char(c)) => Some(*c),
            _ => None,
        });
        let colon = (self.reach == Reach::Segment).then_some(':');
        own.chain(colon).chain([OTHER]).collect()
    }

    fn matched(&self, places: &Places) -> BTreeSet<usize> {
        places
            .iter()
            .filter(|(number, at)| {
                self.patterns
                    .get(*number)
                    .is_some_and(|pattern| pattern.pieces.len() == *at)
            })
            .map(|(number, _)| *number)
            .collect()
    }
}

/// Every set of patterns that match one text together and alone, each with such a text; with
/// `only`, the one of that text. A variable may be any text. `None` where there are too many ways
/// to look at.
pub(super) fn signatures(
    patterns: &[&Pattern],
    reach: Reach,
    only: Option<&str>,
) -> Option<BTreeMap<BTreeSet<usize>, String>> {
    let walk = Walk { patterns, reach };
    let start = walk.close((0..patterns.len()).map(|number| (number, 0)).collect());
    if let Some(text) = only {
        let end = text.chars().fold(start, |places, c| walk.step(&places, c));
        return Some(BTreeMap::from([(walk.matched(&end), text.to_owned())]));
    }
    let mut found: BTreeMap<BTreeSet<usize>, String> = BTreeMap::new();
    let mut left = PLACES_MAX;
    let mut seen = BTreeSet::from([start.clone()]);
    let mut waiting = VecDeque::from([(start, String::new())]);
    while let Some((places, text)) = waiting.pop_front() {
        for c in walk.ways(&places) {
            let next = walk.step(&places, c);
            let longer = format!("{text}{c}");
            let matched = walk.matched(&next);
            found.entry(matched).or_insert_with(|| longer.clone());
            if !next.is_empty() && seen.insert(next.clone()) {
                left = left.checked_sub(next.len())?;
                waiting.push_back((next, longer));
            }
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests;
