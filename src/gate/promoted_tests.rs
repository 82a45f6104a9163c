//! Who may be an identity, and what becomes production: approvals without a permission that is
//! gained.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::access::Login;
use remit_sdk::declaration::{Risk, Tier};

use super::requirements_tests::{
    base, gain, hold, identity, keys, scope, set_scope, set_tier, shown, takes, takes_with,
};
use super::{Held, facts, requirements};
use crate::access::AccessChange;
use crate::state::Facts;

const PAY: &[&str] = &["p1", "p2"];
const SEC: &[&str] = &["s1", "s2"];

fn way(who: &str) -> Login {
    Login {
        by: "a token".into(),
        who: Some("sub".into()),
        limits: BTreeMap::from([("sub".to_owned(), BTreeSet::from([who.to_owned()]))]),
        at: "role r on auth/x".into(),
    }
}

/// `identity.bot`, which holds these scopes, lets somebody new in.
fn lets_in(ways: &[&str], held: &[&str]) -> Vec<AccessChange> {
    let mut all = gain("bot", "read");
    for change in &mut all {
        change.gained.clear();
        change.lets_in = ways.iter().map(|who| way(who)).collect();
        change.held = held.iter().map(|name| scope(name)).collect();
    }
    all
}

fn risky(risk: Risk, approval: Option<(u32, &[&str])>) -> Facts {
    let mut facts = base();
    set_scope(&mut facts, "read", risk, approval);
    facts
}

#[test]
fn who_lets_somebody_in_gives_what_it_holds() {
    let new = lets_in(&["repo:evil/y"], &["read"]);
    for (risk, required, word) in [(Risk::High, 1, "high"), (Risk::Critical, 2, "critical")] {
        let facts = risky(risk, None);
        let why = format!(
            "identity.bot can be used by a token with sub repo:evil/y, with scope.read, of risk {word}, in production"
        );
        takes_with(&new, &facts, &facts, &[(required, PAY, &why)]);
        // Elsewhere only what a scope asks itself.
        let mut staging = facts.clone();
        set_tier(&mut staging, "prod", Tier::Staging, "t1");
        takes_with(&new, &staging, &staging, &[]);
    }
    takes_with(&new, &base(), &base(), &[]);
    let asked = risky(Risk::Low, Some((1, &["sec"])));
    takes_with(
        &new,
        &asked,
        &asked,
        &[(1, SEC, "repo:evil/y, with scope.read")],
    );
    // What it doesn't hold takes nothing.
    let facts = risky(Risk::Critical, None);
    takes_with(&lets_in(&["repo:evil/y"], &[]), &facts, &facts, &[]);
    takes_with(&lets_in(&[], &["read"]), &facts, &facts, &[]);
}

#[test]
fn several_ways_and_the_stricter_side_count() {
    let facts = risky(Risk::High, None);
    let three = lets_in(&["a", "b", "c"], &["read"]);
    takes_with(
        &three,
        &facts,
        &facts,
        &[(1, PAY, "by a token with sub a and in 2 more ways, with")],
    );
    let two = lets_in(&["a", "b"], &["read"]);
    takes_with(
        &two,
        &facts,
        &facts,
        &[(1, PAY, "sub a and in 1 more way, with")],
    );
    // A change can't call itself harmless.
    let recorded = risky(Risk::Critical, None);
    let wanted = risky(Risk::Low, None);
    takes_with(
        &lets_in(&["a"], &["read"]),
        &recorded,
        &wanted,
        &[(2, PAY, "can be used by"), (2, PAY, "is called low")],
    );
    // Nor staging, with an identity that was recorded in production.
    let mut moved = recorded.clone();
    set_tier(&mut moved, "play", Tier::Staging, "t1");
    let mut before = recorded.clone();
    set_tier(&mut before, "play", Tier::Staging, "t1");
    hold(&mut moved, "bot", "play", &["read"]);
    takes_with(
        &lets_in(&["a"], &["read"]),
        &before,
        &moved,
        &[(2, PAY, "can be used by")],
    );
}

#[test]
fn who_may_be_a_new_identity_is_asked_once() {
    let facts = risky(Risk::Critical, None);
    let mut new = gain("bot", "read");
    new[0].lets_in = vec![way("a")];
    new[0].held = [scope("read")].into();
    new[0].is_new = true;
    takes_with(&new, &facts, &facts, &[(2, PAY, "gains")]);
    // One that is there gains, and lets in: both are said.
    new[0].is_new = false;
    takes_with(
        &new,
        &facts,
        &facts,
        &[(2, PAY, "gains"), (2, PAY, "can be used by")],
    );
}

#[test]
fn an_identity_that_becomes_production_takes_what_it_would_there() {
    for (risk, required) in [(Risk::High, 1), (Risk::Critical, 2)] {
        let production = risky(risk, None);
        let mut staging = production.clone();
        set_tier(&mut staging, "prod", Tier::Staging, "t1");
        let why = "identity.bot begins to hold scope.read, of risk";
        // Its environment's tier is raised,
        takes(&staging, &production, &[(required, PAY, why)]);
        takes(&production, &production, &[]);
        // or it goes to another environment.
        let mut elsewhere = production.clone();
        set_tier(&mut elsewhere, "test", Tier::Staging, "t2");
        let mut before = elsewhere.clone();
        hold(&mut before, "bot", "test", &["read"]);
        takes(&before, &elsewhere, &[(required, PAY, why)]);
        // Once it is recorded there, nothing is asked any more.
        let after = facts::next(Some(&before), &elsewhere);
        takes(&after, &elsewhere, &[]);
        // What is gained there at the same time is asked once.
        takes_with(
            &gain("bot", "read"),
            &before,
            &elsewhere,
            &[(required, PAY, "gains")],
        );
    }
    // What isn't risky takes nothing for it, whatever it asks when it is gained.
    let production = risky(Risk::Medium, Some((2, &["sec"])));
    let mut staging = production.clone();
    set_tier(&mut staging, "prod", Tier::Staging, "t1");
    takes(&staging, &production, &[]);
    // What is asks those that it names.
    let production = risky(Risk::High, Some((2, &["sec"])));
    let mut staging = production.clone();
    set_tier(&mut staging, "prod", Tier::Staging, "t1");
    takes(&staging, &production, &[(2, SEC, "begins to hold")]);
}

#[test]
fn becoming_production_is_judged_by_the_stricter_side() {
    // A risk that is lowered on the way still counts.
    let mut staging = risky(Risk::Critical, None);
    set_tier(&mut staging, "prod", Tier::Staging, "t1");
    takes(
        &staging,
        &base(),
        &[(2, PAY, "begins to hold"), (2, PAY, "is called low")],
    );
    // A scope that comes along without giving anything counts, too.
    let mut wanted = risky(Risk::High, None);
    set_scope(&mut wanted, "more", Risk::High, None);
    hold(&mut wanted, "bot", "prod", &["read", "more"]);
    takes(
        &staging,
        &wanted,
        &[
            (2, PAY, "begins to hold scope.read"),
            (1, PAY, "begins to hold scope.more"),
            (2, PAY, "is called high"),
        ],
    );
}

#[test]
fn an_identity_under_another_label_is_not_recorded_there() {
    // Its objects keep their names, so it gains nothing.
    let mut recorded = risky(Risk::High, None);
    set_tier(&mut recorded, "test", Tier::Staging, "t2");
    hold(&mut recorded, "bot", "test", &["read"]);
    let mut wanted = recorded.clone();
    wanted.identities.remove(&identity("bot"));
    hold(&mut wanted, "robot", "prod", &["read"]);
    takes(
        &recorded,
        &wanted,
        &[(1, PAY, "identity.robot begins to hold")],
    );
    // A new one gains what it holds, and is asked once.
    let mut new = gain("robot", "read");
    new[0].is_new = true;
    takes_with(
        &new,
        &recorded,
        &wanted,
        &[(1, PAY, "identity.robot gains")],
    );
    // Before anything is recorded the configuration is believed.
    let first = requirements(&[], &Held::new(), None, &wanted);
    assert_eq!(shown(&first), []);
    let first = requirements(&new, &Held::new(), None, &wanted);
    assert_eq!(shown(&first)[0].1, keys(PAY));
}

/// What an identity holds in effect comes into production with it, whatever it is declared to hold.
#[test]
fn what_is_held_and_not_declared_is_promoted_too() {
    let mut recorded = risky(Risk::High, None);
    set_tier(&mut recorded, "dev", Tier::Development, "t1");
    set_scope(&mut recorded, "tiny", Risk::Low, None);
    hold(&mut recorded, "bot", "dev", &["read"]);
    let mut wanted = recorded.clone();
    hold(&mut wanted, "bot", "prod", &["tiny"]);
    let takes = |held: &[&str]| {
        let held = held.iter().map(|name| scope(name)).collect();
        let held = Held::from([(identity("bot"), held)]);
        let found = requirements(&[], &held, Some(&recorded), &wanted);
        shown(&found)
            .iter()
            .map(|(required, approvers, why)| {
                assert_eq!((*required, approvers), (1, &keys(PAY)));
                (*why).to_owned()
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(takes(&[]), Vec::<String>::new());
    assert_eq!(takes(&["tiny"]), Vec::<String>::new());
    assert_eq!(
        takes(&["read", "tiny"]),
        ["identity.bot begins to hold scope.read, of risk high, in production"]
    );
}
