//! Each way to need approval, and each way in which a change could approve itself.

use std::collections::BTreeSet;

use remit_sdk::DeclarationAddress;
use remit_sdk::access::{Certainty, Excess, Permission};
use remit_sdk::declaration::{Risk, Tier};

use super::{Held, Requirement, facts, requirements};
use crate::access::{AccessChange, Attributed};
use crate::state::Facts;
use crate::state::facts::{ApprovalFacts, EnvironmentFacts, IdentityFacts, ScopeFacts};

pub(super) fn owner(name: &str) -> DeclarationAddress {
    DeclarationAddress::new("owner", name)
}
pub(super) fn scope(name: &str) -> DeclarationAddress {
    DeclarationAddress::new("scope", name)
}
pub(super) fn environment(name: &str) -> DeclarationAddress {
    DeclarationAddress::new("environment", name)
}
pub(super) fn agent(name: &str) -> DeclarationAddress {
    DeclarationAddress::new("agent", name)
}
pub(super) fn identity(name: &str) -> DeclarationAddress {
    DeclarationAddress::new("identity", name)
}
pub(super) fn key(name: &str) -> String {
    format!("ssh-ed25519 {name}")
}
pub(super) fn keys(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| key(name)).collect()
}

/// Owners `pay` (p1, p2) and `sec` (s1, s2); `identity.bot` of `pay` in production, holding
/// `scope.read`, which asks for nothing.
pub(super) fn base() -> Facts {
    let mut facts = Facts::default();
    facts.owners.insert(owner("pay"), keys(&["p1", "p2"]));
    facts.owners.insert(owner("sec"), keys(&["s1", "s2"]));
    facts.agents.insert(agent("bot"), owner("pay"));
    set_tier(&mut facts, "prod", Tier::Production, "t1");
    set_scope(&mut facts, "read", Risk::Low, None);
    hold(&mut facts, "bot", "prod", &["read"]);
    facts
}

pub(super) fn set_tier(facts: &mut Facts, name: &str, tier: Tier, target: &str) {
    let one = EnvironmentFacts {
        tier,
        targets: BTreeSet::from([target.to_owned()]),
    };
    facts.environments.insert(environment(name), one);
}

pub(super) fn set_scope(
    facts: &mut Facts,
    name: &str,
    risk: Risk,
    approval: Option<(u32, &[&str])>,
) {
    let approval = approval.map(|(required, from)| ApprovalFacts {
        required,
        from: from.iter().map(|name| owner(name)).collect(),
    });
    facts
        .scopes
        .insert(scope(name), ScopeFacts { risk, approval });
}

pub(super) fn hold(facts: &mut Facts, name: &str, place: &str, scopes: &[&str]) {
    let one = IdentityFacts {
        agent: agent("bot"),
        environment: environment(place),
        scopes: scopes.iter().map(|name| scope(name)).collect(),
        formerly: BTreeSet::new(),
    };
    facts.identities.insert(identity(name), one);
}

/// `identity.bot` gains something by `scope.NAME`.
pub(super) fn gain(name: &str, by: &str) -> Vec<AccessChange> {
    let permission = Permission {
        actions: ["a", "b", "c", "d"].map(str::to_owned).into(),
        resources: BTreeSet::new(),
        conditions: BTreeSet::new(),
        sources: BTreeSet::new(),
    };
    vec![AccessChange {
        gained: vec![Attributed {
            excess: Excess {
                permission,
                example: None,
                certainty: Certainty::Surely,
            },
            scopes: BTreeSet::from([scope(by)]),
            risk: None,
        }],
        ..AccessChange::nothing(identity(name), ("vault_entity".into(), name.into()))
    }]
}

pub(super) fn shown(all: &[Requirement]) -> Vec<(u32, BTreeSet<String>, &str)> {
    all.iter()
        .map(|one| {
            let approvers = one.approvers.iter().cloned().collect();
            (one.required, approvers, one.why.as_str())
        })
        .collect()
}

/// What a change of the facts alone takes: number, approvers and a piece of the reason, each.
#[track_caller]
pub(super) fn takes(recorded: &Facts, wanted: &Facts, expected: &[(u32, &[&str], &str)]) {
    takes_with(&[], recorded, wanted, expected);
}

#[track_caller]
pub(super) fn takes_with(
    access: &[AccessChange],
    recorded: &Facts,
    wanted: &Facts,
    expected: &[(u32, &[&str], &str)],
) {
    let found = requirements(access, &Held::new(), Some(recorded), wanted);
    let found = shown(&found);
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (required, approvers, why) in expected {
        assert!(
            found
                .iter()
                .any(|one| one.0 == *required && one.1 == keys(approvers) && one.2.contains(why)),
            "{required} of {approvers:?} for {why}: {found:#?}"
        );
    }
}

#[test]
fn what_is_as_recorded_takes_nothing() {
    takes(&base(), &base(), &[]);
    takes_with(&gain("bot", "read"), &base(), &base(), &[]);
}

#[test]
fn a_scope_asks_what_it_says_of_new_identities_too() {
    let mut facts = base();
    set_scope(&mut facts, "read", Risk::Low, Some((2, &["sec"])));
    takes_with(
        &gain("bot", "read"),
        &facts,
        &facts,
        &[(
            2,
            &["s1", "s2"],
            "identity.bot gains a, b, c and 1 more by scope.read",
        )],
    );
    let mut wanted = facts.clone();
    hold(&mut wanted, "other", "prod", &["read"]);
    let mut new = gain("other", "read");
    new[0].is_new = true;
    takes_with(
        &new,
        &facts,
        &wanted,
        &[(2, &["s1", "s2"], "identity.other")],
    );
    // On the first apply those whom the configuration names.
    let first = requirements(&new, &Held::new(), None, &wanted);
    assert_eq!(shown(&first)[0].1, keys(&["s1", "s2"]));
}

#[test]
fn what_is_lost_or_comes_from_elsewhere_takes_nothing() {
    let mut facts = base();
    set_scope(&mut facts, "read", Risk::Critical, Some((2, &["sec"])));
    let mut lost = gain("bot", "read");
    lost[0].lost = std::mem::take(&mut lost[0].gained);
    takes_with(&lost, &facts, &facts, &[]);
}

#[test]
fn risk_counts_in_production() {
    for (risk, required) in [(Risk::High, 1), (Risk::Critical, 2)] {
        let mut facts = base();
        set_scope(&mut facts, "read", risk, None);
        let gain = gain("bot", "read");
        let expected: (u32, &[&str], &str) = (required, &["p1", "p2"], "in production");
        takes_with(&gain, &facts, &facts, &[expected]);
        // What the scope asks is raised to that, never lowered.
        set_scope(&mut facts, "read", risk, Some((1, &["sec"])));
        takes_with(&gain, &facts, &facts, &[(required, &["s1", "s2"], "gains")]);
        let mut staging = base();
        set_scope(&mut staging, "read", risk, None);
        set_tier(&mut staging, "prod", Tier::Staging, "t1");
        takes_with(&gain, &staging, &staging, &[]);
    }
    let mut medium = base();
    set_scope(&mut medium, "read", Risk::Medium, None);
    takes_with(&gain("bot", "read"), &medium, &medium, &[]);
}

#[test]
fn a_reason_says_what_it_is_about_and_no_more() {
    let mut facts = base();
    set_scope(&mut facts, "read", Risk::Low, Some((1, &["sec"])));
    let why = |actions: &[&str]| {
        let mut gain = gain("bot", "read");
        let permission = &mut gain[0].gained[0].excess.permission;
        permission.actions = actions.iter().map(|one| (*one).to_owned()).collect();
        let found = requirements(&gain, &Held::new(), Some(&facts), &facts);
        shown(&found)[0].2.to_owned()
    };
    assert_eq!(
        why(&["a", "b", "c"]),
        "identity.bot gains a, b, c by scope.read"
    );
    let many = why(&["a", "b", "c", "d", "e"]);
    assert_eq!(many, "identity.bot gains a, b, c and 2 more by scope.read");
}

/// What holds permissions itself says no environment.
#[test]
fn what_is_in_no_environment_counts_as_in_the_highest() {
    let mut facts = base();
    set_scope(&mut facts, "read", Risk::High, None);
    let gain = gain("a_resource", "read");
    let asked: (u32, &[&str], &str) = (1, &[], "in production");
    takes_with(&gain, &facts, &facts, &[asked]);
    set_tier(&mut facts, "prod", Tier::Staging, "t1");
    takes_with(&gain, &facts, &facts, &[]);
}

#[test]
fn without_approvers_it_can_not_be_met_and_is_asked_all_the_same() {
    let mut facts = base();
    facts.owners.clear();
    facts.owners.insert(owner("pay"), BTreeSet::new());
    set_scope(&mut facts, "read", Risk::Critical, None);
    takes_with(&gain("bot", "read"), &facts, &facts, &[(2, &[], "gains")]);
}

#[test]
fn the_stricter_of_both_counts() {
    let mut recorded = base();
    set_scope(&mut recorded, "read", Risk::Critical, Some((2, &["sec"])));
    let mut wanted = base();
    set_scope(&mut wanted, "read", Risk::Low, Some((1, &["pay"])));
    takes_with(
        &gain("bot", "read"),
        &recorded,
        &wanted,
        &[
            (2, &["s1", "s2"], "identity.bot gains"),
            (2, &["p1", "p2"], "identity.bot gains"),
            (2, &["s1", "s2"], "is called low"),
            (2, &["s1", "s2"], "asks for 1 of the"),
            (2, &["s1", "s2"], "lets others approve"),
        ],
    );
    // The other way round it is free, but for the gain.
    takes(&wanted, &recorded, &[(1, &["p1", "p2"], "lets others")]);
}

/// Who is asked where a scope names nobody isn't for the change to say.
#[test]
fn an_approval_that_is_new_puts_nobody_aside() {
    for (risk, required) in [(Risk::High, 1), (Risk::Critical, 2)] {
        let (mut recorded, mut wanted) = (base(), base());
        set_scope(&mut recorded, "read", risk, None);
        set_scope(&mut wanted, "read", risk, Some((1, &["sec"])));
        takes_with(
            &gain("bot", "read"),
            &recorded,
            &wanted,
            &[
                (required, &["p1", "p2"], "identity.bot gains"),
                (required, &["s1", "s2"], "identity.bot gains"),
                (required, &["p1", "p2"], "scope.read lets others approve"),
            ],
        );
        // By those who are asked already it is free.
        set_scope(&mut wanted, "read", risk, Some((2, &["pay"])));
        takes(&recorded, &wanted, &[]);
    }
    // What asked nobody may ask anybody.
    let mut wanted = base();
    set_scope(&mut wanted, "read", Risk::Medium, Some((1, &["sec"])));
    takes(&base(), &wanted, &[]);
}

/// Who comes with the change has no say in what was there before.
#[test]
fn who_holds_a_scope_since_this_change_is_not_asked() {
    let mut recorded = base();
    recorded.agents.insert(agent("other"), owner("sec"));
    set_scope(&mut recorded, "read", Risk::High, None);
    let mut wanted = recorded.clone();
    hold(&mut wanted, "mine", "prod", &["read"]);
    let mine = wanted.identities.get_mut(&identity("mine")).unwrap();
    mine.agent = agent("other");
    set_scope(&mut wanted, "read", Risk::Low, None);
    set_tier(&mut wanted, "prod", Tier::Staging, "t1");
    takes(
        &recorded,
        &wanted,
        &[
            (1, &["p1", "p2"], "is called low"),
            (1, &["p1", "p2"], "is called staging"),
        ],
    );
}

/// Out of production in one apply, and more in the next.
#[test]
fn who_was_in_production_counts_as_in_it() {
    let mut facts = base();
    set_scope(&mut facts, "read", Risk::High, None);
    set_tier(&mut facts, "dev", Tier::Development, "t1");
    let mut moved = facts.clone();
    hold(&mut moved, "bot", "dev", &["read"]);
    takes(&facts, &moved, &[]);
    let recorded = facts::next(Some(&facts), &moved);
    takes_with(
        &gain("bot", "read"),
        &recorded,
        &moved,
        &[(1, &["p1", "p2"], "in production")],
    );
}

/// In one plan: another label takes the objects over, in an environment that asks for less.
#[test]
fn what_is_taken_over_is_what_it_was() {
    let mut recorded = base();
    set_scope(&mut recorded, "read", Risk::High, None);
    set_tier(&mut recorded, "dev", Tier::Development, "t1");
    let mut wanted = recorded.clone();
    wanted.identities.clear();
    hold(&mut wanted, "bot2", "dev", &["read"]);
    let gain = gain("bot2", "read");
    takes_with(&gain, &recorded, &wanted, &[]);
    let moves = [(&identity("bot"), &identity("bot2"))];
    let known = facts::moved(&recorded, moves);
    let asked: (u32, &[&str], &str) = (1, &["p1", "p2"], "in production");
    takes_with(&gain, &known, &wanted, &[asked]);
    // And in the next.
    let next = facts::next(Some(&known), &wanted);
    takes_with(&gain, &next, &wanted, &[asked]);
    // A scope, too.
    let mut wanted = recorded.clone();
    wanted.scopes.clear();
    set_scope(&mut wanted, "read2", Risk::Low, None);
    let known = facts::moved(&recorded, [(&scope("read"), &scope("read2"))]);
    assert_eq!(known.scopes[&scope("read2")].risk, Risk::High);
    // What is recorded under the label counts as well.
    hold(&mut recorded, "bot2", "dev", &[]);
    let known = facts::moved(&recorded, moves);
    let both = &known.identities[&identity("bot2")];
    assert_eq!(both.environment, environment("dev"));
    assert_eq!(both.formerly, [environment("prod")].into());
    assert_eq!(both.scopes, [scope("read")].into());
}

#[test]
fn a_new_owner_with_approvers_of_its_own_is_vouched_for() {
    let mut wanted = base();
    wanted.owners.insert(owner("new"), keys(&["x"]));
    wanted.agents.insert(agent("bot"), owner("new"));
    set_scope(&mut wanted, "read", Risk::High, None);
    takes_with(
        &gain("bot", "read"),
        &base(),
        &wanted,
        &[
            (1, &["p1", "p2", "s1", "s2"], "owner.new gets 1 approver"),
            (
                1,
                &["p1", "p2"],
                "agent.bot goes from owner.pay to owner.new",
            ),
            (1, &["p1", "p2"], "identity.bot gains"),
        ],
    );
    // Asked by a scope, its key counts for nothing yet.
    let mut wanted = base();
    wanted.owners.insert(owner("new"), keys(&["x", "s1"]));
    set_scope(&mut wanted, "fresh", Risk::Low, Some((1, &["new"])));
    takes_with(
        &gain("bot", "fresh"),
        &base(),
        &wanted,
        &[
            (1, &["s1"], "owner.new gets 1 approver"),
            (1, &["s1"], "identity.bot gains"),
        ],
    );
}

#[test]
fn one_key_of_two_owners_is_one_approver() {
    let mut facts = base();
    facts.owners.insert(owner("sec"), keys(&["p1"]));
    set_scope(&mut facts, "read", Risk::Low, Some((2, &["pay", "sec"])));
    let gain = gain("bot", "read");
    let found = requirements(&gain, &Held::new(), Some(&facts), &facts);
    assert_eq!(found[0].approvers, [key("p1"), key("p2")]);
}

#[test]
fn an_approver_of_another_owner_is_none_of_this_one_yet() {
    let mut wanted = base();
    wanted.owners.insert(owner("pay"), keys(&["p1", "s1"]));
    set_scope(&mut wanted, "read", Risk::High, None);
    let gain = gain("bot", "read");
    let found = requirements(&gain, &Held::new(), Some(&base()), &wanted);
    let gains = found.iter().find(|one| one.why.contains("gains")).unwrap();
    assert_eq!(gains.approvers, [key("p1")]);
}

#[test]
fn a_scope_removed_is_free_and_comes_back_with_what_was_asked() {
    let mut recorded = base();
    set_scope(&mut recorded, "read", Risk::High, Some((2, &["sec"])));
    let mut without = base();
    without.scopes.clear();
    hold(&mut without, "bot", "prod", &[]);
    takes(&recorded, &without, &[]);
    let after = facts::next(Some(&recorded), &without);
    takes_with(
        &gain("bot", "read"),
        &after,
        &base(),
        &[
            (2, &["s1", "s2"], "gains"),
            (2, &["s1", "s2"], "is called low"),
            (2, &["s1", "s2"], "no longer asks"),
        ],
    );
}

#[test]
fn a_new_environment_beside_production_counts_as_production() {
    let mut recorded = base();
    set_scope(&mut recorded, "read", Risk::High, None);
    let mut wanted = recorded.clone();
    set_tier(&mut wanted, "play", Tier::Development, "t1");
    hold(&mut wanted, "other", "play", &["read"]);
    let pay: &[&str] = &["p1", "p2"];
    let new = "environment.play, of tier development, is new in a target";
    takes_with(
        &gain("other", "read"),
        &recorded,
        &wanted,
        &[(1, pay, new), (1, pay, "identity.other gains")],
    );
    // Somewhere else it is what it says.
    let mut elsewhere = wanted.clone();
    set_tier(&mut elsewhere, "play", Tier::Development, "t2");
    takes_with(&gain("other", "read"), &recorded, &elsewhere, &[]);
    // And an environment that is there already doesn't get in by another instance.
    takes(&elsewhere, &wanted, &[(1, pay, new)]);
    // Once approved it is recorded.
    takes_with(&gain("other", "read"), &wanted, &wanted, &[]);
    // Without approvers nobody could be asked, and it is what it says.
    let (mut nobody, mut nobody_wanted) = (recorded.clone(), wanted.clone());
    nobody.owners.clear();
    nobody_wanted.owners.clear();
    takes_with(&gain("other", "read"), &nobody, &nobody_wanted, &[]);
    // Under another label production stays what it was, though nothing is declared there.
    let mut relabelled = wanted.clone();
    relabelled.environments.remove(&environment("prod"));
    relabelled.identities.remove(&identity("bot"));
    takes(&recorded, &relabelled, &[(1, pay, new)]);
}

#[test]
fn an_identity_moved_out_of_production_counts_as_in_it() {
    let mut recorded = base();
    set_scope(&mut recorded, "read", Risk::High, None);
    set_tier(&mut recorded, "play", Tier::Development, "t1");
    let mut wanted = recorded.clone();
    hold(&mut wanted, "bot", "play", &["read"]);
    let pay: &[&str] = &["p1", "p2"];
    takes_with(
        &gain("bot", "read"),
        &recorded,
        &wanted,
        &[(1, pay, "gains")],
    );
}

#[test]
fn with_no_approver_recorded_the_first_ones_come_from_the_configuration() {
    let mut recorded = base();
    recorded.owners.clear();
    let mut wanted = base();
    set_scope(&mut wanted, "read", Risk::High, None);
    let found = requirements(&gain("bot", "read"), &Held::new(), Some(&recorded), &wanted);
    assert_eq!(shown(&found)[0].1, keys(&["p1", "p2"]));
    assert_eq!(found.len(), 1);
}

#[test]
fn the_order_is_always_the_same() {
    let mut recorded = base();
    set_scope(&mut recorded, "read", Risk::Critical, Some((2, &["sec"])));
    let mut access = gain("bot", "read");
    access.extend(gain("bot", "read"));
    let found = requirements(&access, &Held::new(), Some(&recorded), &base());
    let mut sorted = found.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!(found, sorted);
}
