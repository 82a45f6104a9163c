//! What there will be after a plan, in the shape of the `planned_values` and `configuration` of
//! Terraform's JSON plan: checkers of policies such as Checkov read these and not the changes.
//!
//! In: a plan and the tables of the kinds. Out: JSON. Every object that is there afterwards is in
//! it, changed or not, in the module that declares it. What is known only after apply is null.
//! Of the configuration there are the provider instances alone: a plan holds no expressions.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::plan_json::{address_fields, attributes, sensitive};
use crate::diff::{Action, Change};
use crate::lower::Catalog;
use crate::plan::Plan;

/// A module, with those inside it by name.
#[derive(Default)]
struct Module {
    resources: Vec<Json>,
    inner: BTreeMap<String, Module>,
}

/// `planned_values`.
pub(super) fn planned_values(plan: &Plan, catalog: &Catalog<'_>) -> Json {
    let mut root = Module::default();
    for change in plan.changes.values() {
        if matches!(change.action, Action::Delete | Action::Forget) {
            continue;
        }
        let mut module = &mut root;
        for name in &change.address.declaration.module {
            module = module.inner.entry(name.clone()).or_default();
        }
        module.resources.push(resource(change, catalog));
    }
    json!({ "root_module": shown(root, "") })
}

fn resource(change: &Change, catalog: &Catalog<'_>) -> Json {
    let mut out = address_fields(&change.address, &change.instance);
    out.insert("schema_version".into(), json!(0));
    out.insert("values".into(), attributes(&change.after));
    let kind = catalog.kind(&change.kind);
    let sensitive = sensitive(&change.after, kind, false);
    out.insert("sensitive_values".into(), sensitive);
    // In Terraform the module around a resource says where it is.
    out.remove("module_address");
    Json::Object(out)
}

/// A module as Terraform shows it; `address` is empty for the root.
fn shown(module: Module, address: &str) -> Json {
    let mut out = Map::new();
    if !address.is_empty() {
        out.insert("address".into(), json!(address));
    }
    out.insert("resources".into(), Json::Array(module.resources));
    let inner: Vec<Json> = module
        .inner
        .into_iter()
        .map(|(name, inner)| {
            let dot = if address.is_empty() { "" } else { "." };
            shown(inner, &format!("{address}{dot}module.{name}"))
        })
        .collect();
    if !inner.is_empty() {
        out.insert("child_modules".into(), Json::Array(inner));
    }
    Json::Object(out)
}

/// `configuration`: the provider instances that the plan talks to.
pub(super) fn configuration(plan: &Plan) -> Json {
    let providers: Map<String, Json> = plan
        .targets
        .keys()
        .map(|instance| {
            let (name, alias) = match instance.split_once('.') {
                Some((name, alias)) => (name, Some(alias)),
                None => (instance.as_str(), None),
            };
            let mut provider = json!({ "name": name });
            if let (Some(alias), Json::Object(all)) = (alias, &mut provider) {
                all.insert("alias".into(), json!(alias));
            }
            (instance.clone(), provider)
        })
        .collect();
    json!({ "provider_config": providers, "root_module": {} })
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    fn resources(of: &Json) -> Vec<&str> {
        let all = of["resources"].as_array().unwrap();
        all.iter()
            .map(|one| one["address"].as_str().unwrap())
            .collect()
    }

    #[test]
    fn what_is_there_afterwards_is_in_it() {
        let plan = testing::everything();
        let json = planned_values(&plan, &testing::catalog());
        let found = resources(&json["root_module"]);
        let stays = |change: &&Change| !matches!(change.action, Action::Delete | Action::Forget);
        assert_eq!(found.len(), plan.changes.values().filter(stays).count());
        assert!(!found.contains(&"scope.gone/vault_policy"), "{found:?}");
        let role = json["root_module"]["resources"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["type"] == "vault_jwt_role")
            .unwrap();
        assert_eq!(role["values"]["token_ttl"], 900);
        assert_eq!(
            (&role["mode"], &role["index"]),
            (&json!("managed"), &json!("prod"))
        );
    }

    #[test]
    fn secrets_are_references_and_marked() {
        let json = planned_values(&testing::first(), &testing::catalog());
        let connection = json["root_module"]["resources"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["type"] == "vault_database_connection")
            .unwrap();
        assert_eq!(connection["values"]["password"], "env(\"PG_PASSWORD\")");
        assert_eq!(connection["sensitive_values"], json!({ "password": true }));
    }

    #[test]
    fn modules_stand_inside_each_other() {
        let mut plan = testing::first();
        let mut all: Vec<Change> = plan.changes.values().cloned().collect();
        plan.changes.clear();
        for (change, module) in all.iter_mut().zip([vec![], vec!["a"], vec!["a", "b"]]) {
            change.address.declaration.module = module.into_iter().map(str::to_owned).collect();
            plan.changes.insert(change.address.clone(), change.clone());
        }
        let json = planned_values(&plan, &testing::catalog());
        let root = &json["root_module"];
        let outer = &root["child_modules"][0];
        let inner = &outer["child_modules"][0];
        assert_eq!(outer["address"], "module.a");
        assert_eq!(inner["address"], "module.a.module.b");
        for module in [root, outer, inner] {
            assert_eq!(resources(module).len(), 1);
        }
    }
}
