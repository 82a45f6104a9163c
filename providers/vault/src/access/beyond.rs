//! What one Acl allows that another doesn't.
//!
//! In come two Acls of one token; out goes every rule of the first that gives more somewhere,
//! with a path where it does. Patterns of both are walked together, segment by segment: all paths
//! that the same patterns match are one state, and each state is looked at once, through a path
//! that stands for it. No path is left out, so no excess is missed; where a comparison can't be
//! made, or the walk would take too long, that is said ([`Finding::Undecided`]).
//!
//! LIST and SCAN are compared as they are looked up, other operations apart from them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::decide::Operation;
use super::grant::Grant;
use super::limits::compare;
use super::pattern::{Pattern, Segment};
use super::{Acl, Broken, Entry, Lookup, Server, foremost, foremost_listing, uncertain};
use crate::policy::CAPABILITIES;

/// How many states a walk may have. Rules without `+` have about two each, so ten thousand of
/// them fit; rules with many `+` multiply, and past this number a plan would wait for seconds.
const STATES_MAX: usize = 50_000;

/// Something that one Acl allows and the other doesn't.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Excess {
    /// The path of the rule that gives it.
    pub path: String,
    /// The policies that give it there.
    pub policies: BTreeSet<String>,
    /// What it gives more of.
    pub capabilities: BTreeSet<&'static str>,
    /// The path of the rule that decides in the other Acl, where there is one.
    pub within: Option<String>,
    /// A path where it is so; `…` stands for any text that no rule has.
    pub example: String,
    /// How it is more.
    pub finding: Finding,
}

/// How something is more.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finding {
    /// The other doesn't allow it there.
    Gained,
    /// The other allows it there under limits that it exceeds; this is an example.
    Looser(String),
    /// Whether it is more couldn't be told, for this reason.
    Undecided(String),
}

impl Acl {
    /// What this allows that `other` doesn't. Both are of one token: what isn't known of its
    /// identity is taken to be the same for both.
    pub fn beyond(&self, other: &Self) -> Vec<Excess> {
        if other.root || self == other {
            return Vec::new();
        }
        if self.root {
            return vec![everything(&["root"], Finding::Gained)];
        }
        if let Some(broken) = self.refusing() {
            return self.beyond_once_taken(broken, other);
        }
        // What every request is refused under allows nothing.
        let nothing = Self {
            server: other.server,
            root: false,
            broken: BTreeSet::new(),
            rules: BTreeMap::new(),
        };
        let other = match other.refusing() {
            None => other,
            Some(_) => &nothing,
        };
        let mut walk = Walk::new(self, other);
        walk.run();
        let mut found: Vec<Excess> = walk.found.into_values().map(|(_, excess)| excess).collect();
        found.extend(uncertain::doubts(self, other, &found));
        found.sort();
        found
    }

    /// What this may allow once the server takes the policy for which it denies everything now.
    fn beyond_once_taken(&self, broken: &Broken, other: &Self) -> Vec<Excess> {
        let mut found = self.once_taken().beyond(&other.once_taken());
        for excess in &mut found {
            if !matches!(excess.finding, Finding::Undecided(_)) {
                excess.finding =
                    Finding::Undecided(format!("it depends on {}", broken.condition()));
            }
        }
        found
    }
}

fn everything(policies: &[&str], finding: Finding) -> Excess {
    Excess {
        path: "*".to_owned(),
        policies: policies.iter().map(ToString::to_string).collect(),
        capabilities: CAPABILITIES
            .iter()
            .copied()
            .filter(|name| *name != "deny")
            .collect(),
        within: None,
        example: "*".to_owned(),
        finding,
    }
}

/// Patterns, by their places in the walk's list, that can still match, and those that match
/// whatever follows.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct State {
    depth: usize,
    live: Vec<usize>,
    settled: Vec<usize>,
}

/// One finding's rule, the other Acl's rule, and the finding.
type Key = (String, Option<String>, Finding);

struct Walk<'a> {
    server: Server,
    patterns: Vec<&'a Pattern>,
    over: Vec<Option<&'a Entry>>,
    under: Vec<Option<&'a Entry>>,
    /// Text that no pattern holds.
    other: String,
    /// Each with the lookup of its example: one by path is preferred to one by LIST.
    found: BTreeMap<Key, (Lookup, Excess)>,
}

impl<'a> Walk<'a> {
    fn new(over: &'a Acl, under: &'a Acl) -> Self {
        let texts: BTreeSet<&String> = over.rules.keys().chain(under.rules.keys()).collect();
        let mut walk = Self {
            server: over.server,
            patterns: Vec::new(),
            over: Vec::new(),
            under: Vec::new(),
            other: unused(&texts),
            found: BTreeMap::new(),
        };
        for text in texts {
            let (mine, theirs) = (over.rules.get(text), under.rules.get(text));
            if let Some(entry) = mine.or(theirs) {
                walk.patterns.push(&entry.pattern);
                walk.over.push(mine);
                walk.under.push(theirs);
            }
        }
        walk
    }

    fn run(&mut self) {
        let start = State {
            live: (0..self.patterns.len()).collect(),
            ..State::default()
        };
        let mut seen = BTreeSet::from([start.clone()]);
        let mut waiting = VecDeque::from([(start, String::new())]);
        while let Some((state, path)) = waiting.pop_front() {
            let below = |segment: &str| {
                if state.depth == 0 {
                    segment.to_owned()
                } else {
                    format!("{path}/{segment}")
                }
            };
            let ways = self.ways(&state);
            for segment in ways.segments(&self.other) {
                let next = ways.step(&state, &segment);
                if (next.live.is_empty() && next.settled.is_empty()) || seen.contains(&next) {
                    continue;
                }
                let path = below(&segment);
                self.visit(&next, &path);
                seen.insert(next.clone());
                waiting.push_back((next, path));
            }
            // A path may end with a slash, and goes on after none: the server redirects `//`.
            if state.depth > 0 {
                let next = ways.step(&state, "");
                self.judge(Lookup::Plain, &self.matched(&next), &[], &below(""));
            }
            if seen.len() > STATES_MAX {
                let why = format!(
                    "the rules with `+` and `*` overlap in more than {STATES_MAX} ways, which is where comparing them stops"
                );
                let excess = everything(&[], Finding::Undecided(why));
                let key = (excess.path.clone(), None, excess.finding.clone());
                self.found.insert(key, (Lookup::Plain, excess));
                return;
            }
        }
    }

    /// The ways on from a state.
    fn ways(&self, state: &State) -> Ways<'a> {
        let mut ways = Ways::default();
        for index in &state.live {
            let Some(pattern) = self.patterns.get(*index) else {
                continue;
            };
            match (pattern.segments.get(state.depth), &pattern.tail) {
                (Some(Segment::Any), _) => ways.any.push(*index),
                (Some(Segment::Literal(text)), _) => {
                    ways.texts.entry(text).or_default().push(*index);
                }
                (None, Some(tail)) => ways.tails.entry(tail).or_default().push(*index),
                (None, None) => {}
            }
        }
        ways
    }

    /// The patterns that match a path that ends here.
    fn matched(&self, state: &State) -> Vec<usize> {
        let ended = state.live.iter().copied().filter(|index| {
            self.patterns.get(*index).is_some_and(|pattern| {
                pattern.tail.is_none() && pattern.segments.len() == state.depth
            })
        });
        ended.chain(state.settled.iter().copied()).collect()
    }

    fn visit(&mut self, state: &State, path: &str) {
        let here = self.matched(state);
        self.judge(Lookup::Plain, &here, &[], path);
        let with_slash = self.matched(&self.ways(state).step(state, ""));
        self.judge(Lookup::Listing, &with_slash, &here, &format!("{path}/"));
    }

    /// Compares what decides where these patterns match the path, and those the path without the
    /// slash at its end.
    fn judge(&mut self, lookup: Lookup, at: &[usize], cut: &[usize], path: &str) {
        let decides = |all: &[Option<&'a Entry>]| match lookup {
            Lookup::Plain => foremost(&entries(all, at)),
            Lookup::Listing => foremost_listing(&entries(all, at), &entries(all, cut)),
        };
        let Some(over) = decides(&self.over) else {
            return;
        };
        let under = decides(&self.under);
        let within = under.map(|entry| entry.path().to_owned());
        for (capability, policies) in &over.grant.capabilities {
            let Some(finding) = self.compare(lookup, capability, &over.grant, under) else {
                continue;
            };
            let key = (over.path().to_owned(), within.clone(), finding.clone());
            let excess = Excess {
                path: over.path().to_owned(),
                policies: BTreeSet::new(),
                capabilities: BTreeSet::new(),
                within: within.clone(),
                example: path.to_owned(),
                finding,
            };
            let (shown, excess) = self.found.entry(key).or_insert((lookup, excess));
            if lookup < *shown {
                *shown = lookup;
                path.clone_into(&mut excess.example);
            }
            excess.capabilities.insert(capability);
            excess.policies.extend(policies.iter().cloned());
        }
    }

    /// How one capability is more, if it is.
    fn compare(
        &self,
        lookup: Lookup,
        capability: &'static str,
        over: &Grant,
        under: Option<&Entry>,
    ) -> Option<Finding> {
        let lists = ["list", "scan"];
        let judged = match (lookup, capability) {
            (_, "deny") => false,
            (Lookup::Plain, name) => !lists.contains(&name),
            // It is of use where there is something to list.
            (Lookup::Listing, "sudo") => lists
                .iter()
                .any(|name| over.capabilities.contains_key(name)),
            (Lookup::Listing, name) => lists.contains(&name),
        };
        if !judged {
            return None;
        }
        match under {
            Some(under) if under.grant.capabilities.contains_key(capability) => {
                let operation = Operation::that_takes(capability)?;
                compare(&over.limits, &under.grant.limits, operation, self.server)
            }
            _ => Some(Finding::Gained),
        }
    }
}

/// Which patterns go on with which segments.
#[derive(Default)]
struct Ways<'a> {
    any: Vec<usize>,
    texts: BTreeMap<&'a str, Vec<usize>>,
    tails: BTreeMap<&'a str, Vec<usize>>,
}

impl Ways<'_> {
    /// One segment for each way in which the next can match, but for an empty one: each text,
    /// each beginning that a `*` follows with something no pattern goes on with, and that alone.
    fn segments(&self, other: &str) -> BTreeSet<String> {
        self.texts
            .keys()
            .filter(|text| !text.is_empty())
            .map(ToString::to_string)
            .chain(self.tails.keys().map(|tail| format!("{tail}{other}")))
            .chain([other.to_owned()])
            .collect()
    }

    fn step(&self, state: &State, segment: &str) -> State {
        let mut live = self.any.clone();
        live.extend(self.texts.get(segment).into_iter().flatten());
        live.sort_unstable();
        let mut settled = state.settled.clone();
        for end in (0..=segment.len()).filter(|end| segment.is_char_boundary(*end)) {
            let tail = segment.get(..end).unwrap_or_default();
            settled.extend(self.tails.get(tail).into_iter().flatten());
        }
        settled.sort_unstable();
        State {
            // Without a live pattern all depths are one.
            depth: if live.is_empty() {
                usize::MAX
            } else {
                state.depth.saturating_add(1)
            },
            live,
            settled,
        }
    }
}

/// The rules of one Acl among those that match.
fn entries<'a>(all: &[Option<&'a Entry>], matched: &[usize]) -> Vec<&'a Entry> {
    matched
        .iter()
        .filter_map(|index| all.get(*index).copied().flatten())
        .collect()
}

/// A letter that stands in no pattern, so that no pattern tells it from another.
fn unused(texts: &BTreeSet<&String>) -> String {
    std::iter::once('…')
        .chain('\u{e000}'..='\u{f8ff}')
        .find(|c| !texts.iter().any(|text| text.contains(*c)))
        .unwrap_or('…')
        .to_string()
}
