//! Changes and plans for the tests of this module.

mod findings;
mod kinds;
pub(super) mod schema;

pub(super) use findings::findings;

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::provider::{Expected, Target};
use remit_sdk::{Fingerprint, ObjectAddress, Pending, SecretRef, Value};

pub(super) use kinds::catalog;

use crate::diff::{Action, Change, Details, Difference, Reason};
use crate::plan::{OutputChange, Phase, Plan, Precondition, Step, StepOperation, StepRecord};
use crate::state::Operation;

/// The address in its text form.
pub(super) fn address(text: &str) -> ObjectAddress {
    text.parse().unwrap()
}

/// What a live object is expected to be.
pub(super) fn present() -> Expected {
    Expected::Present {
        id: None,
        version: Some(3),
        fingerprint: Fingerprint::of(&serde_json::json!({})),
    }
}

/// A change without attributes.
pub(super) fn change(text: &str, action: Action, reason: Reason) -> Change {
    let address = address(text);
    let expected = match action {
        Action::Create => Expected::Absent,
        _ => present(),
    };
    Change {
        instance: "vault".into(),
        kind: address.kind.clone(),
        key: "remit-x".into(),
        action,
        reason,
        before: BTreeMap::new(),
        after: BTreeMap::new(),
        differences: Vec::new(),
        expected,
        old: None,
        moved_from: None,
        details: Details::default(),
        place: None,
        address,
    }
}

/// An attribute that differs.
pub(super) fn difference(name: &str, before: Option<Value>, after: Option<Value>) -> Difference {
    Difference {
        name: name.into(),
        before,
        after,
        drift: None,
        managed: true,
        replaces: false,
        document: name == "policy",
        may_give: name != "policy",
    }
}

impl Change {
    pub(super) fn named(mut self, key: &str, place: &str) -> Self {
        self.key = key.into();
        self.place = (!place.is_empty()).then(|| place.into());
        self
    }

    /// With an attribute that the configuration sets.
    pub(super) fn with(mut self, difference: Difference) -> Self {
        self.details.set.insert(difference.name.clone());
        if let Some(before) = &difference.before {
            self.before.insert(difference.name.clone(), before.clone());
        }
        if let Some(after) = &difference.after {
            self.after.insert(difference.name.clone(), after.clone());
        }
        self.differences.push(difference);
        self
    }
}

/// A plan of these changes, a step for each.
pub(super) fn plan(changes: impl IntoIterator<Item = Change>) -> Plan {
    let changes: BTreeMap<ObjectAddress, Change> = changes
        .into_iter()
        .map(|change| (change.address.clone(), change))
        .collect();
    let steps = changes.values().enumerate().map(step).collect();
    Plan {
        remit_version: "0.1.0".into(),
        targets: [(
            "vault".to_owned(),
            Target {
                id: "7f3a0c11/agents".into(),
                address: "https://bao.example.com:8200".into(),
                description: "OpenBao 2.7.2, cluster 7f3a0c11".into(),
            },
        )]
        .into(),
        configuration: "c0ffee".into(),
        lineage: Some("9c1e0a2b-77aa-4c55".into()),
        serial: 41,
        changes,
        steps,
        recorded: 41,
        ..Plan::nothing()
    }
}

fn step((index, change): (usize, &Change)) -> Step {
    Step {
        id: index + 1,
        waits_for: BTreeSet::new(),
        follows: BTreeSet::new(),
        phase: Phase::Neutral,
        operation: match change.action {
            Action::Create | Action::Replace => StepOperation::Write(Operation::Create),
            Action::Update | Action::Adopt => StepOperation::Write(Operation::Update),
            Action::Delete => StepOperation::Write(Operation::Delete),
            Action::Keep | Action::Refresh => StepOperation::Record,
            Action::Forget => StepOperation::Forget,
        },
        address: change.address.clone(),
        instance: change.instance.clone(),
        kind: change.kind.clone(),
        key: change.key.clone(),
        moved_from: None,
        precondition: Precondition::Live(change.expected.clone()),
        attributes: BTreeMap::new(),
        changed: BTreeSet::new(),
        unset: BTreeSet::new(),
        record: StepRecord::default(),
    }
}

const OLD_POLICY: &str =
    "path \"kv/data/prod/invoices/*\" {\n  capabilities = [\"read\", \"update\"]\n}\n";
const NEW_POLICY: &str = "path \"kv/data/prod/invoices/*\" {\n  capabilities = [\"read\"]\n}\n";

/// A first plan: an identity and what it needs.
pub(super) fn first() -> Plan {
    let identity = "identity.invoice_triage[\"prod\"]";
    let agents = "agents.remit.hcl:41";
    let new = |text: String, key: &str, place: &str| {
        change(&text, Action::Create, Reason::New).named(key, place)
    };
    let set = |name: &str, value: Value| difference(name, None, Some(value));
    let entity = address(&format!("{identity}/vault_entity"));
    let mut plan = plan([
        new(
            "issuer.prod_eu/vault_auth_mount".into(),
            "auth/prod-eu",
            "issuers.remit.hcl:1",
        )
        .with(set("path", Value::string("prod-eu")))
        .with(set("type", Value::string("jwt"))),
        new(
            "scope.invoices_read/vault_policy".into(),
            "remit-invoices_read",
            "scopes.remit.hcl:3",
        )
        .with(set("name", Value::string("remit-invoices_read")))
        .with(set("policy", Value::string(NEW_POLICY))),
        new(
            format!("{identity}/vault_entity"),
            "remit-invoice_triage-prod",
            agents,
        )
        .with(set("name", Value::string("remit-invoice_triage-prod")))
        .with(set(
            "policies",
            Value::strings(["remit-invoices_read", "remit-self"]),
        )),
        new(
            format!("{identity}/vault_jwt_role/issuer.prod_eu"),
            "auth/prod-eu/role/remit-invoice_triage-prod",
            agents,
        )
        .with(set("mount", Value::string("prod-eu")))
        .with(set("name", Value::string("remit-invoice_triage-prod")))
        .with(set(
            "bound_subject",
            Value::string("system:serviceaccount:agents-prod:invoice-triage"),
        ))
        .with(set("bound_audiences", Value::strings(["vault"])))
        .with(set("token_ttl", Value::integer(900)))
        .with(set("token_max_ttl", Value::integer(3600)))
        .with(set("token_type", Value::string("default"))),
        new(
            "vault_database_connection.orders/vault_database_connection".into(),
            "database/config/orders",
            "db.remit.hcl:9",
        )
        .with(set(
            "password",
            Value::Secret(SecretRef::Env("PG_PASSWORD".into())),
        ))
        .with(set("password_version", Value::integer(1))),
    ]);
    plan.lineage = None;
    plan.serial = 0;
    plan.recorded = 0;
    plan.outputs.insert(
        "entity_id".into(),
        OutputChange {
            before: None,
            after: Some(Value::Pending(Pending::attribute(entity, "id"))),
            sensitive: false,
        },
    );
    plan
}

/// A plan in which everything happens at once.
pub(super) fn everything() -> Plan {
    let identity = "identity.invoice_triage[\"prod\"]";
    let agents = "agents.remit.hcl:41";
    let mount = "issuer.old_eu/vault_auth_mount";
    let ttl = Difference {
        drift: Some(Value::integer(3600)),
        ..difference(
            "token_max_ttl",
            Some(Value::integer(86_400)),
            Some(Value::integer(3600)),
        )
    };
    let mut update = change(
        &format!("{identity}/vault_jwt_role/issuer.prod_eu"),
        Action::Update,
        Reason::Configuration,
    )
    .named("auth/prod-eu/role/remit-invoice_triage-prod", agents)
    .with(difference(
        "token_ttl",
        Some(Value::integer(3600)),
        Some(Value::integer(900)),
    ))
    .with(ttl.clone())
    .with(difference(
        "bound_subject",
        Some(Value::string("system:serviceaccount:agents-prod:invoices")),
        Some(Value::string("")),
    ));
    update.details.set.remove("bound_subject");
    update.details.unset.insert("bound_subject".into());
    let mut moved = change(
        "identity.reports/vault_entity",
        Action::Replace,
        Reason::Immutable(vec!["name".into()]),
    )
    .named("reports-two", "agents.remit.hcl:80")
    .with(Difference {
        replaces: true,
        ..difference(
            "name",
            Some(Value::string("reports-one")),
            Some(Value::string("reports-two")),
        )
    });
    moved.old = Some(crate::diff::OldObject {
        instance: "vault".into(),
        key: "reports-one".into(),
        expected: Some(present()),
    });
    let mut connection = change(
        "vault_database_connection.orders/vault_database_connection",
        Action::Update,
        Reason::Configuration,
    )
    .named("database/config/orders", "db.remit.hcl:9")
    .with(difference(
        "password",
        Some(Value::Secret(SecretRef::Env("PG_PASSWORD".into()))),
        Some(Value::Secret(SecretRef::Env("PG_PASSWORD".into()))),
    ));
    connection
        .after
        .insert("password_version".into(), Value::integer(2));
    let mut plan = plan([
        update,
        moved,
        connection,
        change(
            &format!("{identity}/vault_entity"),
            Action::Adopt,
            Reason::Unrecorded,
        )
        .named("remit-invoice_triage-prod", agents)
        .with(difference(
            "policies",
            Some(Value::strings(["remit-invoices_read"])),
            Some(Value::strings(["remit-invoices_read", "remit-self"])),
        )),
        change(
            "scope.invoices_read/vault_policy/identity.invoice_triage[\"prod\"]",
            Action::Update,
            Reason::Configuration,
        )
        .named(
            "remit-invoices_read-invoice_triage-prod",
            "scopes.remit.hcl:3",
        )
        .with(difference(
            "policy",
            Some(Value::string(OLD_POLICY)),
            Some(Value::string(NEW_POLICY)),
        )),
        change(
            mount,
            Action::Replace,
            Reason::Immutable(vec!["type".into()]),
        )
        .named("auth/old-eu", "issuers.remit.hcl:12")
        .with(Difference {
            replaces: true,
            ..difference(
                "type",
                Some(Value::string("kubernetes")),
                Some(Value::string("jwt")),
            )
        }),
        change(
            "identity.reports/vault_jwt_role/issuer.old_eu",
            Action::Create,
            Reason::Container(address(mount)),
        )
        .named("auth/old-eu/role/remit-reports", "agents.remit.hcl:80")
        .with(difference("token_ttl", None, Some(Value::integer(900)))),
        change(
            "scope.gone/vault_policy",
            Action::Delete,
            Reason::Undeclared,
        )
        .named("remit-gone", ""),
        change("scope.lost/vault_policy", Action::Create, Reason::Gone)
            .named("remit-lost", "scopes.remit.hcl:30")
            .with(difference("policy", None, Some(Value::string(NEW_POLICY)))),
        change("scope.taken/vault_policy", Action::Forget, Reason::NotOurs)
            .named("remit-taken", ""),
        change(
            "issuer.prod_eu/vault_auth_mount",
            Action::Refresh,
            Reason::Drift,
        )
        .named("auth/prod-eu", "issuers.remit.hcl:1"),
    ]);
    plan.drift.insert(
        address(&format!("{identity}/vault_jwt_role/issuer.prod_eu")),
        vec![ttl],
    );
    plan.drift.insert(
        address("issuer.prod_eu/vault_auth_mount"),
        vec![Difference {
            drift: Some(Value::integer(3600)),
            managed: false,
            ..difference(
                "max_lease_ttl",
                Some(Value::integer(7200)),
                Some(Value::integer(7200)),
            )
        }],
    );
    plan.outputs.insert(
        "mount".into(),
        OutputChange {
            before: Some(Value::string("old-eu")),
            after: Some(Value::string("prod-eu")),
            sensitive: false,
        },
    );
    plan.outputs.insert(
        "role_id".into(),
        OutputChange {
            before: None,
            after: Some(Value::string("hidden")),
            sensitive: true,
        },
    );
    plan.unmanaged.insert((
        "vault".into(),
        "vault_policy".into(),
        "remit-handmade".into(),
    ));
    plan
}
