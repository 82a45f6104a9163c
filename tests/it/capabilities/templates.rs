//! Templates of a real entity with metadata, an alias and a group, in policies that let wildcards
//! and slashes into their values and in those that don't.

use std::collections::BTreeMap;

use remit_vault::access::{Acl, Alias, Identity, Policy, Server as Product, Templates};
use remit_vault::policy::Document;
use serde_json::json;

use super::capabilities;
use crate::live::{Stage, shared};

#[test]
fn templates_become_what_the_server_makes_of_them() {
    let stage = Stage::new("");
    let namespace = stage.namespace.as_str();
    let server = shared();
    server.write(namespace, "sys/auth/approle", &json!({"type": "approle"}));
    let (_, mounts) = server.get(namespace, "sys/auth");
    let accessor = mounts["data"]["approle/"]["accessor"].as_str().unwrap();
    let metadata = [
        ("team", "blue"),
        ("none", ""),
        ("star", "a*"),
        ("plus", "+"),
        ("within", "a+b"),
        ("slash", "org/repo"),
        ("below", "org/*"),
        ("every", "+/repo"),
        ("odd", "{{x}} é.."),
    ];
    let entity = server.write(
        namespace,
        "identity/entity",
        &json!({"name": "agent.x", "policies": ["p0"], "metadata": BTreeMap::from(metadata)}),
    );
    let entity_id = entity["data"]["id"].as_str().unwrap();
    let alias = server.write(
        namespace,
        "identity/entity-alias",
        &json!({"name": "role-1", "canonical_id": entity_id, "mount_accessor": accessor,
                "custom_metadata": {"cm": "v"}}),
    );
    let group = server.write(
        namespace,
        "identity/group",
        &json!({"name": "ops", "member_entity_ids": [entity_id], "metadata": {"tier": "1"}}),
    );
    let group_id = group["data"]["id"].as_str().unwrap();
    let role = "auth/approle/role/r";
    server.write(namespace, role, &json!({"token_no_default_policy": true}));
    server.write(
        namespace,
        &format!("{role}/role-id"),
        &json!({"role_id": "role-1"}),
    );
    let secret = server.write(namespace, &format!("{role}/secret-id"), &json!({}));
    let login = json!({"role_id": "role-1", "secret_id": secret["data"]["secret_id"]});
    let answer = server.write(namespace, "auth/approle/login", &login);
    let token = answer["auth"]["client_token"].as_str().unwrap();

    let strings = |all: &[(&str, &str)]| -> BTreeMap<String, String> {
        all.iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    };
    let identity = Identity::default()
        .with_id(entity_id)
        .with_name("agent.x")
        .with_metadata(&strings(&metadata))
        .with_alias(
            accessor,
            &Alias {
                id: Some(alias["data"]["id"].as_str().unwrap().to_owned()),
                name: Some("role-1".to_owned()),
                metadata: Some(strings(&[("role_name", "r")])),
                custom_metadata: Some(strings(&[("cm", "v")])),
            },
        )
        .without_other_aliases()
        .with_group(Some(group_id), "ops", &strings(&[("tier", "1")]))
        .without_other_groups();

    let (mut broken, mut dropped) = (0, 0);
    for template in [
        "x".to_owned(),
        "{{identity.entity.id}}".to_owned(),
        "{{ identity.entity.name }}".to_owned(),
        "{{identity.entity.metadata.team}}/{{identity.entity.name}}".to_owned(),
        "x{{identity.entity.metadata.none}}y".to_owned(),
        "{{identity.entity.metadata.odd}}".to_owned(),
        "{{identity.entity.metadata.other}}".to_owned(),
        "{{identity.entity.metadata}}".to_owned(),
        "{{identity.entity.metadata.star}}".to_owned(),
        "{{identity.entity.metadata.plus}}".to_owned(),
        "{{identity.entity.metadata.plus}}*".to_owned(),
        "{{identity.entity.metadata.plus}}/x".to_owned(),
        "{{identity.entity.metadata.star}}/x".to_owned(),
        "{{identity.entity.metadata.within}}".to_owned(),
        "{{identity.entity.metadata.slash}}".to_owned(),
        "{{identity.entity.metadata.below}}".to_owned(),
        "{{identity.entity.metadata.every}}".to_owned(),
        "{{identity.entity.metadata.other}}/{{identity.entity.metadata.star}}".to_owned(),
        "{{identity.entity.metadata.star}}/{{identity.entity.metadata.other}}".to_owned(),
        format!("{{{{identity.entity.aliases.{accessor}.id}}}}"),
        format!("{{{{identity.entity.aliases.{accessor}.name}}}}"),
        format!("{{{{identity.entity.aliases.{accessor}.metadata.role_name}}}}"),
        format!("{{{{identity.entity.aliases.{accessor}.metadata.other}}}}"),
        format!("{{{{identity.entity.aliases.{accessor}.custom_metadata.cm}}}}"),
        format!("{{{{identity.entity.aliases.{accessor}}}}}"),
        "{{identity.entity.aliases.other.name}}".to_owned(),
        "{{identity.entity.groups.names}}".to_owned(),
        // An id of a namespace has a dot, at which the server stops reading it.
        format!("{{{{identity.groups.ids.{group_id}.name}}}}"),
        format!("{{{{identity.groups.ids.{group_id}.id}}}}"),
        "{{identity.groups.names.ops.id}}".to_owned(),
        "{{identity.groups.names.ops.name}}".to_owned(),
        "{{identity.groups.names.ops.metadata.tier}}".to_owned(),
        "{{identity.groups.names.ops.metadata.other}}".to_owned(),
        "{{identity.groups.names.other.id}}".to_owned(),
        "{{bogus}}".to_owned(),
    ] {
        let mut document = Document::default();
        let path = format!("kv/{template}");
        for (path, name) in [(path.as_str(), "read"), ("kv/fixed", "list")] {
            document.rule(path).capabilities.insert(name.to_owned());
        }
        let choices =
            [false, true].map(|wildcards| [false, true].map(|slashes| (wildcards, slashes)));
        for (allow_wildcards, allow_slashes) in choices.concat() {
            let body = json!({
                "policy": document.to_string(),
                "allow_wildcards_in_identity_templates": allow_wildcards,
                "allow_slashes_in_identity_templates": allow_slashes,
            });
            server.write(namespace, "sys/policies/acl/p0", &body);
            let policy = Policy {
                templates: Templates {
                    allow_wildcards,
                    allow_slashes,
                },
                ..Policy::from(("p0", &document))
            };
            let acl = Acl::new(Product::OpenBao, [policy], Some(&identity));
            let mut paths = ["fixed", "other", "a", "axe", "a+b", "x", "a/x", "a*/x"]
                .map(|name| format!("kv/{name}"))
                .to_vec();
            paths.extend(
                ["org/repo", "org/other/deep", "any/repo"].map(|name| format!("kv/{name}")),
            );
            paths.push(path.clone());
            paths.extend(acl.entries().map(|entry| entry.path().to_owned()));
            let (status, answer) = capabilities(namespace, token, &paths);
            // A path that the values make and that is none is an error of the server's.
            assert_eq!(
                acl.broken().count() > 0,
                status == 403 || status == 500,
                "{template} {allow_wildcards} {allow_slashes}: {answer}"
            );
            if status != 200 {
                broken += 1;
                continue;
            }
            dropped += usize::from(acl.entries().count() == 1);
            for path in &paths {
                let told: Vec<&str> = acl.capabilities(path).into_iter().collect();
                assert_eq!(
                    answer["data"][path],
                    json!(told),
                    "{template} {allow_wildcards} {allow_slashes} {path}"
                );
            }
        }
    }
    assert_eq!((broken, dropped), (24, 50));
}
