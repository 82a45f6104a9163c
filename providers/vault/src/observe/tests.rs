use serde_json::json;

use super::*;

fn mount(accessor: &Json) -> Json {
    json!({ "type": "t", "accessor": accessor })
}

#[test]
fn a_table_with_a_mount_that_is_not_understood_is_no_table() {
    let table = |jwt: Json| {
        let data = json!({ "token/": mount(&json!("a1")), "eu/jwt/": jwt });
        all_mounts("sys/auth", &data)
    };
    let all = table(mount(&json!("a2"))).unwrap();
    assert_eq!(all.keys().collect::<Vec<_>>(), ["eu/jwt", "token"]);
    for wrong in [
        json!(null),
        json!([]),
        json!({ "type": "jwt" }),
        json!({ "accessor": "a2" }),
        json!({ "type": ["jwt"], "accessor": "a2" }),
        mount(&json!(2)),
        mount(&json!(null)),
    ] {
        let error = table(wrong.clone()).expect_err(&wrong.to_string());
        assert_eq!(error.kind, ErrorKind::Invalid);
        assert!(error.message.starts_with("sys/auth: `eu/jwt/`"), "{error}");
    }
    for wrong in [json!({}), json!([]), json!({ "sys/": mount(&json!("a")) })] {
        assert!(all_mounts("sys/auth", &wrong).is_err(), "{wrong}");
    }
}

#[test]
fn what_is_not_understood_is_unreadable_and_names_path_and_field() {
    let group = schema::held().iter().find(|one| one.name == "vault_group");
    let data = json!({ "id": "g", "name": "n", "type": "internal", "metadata": null });
    let mut wrong = data.clone();
    wrong["policies"] = json!([1]);
    for (data, what) in [
        (&wrong, "a list with a number in it"),
        (&data, "leaves it out"),
    ] {
        let Reading::Unreadable(error) = decoded(group.unwrap(), "g", data) else {
            panic!("{data} was read");
        };
        assert_eq!(error.kind, ErrorKind::Invalid);
        for part in ["(identity/group/id/g)", "`policies`", what] {
            assert!(error.message.contains(part), "{error}");
        }
    }
}

#[test]
fn a_lookup_tells_a_whole_entity() {
    let whole = json!({
        "id": "e", "name": "n", "disabled": false, "aliases": [], "direct_group_ids": [],
        "inherited_group_ids": [], "group_ids": [], "policies": null, "metadata": null,
    });
    assert_eq!(told_entity(&whole), Ok(whole.clone()));
    for field in ["policies", "group_ids", "aliases", "id"] {
        let mut part = whole.clone();
        part.as_object_mut().unwrap().remove(field);
        let error = told_entity(&part).unwrap_err();
        let named = format!("identity/lookup/entity: `{field}`");
        assert!(error.message.starts_with(&named), "{error}");
        assert!(matches!(entity(&part), Reading::Unreadable(_)), "{field}");
    }
    for wrong in [json!(null), json!([]), json!({})] {
        assert!(told_entity(&wrong).is_err(), "{wrong}");
    }
}
