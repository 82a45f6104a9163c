//! Who is asked once access was taken away: as many and the same as before.

use remit_sdk::declaration::{Risk, Tier};

use super::facts::{moved, next};
use super::requirements_tests::{
    agent, base, environment, hold, identity, keys, owner, scope, set_scope, set_tier, takes,
};
use crate::state::Facts;

/// `identity.bot` of `pay` and `identity.own` of `sec` hold critical `scope.read` in production.
fn both() -> Facts {
    let mut facts = base();
    set_scope(&mut facts, "read", Risk::Critical, None);
    hold(&mut facts, "own", "prod", &["read"]);
    facts.agents.insert(agent("own"), owner("sec"));
    facts.identities.get_mut(&identity("own")).unwrap().agent = agent("own");
    next(None, &facts)
}

/// What is recorded and declared after a plan that takes the scope from `identity.bot`, which is free.
fn narrowed() -> (Facts, Facts) {
    let recorded = both();
    let mut wanted = recorded.clone();
    wanted.concerned.clear();
    hold(&mut wanted, "bot", "prod", &[]);
    takes(&recorded, &wanted, &[]);
    (next(Some(&recorded), &wanted), wanted)
}

#[test]
fn whose_access_was_taken_away_is_asked_for_a_lower_risk() {
    let (recorded, mut wanted) = narrowed();
    set_scope(&mut wanted, "read", Risk::Low, None);
    let why = "scope.read is called low";
    let each = [(2, ["p1", "p2"]), (2, ["s1", "s2"])];
    let each = each.map(|(required, of)| (required, of, why));
    let each: Vec<_> = each
        .iter()
        .map(|(n, of, why)| (*n, &of[..], *why))
        .collect();
    takes(&recorded, &wanted, &each);
    // The same after any number of plans, and where nobody holds it any more.
    let mut nobody = wanted.clone();
    nobody.identities.clear();
    set_scope(&mut nobody, "read", Risk::Critical, None);
    let later = next(Some(&next(Some(&recorded), &nobody)), &nobody);
    set_scope(&mut nobody, "read", Risk::Low, None);
    takes(&later, &nobody, &each);
    // Under another label too.
    let labels = [(scope("read"), scope("reads"))];
    let recorded = moved(&recorded, labels.iter().map(|(from, to)| (from, to)));
    let read = wanted.scopes.remove(&scope("read")).unwrap();
    wanted.scopes.insert(scope("reads"), read);
    let why = "scope.reads is called low";
    let each = [(2, &["p1", "p2"][..], why), (2, &["s1", "s2"], why)];
    takes(&recorded, &wanted, &each);
}

#[test]
fn whose_access_was_taken_away_is_asked_for_a_lower_tier() {
    let (recorded, mut wanted) = narrowed();
    set_tier(&mut wanted, "prod", Tier::Development, "t1");
    let why = "environment.prod is called development";
    let each = [(2, &["p1", "p2"][..], why), (2, &["s1", "s2"], why)];
    takes(&recorded, &wanted, &each);
    // What takes no approval there concerns nobody once it is gone.
    let mut free = both();
    set_scope(&mut free, "read", Risk::Low, None);
    free.concerned.clear();
    let free = next(None, &free);
    assert!(!free.concerned.contains_key(&environment("prod")));
}

/// The key that one brings in alone would be the second of two.
#[test]
fn as_many_bring_in_an_approver_as_before() {
    let (recorded, mut wanted) = narrowed();
    wanted.owners.insert(owner("pay"), keys(&["p1", "p2", "x"]));
    let why = "owner.pay gets 1 approver";
    takes(&recorded, &wanted, &[(2, &["p1", "p2"], why)]);
}

/// Who isn't there any more can't be asked, under another name can.
#[test]
fn a_team_that_is_gone_is_not_asked() {
    let (recorded, mut wanted) = narrowed();
    wanted.owners.remove(&owner("pay"));
    wanted.agents.remove(&agent("bot"));
    wanted.identities.remove(&identity("bot"));
    let recorded = next(Some(&recorded), &wanted);
    set_scope(&mut wanted, "read", Risk::Low, None);
    let why = "scope.read is called low";
    takes(&recorded, &wanted, &[(2, &["s1", "s2"], why)]);
    wanted.owners.insert(owner("new"), keys(&["p2"]));
    let each = [(2, &["p1", "p2"][..], why), (2, &["s1", "s2"], why)];
    takes(&recorded, &wanted, &each);
}

/// Those who are named answer for a scope, and nobody else has to be found.
#[test]
fn who_is_named_is_asked_instead() {
    let (recorded, mut wanted) = narrowed();
    set_scope(&mut wanted, "read", Risk::Critical, Some((2, &["sec"])));
    let why = "scope.read lets others approve";
    takes(&recorded, &wanted, &[(2, &["p1", "p2"], why)]);
    let recorded = next(Some(&recorded), &wanted);
    set_scope(&mut wanted, "read", Risk::Low, Some((2, &["sec"])));
    let why = "scope.read is called low";
    takes(&recorded, &wanted, &[(2, &["s1", "s2"], why)]);
}
