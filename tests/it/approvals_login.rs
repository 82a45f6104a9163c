//! Who may be an identity, on a real server: a change that lets somebody new in, or that makes an
//! identity production, is applied with approvals and not without.

use serde_json::json;

use crate::approvals::{at_server, beside, keygen, says};
use crate::live::shared;
use crate::support::keys::Keys;
use crate::support::workspace::Workspace;

/// One identity of a token's subject, with a scope of high risk; `keys/ISSUER.pem` is believed.
fn configuration(approver: &str, tier: &str, subject: &str, issuer: &str, more: &str) -> String {
    format!(
        r#"
provider "vault" {{}}
owner "pay" {{
  contact   = "pay@example.com"
  approvers = ["{approver}"]
}}
environment "e" {{
  tier = "{tier}"
}}
issuer "ci" {{
  type        = "oidc"
  url         = "https://ci.example.com"
  audience    = ["openbao"]
  public_keys = [file("{issuer}.pem")]
}}
agent "bot" {{
  owner    = owner.pay
  purpose  = "Sort incoming invoices"
  autonomy = "supervised"
}}
scope "read" {{
  description = "Read invoices"
  domain      = "billing"
  risk        = "high"
  grant "vault" {{
    path         = "kv/data/a"
    capabilities = ["read"]
  }}
}}
identity "bot" {{
  agent       = agent.bot
  environment = environment.e
  domain      = "billing"
  scopes      = [scope.read]
  workload {{
    issuer  = issuer.ci
    subject = "{subject}"
  }}
}}
{more}
"#
    )
}

/// A place with the keys of two issuers, and an approver's line.
fn prepare(namespace: &str) -> (Workspace, String) {
    let space = at_server(namespace);
    for name in ["ours", "theirs"] {
        space.write(&format!("{name}.pem"), &Keys::generate().public_pem);
    }
    let approver = keygen(space.path(), "approver", &["-t", "ed25519"]);
    (space, approver)
}

/// Plans, is refused without approval for these reasons, and is applied with it.
fn applied_with_approval(space: &Workspace, words: &[&str]) {
    says(&space.expect(0, &["plan", "--out", "p"]), words);
    for arguments in [
        &["apply", "--auto-approve"][..],
        &["apply", "p", "--auto-approve"],
    ] {
        says(&space.expect(4, arguments), &["plan is not approved"]);
    }
    space.expect(0, &["approve", "p", "--key", "approver"]);
    space.expect(0, &["apply", "p"]);
    for signature in beside(space.path()) {
        std::fs::remove_file(signature).unwrap();
    }
    let after = space.expect(0, &["plan"]);
    says(&after, &["No changes"]);
    assert!(!after.stdout.contains("ACCESS"), "{}", after.stdout);
}

#[test]
fn who_may_be_a_production_identity_is_changed_with_approval() {
    let (space, approver) = prepare("approvals-login");
    let write = |subject: &str, issuer: &str, more: &str| {
        let text = configuration(&approver, "production", subject, issuer, more);
        space.write("main.remit.hcl", &text);
    };
    write("job-1", "ours", "");
    applied_with_approval(
        &space,
        &[
            "+ vault log in a token with sub job-1",
            "identity.bot gains read",
        ],
    );
    let listed = space.expect(0, &["access", "identity.bot"]);
    says(
        &listed,
        &[
            "log in a token with sub job-1 role remit-bot on auth/remit-ci",
            "alg RS256; aud openbao; iss https://ci.example.com; signed by key sha256:",
        ],
    );

    // Another subject.
    write("attacker", "ours", "");
    applied_with_approval(
        &space,
        &[
            "- vault log in a token with sub job-1",
            "+ vault log in a token with sub attacker",
            "widens",
            "identity.bot can be used by a token with sub attacker, with scope.read, of risk high, in production",
        ],
    );
    // Other keys.
    write("attacker", "theirs", "");
    applied_with_approval(
        &space,
        &[
            "+ vault log in a token with sub attacker",
            "identity.bot can be used by a token with sub attacker",
        ],
    );
    // Another role that yields the same name, for tokens that were meant for somebody else.
    let role = r#"
resource "vault_jwt_role" "back" {
  mount           = "remit-ci"
  name            = "back"
  role_type       = "jwt"
  user_claim      = "sub"
  bound_subject   = "attacker"
  bound_audiences = ["other"]
  token_max_ttl   = 900
}
"#;
    write("attacker", "theirs", role);
    applied_with_approval(
        &space,
        &[
            "+ vault log in a token with sub attacker role back on auth/remit-ci widens",
            "identity.bot can be used by",
        ],
    );
    // Taking it away again is free.
    write("attacker", "theirs", "");
    let less = space.expect(0, &["plan", "--out", "p"]);
    says(&less, &["- vault log in a token with sub attacker"]);
    space.expect(0, &["apply", "p"]);

    // What somebody made behind remit's back is told, and put back freely.
    let place = "auth/remit-ci/role/remit-bot";
    let (_, role) = shared().get("approvals-login", place);
    let mut role = role["data"].clone();
    role["bound_audiences"] = json!(["openbao", "another"]);
    shared().write("approvals-login", place, &role);
    let back = space.expect(0, &["plan", "--out", "p"]);
    says(&back, &["was made outside remit", "stays where"]);
    assert!(!back.stdout.contains("APPROVALS"), "{}", back.stdout);
    space.expect(0, &["apply", "p"]);
}

#[test]
fn an_identity_becomes_production_with_approval() {
    let (space, approver) = prepare("approvals-tier-raised");
    let write = |tier: &str| {
        let text = configuration(&approver, tier, "job-1", "ours", "");
        space.write("main.remit.hcl", &text);
    };
    write("staging");
    space.expect(0, &["apply", "--auto-approve"]);
    write("production");
    applied_with_approval(
        &space,
        &["identity.bot begins to hold scope.read, of risk high, in production"],
    );
}
