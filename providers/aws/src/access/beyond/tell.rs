//! What was found, as it is told.
//!
//! In come places where a rule gives more; out come excesses: the actions and resources by their
//! narrowest patterns, together where they are alike, an example, and how sure it is.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::access::{Certainty, Excess, Permission};

use super::super::formula::{Atom, Formula, Literal};
use super::super::pattern::{OTHER, Pattern};
use super::super::{Rule, sentence};
use super::{BEFORE, Comparison, Numbered, Places, Table};
use crate::document::{Effect, Selection};

/// What an action begins with that stands for all that a policy gives which couldn't be read.
pub(crate) const WHATEVER: &str = "whatever ";

/// Numbers of patterns; `None` is what no pattern matches.
type Numbers = BTreeSet<Option<usize>>;

/// A resource for each number of a pattern of resources.
type Examples = BTreeMap<Option<usize>, String>;

/// By number of a pattern of actions.
type Shown = BTreeMap<Option<usize>, Examples>;

impl<'a> Comparison<'a> {
    /// What was found, as it is told.
    pub(super) fn excesses(&self, places: Places) -> Vec<Excess> {
        let giving: BTreeMap<usize, &Numbered<'a>> = self.giving().collect();
        if places.is_cut {
            let why = "the patterns overlap in too many ways to compare them";
            let all = giving.values().map(|rule| Excess {
                permission: permission(rule.rule),
                example: None,
                certainty: Certainty::Undecided(why.to_owned()),
            });
            return ordered(all.collect());
        }
        let more: BTreeSet<(usize, Option<usize>)> = places
            .found
            .keys()
            .map(|place| (place.rule, place.action))
            .collect();
        let mut within = places.within;
        within.retain(|(rule, action)| !more.contains(&(*rule, Some(*action))));
        let mut by: BTreeMap<(usize, Certainty), Shown> = BTreeMap::new();
        for (place, example) in places.found {
            by.entry((place.rule, place.certainty))
                .or_default()
                .entry(place.action)
                .or_default()
                .entry(place.resource)
                .or_insert(example);
        }
        let mut all = Vec::new();
        for ((number, certainty), shown) in by {
            let Some(rule) = giving.get(&number) else {
                continue;
            };
            let mut alike: BTreeMap<Numbers, (Numbers, Examples)> = BTreeMap::new();
            for (action, resources) in shown {
                let (actions, _) = alike
                    .entry(resources.keys().copied().collect())
                    .or_insert_with(|| (BTreeSet::new(), resources));
                actions.insert(action);
            }
            for (actions, resources) in alike.into_values() {
                let permission = self.permission(rule, &actions, &resources, number, &within);
                let example = example(&permission, &resources);
                all.push(Excess {
                    permission,
                    example,
                    certainty: certainty.clone(),
                });
            }
        }
        ordered(all)
    }

    fn permission(
        &self,
        rule: &Numbered<'a>,
        actions: &Numbers,
        resources: &Examples,
        number: usize,
        within: &BTreeSet<(usize, usize)>,
    ) -> Permission {
        let whole = permission(rule.rule);
        if rule.rule.is_unread {
            return whole;
        }
        let mut conditions = whole.conditions;
        let shown = widest(&self.actions, actions.iter().copied(), &whole.actions);
        for (own, except) in within {
            let Some(except) = self
                .actions
                .patterns
                .get(*except)
                .filter(|_| *own == number)
            else {
                continue;
            };
            let is_part = shown.iter().any(|text| {
                let all = Pattern::action(text);
                all.contains(except) && !except.contains(&all)
            });
            if is_part {
                conditions.insert(format!("but not {}", except.text));
            }
        }
        Permission {
            actions: shown,
            resources: widest(&self.resources, resources.keys().copied(), &whole.resources),
            conditions,
            sources: whole.sources,
        }
    }
}

/// The texts of patterns, without those that are within another; where there is none, all
/// that the rule names.
fn widest(
    table: &Table,
    numbers: impl Iterator<Item = Option<usize>>,
    whole: &BTreeSet<String>,
) -> BTreeSet<String> {
    let numbers: Numbers = numbers.collect();
    if numbers.contains(&None) {
        return whole.clone();
    }
    let patterns: Vec<&Pattern> = numbers
        .iter()
        .flatten()
        .filter_map(|number| table.patterns.get(*number))
        .collect();
    let is_within = |one: &Pattern| {
        patterns
            .iter()
            .any(|other| other.pieces != one.pieces && other.contains(one))
    };
    patterns
        .iter()
        .filter(|one| !is_within(one))
        .map(|one| one.text.clone())
        .collect()
}

fn example(shown: &Permission, resources: &Examples) -> Option<String> {
    let readable = |text: &&String| !text.starts_with(OTHER) && !text.contains(['*', '?']);
    let text = resources.values().find(readable)?;
    (!shown.resources.contains(text)).then(|| text.clone())
}

/// How sure it is that a rule gives more, from facts under which it does.
pub(super) fn certainty(
    rule: &Numbered<'_>,
    literals: &[Literal],
    own: &Formula,
    under: &Formula,
) -> Certainty {
    for (atom, holds) in literals {
        match (atom, holds) {
            (Atom::Unknown(Effect::Deny, policy), true) => {
                return Certainty::Undecided(format!("what {policy} denies isn't known here"));
            }
            (Atom::Open(what), _) => return Certainty::Undecided(what.clone()),
            (Atom::Unknown(Effect::Allow, policy), _) => {
                return Certainty::Undecided(format!("what {policy} allows isn't known here"));
            }
            _ => {}
        }
    }
    if *under == Formula::FALSE {
        return if rule.rule.is_unread {
            Certainty::Undecided(format!("what {} allows isn't known here", rule.rule.policy))
        } else {
            Certainty::Surely
        };
    }
    let limits = || literals.iter().filter(|(atom, _)| mentions(under, atom));
    for (limit, limit_holds) in limits() {
        for (atom, holds) in literals {
            if limit_holds != holds && !limit.is_told_from(atom) && limit != atom {
                return Certainty::Undecided(format!(
                    "how `{}` and `{}` relate can't be told",
                    sentence::atom(atom),
                    sentence::atom(limit)
                ));
            }
        }
    }
    for (atom, _) in literals.iter().filter(|(_, holds)| *holds) {
        let beside = |(limit, holds): &&Literal| !holds && limit.may_cover_in_part(atom);
        if limits().filter(beside).count() > 1 {
            return Certainty::Undecided(format!(
                "whether `{}` is all within several conditions together can't be told",
                sentence::atom(atom)
            ));
        }
    }
    let mut how: BTreeSet<String> = limits()
        .filter(|(atom, _)| !mentions(own, atom))
        .map(|(atom, holds)| {
            let word = if *holds { "where" } else { "without" };
            format!("{word} {}", sentence::atom(atom).replace(BEFORE, ""))
        })
        .collect();
    if how.is_empty() {
        how.insert("under other conditions".to_owned());
    }
    Certainty::Looser(how.into_iter().collect::<Vec<_>>().join(" and "))
}

fn mentions(formula: &Formula, wanted: &Atom) -> bool {
    match formula {
        Formula::Is(atom, _) => atom == wanted,
        Formula::And(parts) | Formula::Or(parts) => parts.iter().any(|part| mentions(part, wanted)),
    }
}

/// All that a rule gives, other rules aside.
pub(crate) fn permission(rule: &Rule) -> Permission {
    let sources = BTreeSet::from([rule.source.clone()]);
    if rule.is_unread {
        return Permission {
            actions: BTreeSet::from([format!("{WHATEVER}{} gives", rule.policy)]),
            resources: BTreeSet::from(["*".to_owned()]),
            conditions: BTreeSet::new(),
            sources,
        };
    }
    let named = |selection: &Selection<Vec<Pattern>>| -> BTreeSet<String> {
        let texts = selection.named().iter().map(|one| one.text.clone());
        match selection {
            Selection::Only(_) => texts.collect(),
            Selection::AllBut(_) => {
                let all: Vec<String> = texts.collect();
                BTreeSet::from([format!("all but {}", all.join(", "))])
            }
        }
    };
    Permission {
        actions: named(&rule.actions),
        resources: named(&rule.resources),
        conditions: sentence::conditions(&rule.conditions, rule.version),
        sources,
    }
}

fn ordered(mut all: Vec<Excess>) -> Vec<Excess> {
    all.sort();
    all.dedup();
    all
}
