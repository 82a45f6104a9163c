//! What `lifecycle` blocks may say.

use crate::support::workspace::{Output, Workspace};

const START: &str = r#"
provider "vault" {
  address = "http://127.0.0.1:1"
}
owner "o" {
  contact = "o@example.com"
}
environment "prod" {
  tier = "production"
}
issuer "hosts" {
  type = "approle"
}
agent "a" {
  owner   = owner.o
  purpose = "p"
}
resource "vault_entity" "e" {
  for_each = toset(["x", "y"])
  name     = each.key
  lifecycle {
    ignore_changes = [RESOURCE]
  }
}
identity "i" {
  agent       = agent.a
  environment = environment.prod
  domain      = "d"
  scopes      = []
  workload {
    issuer = issuer.hosts
  }
  lifecycle {
    ignore_changes = [IDENTITY]
  }
}
"#;

fn validate(resource: &str, identity: &str) -> Output {
    let text = START.replace("RESOURCE", resource);
    Workspace::new(&text.replace("IDENTITY", identity)).remit(&["validate"])
}

#[test]
fn a_name_that_nothing_has_is_not_ignored_in_silence() {
    let right = validate(
        "metadata, \"policies\"",
        "token_ttl, metadata, canonical_id",
    );
    assert_eq!(right.code, Some(0), "{right:?}");
    assert!(!right.stderr.contains("ignore_changes"), "{right:?}");
    let all = validate("all", "\"*\"");
    assert_eq!(all.code, Some(0), "{all:?}");
    assert!(!all.stderr.contains("ignore_changes"), "{all:?}");

    let wrong = validate("metadat, all", "all");
    assert_eq!(wrong.code, Some(1), "{wrong:?}");
    let summary = "error: unknown attribute in ignore_changes";
    assert_eq!(wrong.stderr.matches(summary).count(), 1, "{wrong:?}");
    assert!(
        wrong.stderr.contains("did you mean `metadata`?"),
        "{wrong:?}"
    );
    let wrong = validate("token_ttl", "all");
    assert_eq!(wrong.code, Some(1), "another kind's: {wrong:?}");

    let warned = validate("all", "nonsense");
    assert_eq!(warned.code, Some(0), "{warned:?}");
    let summary = "warning: unknown attribute in ignore_changes";
    assert!(warned.stderr.contains(summary), "{warned:?}");
}
