//! What exceeds a ceiling, with an evaluator that takes an attribute for permissions.

use std::fmt::Write as _;
use std::path::PathBuf;

use remit_sdk::DeclarationAddress;

use super::tests::{catalog, observed, recorded};
use super::*;
use crate::config;
use crate::diagnostic::SourceMap;
use crate::evaluate::Inputs;
use crate::lower::Desired;
use crate::model::{self, Model};

/// `identity.a` of an agent with a ceiling, `identity.b` of one without.
fn model() -> Model {
    let mut text = "owner \"o\" {\n contact = \"o@example.com\"\n}\nenvironment \"e\" {\n tier = \
                    \"staging\"\n}\nissuer \"h\" {\n type = \"approle\"\n}\nscope \"s\" {\n description = \
                    \"d\"\n domain = \"d\"\n risk = \"low\"\n}\n"
        .to_owned();
    for (label, ceiling) in [("a", "ceiling = [scope.s]"), ("b", "")] {
        let _ = write!(
            text,
            "agent \"{label}\" {{\n owner = owner.o\n purpose = \"p\"\n {ceiling}\n}}\nidentity \"{label}\" \
             {{\n agent = agent.{label}\n environment = environment.e\n domain = \"d\"\n scopes = [scope.s]\n \
             workload {{\n issuer = issuer.h\n }}\n}}\n"
        );
    }
    let mut sources = SourceMap::default();
    let file = sources.add("main.remit.hcl".into(), text.as_str().into());
    let parsed = config::parse(&text, file).unwrap();
    let inputs = Inputs {
        root: PathBuf::new(),
        variables: [].into(),
        environment: &|_| None,
    };
    let configuration = config::syntax::Configuration {
        blocks: parsed.blocks,
        files: vec![file],
        ..config::syntax::Configuration::default()
    };
    let built = model::build(&configuration, &inputs, &[&remit_vault::Vault], &sources);
    built.unwrap_or_else(|errors| panic!("{errors:#?}")).0
}

/// What exceeds the ceiling, by identity, where `holder` may do this and its ceiling holds that.
fn found(holder: &str, may: &[&str], most: &[&str]) -> Vec<String> {
    let model = model();
    let desired = Desired::default();
    let (known, live) = (recorded(&[(holder, may)]), observed(&[(holder, may)]));
    let (ceiling, held) = (recorded(&[(holder, most)]), observed(&[(holder, most)]));
    let around = Around {
        model: &model,
        targets: &live.targets,
    };
    let now = Moment::live(&known, &desired, &live, &catalog());
    let most = Moment::live(&ceiling, &desired, &held, &catalog());
    exceeding(&now, &most, &catalog(), around)
        .into_iter()
        .map(|one| {
            assert_eq!(one.instance, "toy");
            let actions = &one.what.excess.permission.actions;
            let actions: Vec<&str> = actions.iter().map(String::as_str).collect();
            format!("{} {}", one.identity, actions.join(","))
        })
        .collect()
}

#[test]
fn what_a_ceiling_does_not_hold_exceeds_it() {
    assert_eq!(found("a", &["r", "w"], &["r"]), ["identity.a w"]);
    assert_eq!(found("a", &["r"], &["r", "w"]), Vec::<String>::new());
    // Without a ceiling nothing does.
    assert_eq!(found("b", &["r", "w"], &["r"]), Vec::<String>::new());
}

#[test]
fn whose_an_identity_is() {
    let whose = |label: &str| {
        let found = super::compare::whose(&DeclarationAddress::new("identity", label), &model());
        found.map(|one| {
            let owner = one.owner.unwrap().to_string();
            let tier = one.tier.unwrap();
            [one.agent.to_string(), owner, one.environment, tier].join(" ")
        })
    };
    assert_eq!(whose("a").as_deref(), Some("agent.a owner.o e staging"));
    assert_eq!(whose("c"), None);
}

#[test]
fn the_right_to_its_own_token_exceeds_nothing() {
    assert_eq!(found("a", &["own"], &[]), Vec::<String>::new());
    // Somebody may have written more into that policy.
    assert_eq!(found("a", &["own-admin"], &[]), ["identity.a own-admin"]);
    assert_eq!(found("a", &["admin"], &[]), ["identity.a admin"]);
    // What is nobody's is no right of its own.
    assert_eq!(found("a", &["foreign"], &[]), ["identity.a foreign"]);
}
