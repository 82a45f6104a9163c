//! A configuration of every noun, and each mistake in it with the text it underlines.

use remit_sdk::declaration::{Binding, Grant, IssuerKeys, IssuerType, Risk, ScopeGrants, Tier};
use remit_sdk::{DeclarationAddress, Value};

use super::fixture::{Case, mistakes, model, run};

const GOOD: &str = r#"
remit {
  required_version = ">= 0.1, < 9"
  state "local" { path = "states/prod" }
  naming { prefix = "x-" }
}

provider "vault" "eu" {
  address = "https://vault.example"
  login "jwt" { role = "ci" }
}

owner "payments" {
  contact   = "payments@example.com"
  approvers = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB9dG4kjRhQTtWTVzd2t27+t0DEHBPW7iOD23TUiYLio approver-1"]
}

environment "staging" { tier = "staging" }
environment "prod" {
  tier        = "production"
  max_session = "30m"
  providers   = { vault = provider.vault.eu }
}

issuer "cluster" {
  type     = "kubernetes"
  url      = "https://cluster.example"
  audience = { vault = ["vault.example"] }
}

agent "triage" {
  owner     = owner.payments
  purpose   = "Sorts invoices"
  autonomy  = "autonomous"
  review_by = "2027-03-31"
  ceiling   = [scope.read]
}

scope "read" {
  description = "Read invoices"
  domain      = "billing"
  risk        = "low"
  grant "vault" {
    path         = "kv/data/${identity.environment}/invoices/*"
    capabilities = ["read", "list"]
  }
}

scope "query" {
  description = "Query orders"
  domain      = "billing"
  risk        = "medium"
  approval {
    required = 1
    from     = [owner.payments]
  }
  grant "database" {
    mount      = "database"
    connection = "orders"
    statements = ["CREATE ROLE \"{{name}}\""]
  }
}

identity "triage" {
  for_each    = { prod = environment.prod, staging = environment.staging }
  agent       = agent.triage
  environment = each.value
  domain      = "billing"
  scopes      = [scope.read, scope.query]
  workload {
    issuer          = issuer.cluster
    namespace       = "agents-${each.key}"
    service_account = "triage"
  }
  session {
    ttl         = "10m"
    bound_cidrs = ["10.20.0.0/16"]
  }
  lifecycle {
    prevent_destroy = true
    ignore_changes  = [token_ttl, "token_max_ttl"]
  }
  depends_on = [vault_policy.extra]
}

resource "vault_policy" "extra" {
  name     = identity.triage["prod"].name
  policy   = identity.triage["prod"].vault_mount
  provider = provider.vault.eu
}

output "role" { value = identity.triage["staging"].vault_role }
output "who" { value = [for i in identity.triage : "${i.agent} ${i.environment} ${i.domain}"] }
output "shared" { value = scope.query.vault_policy }
"#;

fn address(text: &str) -> DeclarationAddress {
    text.parse().unwrap()
}

#[test]
fn every_noun() {
    let model = model(GOOD);
    assert_eq!(model.settings.prefix, "x-");
    assert_eq!(model.settings.state_path, "states/prod");
    let instances: Vec<&str> = model.providers.keys().map(String::as_str).collect();
    assert_eq!(instances, ["vault", "vault.eu"]);
    assert_eq!(model.providers["vault.eu"].blocks[0].labels, ["jwt"]);
    assert!(model.providers["vault"].span.is_none());

    let prod = &model.environments[&address("environment.prod")];
    assert_eq!(
        (prod.tier, prod.max_session_seconds),
        (Tier::Production, 1800)
    );
    assert_eq!(prod.providers["vault"], "vault.eu");

    let issuer = &model.issuers[&address("issuer.cluster")];
    assert_eq!(issuer.kind, IssuerType::Kubernetes);
    assert_eq!(issuer.keys, IssuerKeys::Discovery);
    assert_eq!(issuer.audiences("vault"), ["vault.example"]);
    assert!(issuer.audiences("aws").is_empty());

    let agent = &model.agents[&address("agent.triage")];
    assert!(agent.autonomous);
    assert_eq!(agent.ceiling, [address("scope.read")]);

    let identity = &model.identities[&address("identity.triage[\"prod\"]")];
    assert_eq!(identity.name, "x-triage-prod");
    assert_eq!(identity.environment_name, "prod");
    assert_eq!(
        (identity.agent_name.as_str(), identity.owner_name.as_str()),
        ("triage", "payments")
    );
    assert_eq!(identity.session.ttl_seconds, 600);
    assert_eq!(
        identity.session.max_ttl_seconds, 1800,
        "capped by the environment"
    );
    assert!(identity.lifecycle.prevent_destroy);
    assert_eq!(identity.lifecycle.ignore_changes.len(), 2);
    assert_eq!(
        identity.lifecycle.depends_on,
        [address("vault_policy.extra")]
    );
    assert!(matches!(
        &identity.workloads[0].binding,
        Binding::Jwt { subject, claims }
            if subject == "system:serviceaccount:agents-prod:triage" && claims.is_empty()
    ));

    let resource = &model.resources[&address("vault_policy.extra")];
    assert_eq!(resource.instance, "vault.eu");
    assert_eq!(
        resource.attributes["name"].value,
        Value::string("x-triage-prod")
    );
    assert_eq!(
        resource.attributes["policy"].value,
        Value::string("x-cluster")
    );
    assert!(!resource.attributes.contains_key("provider"));

    assert_eq!(
        model.outputs["role"].value,
        Value::string("x-triage-staging")
    );
    assert_eq!(
        model.outputs["who"].value.to_json().to_string(),
        r#"["triage prod billing","triage staging billing"]"#
    );
    assert_eq!(model.outputs["shared"].value, Value::string("x-query"));
}

#[test]
fn grants_for_each_holder() {
    let model = model(GOOD);
    let read = &model.scopes[&address("scope.read")];
    assert_eq!(read.risk, Risk::Low);
    let ScopeGrants::PerHolder(holders) = &read.grants else {
        panic!("{:?}", read.grants);
    };
    let paths: Vec<&str> = holders
        .values()
        .map(|grants| match &grants[0] {
            Grant::Vault(grant) => grant.path.value.as_str(),
            Grant::Database(_) | Grant::Aws(_) => "",
        })
        .collect();
    assert_eq!(
        paths,
        ["kv/data/prod/invoices/*", "kv/data/staging/invoices/*"]
    );
    let query = &model.scopes[&address("scope.query")];
    let ScopeGrants::Shared(grants) = &query.grants else {
        panic!("{:?}", query.grants);
    };
    assert!(matches!(
        &grants[0],
        Grant::Database(grant) if (grant.ttl_seconds, grant.max_ttl_seconds) == (900, 3600)
    ));
}

#[test]
fn the_same_text_gives_the_same_digest() {
    assert_eq!(model(GOOD).digest, model(GOOD).digest);
    assert_ne!(model(GOOD).digest, model(&format!("{GOOD}\n")).digest);
}

/// `GOOD` with one text put in place of another.
fn altered(before: &str, after: &str) -> String {
    assert!(GOOD.contains(before), "{before}");
    GOOD.replacen(before, after, 1)
}

#[test]
fn one_mistake_is_one_message() {
    let mut wrong = Vec::new();
    for (before, after, summary, underlined) in [
        // The settings.
        (
            ">= 0.1, < 9",
            "> 99",
            "another version is required",
            "\"> 99\"",
        ),
        ("\">= 0.1, < 9\"", "\"new\"", "invalid value", "\"new\""),
        (
            "state \"local\"",
            "state \"s3\"",
            "not in this version",
            "\"s3\"",
        ),
        (
            "state \"local\"",
            "state \"disk\"",
            "unknown state backend",
            "\"disk\"",
        ),
        ("\"x-\"", "\"X-\"", "invalid value", "\"X-\""),
        (
            "naming { prefix",
            "naming { prefx",
            "unknown attribute",
            "prefx",
        ),
        (
            "naming {",
            "policy {}\n naming {",
            "missing attribute",
            "policy",
        ),
        // Owners, environments, agents.
        (
            "contact   = \"payments@example.com\"",
            "",
            "missing attribute",
            "owner \"payments\"",
        ),
        (
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB9dG4kjRhQTtWTVzd2t27+t0DEHBPW7iOD23TUiYLio approver-1",
            "ann",
            "invalid value",
            "\"ann\"",
        ),
        (
            "\"staging\" }",
            "\"stagin\" }",
            "invalid value",
            "\"stagin\"",
        ),
        ("\"30m\"", "\"30\"", "invalid value", "\"30\""),
        ("\"30m\"", "[]", "wrong type", "[]"),
        ("\"30m\"", "0", "invalid value", "0"),
        (
            "{ vault = provider.vault.eu }",
            "{ vault = \"eu\" }",
            "wrong type",
            "{ vault = \"eu\" }",
        ),
        (
            "vault = provider.vault.eu }",
            "valt = provider.vault.eu }",
            "unknown provider",
            "{ valt = provider.vault.eu }",
        ),
        (
            "owner     = owner.payments",
            "owner = scope.read",
            "wrong type",
            "scope.read",
        ),
        (
            "owner.payments\n  purpose",
            "owner.payment\n  purpose",
            "reference to something undeclared",
            "payment",
        ),
        (
            "purpose   =",
            "porpose =",
            "missing attribute",
            "agent \"triage\"",
        ),
        (
            "2027-03-31",
            "2027-02-31",
            "invalid value",
            "\"2027-02-31\"",
        ),
        (
            "[scope.read]\n",
            "[scope.read, scope.read]\n",
            "named twice",
            "scope.read",
        ),
        (
            "\"autonomous\"",
            "\"autonomus\"",
            "invalid value",
            "\"autonomus\"",
        ),
        // Issuers.
        (
            "\"kubernetes\"",
            "\"cert\"",
            "not in this version",
            "\"cert\"",
        ),
        (
            "https://cluster",
            "http://cluster",
            "invalid value",
            "\"http://cluster.example\"",
        ),
        (
            "url      = \"https://cluster.example\"",
            "",
            "missing attribute",
            "issuer \"cluster\"",
        ),
        (
            "{ vault = [\"vault.example\"] }",
            "{ vualt = [\"v\"] }",
            "invalid value",
            "{ vualt = [\"v\"] }",
        ),
        (
            "{ vault = [\"vault.example\"] }",
            "\"v\"",
            "wrong type",
            "\"v\"",
        ),
        (
            "audience =",
            "jwks_url = \"https://a\"\n  public_keys = [\"k\"]\n  audience =",
            "two sources of keys",
            "public_keys",
        ),
        (
            "audience =",
            "mount = \"/a\"\n  audience =",
            "invalid value",
            "\"/a\"",
        ),
        (
            "audience =",
            "existing_in_aws = 1\n  audience =",
            "wrong type",
            "1",
        ),
        // Scopes.
        (
            "risk        = \"low\"",
            "risk = \"lo\"",
            "invalid value",
            "\"lo\"",
        ),
        (
            "\"kv/data/${identity.environment}",
            "\"/kv/${identity.environment}",
            "invalid value",
            "\"/kv/${identity.environment}/invoices/*\"",
        ),
        (
            "invoices/*\"",
            "*/invoices\"",
            "invalid value",
            "\"kv/data/${identity.environment}/*/invoices\"",
        ),
        ("\"list\"]", "\"lst\"]", "invalid value", "\"lst\""),
        ("[\"read\", \"list\"]", "[]", "invalid value", "[]"),
        (
            "identity.environment}/invoices",
            "identity.triage}/invoices",
            "declared identity in a grant",
            "triage",
        ),
        (
            "identity.environment}/invoices",
            "identity.env}/invoices",
            "unknown name in a grant",
            "env",
        ),
        (
            "grant \"vault\" {",
            "grant \"aws\" {\n resources = [\"*\"]\n actions = []\n }\n grant \"vault\" {",
            "invalid value",
            "[]",
        ),
        (
            "grant \"vault\" {",
            "grant \"aws\" {\n resources = [\"*\"]\n actions = [\"s3:GetObject\"]\n condition \"Bool\" { values = {} }\n }\n grant \"vault\" {",
            "invalid value",
            "{}",
        ),
        (
            "grant \"vault\"",
            "grant \"valt\"",
            "unknown type of grant",
            "\"valt\"",
        ),
        ("required = 1", "required = 0", "invalid value", "0"),
        (
            "statements = [\"CREATE ROLE \\\"{{name}}\\\"\"]",
            "statements = []",
            "invalid value",
            "[]",
        ),
        (
            "connection = \"orders\"",
            "connection = \"orders\"\n    ttl = \"2h\"",
            "`ttl` above `max_ttl`",
            "\"2h\"",
        ),
        ("approval {", "aproval {", "unknown block", "aproval"),
        // Identities.
        (
            "environment = each.value",
            "environment = environment",
            "incomplete reference",
            "environment",
        ),
        (
            "agent       = agent.triage",
            "agent = \"triage\"",
            "wrong type",
            "\"triage\"",
        ),
        (
            "scopes      = [scope.read, scope.query]",
            "scopes = [scope.read, owner.payments]",
            "wrong type",
            "owner.payments",
        ),
        (
            "scopes      = [scope.read, scope.query]",
            "scopes = scope.query",
            "wrong type",
            "scope.query",
        ),
        (
            "\"10m\"",
            "\"2h\"",
            "session longer than its environment allows",
            "\"2h\"",
        ),
        (
            "\"10m\"",
            "\"10m\"\n    max_ttl = \"5m\"",
            "`ttl` above `max_ttl`",
            "\"10m\"",
        ),
        (
            "10.20.0.0/16",
            "10.20.0.1/16",
            "invalid value",
            "\"10.20.0.1/16\"",
        ),
        (
            "service_account = \"triage\"",
            "service_account = \"*\"",
            "invalid value",
            "\"*\"",
        ),
        (
            "service_account = \"triage\"",
            "service_account = \"a:b\"",
            "invalid value",
            "\"a:b\"",
        ),
        (
            "service_account =",
            "service_acount =",
            "missing attribute",
            "workload",
        ),
        (
            "prevent_destroy =",
            "prevent_destory =",
            "unknown attribute",
            "prevent_destory",
        ),
        ("[token_ttl, \"token_max_ttl\"]", "5", "wrong type", "5"),
        (
            "depends_on = [vault_policy.extra]",
            "depends_on = [5]",
            "wrong type",
            "5",
        ),
        // Resources and outputs.
        (
            "provider = provider.vault.eu",
            "provider = 5",
            "wrong type",
            "5",
        ),
        (
            "role\" { value =",
            "role\" { valu =",
            "missing attribute",
            "output \"role\"",
        ),
        (
            "identity.triage[\"staging\"]",
            "identity.triage[\"stagin\"]",
            "no such instance",
            "\"stagin\"",
        ),
    ] {
        let found = mistakes(&altered(before, after));
        let wanted = (summary.to_owned(), underlined.to_owned());
        // A misspelt name is also one that is missing.
        if !found.contains(&wanted) || found.len() > 2 {
            wrong.push(format!("{after}: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_follows_from_a_mistake_is_not_reported() {
    let found = mistakes(&altered(
        "tier        = \"production\"",
        "tier = local.tier",
    ));
    assert_eq!(
        found,
        [(
            "reference to something undeclared".to_owned(),
            "tier".to_owned()
        )]
    );
    let (result, _) = run(&Case {
        text: &altered("\"2027-03-31\"", "\"soon\""),
        ..Case::default()
    });
    assert_eq!(result.unwrap_err().len(), 1);
}
