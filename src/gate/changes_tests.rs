//! What a plan says of the facts it changes.

use remit_sdk::DeclarationAddress;
use remit_sdk::declaration::{Risk, Tier};

use super::changes::{Person, changes, people};
use super::listed;
use super::requirements_tests::{
    agent, base, environment, hold, identity, key, keys, owner, scope, set_scope, set_tier,
};
use crate::model::fixture::model;
use crate::state::Facts;
use crate::state::facts::ExceptionFacts;

fn told(before: Option<&Facts>, after: &Facts) -> Vec<String> {
    let text = |one: Option<String>| one.unwrap_or_else(|| "none".into());
    changes(before, after)
        .into_iter()
        .map(|one| {
            let (before, after) = (text(one.before), text(one.after));
            format!("{} {}: {before}, {after}", one.address, one.what.word())
        })
        .collect()
}

fn exception(facts: &mut Facts, name: &str, what: &str) {
    let one = ExceptionFacts {
        what: what.into(),
        owners: [owner("pay")].into(),
    };
    let address = DeclarationAddress::new("exception", name);
    facts.exceptions.insert(address, one);
}

#[test]
fn every_fact_that_changes_is_told() {
    let mut before = base();
    before.ceilings.insert(agent("bot"), [scope("read")].into());
    set_scope(&mut before, "open", Risk::Low, Some((1, &["pay"])));
    exception(&mut before, "a", "one");
    exception(&mut before, "b", "one");
    assert_eq!(told(Some(&before), &before), Vec::<String>::new());
    let mut after = before.clone();
    after.owners.insert(owner("pay"), keys(&["p1", "x"]));
    after.agents.insert(agent("bot"), owner("sec"));
    after
        .ceilings
        .insert(agent("bot"), [scope("open"), scope("read")].into());
    set_scope(&mut after, "read", Risk::High, Some((2, &["pay", "sec"])));
    set_scope(&mut after, "open", Risk::Low, None);
    set_tier(&mut after, "prod", Tier::Staging, "t2");
    hold(&mut after, "bot", "other", &[]);
    after.identities.get_mut(&identity("bot")).unwrap().agent = agent("mine");
    after.exceptions.clear();
    exception(&mut after, "b", "two");
    exception(&mut after, "c", "one");
    assert_eq!(
        told(Some(&before), &after),
        [
            "owner.pay approver: ssh-ed25519 p2, none",
            "owner.pay approver: none, ssh-ed25519 x",
            "agent.bot owner: owner.pay, owner.sec",
            "agent.bot ceiling: scope.read, scope.open, scope.read",
            "scope.open approval: 1 of owner.pay, none",
            "scope.read risk: low, high",
            "scope.read approval: none, 2 of owner.pay, owner.sec",
            "environment.prod tier: production, staging",
            "identity.bot agent: agent.bot, agent.mine",
            "identity.bot environment: environment.prod, environment.other",
            "exception.a exception: one, none",
            "exception.b exception: one, two",
            "exception.c exception: none, one",
        ]
    );
}

/// What is new changes nothing that was there, but whoever comes to approve is told.
#[test]
fn of_what_is_new_the_approvers_are_told() {
    let mut after = base();
    exception(&mut after, "a", "one");
    after.ceilings.insert(agent("bot"), [scope("read")].into());
    let all = [
        "owner.pay approver: none, ssh-ed25519 p1",
        "owner.pay approver: none, ssh-ed25519 p2",
        "owner.sec approver: none, ssh-ed25519 s1",
        "owner.sec approver: none, ssh-ed25519 s2",
        "exception.a exception: none, one",
    ];
    assert_eq!(told(None, &after), all);
    assert_eq!(told(Some(&Facts::default()), &after), all);
    // Where it lives is said elsewhere.
    let mut moved = after.clone();
    let facts = moved.environments.get_mut(&environment("prod")).unwrap();
    facts.targets.clear();
    assert_eq!(told(Some(&after), &moved), Vec::<String>::new());
    let mut gone = after.clone();
    gone.gone.insert(owner("sec"));
    assert_eq!(told(Some(&after), &gone), ["owner.sec declared: yes, no"]);
    assert_eq!(told(Some(&gone), &after), ["owner.sec declared: no, yes"]);
}

const KEYS: [&str; 2] = [
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB9dG4kjRhQTtWTVzd2t27+t0DEHBPW7iOD23TUiYLio",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKiIqf9QIXLIPeNCNVn6kSHwJzkJEv8hZGsw6Zh1pKyF",
];

#[test]
fn whose_a_key_is_comes_from_what_is_declared_and_recorded() {
    let model = model(&format!(
        "owner \"pay\" {{\n contact = \"pay@example.com\"\n approvers = [\"{} first\"]\n}}\nowner \"sec\" {{\n \
         contact = \"sec@example.com\"\n approvers = [\"{} other\"]\n}}\n",
        KEYS[0], KEYS[1]
    ));
    let mut recorded = Facts::default();
    let old = [KEYS[0].to_owned(), key("old")];
    recorded.owners.insert(owner("gone"), old.clone().into());
    recorded.owners.insert(owner("sec"), [key("old")].into());
    let found = people(&model, Some(&recorded), &old);
    assert_eq!(found.len(), 2, "of those asked for");
    let first = &found[KEYS[0]];
    assert_eq!(first.comment, "first");
    let contact = |one: &str| Some(format!("{one}@example.com"));
    let owners = [(owner("gone"), None), (owner("pay"), contact("pay"))];
    assert_eq!(first.owners, owners.into());
    let unnamed = Person {
        comment: String::new(),
        owners: [(owner("gone"), None), (owner("sec"), contact("sec"))].into(),
    };
    assert_eq!(found[&key("old")], unnamed);
    let all = KEYS.map(str::to_owned);
    let found = people(&model, None, &all);
    let lines = listed(&all, &found);
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert_eq!(lines[0], r#"owner.pay ("pay@example.com")"#);
    assert!(lines[1].starts_with("  SHA256:") && lines[1].ends_with(" first"));
    assert_eq!(lines[2], r#"owner.sec ("sec@example.com")"#);
    // Of nobody known there is the key alone.
    let lines = listed(&all, &super::People::new());
    assert!(lines.len() == 2 && lines.iter().all(|line| line.starts_with("SHA256:")));
}

/// One key may stand in the configuration more than once.
#[test]
fn every_comment_of_a_key_is_told() {
    let owners = [("a", "first"), ("b", "first"), ("c", "second"), ("d", "")];
    let owner = |(name, comment): (&str, &str)| {
        format!(
            "owner \"{name}\" {{\n contact = \"{name}@example.com\"\n approvers = [\"{} {comment}\"]\n}}\n",
            KEYS[0]
        )
    };
    let found = people(
        &model(&owners.map(owner).concat()),
        None,
        [&KEYS[0].to_owned()],
    );
    assert_eq!(found[KEYS[0]].comment, "first, second");
    assert_eq!(found[KEYS[0]].owners.len(), 4);
}
