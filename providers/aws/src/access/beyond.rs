//! What one set of policies allows that another doesn't.
//!
//! In come two sets of policies of one identity; out goes every statement of the first that gives
//! more somewhere, with a resource where it does. The patterns of both are walked together: all
//! actions that the same patterns match are one case, all resources likewise, and in each case
//! the conditions of both are compared as formulas. No case is left out, so no excess is missed;
//! what can't be told is said ([`Certainty::Undecided`]).

mod tell;

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::access::{Certainty, Excess};

use super::formula::{self, Atom, Formula, Found};
use super::pattern::{Pattern, Piece, Reach, signatures};
use super::{Holdings, Layer, Rule};
use crate::document::{Effect, Selection};

/// How many cases are looked at. The largest policies have some ten thousand.
const CASES_MAX: usize = 100_000;

/// What marks a condition key whose value isn't the same on both sides.
const BEFORE: &str = " before";

/// What `over` allows that `under` doesn't. `changed` are condition keys, in lower case, that may
/// have another value on the other side.
pub(super) fn beyond(over: &Holdings, under: &Holdings, changed: &BTreeSet<String>) -> Vec<Excess> {
    if over == under && changed.is_empty() {
        return Vec::new();
    }
    let (over, under) = (over.layers(), under.layers());
    let mut compared = Comparison::new(&over.0, &under.0, changed);
    compared.leave_out_covered();
    if compared.giving().next().is_none() {
        return Vec::new();
    }
    let mut found = compared.run(Reach::Across);
    if compared
        .resources
        .patterns
        .iter()
        .any(Pattern::is_ambiguous)
    {
        let sure = found.shown();
        let mut more = compared.run(Reach::Segment);
        more.keep_others(&sure);
        found.extend(more);
    }
    compared.excesses(found)
}

/// Patterns, each once.
#[derive(Default)]
struct Table {
    patterns: Vec<Pattern>,
    by: BTreeMap<Vec<Piece>, usize>,
}

impl Table {
    fn number(&mut self, pattern: &Pattern) -> usize {
        let next = self.patterns.len();
        let number = *self.by.entry(pattern.pieces.clone()).or_insert(next);
        if number == next {
            self.patterns.push(pattern.clone());
        }
        number
    }

    fn numbers(&mut self, selection: &Selection<Vec<Pattern>>) -> Selection<Vec<usize>> {
        let numbers = selection
            .named()
            .iter()
            .map(|one| self.number(one))
            .collect();
        match selection {
            Selection::Only(_) => Selection::Only(numbers),
            Selection::AllBut(_) => Selection::AllBut(numbers),
        }
    }

    /// The narrowest of several.
    fn narrowest(&self, numbers: &BTreeSet<usize>) -> Option<usize> {
        numbers.iter().copied().min_by(|one, two| {
            let (Some(a), Some(b)) = (self.patterns.get(*one), self.patterns.get(*two)) else {
                return std::cmp::Ordering::Equal;
            };
            match (a.contains(b), b.contains(a)) {
                (true, false) => std::cmp::Ordering::Greater,
                (false, true) => std::cmp::Ordering::Less,
                _ => b.pieces.len().cmp(&a.pieces.len()),
            }
        })
    }
}

/// A rule whose patterns are numbers.
#[derive(Clone)]
struct Numbered<'a> {
    rule: &'a Rule,
    actions: Selection<Vec<usize>>,
    resources: Selection<Vec<usize>>,
    /// Its resources, with the keys of variables as they are compared.
    named: Selection<Vec<Pattern>>,
    conditions: Formula,
}

impl Numbered<'_> {
    /// Whether it is about all that another rule is about; never claimed where it isn't.
    fn covers(&self, narrow: &Self) -> bool {
        has_all(&self.rule.actions, &narrow.rule.actions)
            && has_all(&self.named, &narrow.named)
            && formula::together([&narrow.conditions, &self.conditions.clone().not()])
                == Found::Never
    }

    fn is_about_action(&self, matched: &BTreeSet<usize>) -> bool {
        let named = self.actions.named().iter().any(|one| matched.contains(one));
        matches!(self.actions, Selection::Only(_)) == named
    }

    /// When it is about a resource that these patterns match.
    fn formula(&self, table: &Table, matched: &BTreeSet<usize>) -> Formula {
        let named = self
            .resources
            .named()
            .iter()
            .filter(|one| matched.contains(one));
        let named = Formula::or(named.map(|one| match table.patterns.get(*one) {
            Some(pattern) if pattern.has_variables() => {
                Formula::Is(Atom::Resource(pattern.clone()), true)
            }
            _ => Formula::TRUE,
        }));
        let named = match self.resources {
            Selection::Only(_) => named,
            Selection::AllBut(_) => named.not(),
        };
        Formula::and([named, self.conditions.clone()])
    }
}

/// Whether one of these rules that allow covers another.
fn is_covered(narrow: &Numbered<'_>, all: &[Numbered<'_>]) -> bool {
    all.iter()
        .any(|wide| wide.rule.effect == Effect::Allow && wide.covers(narrow))
}

fn all_covered(narrow: &[Numbered<'_>], wide: &[Numbered<'_>]) -> bool {
    narrow
        .iter()
        .filter(|one| one.rule.effect == Effect::Allow)
        .all(|one| is_covered(one, wide))
}

/// Whether a selection has all of another, however far wildcards reach.
fn has_all(wide: &Selection<Vec<Pattern>>, narrow: &Selection<Vec<Pattern>>) -> bool {
    let takes = |wide: &Pattern, narrow: &Pattern| {
        wide.pieces == narrow.pieces || (!wide.is_ambiguous() && wide.contains(narrow))
    };
    match (wide, narrow) {
        (Selection::Only(wide), Selection::Only(narrow)) => narrow
            .iter()
            .all(|narrow| wide.iter().any(|wide| takes(wide, narrow))),
        _ => wide == narrow,
    }
}

/// One side's rules, by layer.
type Side<'a> = Vec<(Layer, Vec<Numbered<'a>>)>;

struct Comparison<'a> {
    actions: Table,
    resources: Table,
    over: Side<'a>,
    under: Side<'a>,
    /// Rules that give no more, which is seen without a walk: their numbers.
    covered: BTreeSet<usize>,
}

/// A place where a rule gives more: its number, the narrowest patterns there, and how sure it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    rule: usize,
    action: Option<usize>,
    resource: Option<usize>,
    certainty: Certainty,
}

/// A rule that gives more for some actions: its number, the narrowest pattern of resources, how
/// sure it is, and a resource.
type Case = (usize, Option<usize>, Certainty, String);

/// The places that were found, each with a resource, and the actions where nothing more is given.
#[derive(Default)]
struct Places {
    found: BTreeMap<Place, String>,
    /// By rule: the narrowest patterns of actions that it gives without giving more.
    within: BTreeSet<(usize, usize)>,
    is_cut: bool,
}

impl Places {
    fn shown(&self) -> BTreeSet<(usize, Option<usize>, Option<usize>)> {
        let key = |place: &Place| (place.rule, place.action, place.resource);
        self.found.keys().map(key).collect()
    }

    fn keep_others(&mut self, sure: &BTreeSet<(usize, Option<usize>, Option<usize>)>) {
        let why = "whether a wildcard reaches across a colon is left open by AWS's documentation";
        self.found = std::mem::take(&mut self.found)
            .into_iter()
            .filter(|(place, _)| !sure.contains(&(place.rule, place.action, place.resource)))
            .map(|(place, example)| {
                let certainty = Certainty::Undecided(why.to_owned());
                (Place { certainty, ..place }, example)
            })
            .collect();
    }

    fn extend(&mut self, more: Self) {
        self.is_cut |= more.is_cut;
        for (place, example) in more.found {
            self.found.entry(place).or_insert(example);
        }
    }
}

impl<'a> Comparison<'a> {
    fn new(
        over: &'a [(Layer, Vec<Rule>)],
        under: &'a [(Layer, Vec<Rule>)],
        changed: &BTreeSet<String>,
    ) -> Self {
        let (mut actions, mut resources) = (Table::default(), Table::default());
        let same = |key: &str| key.to_owned();
        let before = |key: &str| {
            if changed.contains(key) {
                format!("{key}{BEFORE}")
            } else {
                key.to_owned()
            }
        };
        // Every action has a service and a name.
        actions.number(&Pattern::action("?*:?*"));
        let mut side = |layers: &'a [(Layer, Vec<Rule>)], rename: &dyn Fn(&str) -> String| {
            let mut all = Side::new();
            for (layer, rules) in layers {
                let rules = rules.iter().map(|rule| {
                    let mut renamed = rule.resources.clone();
                    for pattern in renamed.named_mut() {
                        pattern.rename(rename);
                    }
                    let conditions = formula::of_conditions(&rule.conditions, rule.version, rename);
                    let unknown = rule.is_unread.then(|| {
                        Formula::Is(Atom::Unknown(rule.effect, rule.policy.clone()), true)
                    });
                    Numbered {
                        rule,
                        actions: actions.numbers(&rule.actions),
                        resources: resources.numbers(&renamed),
                        named: renamed,
                        conditions: Formula::and([conditions].into_iter().chain(unknown)),
                    }
                });
                all.push((*layer, rules.collect()));
            }
            all
        };
        let (over, under) = (side(over, &same), side(under, &before));
        Self {
            actions,
            resources,
            over,
            under,
            covered: BTreeSet::new(),
        }
    }

    /// Finds the rules that one rule of the other side covers, where nothing else is narrower
    /// there. Most statements of a role don't change, and need no walk.
    fn leave_out_covered(&mut self) {
        let of = |side: &'_ Side<'a>, layer: Layer| side.iter().position(|(own, _)| *own == layer);
        let denies = |side: &'_ Side<'a>| -> Vec<Numbered<'a>> {
            let rules = side.iter().flat_map(|(_, rules)| rules);
            rules
                .filter(|one| one.rule.effect == Effect::Deny)
                .cloned()
                .collect()
        };
        let (over_denies, under_denies) = (denies(&self.over), denies(&self.under));
        let denied_still = under_denies
            .iter()
            .all(|narrow| over_denies.iter().any(|wide| wide.covers(narrow)));
        let limited_still = self
            .under
            .iter()
            .filter(|(layer, _)| *layer != Layer::Identity)
            .all(|(layer, wide)| {
                let narrow = of(&self.over, *layer).and_then(|at| self.over.get(at));
                narrow.is_some_and(|(_, narrow)| all_covered(narrow, wide))
            });
        if !denied_still || !limited_still {
            return;
        }
        let own = of(&self.under, Layer::Identity).and_then(|at| self.under.get(at));
        let Some((_, own)) = own else {
            return;
        };
        self.covered = self
            .giving()
            .filter(|(_, narrow)| is_covered(narrow, own))
            .map(|(number, _)| number)
            .collect();
    }

    /// The rules that give something, by number.
    fn giving(&self) -> impl Iterator<Item = (usize, &Numbered<'a>)> {
        let own = self
            .over
            .iter()
            .filter(|(layer, _)| *layer == Layer::Identity);
        own.flat_map(|(_, rules)| rules)
            .enumerate()
            .filter(|(number, one)| {
                one.rule.effect == Effect::Allow && !self.covered.contains(number)
            })
    }

    fn run(&mut self, reach: Reach) -> Places {
        let mut places = Places::default();
        let all: Vec<&Pattern> = self.actions.patterns.iter().collect();
        let Some(cases) = signatures(&all, Reach::Across, None) else {
            places.is_cut = true;
            return places;
        };
        // What was found for the same rules: they are all that counts.
        let mut known: BTreeMap<Vec<bool>, Vec<Case>> = BTreeMap::new();
        let mut left = CASES_MAX;
        for mut matched in cases.into_keys() {
            if !matched.remove(&0) {
                continue;
            }
            let about: Vec<bool> = [&self.over, &self.under]
                .into_iter()
                .flatten()
                .flat_map(|(_, rules)| rules)
                .map(|one| one.is_about_action(&matched))
                .collect();
            if !known.contains_key(&about) {
                let Some(found) = self.resources(&matched, reach, &mut left) else {
                    places.is_cut = true;
                    return places;
                };
                known.insert(about.clone(), found);
            }
            let found = known.get(&about).map_or(&[][..], Vec::as_slice);
            let action = self.actions.narrowest(&matched);
            for (rule, resource, certainty, example) in found {
                let place = Place {
                    rule: *rule,
                    action,
                    resource: *resource,
                    certainty: certainty.clone(),
                };
                places.found.entry(place).or_insert_with(|| example.clone());
            }
            for (number, rule) in self.giving() {
                let gives_more = found.iter().any(|(rule, ..)| *rule == number);
                if let Some(action) = action
                    && !gives_more
                    && rule.is_about_action(&matched)
                {
                    places.within.insert((number, action));
                }
            }
        }
        places
    }

    /// Where more is given, for the actions that these patterns match.
    fn resources(
        &self,
        actions: &BTreeSet<usize>,
        reach: Reach,
        left: &mut usize,
    ) -> Option<Vec<Case>> {
        let mut found = Vec::new();
        if !self.giving().any(|(_, rule)| rule.is_about_action(actions)) {
            return Some(found);
        }
        let used: BTreeSet<usize> = [&self.over, &self.under]
            .into_iter()
            .flatten()
            .flat_map(|(_, rules)| rules)
            .filter(|rule| rule.is_about_action(actions))
            .flat_map(|rule| rule.resources.named().iter().copied())
            .collect();
        let used: Vec<usize> = used
            .into_iter()
            .filter(|number| self.counts(*number, actions))
            .collect();
        let patterns: Vec<&Pattern> = used
            .iter()
            .filter_map(|number| self.resources.patterns.get(*number))
            .collect();
        for (matched, example) in signatures(&patterns, reach, None)? {
            *left = left.checked_sub(1)?;
            let matched: BTreeSet<usize> = matched
                .iter()
                .filter_map(|place| used.get(*place).copied())
                .collect();
            let resource = self.resources.narrowest(&matched);
            for (rule, certainty) in self.case(actions, &matched) {
                let key = (rule, resource, certainty, example.clone());
                if !found
                    .iter()
                    .any(|(rule, at, sure, _)| (rule, at, sure) == (&key.0, &key.1, &key.2))
                {
                    found.push(key);
                }
            }
        }
        Some(found)
    }

    /// Whether a pattern of resources meets what the rules that give something are about.
    fn counts(&self, number: usize, actions: &BTreeSet<usize>) -> bool {
        let Some(pattern) = self.resources.patterns.get(number) else {
            return false;
        };
        let mut giving = self
            .giving()
            .filter(|(_, rule)| rule.is_about_action(actions));
        giving.any(|(_, rule)| match &rule.named {
            Selection::Only(all) => all.iter().any(|own| own.overlaps(pattern)),
            Selection::AllBut(_) => true,
        })
    }

    /// The rules that give more in one case.
    fn case(
        &self,
        actions: &BTreeSet<usize>,
        resources: &BTreeSet<usize>,
    ) -> Vec<(usize, Certainty)> {
        let allowed = |side: &Side<'a>| -> (Vec<Formula>, Formula) {
            let about = |effect: Effect, layer: Option<Layer>| {
                side.iter()
                    .filter(|(own, _)| layer.is_none_or(|layer| layer == *own))
                    .flat_map(|(_, rules)| rules)
                    .filter(|rule| rule.rule.effect == effect && rule.is_about_action(actions))
                    .map(|rule| rule.formula(&self.resources, resources))
                    .collect::<Vec<_>>()
            };
            let allows = side
                .iter()
                .map(|(layer, _)| Formula::or(about(Effect::Allow, Some(*layer))))
                .collect();
            (allows, Formula::or(about(Effect::Deny, None)).not())
        };
        let (over, over_undenied) = allowed(&self.over);
        let (under, under_undenied) = allowed(&self.under);
        let under = Formula::and(under.into_iter().chain([under_undenied]));
        let beyond = under.clone().not();
        let mut found = Vec::new();
        for (number, rule) in self.giving() {
            if !rule.is_about_action(actions) {
                continue;
            }
            let own = rule.formula(&self.resources, resources);
            let others = over.iter().skip(1);
            let all = [&own, &over_undenied, &beyond].into_iter().chain(others);
            match formula::together(all) {
                Found::Never => {}
                Found::TooMany => {
                    let why = "the conditions combine in too many ways";
                    found.push((number, Certainty::Undecided(why.to_owned())));
                }
                Found::Together(literals) => {
                    found.push((number, tell::certainty(rule, &literals, &own, &under)));
                }
            }
        }
        found
    }
}

pub(super) use tell::{WHATEVER, permission};

#[cfg(test)]
mod tests;
