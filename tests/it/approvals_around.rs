//! Ways around an approval, on a real server: in each of several steps, or by what a plan doesn't
//! show at first sight. Each takes the approval that the plain way takes.

use crate::approvals::{at_server, beside, keygen, says};
use crate::live::shared;
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::support::workspace::Workspace;

const READ: &str = r#"grant "vault" {
    path         = "kv/data/a"
    capabilities = ["read"]
  }"#;

const MORE: &str = r#"grant "vault" {
    path         = "kv/data/*"
    capabilities = ["read"]
  }"#;

/// What a configuration says that these tests change.
#[derive(Clone, Copy)]
struct Said<'a> {
    environment: &'a str,
    agent: &'a str,
    scopes: &'a str,
    grant: &'a str,
    approval: &'a str,
    /// In the block of production.
    prod: &'a str,
    label: &'a str,
    /// In the block of the identity.
    own: &'a str,
    more: &'a str,
}

const PLAIN: Said<'_> = Said {
    environment: "prod",
    agent: "bot",
    scopes: "scope.read",
    grant: READ,
    approval: "",
    prod: "",
    label: "bot",
    own: "",
    more: "",
};

struct Place {
    space: Workspace,
    pay: String,
    sec: String,
}

impl Place {
    /// Owners `pay` and `sec`, each with an approver whose key has its name; `identity.other` of
    /// `pay` in `dev` holds the scope of high risk, too.
    fn new(namespace: &str) -> Self {
        let space = at_server(namespace);
        let [pay, sec] = ["pay", "sec"].map(|name| keygen(space.path(), name, &["-t", "ed25519"]));
        Self { space, pay, sec }
    }

    fn write(&self, said: Said<'_>) {
        let Said {
            environment,
            agent,
            scopes,
            grant,
            approval,
            prod,
            label,
            own,
            more,
        } = said;
        let (pay, sec) = (&self.pay, &self.sec);
        let text = format!(
            r#"
provider "vault" {{}}
owner "pay" {{
  contact   = "pay@example.com"
  approvers = ["{pay}"]
}}
owner "sec" {{
  contact   = "sec@example.com"
  approvers = ["{sec}"]
}}
environment "prod" {{
  tier = "production"
  {prod}
}}
environment "dev" {{
  tier = "development"
}}
issuer "hosts" {{
  type = "approle"
}}
agent "bot" {{
  owner    = owner.pay
  purpose  = "Sort incoming invoices"
  autonomy = "supervised"
}}
agent "other" {{
  owner    = owner.pay
  purpose  = "Try what sorts incoming invoices"
  autonomy = "supervised"
}}
agent "mine" {{
  owner    = owner.sec
  purpose  = "Look for intruders"
  autonomy = "supervised"
}}
scope "read" {{
  description = "Read invoices"
  domain      = "billing"
  risk        = "high"
  {grant}
  {approval}
}}
scope "tiny" {{
  description = "Read a greeting"
  domain      = "billing"
  risk        = "low"
  grant "vault" {{
    path         = "kv/data/greeting"
    capabilities = ["read"]
  }}
}}
identity "{label}" {{
  agent       = agent.{agent}
  environment = environment.{environment}
  domain      = "billing"
  scopes      = [{scopes}]
  workload {{
    issuer = issuer.hosts
  }}
  {own}
}}
identity "other" {{
  agent       = agent.other
  environment = environment.dev
  domain      = "billing"
  scopes      = [scope.read, scope.tiny]
  workload {{
    issuer = issuer.hosts
  }}
}}
{more}
"#
        );
        self.space.write("main.remit.hcl", &text);
    }

    /// Is refused for these reasons and applied once each of `keys` has signed, no sooner.
    fn takes(&self, said: Said<'_>, arguments: &[&str], words: &[&str], keys: &[&str]) {
        self.write(said);
        let with = |first: &[&'static str]| -> Vec<String> {
            let all = first.iter().copied().chain(arguments.iter().copied());
            all.map(str::to_owned).collect()
        };
        let run = |code: i32, arguments: Vec<String>| {
            let all: Vec<&str> = arguments.iter().map(String::as_str).collect();
            self.space.expect(code, &all)
        };
        says(&run(0, with(&["plan", "--out", "p"])), words);
        says(&run(4, with(&["apply", "--auto-approve"])), words);
        for (signed, key) in keys.iter().enumerate() {
            assert!(signed < keys.len());
            self.space.expect(4, &["apply", "p"]);
            self.space.expect(0, &["approve", "p", "--key", key]);
        }
        self.space.expect(0, &["apply", "p"]);
        for signature in beside(self.space.path()) {
            std::fs::remove_file(signature).unwrap();
        }
    }

    /// Is applied without anybody's approval.
    fn applies(&self, said: Said<'_>) {
        self.write(said);
        self.space.expect(0, &["apply", "--auto-approve"]);
    }

    fn starts(&self, said: Said<'_>) {
        self.takes(
            said,
            &[],
            &["identity.bot gains read by scope.read"],
            &["pay"],
        );
    }
}

#[test]
fn a_new_approval_puts_nobody_aside() {
    let place = Place::new("around-aside");
    place.starts(PLAIN);
    let aside = Said {
        grant: MORE,
        approval: "approval {\n required = 1\n from = [owner.sec]\n }",
        ..PLAIN
    };
    let words = [
        "identity.bot gains read by scope.read",
        "scope.read lets others approve",
    ];
    place.takes(aside, &[], &words, &["sec", "pay"]);
}

#[test]
fn what_is_held_already_comes_into_production_with_approval() {
    let dev = Said {
        environment: "dev",
        ..PLAIN
    };
    let place = Place::new("around-promoted");
    place.applies(dev);
    // The record is led to say that it is in production and holds next to nothing.
    let tiny = Said {
        scopes: "scope.tiny",
        ..PLAIN
    };
    place.write(tiny);
    let left_out = [
        "apply",
        "--auto-approve",
        "--exclude",
        "identity.bot",
        "--exclude",
        "scope.read",
    ];
    place.space.expect(0, &left_out);
    let begins = ["identity.bot begins to hold scope.read, of risk high, in production"];
    place.write(PLAIN);
    says(
        &place.space.expect(4, &["apply", "--auto-approve"]),
        &begins,
    );
    // What it is given is left as it is, and the label changes.
    let ignored = Said {
        own: "lifecycle {\n ignore_changes = [policies]\n }",
        ..tiny
    };
    place.takes(ignored, &[], &begins, &["pay"]);
}

#[test]
fn who_was_in_production_is_widened_with_approval() {
    let place = Place::new("around-left");
    place.starts(PLAIN);
    let dev = Said {
        environment: "dev",
        ..PLAIN
    };
    place.applies(dev);
    let wider = Said { grant: MORE, ..dev };
    let gains = ["identity.bot gains read by scope.read, of risk high, in production"];
    place.takes(wider, &[], &gains, &["pay"]);
}

#[test]
fn what_is_taken_over_by_another_label_is_widened_with_approval() {
    let place = Place::new("around-label");
    place.starts(PLAIN);
    let taken = Said {
        label: "bot2",
        own: "live_name = \"remit-bot\"",
        environment: "dev",
        grant: MORE,
        ..PLAIN
    };
    let gains = ["identity.bot2 gains read by scope.read, of risk high, in production"];
    place.takes(taken, &[], &gains, &["pay"]);
}

#[test]
fn an_identity_goes_to_other_people_with_approval() {
    let place = Place::new("around-agent");
    place.starts(PLAIN);
    let mine = Said {
        agent: "mine",
        ..PLAIN
    };
    let goes = ["identity.bot goes from agent.bot to agent.mine, whose approvers are others"];
    place.takes(mine, &[], &goes, &["pay"]);
}

#[test]
fn other_users_of_a_database_take_approval() {
    let place = Place::new("around-database");
    let grant = |statement: &str| {
        format!(
            "grant \"database\" {{\n mount = vault_secrets_mount.db.path\n connection = \
             vault_database_connection.shop.name\n statements = [\"{statement}\"]\n }}"
        )
    };
    let more = r#"
resource "vault_secrets_mount" "db" {
  path = "db"
  type = "database"
}
resource "vault_database_connection" "shop" {
  mount             = vault_secrets_mount.db.path
  name              = "shop"
  plugin_name       = "postgresql-database-plugin"
  connection_url    = "postgresql://{{username}}:{{password}}@127.0.0.1:1/shop"
  allowed_roles     = ["*"]
  verify_connection = false
}
"#;
    let (some, all) = (grant("GRANT SELECT ON a"), grant("GRANT ALL ON a"));
    let plain = Said {
        grant: &some,
        more,
        ..PLAIN
    };
    place.starts(plain);
    let wider = Said {
        grant: &all,
        ..plain
    };
    let words = [
        "+ vault read db/creds/remit-read",
        "what they may do in the database isn't evaluated",
        "identity.bot gains read by scope.read, of risk high, in production",
    ];
    place.write(wider);
    says(&place.space.expect(0, &["plan"]), &words);
    place.takes(wider, &[], &words[2..], &["pay"]);
}

/// Made as the rules want it, and changed afterwards.
#[test]
fn what_a_rule_is_against_is_not_brought_in_by_a_change() {
    let place = Place::new("around-rule");
    place.starts(PLAIN);
    let long = Said {
        prod: "max_session = \"800h\"",
        own: "session {\n ttl = \"800h\"\n max_ttl = \"800h\"\n }",
        ..PLAIN
    };
    place.write(long);
    says(
        &place.space.expect(4, &["plan"]),
        &["error RMT301 long-session"],
    );
    place.space.expect(4, &["apply", "--auto-approve"]);
}

/// What couldn't be read may be given anything, be it in the plan or left out of it.
#[test]
fn what_can_not_be_read_is_not_widened_unseen() {
    let mut place = Place::new("around-unread");
    place.starts(PLAIN);
    place.write(Said {
        grant: MORE,
        ..PLAIN
    });
    let denied = Fault::Status(403, "{\"errors\":[\"permission denied\"]}".to_owned());
    let rule = Rule::on("GET", "identity/entity/name/remit-bot$", denied);
    let proxy = Proxy::start(&shared().address(), vec![rule]);
    place.space.set("BAO_ADDR", &proxy.address());
    for part in [
        &["--target", "scope.read"][..],
        &["--exclude", "identity.bot"],
        &[],
    ] {
        let arguments = [&["apply", "--auto-approve"], part].concat();
        let refused = place.space.expect(1, &arguments);
        says(&refused, &["remit-bot"]);
    }
    for arguments in [
        &["access"][..],
        &["access", "identity.bot"],
        &["access", "identity.bot", "--can", "read kv/data/a"],
        &["access", "--who-can", "read kv/data/a"],
    ] {
        says(&place.space.expect(1, arguments), &["object can't be read"]);
    }
    let read = shared()
        .get("around-unread", "sys/policies/acl/remit-read")
        .1;
    assert!(!read.to_string().contains("kv/data/*"), "{read}");
    // What has nothing to do with it goes on.
    place.write(Said {
        own: "lifecycle {\n prevent_destroy = false\n }",
        ..PLAIN
    });
    place
        .space
        .expect(0, &["plan", "--target", "identity.other"]);
}
