//! Who is asked once access was taken away: as many and the same as before.

use remit_sdk::declaration::{Risk, Tier};

use super::facts::{moved, next};
use super::requirements_tests::{
    agent, base, environment, hold, identity, keys, owner, scope, set_scope, set_tier, takes,
};
use super::{Fact, changes};
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

/// Who wasn't there any more before can't be asked, under another name can.
#[test]
fn a_team_that_is_gone_is_not_asked() {
    let (recorded, mut wanted) = narrowed();
    wanted.agents.remove(&agent("bot"));
    wanted.identities.remove(&identity("bot"));
    let recorded = next(Some(&recorded), &wanted);
    let why = "scope.read is called low";
    let each = [(2, &["p1", "p2"][..], why), (2, &["s1", "s2"], why)];
    // In the plan that takes the owner away it is asked, and that it goes is told.
    wanted.owners.remove(&owner("pay"));
    let mut lower = wanted.clone();
    set_scope(&mut lower, "read", Risk::Low, None);
    takes(&recorded, &lower, &each);
    let after = next(Some(&recorded), &wanted);
    let told = changes(Some(&recorded), &after);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].address, owner("pay"));
    assert!(told[0].what == Fact::Declared && told[0].takes_away());
    takes(&after, &lower, &[(2, &["s1", "s2"], why)]);
    lower.owners.insert(owner("new"), keys(&["p2"]));
    takes(&after, &lower, &each);
    // It comes back, and is asked again.
    wanted.owners.insert(owner("pay"), keys(&["p1", "p2"]));
    let back = next(Some(&after), &wanted);
    assert!(back.gone.is_empty());
    let told = changes(Some(&after), &back);
    assert!(told.len() == 1 && !told[0].takes_away());
    set_scope(&mut wanted, "read", Risk::Low, None);
    takes(&back, &wanted, &each);
}

/// The same people under another label need as many of each other as before.
#[test]
fn an_owner_under_another_label_is_the_same_people() {
    let (_, mut wanted) = narrowed();
    let recorded = both();
    let people = wanted.owners.remove(&owner("pay")).unwrap();
    wanted.owners.insert(owner("paid"), people);
    wanted.agents.insert(agent("bot"), owner("paid"));
    takes(&recorded, &wanted, &[]);
    let recorded = next(Some(&recorded), &wanted);
    wanted
        .owners
        .insert(owner("paid"), keys(&["p1", "p2", "x"]));
    let why = "owner.paid gets 1 approver";
    takes(&recorded, &wanted, &[(2, &["p1", "p2"], why)]);
}

/// An environment of production under another label, lowered: who was in the first is asked.
#[test]
fn an_environment_under_another_label_is_in_the_same_target() {
    let (recorded, mut wanted) = narrowed();
    let prod = wanted.environments.remove(&environment("prod")).unwrap();
    wanted.environments.insert(environment("live"), prod);
    for one in wanted.identities.values_mut() {
        one.environment = environment("live");
    }
    takes(&recorded, &wanted, &[]);
    let recorded = next(Some(&recorded), &wanted);
    set_tier(&mut wanted, "live", Tier::Development, "t1");
    let why = "environment.live is called development";
    let each = [(2, &["p1", "p2"][..], why), (2, &["s1", "s2"], why)];
    takes(&recorded, &wanted, &each);
}

/// Whose production is beside others' speaks for itself alone, not for the target.
#[test]
fn everybody_in_production_in_a_target_is_asked() {
    let each = |why| [(2, &["p1", "p2"][..], why), (2, &["s1", "s2"], why)];
    for name in ["aaa", "zzz"] {
        let mut start = both();
        start.owners.insert(owner("att"), keys(&["a1"]));
        start.agents.insert(agent("att"), owner("att"));
        let mut wanted = start.clone();
        wanted.concerned.clear();
        set_tier(&mut wanted, name, Tier::Production, "t1");
        hold(&mut wanted, "x", name, &[]);
        wanted.identities.get_mut(&identity("x")).unwrap().agent = agent("att");
        takes(&start, &wanted, &[]);
        let recorded = next(Some(&start), &wanted);
        let mut beside = wanted.clone();
        set_tier(&mut beside, "dev", Tier::Development, "t1");
        let why = "environment.dev, of tier development, is new in a target of production";
        takes(&recorded, &beside, &each(why));
        let mut lowered = wanted.clone();
        set_tier(&mut lowered, name, Tier::Development, "t1");
        takes(&recorded, &lowered, &each("is called development"));
        // By its new targets as by those it had.
        set_tier(&mut lowered, name, Tier::Development, "t9");
        takes(&recorded, &lowered, &each("is called development"));
        // What is in no target of theirs is its own.
        let mut apart = recorded.clone();
        set_tier(&mut apart, name, Tier::Production, "t9");
        let why = "is called development";
        takes(&apart, &lowered, &[(1, &["a1"], why)]);
    }
}

/// What nobody had to approve gives nobody a say, and takes none away.
#[test]
fn who_was_not_asked_to_hold_a_scope_is_not_concerned() {
    let mut start = base();
    set_scope(&mut start, "read", Risk::Critical, None);
    set_tier(&mut start, "staging", Tier::Staging, "t2");
    start.owners.insert(owner("law"), keys(&["l1", "l2"]));
    let start = next(None, &start);
    let mut planted = start.clone();
    planted.agents.insert(agent("law"), owner("law"));
    hold(&mut planted, "law", "staging", &["read"]);
    planted.identities.get_mut(&identity("law")).unwrap().agent = agent("law");
    let after = next(Some(&start), &planted);
    assert_eq!(after.concerned, start.concerned);
    // An approval that is asked for anywhere makes it so.
    set_scope(&mut planted, "read", Risk::Low, Some((1, &["sec"])));
    let after = next(Some(&start), &planted);
    assert!(after.concerned[&scope("read")].contains(&owner("law")));
    assert!(after.concerned[&environment("staging")].contains(&owner("law")));
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
