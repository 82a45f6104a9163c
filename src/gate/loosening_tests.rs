//! What loosens a recorded fact, and whose approval that takes.

use std::collections::BTreeSet;

use remit_sdk::DeclarationAddress;
use remit_sdk::declaration::{Risk, Tier};

use super::requirements_tests::{
    agent, base, gain, hold, identity, keys, owner, scope, set_scope, set_tier, takes, takes_with,
};
use super::{Held, facts, requirements};
use crate::state::Facts;
use crate::state::facts::ExceptionFacts;

/// An identity doesn't choose who answers for it, by its agent.
#[test]
fn an_identity_of_another_agent_takes_whom_it_had() {
    let mut recorded = base();
    recorded.agents.insert(agent("mine"), owner("sec"));
    let mut wanted = recorded.clone();
    wanted.identities.get_mut(&identity("bot")).unwrap().agent = agent("mine");
    let why = "identity.bot goes from agent.bot to agent.mine, whose approvers are others";
    takes(&recorded, &wanted, &[(1, &["p1", "p2"], why)]);
    // Of the same people it is free.
    recorded.agents.insert(agent("mine"), owner("pay"));
    wanted.agents.insert(agent("mine"), owner("pay"));
    takes(&recorded, &wanted, &[]);
}

#[test]
fn fewer_of_the_same_approvers_are_no_others() {
    let mut recorded = base();
    set_scope(&mut recorded, "read", Risk::Low, Some((1, &["pay", "sec"])));
    let mut wanted = base();
    set_scope(&mut wanted, "read", Risk::Low, Some((1, &["pay"])));
    takes(&recorded, &wanted, &[]);
}

#[test]
fn a_scope_that_asked_keeps_asking_under_another_label() {
    let relabelled = |before: (Risk, Option<(u32, &[&str])>)| {
        let (mut recorded, mut wanted) = (base(), base());
        set_scope(&mut recorded, "read", before.0, before.1);
        wanted.scopes.clear();
        set_scope(&mut wanted, "reads", Risk::Low, None);
        hold(&mut wanted, "bot", "prod", &["reads"]);
        let found = requirements(&[], &Held::new(), Some(&recorded), &wanted);
        let why = "scope.reads is new while scope.read goes";
        found.iter().filter(|one| one.why.contains(why)).count()
    };
    assert_eq!(relabelled((Risk::High, None)), 1);
    assert_eq!(relabelled((Risk::Low, Some((1, &["pay"])))), 1);
    // What asked for nothing is followed by what asks for nothing.
    assert_eq!(relabelled((Risk::Medium, None)), 0);
}

#[test]
fn approvers_come_in_by_approvers() {
    let mut wanted = base();
    wanted.owners.insert(owner("pay"), keys(&["p1", "p2", "x"]));
    takes(
        &base(),
        &wanted,
        &[(1, &["p1", "p2"], "owner.pay gets 1 approver")],
    );
    // The new one's signature doesn't count, nor that of one who goes.
    wanted.owners.insert(owner("pay"), keys(&["p1", "x"]));
    set_scope(&mut wanted, "read", Risk::Low, Some((1, &["pay"])));
    takes_with(
        &gain("bot", "read"),
        &base(),
        &wanted,
        &[(1, &["p1"], "owner.pay gets"), (1, &["p1"], "gains")],
    );
    // All of them replaced: those who were there must agree.
    wanted.owners.insert(owner("pay"), keys(&["x", "y"]));
    takes(&base(), &wanted, &[(1, &["p1", "p2"], "gets 2 approvers")]);
}

#[test]
fn losing_an_approver_is_free_and_losing_all_is_not() {
    let mut wanted = base();
    wanted.owners.insert(owner("pay"), keys(&["p1"]));
    takes(&base(), &wanted, &[]);
    wanted.owners.insert(owner("pay"), BTreeSet::new());
    takes(&base(), &wanted, &[(1, &["p1", "p2"], "loses all")]);
}

/// One of two who must agree can't bring in another in the place of the other, nor beside.
#[test]
fn those_who_must_agree_bring_in_others_together() {
    let mut facts = base();
    set_scope(&mut facts, "read", Risk::Critical, None);
    for (now, why) in [
        (&["p1", "x"][..], "owner.pay gets 1 approver"),
        (&["p1", "p2", "x"], "owner.pay gets 1 approver"),
        (&["x", "y"], "owner.pay gets 2 approvers"),
    ] {
        let mut wanted = facts.clone();
        wanted.owners.insert(owner("pay"), keys(now));
        takes(&facts, &wanted, &[(2, &["p1", "p2"], why)]);
    }
    // Nor by another owner, whom nobody else belongs to.
    let few = |facts: &mut Facts| {
        facts.owners.insert(owner("few"), keys(&["p1"]));
        facts.agents.insert(agent("bot"), owner("few"));
    };
    let mut wanted = facts.clone();
    few(&mut wanted);
    let why = "agent.bot goes from owner.pay to owner.few, whose approvers are too few";
    takes(&facts, &wanted, &[(2, &["p1", "p2"], why)]);
    set_scope(&mut wanted, "read", Risk::Critical, Some((2, &["few"])));
    wanted.agents.insert(agent("bot"), owner("pay"));
    let why = "scope.read lets too few approve";
    takes(&facts, &wanted, &[(2, &["p1", "p2"], why)]);
    // Where one must agree, one is enough.
    set_scope(&mut facts, "read", Risk::High, None);
    let mut wanted = facts.clone();
    few(&mut wanted);
    takes(&facts, &wanted, &[]);
    set_scope(&mut wanted, "read", Risk::High, Some((1, &["few"])));
    takes(&facts, &wanted, &[]);
}

/// An owner without approvers can get some for nothing, so nothing goes to one for nothing.
#[test]
fn approval_does_not_go_to_an_owner_without_approvers() {
    let pay: &[&str] = &["p1", "p2"];
    let (mut recorded, mut wanted) = (base(), base());
    wanted.owners.insert(owner("nobody"), BTreeSet::new());
    set_scope(&mut recorded, "read", Risk::Low, Some((1, &["pay"])));
    set_scope(&mut wanted, "read", Risk::Low, Some((1, &["nobody"])));
    takes(
        &recorded,
        &wanted,
        &[(1, pay, "scope.read lets none approve")],
    );
    set_scope(&mut recorded, "read", Risk::High, None);
    set_scope(&mut wanted, "read", Risk::High, Some((1, &["nobody"])));
    takes(
        &recorded,
        &wanted,
        &[(1, pay, "scope.read lets none approve")],
    );
    // What asked of nobody may ask of nobody.
    set_scope(&mut recorded, "read", Risk::Medium, None);
    takes(&recorded, &wanted, &[]);
}

/// Whoever comes to hold a scope, or into an environment, doesn't speak for those who were there.
#[test]
fn each_of_those_concerned_agrees_for_itself() {
    let (pay, sec): (&[&str], &[&str]) = (&["p1", "p2"], &["s1", "s2"]);
    let mut recorded = base();
    set_scope(&mut recorded, "read", Risk::Critical, None);
    set_tier(&mut recorded, "staging", Tier::Staging, "t2");
    recorded.agents.insert(agent("evil"), owner("sec"));
    hold(&mut recorded, "evil", "staging", &["read"]);
    recorded
        .identities
        .get_mut(&identity("evil"))
        .unwrap()
        .agent = agent("evil");
    let mut wanted = recorded.clone();
    set_scope(&mut wanted, "read", Risk::Low, None);
    let why = "scope.read is called low";
    takes(&recorded, &wanted, &[(2, pay, why), (2, sec, why)]);
    set_scope(&mut wanted, "read", Risk::Critical, Some((2, &["sec"])));
    takes(&recorded, &wanted, &[(2, pay, "lets others approve")]);
    // Under another label.
    let mut wanted = recorded.clone();
    wanted.scopes.clear();
    set_scope(&mut wanted, "see", Risk::Low, None);
    let why = "scope.see is new while scope.read goes";
    takes(&recorded, &wanted, &[(2, pay, why), (2, sec, why)]);
    // In one environment: those who hold what takes approval, else any.
    hold(&mut recorded, "evil", "prod", &["read"]);
    recorded
        .identities
        .get_mut(&identity("evil"))
        .unwrap()
        .agent = agent("evil");
    let lowered = |recorded: &Facts| {
        let mut wanted = recorded.clone();
        set_tier(&mut wanted, "prod", Tier::Development, "t1");
        wanted
    };
    let why = "environment.prod is called development";
    takes(
        &recorded,
        &lowered(&recorded),
        &[(2, pay, why), (2, sec, why)],
    );
    set_scope(&mut recorded, "see", Risk::Low, None);
    hold(&mut recorded, "evil", "prod", &["see"]);
    recorded
        .identities
        .get_mut(&identity("evil"))
        .unwrap()
        .agent = agent("evil");
    takes(&recorded, &lowered(&recorded), &[(2, pay, why)]);
    let mut beside = recorded.clone();
    set_tier(&mut beside, "dev", Tier::Development, "t1");
    takes(
        &recorded,
        &beside,
        &[(2, pay, "of production: environment.prod")],
    );
    set_scope(&mut recorded, "read", Risk::Low, None);
    let all: &[&str] = &["p1", "p2", "s1", "s2"];
    takes(&recorded, &lowered(&recorded), &[(1, all, why)]);
}

/// A ceiling is raised by those who answer for the agent.
#[test]
fn a_ceiling_is_raised_by_the_recorded_owner() {
    let pay: &[&str] = &["p1", "p2"];
    let scopes = |names: &[&str]| names.iter().map(|name| scope(name)).collect();
    let mut recorded = base();
    recorded
        .ceilings
        .insert(agent("bot"), scopes(&["read", "see"]));
    let with = |ceiling: Option<&[&str]>| {
        let mut wanted = base();
        if let Some(names) = ceiling {
            wanted.ceilings.insert(agent("bot"), scopes(names));
        }
        wanted
    };
    let raised = with(Some(&["read", "write"]));
    let why = "the ceiling of agent.bot is raised by scope.write";
    takes(&recorded, &raised, &[(1, pay, why)]);
    takes(
        &recorded,
        &with(None),
        &[(1, pay, "agent.bot loses its ceiling")],
    );
    takes(&recorded, &with(Some(&["read"])), &[]);
    takes(&with(None), &recorded, &[]);
    // By an agent that has another, or none.
    let by = |ceiling: Option<&[&str]>| {
        let mut wanted = recorded.clone();
        wanted.agents.insert(agent("free"), owner("pay"));
        if let Some(names) = ceiling {
            wanted.ceilings.insert(agent("free"), scopes(names));
        }
        wanted.identities.get_mut(&identity("bot")).unwrap().agent = agent("free");
        wanted
    };
    takes(
        &recorded,
        &by(None),
        &[(1, pay, "identity.bot loses its ceiling")],
    );
    let why = "the ceiling of identity.bot is raised by scope.write";
    takes(&recorded, &by(Some(&["write"])), &[(1, pay, why)]);
    takes(&recorded, &by(Some(&["see"])), &[]);
    // It is kept for an agent that goes, and not for one that stays.
    let mut gone = base();
    gone.agents.clear();
    let next = facts::next(Some(&recorded), &gone);
    assert_eq!(next.ceilings, recorded.ceilings);
    let next = facts::next(Some(&recorded), &with(None));
    assert_eq!(next.ceilings.len(), 0);
}

/// Who takes away those who must agree needs them for it.
#[test]
fn four_eyes_stay_four() {
    let mut facts = base();
    set_scope(&mut facts, "read", Risk::Critical, None);
    let mut wanted = facts.clone();
    wanted.owners.insert(owner("pay"), keys(&["p1"]));
    let few: (u32, &[&str], &str) = (2, &["p1", "p2"], "keeps 1 of the 2 approvers");
    takes(&facts, &wanted, &[few]);
    // With what it takes approval for in the same change: by those recorded.
    set_scope(&mut wanted, "read", Risk::Low, None);
    takes(&facts, &wanted, &[few, (2, &["p1", "p2"], "is called low")]);
    wanted.owners.insert(owner("pay"), BTreeSet::new());
    set_scope(&mut wanted, "read", Risk::Critical, None);
    takes(&facts, &wanted, &[(2, &["p1", "p2"], "loses all")]);
    // Of three one may go.
    let three = keys(&["p1", "p2", "p3"]);
    let mut recorded = facts.clone();
    recorded.owners.insert(owner("pay"), three);
    takes(&recorded, &facts, &[]);
    // Another owner's approvers aren't asked for it.
    let mut other = facts.clone();
    other.owners.insert(owner("sec"), keys(&["s1"]));
    takes(&facts, &other, &[]);
    set_scope(&mut facts, "read", Risk::Low, Some((2, &["sec"])));
    set_scope(&mut other, "read", Risk::Low, Some((2, &["sec"])));
    takes(
        &facts,
        &other,
        &[(2, &["s1", "s2"], "owner.sec keeps 1 of the 2")],
    );
}

#[test]
fn an_owner_removed_and_added_again_is_held_to_what_it_was() {
    let mut without = base();
    without.owners.remove(&owner("sec"));
    takes(&base(), &without, &[]);
    let after = facts::next(Some(&base()), &without);
    let mut back = base();
    back.owners.insert(owner("sec"), keys(&["x"]));
    takes(
        &after,
        &back,
        &[(1, &["s1", "s2"], "owner.sec gets 1 approver")],
    );
}

#[test]
fn an_owner_under_another_label_with_the_same_keys_is_the_same_people() {
    let mut wanted = base();
    let people = wanted.owners.remove(&owner("pay")).unwrap();
    wanted.owners.insert(owner("paying"), people);
    wanted.agents.insert(agent("bot"), owner("paying"));
    takes(&base(), &wanted, &[]);
    wanted.owners.insert(owner("paying"), BTreeSet::new());
    takes(&base(), &wanted, &[(1, &["p1", "p2"], "agent.bot goes")]);
}

#[test]
fn an_approval_taken_away_or_moved_takes_one() {
    let mut recorded = base();
    set_scope(&mut recorded, "read", Risk::Low, Some((2, &["sec"])));
    let mut wanted = base();
    let sec: &[&str] = &["s1", "s2"];
    takes(
        &recorded,
        &wanted,
        &[(2, sec, "no longer asks for approval")],
    );
    set_scope(&mut wanted, "read", Risk::Low, Some((1, &["sec"])));
    takes(&recorded, &wanted, &[(2, sec, "asks for 1 of the")]);
    set_scope(&mut wanted, "read", Risk::Low, Some((2, &["sec", "pay"])));
    takes(&recorded, &wanted, &[(2, sec, "lets others approve")]);
    set_scope(&mut wanted, "read", Risk::High, Some((3, &["sec"])));
    takes(&recorded, &wanted, &[]);
}

#[test]
fn a_lower_risk_takes_approval_by_the_owners_of_its_holders() {
    let pay: &[&str] = &["p1", "p2"];
    for (before, after, required) in [
        (Risk::Critical, Risk::High, 2),
        (Risk::High, Risk::Low, 1),
        (Risk::Medium, Risk::Low, 1),
    ] {
        let (mut recorded, mut wanted) = (base(), base());
        set_scope(&mut recorded, "read", before, None);
        set_scope(&mut wanted, "read", after, None);
        takes(&recorded, &wanted, &[(required, pay, "and its risk was")]);
        takes(&wanted, &recorded, &[]);
    }
    // Nobody holds it: anybody who is recorded.
    let (mut recorded, mut wanted) = (base(), base());
    set_scope(&mut recorded, "idle", Risk::High, None);
    set_scope(&mut wanted, "idle", Risk::Low, None);
    takes(
        &recorded,
        &wanted,
        &[(1, &["p1", "p2", "s1", "s2"], "scope.idle")],
    );
}

#[test]
fn a_scope_under_another_label_keeps_what_was_asked() {
    let mut recorded = base();
    set_scope(&mut recorded, "read", Risk::High, Some((2, &["sec"])));
    let mut wanted = base();
    wanted.scopes.clear();
    set_scope(&mut wanted, "see", Risk::Low, None);
    hold(&mut wanted, "bot", "prod", &["see"]);
    takes(
        &recorded,
        &wanted,
        &[(2, &["s1", "s2"], "scope.see is new while scope.read goes")],
    );
    set_scope(&mut wanted, "see", Risk::High, Some((2, &["sec"])));
    takes(&recorded, &wanted, &[]);
}

#[test]
fn a_lower_tier_takes_approval_and_counts_from_the_next_plan_on() {
    let mut recorded = base();
    set_scope(&mut recorded, "read", Risk::Critical, None);
    let mut wanted = recorded.clone();
    set_tier(&mut wanted, "prod", Tier::Development, "t1");
    let pay: &[&str] = &["p1", "p2"];
    takes_with(
        &gain("bot", "read"),
        &recorded,
        &wanted,
        &[
            (2, pay, "environment.prod is called development"),
            (2, pay, "gains"),
        ],
    );
    // The other way round the identity becomes production.
    takes(&wanted, &recorded, &[(2, pay, "begins to hold")]);
}

#[test]
fn an_exception_is_new_or_changed() {
    let mut wanted = base();
    let one = ExceptionFacts {
        what: "RMT201 for identity.bot until 2027-01-01".into(),
        owners: BTreeSet::from([owner("pay")]),
    };
    let address = DeclarationAddress::new("exception", "e");
    wanted.exceptions.insert(address.clone(), one.clone());
    let pay: &[&str] = &["p1", "p2"];
    takes(
        &base(),
        &wanted,
        &[(1, pay, "exception.e is a new exception")],
    );
    takes(&wanted, &wanted, &[]);
    takes(&wanted, &base(), &[]);
    let mut later = wanted.clone();
    later.exceptions.get_mut(&address).unwrap().what.push('9');
    let why = "exception.e is another exception: RMT201 for identity.bot until 2027-01-019, and was \
               RMT201 for identity.bot until 2027-01-01";
    takes(&wanted, &later, &[(1, pay, why)]);
    // Who else is concerned with the same makes it no other, and isn't recorded.
    let mut others = wanted.clone();
    let known = others.exceptions.get_mut(&address).unwrap();
    known.owners.insert(owner("sec"));
    takes(&wanted, &others, &[]);
    assert_eq!(facts::next(None, &wanted), facts::next(None, &others));
    let gone = facts::next(Some(&wanted), &base());
    takes(&gone, &wanted, &[(1, pay, "exception.e")]);
}

#[test]
fn fewer_people_than_should_agree_can_still_mend_it() {
    let mut recorded = base();
    recorded.owners.insert(owner("sec"), keys(&["s1"]));
    set_scope(&mut recorded, "read", Risk::Low, Some((3, &["sec"])));
    let mut wanted = recorded.clone();
    set_scope(&mut wanted, "read", Risk::Low, Some((1, &["sec"])));
    takes(&recorded, &wanted, &[(1, &["s1"], "asks for 1 of the")]);
}

/// Beside what is no production, a new environment is nothing special.
#[test]
fn a_new_environment_beside_staging_takes_nothing() {
    let mut recorded = base();
    set_tier(&mut recorded, "staging", Tier::Staging, "t2");
    let mut wanted = recorded.clone();
    set_tier(&mut wanted, "dev", Tier::Development, "t2");
    takes(&recorded, &wanted, &[]);
    set_tier(&mut wanted, "dev", Tier::Development, "t1");
    takes(
        &recorded,
        &wanted,
        &[(1, &["p1", "p2"], "of production: environment.prod")],
    );
}
