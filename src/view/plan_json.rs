//! A plan in the shape of Terraform's JSON plan, so that tools made for that one work.
//!
//! In: a plan and the tables of the kinds. Out: JSON. `type` is the kind, `name` the
//! declaration's label, `index` its key; `address` is the object's address, which no two changes share. What
//! Terraform has no word for stands under `remit`. Sensitive attributes hold the text of the
//! reference to the secret, which is all that a plan knows. docs/json-plan.md describes it and
//! docs/schema/plan.schema.json holds it to that.

use std::collections::BTreeMap;

use remit_sdk::{Kind, ObjectAddress, Value};
use serde_json::{Map, Value as Json, json};

use super::approvals;
use super::planned_values::{configuration, planned_values};
use crate::diff::{Action, Change, Difference, Reason};
#[cfg(test)]
use crate::gate::Requirement;
use crate::gate::Review;
use crate::gate::file::Header;
use crate::lower::Catalog;
use crate::plan::{OutputChange, Plan};

/// The version of this format: Terraform's own, which tools look at.
const FORMAT: &str = "1.2";

/// What is known beside the plan itself.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// The header, for a saved plan.
    pub header: Option<&'a Header>,
    /// Whether making it met errors, so that it can't be applied.
    pub errored: bool,
}

/// The plan as one JSON document.
pub fn json(review: &Review, catalog: &Catalog<'_>, frame: Frame<'_>) -> Json {
    let plan = &review.plan;
    let changes: Vec<Json> = plan
        .changes
        .values()
        .filter(|change| !matches!(change.action, Action::Keep | Action::Refresh))
        .map(|change| resource_change(change, catalog))
        .collect();
    let outputs: Map<String, Json> = plan
        .outputs
        .iter()
        .map(|(name, change)| (name.clone(), output_change(change)))
        .collect();
    let mut out = json!({
        "format_version": FORMAT,
        // Tools take a JSON document for a plan by this; which Terraform it was, none asks.
        "terraform_version": plan.remit_version,
        "variables": {},
        "planned_values": planned_values(plan, catalog),
        "configuration": configuration(plan),
        "resource_changes": changes,
        "resource_drift": drift(plan, catalog),
        "output_changes": outputs,
        "applyable": !plan.is_empty() && !frame.errored,
        "complete": !frame.errored,
        "errored": frame.errored,
        "remit": remit(review, frame.header),
    });
    if let (Some(header), Json::Object(all)) = (frame.header, &mut out) {
        all.insert("timestamp".into(), json!(header.created_at));
    }
    out
}

/// What Terraform has no word for.
fn remit(review: &Review, header: Option<&Header>) -> Json {
    let plan = &review.plan;
    let steps: Vec<Json> = plan
        .steps
        .iter()
        .map(|step| {
            json!({
                "id": step.id,
                "waits_for": step.waits_for,
                "follows": step.follows,
                "phase": step.phase,
                "operation": step.operation,
                "address": step.address,
                "key": step.key,
            })
        })
        .collect();
    let unmanaged: Vec<Json> = plan
        .unmanaged
        .iter()
        .map(|(instance, kind, key)| json!({ "instance": instance, "type": kind, "key": key }))
        .collect();
    let records: Vec<Json> = plan
        .changes
        .values()
        .filter(|change| matches!(change.action, Action::Refresh | Action::Forget))
        .map(|change| json!({ "address": change.address, "action": change.action, "reason": change.reason }))
        .collect();
    json!({
        "version": plan.remit_version,
        "mode": plan.mode,
        "targets": plan.targets,
        "configuration": plan.configuration,
        "lineage": plan.lineage,
        "serial": plan.serial,
        "digest": header.map(|header| &header.digest),
        "expires_at": header.map(|header| &header.expires_at),
        "findings": review.findings,
        "access_changes": super::access::changes_json(&review.access),
        "steps": steps,
        "interrupted": plan.interrupted(),
        "records": records,
        "unmanaged": unmanaged,
        "gate_changes": approvals::changes_json(&review.gate_changes),
        "approvals": approvals::json(&review.approvals),
        "people": approvals::people_json(&review.people),
    })
}

/// The parts of an address, as every JSON of Terraform's has them.
pub(super) fn address_fields(address: &ObjectAddress, instance: &str) -> Map<String, Json> {
    let mut out = Map::new();
    let declaration = &address.declaration;
    let mut set = |name: &str, value: Json| out.insert(name.to_owned(), value);
    set("address", json!(address));
    if !declaration.module.is_empty() {
        let module: Vec<String> = declaration
            .module
            .iter()
            .map(|name| format!("module.{name}"))
            .collect();
        set("module_address", json!(module.join(".")));
    }
    set("mode", json!("managed"));
    set("type", json!(address.kind));
    set("name", json!(declaration.name));
    if let Some(key) = &declaration.key {
        set("index", json!(key));
    }
    set("provider_name", json!(instance));
    out
}

fn resource_change(change: &Change, catalog: &Catalog<'_>) -> Json {
    let kind = catalog.kind(&change.kind);
    let mut out = address_fields(&change.address, &change.instance);
    out.insert("change".into(), change_body(change, kind));
    let reason = match &change.reason {
        Reason::Immutable(_) => Some("replace_because_cannot_update"),
        Reason::Requested => Some("replace_by_request"),
        Reason::ReplaceOn(_) => Some("replace_by_triggers"),
        Reason::Undeclared => Some("delete_because_no_resource_config"),
        _ => None,
    };
    if let Some(reason) = reason {
        out.insert("action_reason".into(), json!(reason));
    }
    let drifted: Vec<&str> = change
        .differences
        .iter()
        .filter(|difference| difference.drift.is_some())
        .map(|difference| difference.name.as_str())
        .collect();
    if let Some(from) = &change.moved_from {
        out.insert("previous_address".into(), json!(from));
    }
    let mut own = json!({
        "action": change.action,
        "reason": change.reason,
        "declaration": change.address.declaration,
        "part": change.address.part,
        "key": change.key,
        "place": change.place,
        "drifted": drifted,
        "holders": change.details.holders,
    });
    if let (Some(old), Json::Object(all)) = (&change.old, &mut own) {
        all.insert(
            "old".into(),
            json!({ "instance": old.instance, "key": old.key }),
        );
    }
    out.insert("remit".into(), own);
    Json::Object(out)
}

fn actions(action: Action) -> &'static [&'static str] {
    match action {
        Action::Keep | Action::Refresh => &["no-op"],
        Action::Create => &["create"],
        Action::Update | Action::Adopt => &["update"],
        Action::Replace => &["delete", "create"],
        Action::Delete => &["delete"],
        Action::Forget => &["forget"],
    }
}

fn change_body(change: &Change, kind: Option<&Kind>) -> Json {
    let is_gone = matches!(change.action, Action::Delete | Action::Forget);
    let is_new = change.action == Action::Create;
    let before = if is_new {
        Json::Null
    } else {
        attributes(&change.before)
    };
    let after = if is_gone {
        Json::Null
    } else {
        attributes(&change.after)
    };
    let unknown: Map<String, Json> = if is_gone {
        Map::new()
    } else {
        change
            .after
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), unknown(value)?)))
            .collect()
    };
    let actions: &[&str] = match change.action {
        Action::Adopt if change.differences.is_empty() => &["no-op"],
        action => actions(action),
    };
    let mut out = json!({
        "actions": actions,
        "before": before,
        "after": after,
        "after_unknown": unknown,
        "before_sensitive": sensitive(&change.before, kind, is_new),
        "after_sensitive": sensitive(&change.after, kind, is_gone),
    });
    if let Json::Object(all) = &mut out {
        if change.action == Action::Adopt {
            all.insert("importing".into(), json!({ "id": change.key }));
        }
        if let Reason::Immutable(names) = &change.reason {
            let paths: Vec<[&str; 1]> = names.iter().map(|name| [name.as_str()]).collect();
            all.insert("replace_paths".into(), json!(paths));
        }
    }
    out
}

pub(super) fn attributes(all: &BTreeMap<String, Value>) -> Json {
    Json::Object(
        all.iter()
            .map(|(name, value)| (name.clone(), value.to_plain_json()))
            .collect(),
    )
}

/// `true` where a value is known only after apply, in the shape of the value; nothing where all
/// of it is known.
fn unknown(value: &Value) -> Option<Json> {
    if !value.has_pending() {
        return None;
    }
    Some(match value {
        Value::List(all) => all
            .iter()
            .map(|one| unknown(one).unwrap_or(Json::Bool(false)))
            .collect(),
        Value::Map(all) => Json::Object(
            all.iter()
                .filter_map(|(name, one)| Some((name.clone(), unknown(one)?)))
                .collect(),
        ),
        _ => Json::Bool(true),
    })
}

/// `true` for what holds a reference to a secret. As in Terraform, `false` where there is no
/// object at all.
pub(super) fn sensitive(
    all: &BTreeMap<String, Value>,
    kind: Option<&Kind>,
    is_absent: bool,
) -> Json {
    if is_absent {
        return Json::Bool(false);
    }
    let is_secret = |name: &str, value: &Value| {
        matches!(value, Value::Secret(_))
            || kind
                .and_then(|kind| kind.attribute(name))
                .is_some_and(|attribute| attribute.write_only)
    };
    Json::Object(
        all.iter()
            .filter(|(name, value)| is_secret(name, value))
            .map(|(name, _)| (name.clone(), Json::Bool(true)))
            .collect(),
    )
}

/// Drift in Terraform's sense: `before` is what was recorded, `after` what is live. Objects that
/// somebody removed are in it.
fn drift(plan: &Plan, catalog: &Catalog<'_>) -> Vec<Json> {
    let mut out = Vec::new();
    for (address, differences) in &plan.drift {
        let change = plan.changes.get(address);
        let default = address.alias.as_ref().map_or_else(
            || provider_of(address, catalog),
            |alias| format!("{}.{alias}", provider_of(address, catalog)),
        );
        let instance = change.map_or(default.as_str(), |change| change.instance.as_str());
        out.push(drifted(address, instance, change, differences, catalog));
    }
    for change in plan.changes.values() {
        if change.reason == Reason::Gone {
            let mut one = address_fields(&change.address, &change.instance);
            let kind = catalog.kind(&change.kind);
            one.insert(
                "change".into(),
                json!({
                    "actions": ["delete"],
                    "before": attributes(&change.before),
                    "after": Json::Null,
                    "after_unknown": {},
                    "before_sensitive": sensitive(&change.before, kind, false),
                    "after_sensitive": false,
                }),
            );
            out.push(Json::Object(one));
        }
    }
    out
}

fn provider_of(address: &ObjectAddress, catalog: &Catalog<'_>) -> String {
    catalog
        .provider_of_kind(&address.kind)
        .map(|provider| provider.name().to_owned())
        .unwrap_or_default()
}

fn drifted(
    address: &ObjectAddress,
    instance: &str,
    change: Option<&Change>,
    differences: &[Difference],
    catalog: &Catalog<'_>,
) -> Json {
    let kind = catalog.kind(&address.kind);
    let mut live = change
        .map(|change| change.before.clone())
        .unwrap_or_default();
    let mut recorded = live.clone();
    for difference in differences {
        let put = |map: &mut BTreeMap<String, Value>, value: &Option<Value>| match value {
            Some(value) => drop(map.insert(difference.name.clone(), value.clone())),
            None => drop(map.remove(&difference.name)),
        };
        put(&mut live, &difference.before);
        put(&mut recorded, &difference.drift);
    }
    let mut out = address_fields(address, instance);
    out.insert(
        "change".into(),
        json!({
            "actions": ["update"],
            "before": attributes(&recorded),
            "after": attributes(&live),
            "after_unknown": {},
            "before_sensitive": sensitive(&recorded, kind, false),
            "after_sensitive": sensitive(&live, kind, false),
        }),
    );
    Json::Object(out)
}

fn output_change(change: &OutputChange) -> Json {
    let actions: &[&str] = match (&change.before, &change.after) {
        (None, Some(_)) => &["create"],
        (Some(_), Some(_)) => &["update"],
        (Some(_), None) => &["delete"],
        (None, None) => &["no-op"],
    };
    let show = |value: &Option<Value>| match value {
        Some(value) if !change.sensitive => value.to_plain_json(),
        _ => Json::Null,
    };
    let unknown = change.after.as_ref().and_then(unknown);
    json!({
        "actions": actions,
        "before": show(&change.before),
        "after": show(&change.after),
        "after_unknown": unknown.unwrap_or(Json::Bool(false)),
        "before_sensitive": change.sensitive,
        "after_sensitive": change.sensitive,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    fn find<'a>(all: &'a Json, address: &str) -> &'a Json {
        all.as_array()
            .unwrap()
            .iter()
            .find(|one| one["address"] == address)
            .unwrap()
    }

    fn everything() -> Json {
        let frame = Frame {
            header: None,
            errored: false,
        };
        json(
            &Review::of(testing::everything()),
            &testing::catalog(),
            frame,
        )
    }

    #[test]
    fn a_change_has_terraforms_fields() {
        let json = everything();
        let change = find(
            &json["resource_changes"],
            "identity.invoice_triage[\"prod\"]/vault_jwt_role/issuer.prod_eu",
        );
        assert_eq!(change["type"], "vault_jwt_role");
        assert_eq!(change["name"], "invoice_triage");
        assert_eq!(change["index"], "prod");
        assert_eq!(change["provider_name"], "vault");
        assert_eq!(change["mode"], "managed");
        assert_eq!(change["change"]["actions"], json!(["update"]));
        assert_eq!(change["change"]["before"]["token_ttl"], 3600);
        assert_eq!(change["change"]["after"]["token_ttl"], 900);
        assert_eq!(change["remit"]["drifted"], json!(["token_max_ttl"]));
    }

    #[test]
    fn actions_are_terraforms() {
        let json = everything();
        let of = |address: &str| {
            let change = find(&json["resource_changes"], address);
            (
                change["change"]["actions"].clone(),
                change["action_reason"].clone(),
            )
        };
        assert_eq!(
            of("issuer.old_eu/vault_auth_mount"),
            (
                json!(["delete", "create"]),
                json!("replace_because_cannot_update")
            )
        );
        assert_eq!(
            of("scope.gone/vault_policy"),
            (
                json!(["delete"]),
                json!("delete_because_no_resource_config")
            )
        );
        assert_eq!(
            of("scope.taken/vault_policy"),
            (json!(["forget"]), Json::Null)
        );
        let adopted = find(
            &json["resource_changes"],
            "identity.invoice_triage[\"prod\"]/vault_entity",
        );
        assert_eq!(
            adopted["change"]["importing"]["id"],
            "remit-invoice_triage-prod"
        );
    }

    #[test]
    fn drift_goes_from_recorded_to_live() {
        let json = everything();
        let drift = find(&json["resource_drift"], "issuer.prod_eu/vault_auth_mount");
        assert_eq!(drift["change"]["before"]["max_lease_ttl"], 3600);
        assert_eq!(drift["change"]["after"]["max_lease_ttl"], 7200);
        let gone = find(&json["resource_drift"], "scope.lost/vault_policy");
        assert_eq!(gone["change"]["actions"], json!(["delete"]));
    }

    #[test]
    fn secrets_are_references_and_marked() {
        let frame = Frame {
            header: None,
            errored: true,
        };
        let json = json(&Review::of(testing::first()), &testing::catalog(), frame);
        let change = find(
            &json["resource_changes"],
            "vault_database_connection.orders/vault_database_connection",
        );
        assert_eq!(
            change["change"]["after"]["password"],
            "env(\"PG_PASSWORD\")"
        );
        assert_eq!(
            change["change"]["after_sensitive"],
            json!({"password": true})
        );
        assert_eq!(json["output_changes"]["entity_id"]["after_unknown"], true);
        assert_eq!(json["output_changes"]["entity_id"]["after"], Json::Null);
        assert_eq!(
            (&json["errored"], &json["applyable"]),
            (&json!(true), &json!(false))
        );
    }

    #[test]
    fn sensitive_outputs_are_null() {
        let json = everything();
        assert_eq!(json["output_changes"]["role_id"]["after"], Json::Null);
        assert_eq!(json["output_changes"]["role_id"]["after_sensitive"], true);
    }
    #[test]
    fn the_schema_holds() {
        let schema = include_str!("../../docs/schema/plan.schema.json");
        let schema: Json = serde_json::from_str(schema).unwrap();
        let header = Header {
            created_at: "2026-11-24T02:00:00Z".into(),
            expires_at: "2026-11-25T02:00:00Z".into(),
            nonce: "n".into(),
            digest: "d".into(),
        };
        let finding = crate::rules::Finding {
            rule: "ORG".into(),
            name: "fridays".into(),
            severity: crate::rules::Severity::Error,
            address: "identity.x".parse().ok(),
            place: None,
            what: "it is Friday".into(),
            why: "so".into(),
            help: String::new(),
            waived_by: None,
            waived_until: None,
        };
        let frame = Frame {
            header: Some(&header),
            errored: false,
        };
        for plan in [testing::first(), testing::everything()] {
            let mut review = Review::of(plan);
            review.findings.push(finding.clone());
            review.approvals.push(Requirement {
                loosens: false,
                why: "scope.x asks".into(),
                required: 1,
                approvers: vec!["ssh-ed25519 AAAA".into()],
            });
            let mut json = json(&review, &testing::catalog(), frame);
            let found = testing::schema::violations(&schema, &json);
            assert!(found.is_empty(), "{found:#?}");
            json["resource_changes"][0]["change"]["actions"][0] = json!("explode");
            assert_eq!(testing::schema::violations(&schema, &json).len(), 1);
        }
    }
}
