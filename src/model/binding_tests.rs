//! Workloads, and what an identity gives to the grants it holds.

use remit_sdk::DeclarationAddress;
use remit_sdk::declaration::Binding;

use super::fixture::{mistakes, model, one_mistake};

fn address(text: &str) -> DeclarationAddress {
    text.parse().unwrap()
}

/// A model with one issuer and one identity bound to it.
fn bound(issuer: &str, workload: &str) -> String {
    format!(
        r#"
owner "o" {{ contact = "c" }}
environment "e" {{ tier = "staging" }}
agent "a" {{
  owner   = owner.o
  purpose = "p"
}}
scope "s" {{
  description = "d"
  domain      = "d"
  risk        = "low"
}}
issuer "i" {{
  {issuer}
}}
identity "x" {{
  agent       = agent.a
  environment = environment.e
  domain      = "d"
  scopes      = [scope.s]
  workload {{
    issuer = issuer.i
    {workload}
  }}
}}
"#
    )
}

#[test]
fn workloads() {
    const OIDC: &str = "type = \"oidc\"\n url = \"https://i.example\"";
    for (issuer, workload, subject, claims) in [
        (
            "type = \"github\"",
            "repository = \"o/r\"\n environment = \"prod\"\n repository_id = 42",
            "repo:o/r:environment:prod",
            "repository=o/r repository_id=42",
        ),
        (
            "type = \"github\"",
            "repository = \"o/r\"\n ref = \"refs/heads/main\"",
            "repo:o/r:ref:refs/heads/main",
            "repository=o/r",
        ),
        (
            "type = \"github\"",
            "repository = \"o/r\"\n pull_request = true",
            "repo:o/r:pull_request",
            "repository=o/r",
        ),
        (
            "type = \"github\"",
            "repository = \"o/r\"\n subject = \"custom\"",
            "custom",
            "repository=o/r",
        ),
        (
            "type = \"gitlab\"",
            "project_path = \"g/p\"\n ref = \"main\"\n ref_type = \"branch\"",
            "project_path:g/p:ref_type:branch:ref:main",
            "",
        ),
        (
            "type = \"spiffe\"\n url = \"https://i.example\"",
            "id = \"spiffe://example.org/agent\"",
            "spiffe://example.org/agent",
            "",
        ),
        (
            OIDC,
            "subject = \"s\"\n claims = { team = [\"a\", \"b\"], org = \"o\" }",
            "s",
            "org=o team=a,b",
        ),
    ] {
        let model = model(&bound(issuer, workload));
        let identity = &model.identities[&address("identity.x")];
        let Binding::Jwt {
            subject: found,
            claims: held,
        } = &identity.workloads[0].binding
        else {
            panic!("{identity:?}");
        };
        let held: Vec<String> = held
            .iter()
            .map(|(name, values)| {
                let values: Vec<&str> = values.iter().map(String::as_str).collect();
                format!("{name}={}", values.join(","))
            })
            .collect();
        assert_eq!((found.as_str(), held.join(" ").as_str()), (subject, claims));
    }
    let model = model(&bound("type = \"approle\"", ""));
    assert_eq!(
        model.identities[&address("identity.x")].workloads[0].binding,
        Binding::Approle {
            bound_cidrs: std::collections::BTreeSet::new(),
            secret_id_ttl_seconds: 3600,
            secret_id_num_uses: 1,
        }
    );
}

#[test]
fn workloads_that_are_not_exact() {
    const OIDC: &str = "type = \"oidc\"\n url = \"https://i.example\"";
    for (issuer, workload, summary, underlined) in [
        (
            "type = \"github\"",
            "repository = \"o/r\"",
            "workload not bound exactly",
            "workload",
        ),
        (
            "type = \"github\"",
            "repository = \"o/r\"\n ref = \"a\"\n environment = \"b\"",
            "workload not bound exactly",
            "workload",
        ),
        (
            "type = \"github\"",
            "repository = \"r\"\n ref = \"a\"",
            "invalid value",
            "\"r\"",
        ),
        (
            "type = \"github\"",
            "repository = \"o/r\"\n ref = \"refs/*\"",
            "invalid value",
            "\"refs/*\"",
        ),
        (
            "type = \"gitlab\"",
            "project_path = \"g/p\"\n ref = \"main\"\n ref_type = \"brnch\"",
            "invalid value",
            "\"brnch\"",
        ),
        (
            "type = \"spiffe\"\n url = \"https://i.example\"",
            "id = \"example.org/agent\"",
            "invalid value",
            "\"example.org/agent\"",
        ),
        (
            OIDC,
            "subject = \"a\\u0007\"",
            "invalid value",
            "\"a\\u0007\"",
        ),
        (
            OIDC,
            "subject = \"s\"\n claims = { sub = \"x\" }",
            "invalid value",
            "{ sub = \"x\" }",
        ),
        (
            OIDC,
            "subject = \"s\"\n claims = { a = [] }",
            "invalid value",
            "{ a = [] }",
        ),
        (
            OIDC,
            "subject = \"s\"\n namespace = \"n\"",
            "unknown attribute",
            "namespace",
        ),
        (
            "type = \"approle\"\n url = \"https://a\"",
            "",
            "attribute of another type",
            "url",
        ),
        (
            "type = \"approle\"",
            "secret_id_num_uses = -1",
            "wrong type",
            "-1",
        ),
    ] {
        one_mistake(&bound(issuer, workload), summary, underlined);
    }
    let twice = bound(
        OIDC,
        "subject = \"s\"\n}\n workload {\n issuer = issuer.i\n subject = \"t\"",
    );
    one_mistake(&twice, "two workloads of one issuer", "workload");
    let none = bound(OIDC, "subject = \"s\"").replace("workload {", "lifecycle {");
    assert!(mistakes(&none).contains(&("missing block".into(), "identity \"x\"".into())));
}

#[test]
fn a_holder_must_not_widen_a_grant() {
    let text = bound("type = \"approle\"", "").replace(
        "risk        = \"low\"",
        "risk = \"low\"\n grant \"vault\" {\n path = \"kv/${identity.domain}/x\"\n capabilities = [\"read\"]\n }",
    );
    assert_eq!(mistakes(&text), []);
    for domain in ["a/b", "+", "a*", "..", "{{x}}"] {
        let wide = text.replace("domain      = \"d\"", &format!("domain = \"{domain}\""));
        one_mistake(&wide, "holder that would widen a grant", "identity \"x\"");
    }
}

#[test]
fn reserved_labels_and_names() {
    let text = bound("type = \"approle\"", "");
    let reserved = text.replace("identity \"x\"", "identity \"environment\"");
    one_mistake(&reserved, "reserved label", "\"environment\"");
    let named = text.replace("scopes ", "live_name = \"Big\"\n scopes ");
    one_mistake(&named, "invalid value", "\"Big\"");
    let named = text.replace("scopes ", "live_name = \"small-1.x\"\n scopes ");
    assert_eq!(
        model(&named).identities[&address("identity.x")].name,
        "small-1.x"
    );
}

#[test]
fn a_scope_that_nobody_holds_is_checked_too() {
    one_mistake(
        "scope \"s\" {\n description = \"d\"\n domain = \"d\"\n risk = \"low\"\n grant \"vault\" {\n path = \"a/${identity.name}/${local.x}\"\n capabilities = [\"read\"]\n }\n}",
        "reference to something undeclared",
        "x",
    );
}
