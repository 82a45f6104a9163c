//! 107: what binds a workload loosely.

use super::testing::{World, found};

#[test]
fn other_ways_to_be_loose() {
    let github = |binding: &str| {
        format!(
            "issuer \"ci\" {{\n type = \"github\"\n audience = [\"v\"]\n}}\nidentity \"ci\" {{\n agent \
             = agent.reporting\n environment = environment.staging\n domain = \"billing\"\n scopes \
             = [scope.invoices_read]\n workload {{\n issuer = issuer.ci\n repository = \"a/b\"\n \
             {binding}\n }}\n}}\n"
        )
    };
    for (binding, number) in [
        ("environment = \"production\"", 0),
        ("ref = \"refs/heads/main\"", 0),
        ("pull_request = true", 1),
        ("subject = \"repo:a/b:environment:x\"", 0),
        ("subject = \"repo:a/b\"", 1),
        ("subject = \"environment:x:repo:a/b\"", 0),
        ("subject = \"repo:a/b:ref:\"", 1),
        ("subject = \"repo:a/my-environment:pull_request\"", 1),
    ] {
        assert_eq!(found("RMT107", &github(binding)).len(), number, "{binding}");
    }
    let quiet = github("ref = \"refs/heads/main\"").replace("audience = [\"v\"]", "");
    assert_eq!(found("RMT107", &quiet).len(), 1);
    let role = "resource \"vault_jwt_role\" \"r\" {\n mount = \"m\"\n name = \"n\"\n role_type = \
                \"jwt\"\n user_claim = \"team\"\n bound_claims_type = \"glob\"\n token_period = \
                60\n}\n";
    let codes: Vec<String> = World::beside_base(role)
        .check()
        .findings
        .into_iter()
        .map(|finding| finding.rule)
        .collect();
    let expected = ["RMT102", "RMT107", "RMT107", "RMT107", "RMT301", "RMT301"];
    assert_eq!(codes, expected);
    let tight = role.replace("\"glob\"", "\"string\"\n bound_audiences = [\"v\"]");
    let tight = tight.replace(
        "bound_claims_type",
        "bound_subject = \"s\"\n bound_claims_type",
    );
    assert_eq!(found("RMT107", &tight), []);
    let no_subject = tight.replace("bound_subject = \"s\"", "bound_subject = \"\"");
    assert_eq!(found("RMT107", &no_subject).len(), 1);
}

#[test]
fn ci_is_known_by_its_kind_or_its_host() {
    let identity = |issuer: &str, binding: &str| {
        let text = format!(
            "issuer \"ci\" {{\n {issuer}\n audience = [\"v\"]\n}}\nidentity \"ci\" {{\n agent = \
             agent.reporting\n environment = environment.staging\n domain = \"billing\"\n scopes = \
             [scope.invoices_read]\n workload {{\n issuer = issuer.ci\n {binding}\n }}\n}}\n"
        );
        found("RMT107", &text).len()
    };
    let own = "type = \"gitlab\"\n url = \"https://git.example.com\"";
    let hosted = "type = \"oidc\"\n url = \"https://gitlab.com\"";
    let other = "type = \"oidc\"\n url = \"https://id.example.com\"";
    let subject = "subject = \"project_path:a/b\"";
    let main = "project_path = \"a/b\"\n ref = \"main\"\n ref_type = \"branch\"";
    assert_eq!(identity(own, main), 0);
    assert_eq!(identity(hosted, subject), 1);
    assert_eq!(identity(other, subject), 0);
}
