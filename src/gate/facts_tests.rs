//! What a configuration says of the facts of the gate.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::DeclarationAddress;
use remit_sdk::declaration::{Risk, Tier};
use remit_sdk::provider::Target;

use super::facts::{next, wanted, with_those_left};
use crate::model::fixture::model;
use crate::state::Facts;

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB9dG4kjRhQTtWTVzd2t27+t0DEHBPW7iOD23TUiYLio";

const CONFIGURATION: &str = r#"
provider "vault" { address = "https://a.example" }
provider "vault" "eu" { address = "https://eu.example" }
owner "pay" {
  contact   = "pay@example.com"
  approvers = ["KEY approver-1"]
}
owner "ops" { contact = "ops@example.com" }
environment "staging" { tier = "staging" }
environment "prod" {
  tier      = "production"
  providers = { vault = provider.vault.eu }
}
environment "empty" { tier = "development" }
issuer "ci" {
  type        = "oidc"
  url         = "https://ci.example"
  audience    = ["x"]
}
agent "bot" {
  owner   = owner.pay
  purpose = "Sorts"
  ceiling = [scope.read, scope.list]
}
agent "cron" {
  owner   = owner.ops
  purpose = "Cleans"
}
scope "read" {
  description = "Reads"
  domain      = "billing"
  risk        = "high"
  approval {
    required = 2
    from     = [owner.ops]
  }
  grant "vault" {
    path         = "kv/data/a"
    capabilities = ["read"]
  }
}
scope "list" {
  description = "Lists"
  domain      = "billing"
  risk        = "low"
  grant "vault" {
    path         = "kv/metadata/a"
    capabilities = ["list"]
  }
}
identity "bot" {
  agent       = agent.bot
  environment = environment.prod
  domain      = "billing"
  scopes      = [scope.read, scope.list]
  workload {
    issuer  = issuer.ci
    subject = "job-1"
  }
}
identity "cron" {
  agent       = agent.cron
  environment = environment.staging
  domain      = "billing"
  scopes      = [scope.list]
  workload {
    issuer  = issuer.ci
    subject = "job-2"
  }
}
"#;

fn at(kind: &str, name: &str) -> DeclarationAddress {
    DeclarationAddress::new(kind, name)
}

fn set<const N: usize>(all: [&str; N]) -> BTreeSet<String> {
    all.map(str::to_owned).into()
}

/// The configuration with more in it.
fn text(more: &str) -> String {
    format!("{}{more}", CONFIGURATION.replace("KEY", KEY))
}

fn targets() -> BTreeMap<String, Target> {
    let target = |id: &str| Target {
        id: id.into(),
        address: String::new(),
        description: String::new(),
    };
    [("vault", "a"), ("vault.eu", "eu"), ("aws", "acct")]
        .map(|(instance, id)| (instance.to_owned(), target(id)))
        .into()
}

#[test]
fn everything_that_counts_is_there() {
    let facts = wanted(&model(&text("")), &targets(), None);
    let owners = [
        (at("owner", "pay"), set([KEY])),
        (at("owner", "ops"), set([])),
    ];
    assert_eq!(facts.owners, owners.into());
    let agents = [("bot", "pay"), ("cron", "ops")];
    let agents = agents.map(|(agent, owner)| (at("agent", agent), at("owner", owner)));
    assert_eq!(facts.agents, agents.into());
    let ceiling = BTreeSet::from([at("scope", "read"), at("scope", "list")]);
    assert_eq!(facts.ceilings, [(at("agent", "bot"), ceiling)].into());
    let scope = |name: &str| {
        let facts = &facts.scopes[&at("scope", name)];
        let approval = facts.approval.as_ref();
        (
            facts.risk,
            approval.map(|one| (one.required, one.from.clone())),
        )
    };
    let from = BTreeSet::from([at("owner", "ops")]);
    assert_eq!(scope("read"), (Risk::High, Some((2, from))));
    assert_eq!(scope("list"), (Risk::Low, None));
    let environment = |name: &str| {
        let facts = &facts.environments[&at("environment", name)];
        (facts.tier, facts.targets.clone())
    };
    assert_eq!(environment("prod"), (Tier::Production, set(["eu"])));
    assert_eq!(environment("staging"), (Tier::Staging, set(["a"])));
    assert_eq!(environment("empty"), (Tier::Development, set([])));
    let bot = &facts.identities[&at("identity", "bot")];
    assert_eq!(bot.agent, at("agent", "bot"));
    assert_eq!(bot.environment, at("environment", "prod"));
    let scopes = ["list", "read"].map(|name| at("scope", name));
    assert_eq!(bot.scopes, scopes.into());
    assert!(facts.exceptions.is_empty());
}

#[test]
fn an_exception_is_answered_for_by_whom_it_is_about() {
    for (about, owners) in [
        ("identity.bot", ["pay"].as_slice()),
        ("identity.cron", &["ops"]),
        ("environment.prod", &["pay"]),
        ("environment.staging", &["ops"]),
        ("scope.read", &["pay"]),
        ("scope.list", &["ops", "pay"]),
        ("agent.cron", &["ops"]),
        ("owner.pay", &["pay"]),
        // Nobody by itself: who is said to have approved it.
        ("environment.empty", &["ops"]),
        ("issuer.ci", &["ops", "pay"]),
        ("provider.vault", &["ops", "pay"]),
        ("provider.vault.eu", &["pay"]),
    ] {
        let more = format!(
            r#"
exception "e" {{
  rule        = "RMT107"
  applies_to  = {about}
  reason      = "For now"
  approved_by = owner.ops
  expires_at  = "2027-03-31"
}}
"#
        );
        let facts = wanted(&model(&text(&more)), &targets(), None);
        let found = &facts.exceptions[&at("exception", "e")];
        let expected: BTreeSet<_> = owners.iter().map(|name| at("owner", name)).collect();
        assert_eq!(found.owners, expected, "{about}");
        let about = about.replace("vault.eu", "vault[\"eu\"]");
        let what = format!("RMT107 for {about} until 2027-03-3");
        assert!(found.what.starts_with(&what), "{}", found.what);
    }
}

/// Who comes with the change doesn't answer for what was there before it.
#[test]
fn an_exception_is_answered_for_by_those_who_were_concerned_before() {
    let exception = |about: &str| {
        format!(
            "exception \"e\" {{\n rule = \"RMT107\"\n applies_to = {about}\n reason = \"r\"\n approved_by = \
             owner.ops\n expires_at = \"2027-03-31\"\n}}\n"
        )
    };
    let mut recorded = wanted(&model(&text("")), &targets(), None);
    recorded
        .identities
        .retain(|identity, _| identity.name == "bot");
    let owners = |about: &str, recorded: &Facts| {
        let model = model(&text(&exception(about)));
        let facts = wanted(&model, &targets(), Some(recorded));
        facts.exceptions[&at("exception", "e")].owners.clone()
    };
    let (pay, ops) = (set_of("pay"), set_of("ops"));
    for about in [
        "scope.list",
        "issuer.ci",
        "provider.vault",
        "environment.prod",
    ] {
        assert_eq!(owners(about, &recorded), pay, "{about}");
    }
    // What is new is its own owner's.
    assert_eq!(owners("identity.cron", &recorded), ops);
    // An agent that changes hands is answered for by whose it was.
    recorded
        .agents
        .insert(at("agent", "bot"), at("owner", "ops"));
    assert_eq!(owners("identity.bot", &recorded), ops);
}

fn set_of(owner: &str) -> BTreeSet<DeclarationAddress> {
    [at("owner", owner)].into()
}

/// A plan of a part says nothing of identities that it leaves alone.
#[test]
fn identities_that_a_plan_leaves_alone_are_as_they_were() {
    let full = wanted(&model(&text("")), &targets(), None);
    let (bot, cron) = (at("identity", "bot"), at("identity", "cron"));
    let mut recorded = full.clone();
    recorded.identities.remove(&cron);
    recorded.identities.get_mut(&bot).unwrap().scopes.clear();
    let before = &recorded.identities[&bot];
    let part = |changed: &[&DeclarationAddress]| {
        let part =
            super::facts::of_part(full.clone(), Some(&recorded), |one| changed.contains(&one));
        part.identities
    };
    assert_eq!(part(&[]), recorded.identities);
    let both = part(&[&cron]);
    assert_eq!((both.len(), &both[&bot]), (2, before));
    assert_eq!(both[&cron], full.identities[&cron]);
    assert_eq!(part(&[&bot, &cron]), full.identities);
    let mut removed = full.clone();
    removed.identities.clear();
    let kept = super::facts::of_part(removed.clone(), Some(&recorded), |_| false);
    assert_eq!(kept.identities, recorded.identities);
    let gone = super::facts::of_part(removed, Some(&recorded), |_| true);
    assert!(gone.identities.is_empty());
}

/// A run that is cut off leaves nothing looser than it was, and promotes nobody.
#[test]
fn while_it_is_applied_the_stricter_is_recorded() {
    let before = wanted(&model(&text("")), &targets(), None);
    let (bot, cron) = (at("identity", "bot"), at("identity", "cron"));
    let (prod, staging) = (at("environment", "prod"), at("environment", "staging"));
    assert_eq!(before.identities[&cron].environment, staging);
    let mut after = before.clone();
    after.identities.remove(&bot);
    let moved = after.identities.get_mut(&cron).unwrap();
    moved.environment = prod.clone();
    moved.scopes = [at("scope", "read")].into();
    let meanwhile = super::facts::meanwhile(Some(&before), &after);
    assert_eq!(meanwhile.identities[&bot], before.identities[&bot]);
    let one = &meanwhile.identities[&cron];
    assert_eq!(one.environment, staging);
    let mut both = before.identities[&cron].scopes.clone();
    both.insert(at("scope", "read"));
    assert_eq!(one.scopes, both);
    assert_eq!(super::facts::meanwhile(None, &after), after);
    // Out of production at once, for it still counts as there.
    let mut back = after.clone();
    back.identities.get_mut(&cron).unwrap().environment = staging.clone();
    let meanwhile = super::facts::meanwhile(Some(&after), &next(Some(&after), &back));
    let one = &meanwhile.identities[&cron];
    assert_eq!(
        (&one.environment, &one.formerly),
        (&staging, &[prod.clone()].into())
    );
    assert!(meanwhile.is_in_production(&cron));
}

/// Out of production and back, by way of any environment.
#[test]
fn who_was_in_production_is_remembered() {
    let before = wanted(&model(&text("")), &targets(), None);
    let bot = at("identity", "bot");
    let (prod, staging) = (at("environment", "prod"), at("environment", "staging"));
    let to = |facts: &Facts, environment: &DeclarationAddress| {
        let mut moved = before.clone();
        moved.identities.get_mut(&bot).unwrap().environment = environment.clone();
        next(Some(facts), &moved)
    };
    let out = to(&before, &staging);
    assert_eq!(out.identities[&bot].formerly, [prod.clone()].into());
    assert!(out.is_in_production(&bot));
    let farther = to(&out, &at("environment", "empty"));
    assert_eq!(farther.identities[&bot].formerly, [prod.clone()].into());
    assert!(to(&out, &prod).identities[&bot].formerly.is_empty());
    // Where it was is no production any more.
    let mut lowered = out.clone();
    lowered.environments.get_mut(&prod).unwrap().tier = Tier::Staging;
    assert!(!lowered.is_in_production(&bot));
    assert!(to(&lowered, &staging).identities[&bot].formerly.is_empty());
}

#[test]
fn what_is_no_longer_declared_stays() {
    let declared = wanted(&model(&text("")), &targets(), None);
    let full = next(None, &declared);
    let concerned = BTreeMap::from([
        (at("environment", "prod"), set_of("pay")),
        (at("scope", "read"), set_of("pay")),
    ]);
    let without = Facts {
        concerned: BTreeMap::new(),
        ..full.clone()
    };
    assert_eq!((&full.concerned, without), (&concerned, declared));
    let nothing = Facts::default();
    let kept = next(Some(&full), &nothing);
    assert_eq!(
        (&kept.owners, &kept.agents, &kept.scopes, &kept.environments),
        (&full.owners, &full.agents, &full.scopes, &full.environments)
    );
    assert!(kept.identities.is_empty() && kept.exceptions.is_empty());
    // Whom it concerned is remembered, also of a state that said nothing of it.
    assert_eq!(kept.concerned, concerned);
    let mut old = full.clone();
    old.concerned.clear();
    assert_eq!(next(Some(&old), &nothing).concerned, concerned);
    assert_eq!(next(Some(&kept), &nothing).concerned, concerned);
    // What is wanted of the rest counts, and where an environment lived is remembered.
    let mut moved = full.clone();
    let prod = at("environment", "prod");
    for facts in moved.environments.values_mut() {
        facts.tier = Tier::Development;
        facts.targets = set(["new"]);
    }
    moved.owners.clear();
    let kept = next(Some(&full), &moved);
    assert_eq!(kept.environments[&prod].tier, Tier::Development);
    assert_eq!(kept.environments[&prod].targets, set(["eu", "new"]));
    assert_eq!(kept.owners, full.owners);
}

/// What a plan leaves there is what it was, though nothing declares it.
#[test]
fn an_identity_that_is_left_stays_recorded() {
    let before = wanted(&model(&text("")), &targets(), None);
    let mut declared = before.clone();
    declared.identities.clear();
    let left = BTreeSet::from([at("identity", "bot"), at("scope", "read")]);
    let after = with_those_left(next(Some(&before), &declared), Some(&before), &left);
    assert_eq!(after.identities.len(), 1);
    assert_eq!(
        after.identities[&at("identity", "bot")],
        before.identities[&at("identity", "bot")]
    );
    // One that is declared is as it is declared.
    let mut moved = before.clone();
    moved
        .identities
        .get_mut(&at("identity", "bot"))
        .unwrap()
        .environment = at("environment", "x");
    assert_eq!(with_those_left(moved.clone(), Some(&before), &left), moved);
    assert_eq!(with_those_left(moved.clone(), None, &left), moved);
}
