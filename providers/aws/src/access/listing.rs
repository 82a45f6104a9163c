//! All that an identity may do in effect.
//!
//! In come its policies; out go permissions, each what one statement gives within the boundary
//! and the session's policies, and without what is denied. Where an overlap has no words of its
//! own, the permission is listed with the limit as a condition, so nothing is listed without its
//! limits and nothing is left out.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::access::{Permission, Source};

use super::beyond;
use super::pattern::Pattern;
use super::{Holdings, Layer, Rule};
use crate::document::{Effect, Selection};

/// Actions, resources and conditions.
type Words = (BTreeSet<String>, BTreeSet<String>, BTreeSet<String>);

/// What an identity may do, ordered.
pub(super) fn permissions(holdings: &Holdings) -> Vec<Permission> {
    let layers = holdings.layers();
    let denies: Vec<&Rule> = layers
        .rules()
        .filter(|rule| rule.effect == Effect::Deny)
        .collect();
    let mut all: Vec<Listed<'_>> = Vec::new();
    for (layer, rules) in &layers.0 {
        let allows = rules.iter().filter(|rule| rule.effect == Effect::Allow);
        all = if *layer == Layer::Identity {
            allows.map(Listed::new).collect()
        } else {
            let limits: Vec<&Rule> = allows.collect();
            all.iter()
                .flat_map(|listed| limits.iter().filter_map(|limit| listed.within(limit)))
                .collect()
        };
    }
    let mut merged: BTreeMap<Words, BTreeSet<Source>> = BTreeMap::new();
    for listed in all {
        if let Some(found) = listed.without(&denies) {
            merged
                .entry((found.actions, found.resources, found.conditions))
                .or_default()
                .extend(found.sources);
        }
    }
    merged
        .into_iter()
        .map(|((actions, resources, conditions), sources)| Permission {
            actions,
            resources,
            conditions,
            sources,
        })
        .collect()
}

/// A permission under way.
#[derive(Clone)]
struct Listed<'a> {
    rule: &'a Rule,
    actions: Selection<Vec<Pattern>>,
    resources: Selection<Vec<Pattern>>,
    conditions: BTreeSet<String>,
}

/// What two selections have in common.
enum Common {
    Nothing,
    /// These.
    All(Selection<Vec<Pattern>>),
    /// The first one, as far as the second allows.
    Part(Selection<Vec<Pattern>>),
}

impl<'a> Listed<'a> {
    fn new(rule: &'a Rule) -> Self {
        Self {
            rule,
            actions: rule.actions.clone(),
            resources: rule.resources.clone(),
            conditions: beyond::permission(rule).conditions,
        }
    }

    /// What a statement of another layer leaves of it.
    fn within(&self, limit: &Rule) -> Option<Self> {
        let mut found = self.clone();
        for (own, limits, what) in [
            (&mut found.actions, &limit.actions, "only"),
            (&mut found.resources, &limit.resources, "only on"),
        ] {
            match common(own, limits) {
                Common::Nothing => return None,
                Common::All(all) => *own = all,
                Common::Part(all) => {
                    *own = all;
                    found.conditions.insert(format!("{what} {}", named(limits)));
                }
            }
        }
        let whole = beyond::permission(limit);
        if limit.is_unread {
            found
                .conditions
                .insert(format!("only as {} allows", limit.policy));
        }
        found.conditions.extend(whole.conditions);
        Some(found)
    }

    /// The permission, without what is denied; `None` where nothing is left.
    fn without(mut self, denies: &[&Rule]) -> Option<Permission> {
        if self.rule.is_unread {
            let mut whole = beyond::permission(self.rule);
            whole.conditions.extend(self.conditions);
            return Some(whole);
        }
        for deny in denies
            .iter()
            .filter(|deny| !deny.is_unread && deny.conditions.is_empty())
        {
            if covers(&deny.actions, &self.actions) && covers(&deny.resources, &self.resources) {
                return None;
            }
            // All of an action or all of a resource.
            if covers(&deny.resources, &self.resources)
                && let Selection::Only(actions) = &mut self.actions
            {
                actions.retain(|one| !covers(&deny.actions, &Selection::Only(vec![one.clone()])));
            }
            if covers(&deny.actions, &self.actions)
                && let Selection::Only(resources) = &mut self.resources
            {
                resources
                    .retain(|one| !covers(&deny.resources, &Selection::Only(vec![one.clone()])));
            }
        }
        for deny in denies {
            if !meets(&deny.actions, &self.actions) || !meets(&deny.resources, &self.resources) {
                continue;
            }
            self.conditions.insert(self.exception(deny));
        }
        let words = |selection: &Selection<Vec<Pattern>>| match selection {
            Selection::Only(all) => all.iter().map(|one| one.text.clone()).collect(),
            all @ Selection::AllBut(_) => BTreeSet::from([named(all)]),
        };
        Some(Permission {
            actions: words(&self.actions),
            resources: words(&self.resources),
            conditions: self.conditions,
            sources: BTreeSet::from([self.rule.source.clone()]),
        })
    }

    fn exception(&self, deny: &Rule) -> String {
        if deny.is_unread {
            return format!("but not what {} denies", deny.policy);
        }
        let mut text = "but not".to_owned();
        let whole = beyond::permission(deny);
        if !covers(&deny.actions, &self.actions) {
            text = format!("{text} {}", named(&deny.actions));
        }
        if !covers(&deny.resources, &self.resources) {
            text = format!("{text} on {}", named(&deny.resources));
        }
        if !whole.conditions.is_empty() {
            let all: Vec<String> = whole.conditions.into_iter().collect();
            text = format!("{text} where {}", all.join(" and "));
        }
        text
    }
}

/// A selection in words.
fn named(selection: &Selection<Vec<Pattern>>) -> String {
    let all: Vec<&str> = selection
        .named()
        .iter()
        .map(|one| one.text.as_str())
        .collect();
    match selection {
        Selection::Only(_) => all.join(", "),
        Selection::AllBut(_) => format!("all but {}", all.join(", ")),
    }
}

fn is_empty(selection: &Selection<Vec<Pattern>>) -> bool {
    matches!(selection, Selection::Only(all) if all.is_empty())
}

/// Whether one selection has all of another; never claimed where it hasn't.
pub(super) fn covers(wide: &Selection<Vec<Pattern>>, narrow: &Selection<Vec<Pattern>>) -> bool {
    let within = |wide: &[Pattern], narrow: &[Pattern]| {
        narrow
            .iter()
            .all(|narrow| wide.iter().any(|wide| wide.contains(narrow)))
    };
    match (wide, narrow) {
        (Selection::Only(wide), Selection::Only(narrow)) => within(wide, narrow),
        (Selection::AllBut(wide), Selection::AllBut(narrow)) => within(narrow, wide),
        (Selection::Only(wide), Selection::AllBut(_)) => wide.iter().any(|one| one.text == "*"),
        (Selection::AllBut(out), Selection::Only(narrow)) => !narrow
            .iter()
            .any(|narrow| out.iter().any(|out| out.overlaps(narrow))),
    }
}

/// Whether two selections have something in common; never denied where they have.
pub(super) fn meets(one: &Selection<Vec<Pattern>>, two: &Selection<Vec<Pattern>>) -> bool {
    match (one, two) {
        (Selection::Only(one), Selection::Only(two)) => one
            .iter()
            .any(|one| two.iter().any(|two| one.overlaps(two))),
        (Selection::AllBut(out), Selection::Only(some))
        | (Selection::Only(some), Selection::AllBut(out)) => {
            let sure = |out: &&Pattern| !out.has_variables();
            some.iter()
                .any(|one| !out.iter().filter(sure).any(|out| out.contains(one)))
        }
        (Selection::AllBut(one), Selection::AllBut(two)) => {
            !one.iter().chain(two).any(|one| one.text == "*")
        }
    }
}

fn common(own: &Selection<Vec<Pattern>>, limit: &Selection<Vec<Pattern>>) -> Common {
    if covers(limit, own) {
        return Common::All(own.clone());
    }
    if covers(own, limit) {
        return Common::All(limit.clone());
    }
    let Selection::Only(all) = own else {
        return if meets(own, limit) {
            Common::Part(own.clone())
        } else {
            Common::Nothing
        };
    };
    let mut kept: Vec<Pattern> = Vec::new();
    let mut is_part = false;
    for one in all {
        let alone = Selection::Only(vec![one.clone()]);
        if covers(limit, &alone) {
            kept.push(one.clone());
            continue;
        }
        match limit {
            Selection::Only(limits) => {
                for limit in limits.iter().filter(|limit| limit.overlaps(one)) {
                    if one.contains(limit) {
                        kept.push(limit.clone());
                    } else {
                        kept.push(one.clone());
                        is_part = true;
                    }
                }
            }
            Selection::AllBut(_) if meets(&alone, limit) => {
                kept.push(one.clone());
                is_part = true;
            }
            Selection::AllBut(_) => {}
        }
    }
    let kept = Selection::Only(kept);
    match (is_empty(&kept), is_part) {
        (true, _) => Common::Nothing,
        (false, false) => Common::All(kept),
        (false, true) => Common::Part(kept),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn list(holdings: &Holdings) -> Vec<(BTreeSet<String>, BTreeSet<String>, BTreeSet<String>)> {
        permissions(holdings)
            .into_iter()
            .map(|one| (one.actions, one.resources, one.conditions))
            .collect()
    }

    fn bounded(own: &str, boundary: &str) -> Holdings {
        Holdings {
            boundary: Some(policy("b", boundary)),
            ..holds(own)
        }
    }

    #[test]
    fn what_statements_give() {
        let ip = r#""IpAddress":{"aws:SourceIp":"10.0.0.0/8"}"#;
        let two = format!(
            "{},{}",
            allow("s:GA s:PA", "*"),
            allow_if("!t:*", "arn:aws:s:::a", ip)
        );
        assert_eq!(
            list(&holds(&two)),
            [
                (
                    set(["all but t:*"]),
                    set(["arn:aws:s:::a"]),
                    set(["aws:SourceIp in 10.0.0.0/8"])
                ),
                (set(["s:GA", "s:PA"]), set(["*"]), set([])),
            ]
        );
        // The same from two policies is one permission.
        let same = Holdings {
            identity: ["x", "y"]
                .map(|name| policy(name, &allow("s:GA", "*")))
                .into(),
            ..Holdings::default()
        };
        let found = permissions(&same);
        assert_eq!(found.len(), 1);
        let sources = ["x", "y"].map(|name| Source::Foreign(name.to_owned()));
        assert_eq!(found[0].sources, sources.into());
    }

    #[test]
    fn denials() {
        let with = |deny: &str| {
            list(&holds(&format!(
                "{},{deny}",
                allow("s:* t:GA", "arn:aws:s:::a* arn:aws:s:::b")
            )))
        };
        let resources = || set(["arn:aws:s:::a*", "arn:aws:s:::b"]);
        assert_eq!(with(&deny("*", "*")), []);
        let each = ["arn:aws:s:::a*", "arn:aws:s:::b"].map(|one| deny("*", one));
        assert_eq!(with(&each.join(",")), []);
        let each = ["s:*", "t:*"].map(|one| deny(one, "*"));
        assert_eq!(with(&each.join(",")), []);
        assert_eq!(
            with(&deny("u:*", "*")),
            [(set(["s:*", "t:GA"]), resources(), set([]))]
        );
        assert_eq!(
            with(&deny("t:*", "*")),
            [(set(["s:*"]), resources(), set([]))]
        );
        assert_eq!(
            with(&deny("*", "arn:aws:s:::b")),
            [(set(["s:*", "t:GA"]), set(["arn:aws:s:::a*"]), set([]))]
        );
        assert_eq!(
            with(&deny("s:P*", "*")),
            [(set(["s:*", "t:GA"]), resources(), set(["but not s:P*"]))]
        );
        assert_eq!(
            with(&deny("s:P*", "arn:aws:s:::ab")),
            [(
                set(["s:*", "t:GA"]),
                resources(),
                set(["but not s:P* on arn:aws:s:::ab"])
            )]
        );
        let denied_if = statement(
            "Deny",
            "*",
            "*",
            r#""Bool":{"aws:SecureTransport":"false"}"#,
        );
        assert_eq!(
            with(&denied_if),
            [(
                set(["s:*", "t:GA"]),
                resources(),
                set(["but not where aws:SecureTransport is false"])
            )]
        );
        assert_eq!(
            with(&deny("!s:GA", "*")),
            [(set(["s:*"]), resources(), set(["but not all but s:GA"]))]
        );
        let but = allow("!t:*", "!arn:aws:s:::a");
        assert_eq!(list(&holds(&format!("{but},{}", deny("*", "*")))), []);
    }

    #[test]
    fn boundaries_narrow() {
        let all = allow("s:* t:GA", "*");
        assert_eq!(list(&bounded(&all, &allow("u:*", "*"))), []);
        assert_eq!(
            list(&bounded(&all, &allow("s:G*", "arn:aws:s:::a"))),
            [(set(["s:G*"]), set(["arn:aws:s:::a"]), set([]))]
        );
        assert_eq!(
            list(&bounded(&all, &allow("*", "*"))),
            [(set(["s:*", "t:GA"]), set(["*"]), set([]))]
        );
        assert_eq!(
            list(&bounded(&allow("s:*A", "*"), &allow("s:G*", "*"))),
            [(set(["s:*A"]), set(["*"]), set(["only s:G*"]))]
        );
        assert_eq!(
            list(&bounded(&allow("s:*", "*"), &allow("!s:P*", "*"))),
            [(set(["s:*"]), set(["*"]), set(["only all but s:P*"]))]
        );
        assert_eq!(
            list(&bounded(&allow("!t:*", "*"), &allow("s:*", "*"))),
            [(set(["s:*"]), set(["*"]), set([]))]
        );
        assert_eq!(
            list(&bounded(&allow("!s:GA", "*"), &allow("s:G*", "*"))),
            [(set(["all but s:GA"]), set(["*"]), set(["only s:G*"]))]
        );
        assert_eq!(
            list(&bounded(&allow("s:* s:PA t:GA", "*"), &allow("!s:P*", "*"))),
            [(set(["s:*", "t:GA"]), set(["*"]), set(["only all but s:P*"]))]
        );
        assert_eq!(list(&bounded("", &all)), []);
        let if_b = allow_if("s:*", "*", r#""Bool":{"aws:b":"true"}"#);
        assert_eq!(
            list(&bounded(&all, &if_b)),
            [(set(["s:*"]), set(["*"]), set(["aws:b is true"]))]
        );
    }

    #[test]
    fn policies_that_are_not_known() {
        let mut some = holds(&allow("s:GA", "*"));
        some.identity.push(unread("x"));
        assert_eq!(
            list(&some),
            [
                (set(["s:GA"]), set(["*"]), set(["but not what x denies"])),
                (set(["whatever x gives"]), set(["*"]), set([])),
            ]
        );
        let bounded = Holdings {
            boundary: Some(unread("b")),
            ..holds(&allow("s:GA", "*"))
        };
        assert_eq!(
            list(&bounded),
            [(
                set(["s:GA"]),
                set(["*"]),
                set(["only as b allows", "but not what b denies"])
            )]
        );
    }

    #[test]
    fn selections() {
        let only = |text: &str| Selection::Only(vec![Pattern::action(text)]);
        let but = |text: &str| Selection::AllBut(vec![Pattern::action(text)]);
        assert!(covers(&but("s:P*"), &only("s:G*")));
        assert!(!covers(&but("s:P*"), &only("s:*")));
        assert!(covers(&but("s:PA"), &but("s:P*")));
        assert!(!covers(&but("s:P*"), &but("s:PA")));
        assert!(covers(&only("*"), &but("s:PA")));
        assert!(!covers(&only("s:*"), &but("s:PA")));
        assert!(meets(&but("s:P*"), &only("s:*")));
        assert!(!meets(&only("s:PA"), &but("s:P*")));
        assert!(meets(&but("s:P*"), &but("s:G*")));
        assert!(!meets(&but("*"), &but("s:G*")));
    }
}
