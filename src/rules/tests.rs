//! Single rules, on what their examples leave out.

use super::testing::{World, found, permission, right, rule};
use super::*;
use crate::view::{self, Paint};

#[test]
fn severity_follows_the_tier() {
    let text = rule("RMT101").wrong;
    let severity = |text: &str| found("RMT101", text)[0].severity;
    assert_eq!(severity(text), Severity::Error);
    // Its double is in production still.
    let staging = text.replace("environment.prod", "environment.staging");
    assert_eq!(severity(&staging), Severity::Error);
    let both = staging.replace("identity \"reporting\"", "identity \"second\"") + &staging;
    let both = both.replace("\"triage\"\n", "\"other\"\n");
    let all = found("RMT101", &both);
    assert!(!all.is_empty());
    assert!(
        all.iter().all(|one| one.severity == Severity::Warning),
        "{all:#?}"
    );
}

#[test]
fn an_exception_waives_one_rule_for_one_declaration() {
    let exception = |code: &str, address: &str, date: &str| {
        format!(
            "{}\nexception \"x\" {{\n rule = \"{code}\"\n applies_to = {address}\n reason = \"r\"\n \
             approved_by = owner.payments\n expires_at = \"{date}\"\n}}\n",
            rule("RMT107").wrong
        )
    };
    let checked = |text: &str| World::beside_base(text).check();
    let waived = checked(&exception("RMT107", "identity.reporting", "2026-11-01"));
    assert!(!waived.stops());
    assert_eq!(
        waived.findings[0].waived_by.as_ref().unwrap().to_string(),
        "exception.x"
    );
    let until = waived.findings[0].waived_until.as_deref();
    assert_eq!(until, Some("2026-11-01"));
    for (code, address) in [
        ("RMT105", "identity.reporting"),
        ("RMT107", "identity.triage"),
    ] {
        assert!(
            checked(&exception(code, address, "2027-01-01")).stops(),
            "{code}"
        );
    }
    let expired = checked(&exception("RMT107", "identity.reporting", "2026-10-31"));
    let said: Vec<(&str, bool)> = expired
        .findings
        .iter()
        .map(|finding| (finding.rule.as_str(), finding.stops()))
        .collect();
    assert_eq!(said, [("RMT107", true), ("RMT303", true)]);
}

#[test]
fn an_exception_counts_for_all_instances_of_a_block() {
    let text = "identity \"reporting\" {\n for_each = { a = environment.prod, b = \
                environment.staging }\n agent = agent.reporting\n environment = each.value\n domain \
                = \"billing\"\n scopes = [scope.invoices_read]\n workload {\n issuer = \
                issuer.cluster\n namespace = each.key\n service_account = \"default\"\n }\n}\n\
                exception \"x\" {\n rule = \"RMT107\"\n applies_to = ADDRESS\n reason = \"r\"\n \
                approved_by = owner.payments\n expires_at = \"2027-01-01\"\n}\n";
    let waived = |address: &str| {
        let all = found("RMT107", &text.replace("ADDRESS", address));
        all.iter()
            .map(|one| one.waived_by.is_some())
            .collect::<Vec<_>>()
    };
    assert_eq!(waived("identity.reporting"), [true, true]);
    assert_eq!(waived("identity.reporting[\"b\"]"), [false, true]);
}

#[test]
fn exceptions_name_rules_that_are() {
    let mistake = |code: &str| {
        let text = format!(
            "exception \"x\" {{\n rule = \"{code}\"\n applies_to = identity.triage\n reason = \
             \"r\"\n approved_by = owner.payments\n expires_at = \"2027-01-01\"\n}}\n"
        );
        let world = World::beside_base(&text);
        let found = mistakes(&world.model);
        found.first().map(|one| {
            let at = world.sources.text(one.span.unwrap()).to_owned();
            (one.summary.clone(), at, one.help.clone().unwrap())
        })
    };
    assert_eq!(mistake("RMT101"), None);
    let (summary, at, help) = mistake("RMT110").unwrap();
    assert_eq!(
        (summary.as_str(), at.as_str()),
        ("unknown rule", "\"RMT110\"")
    );
    assert!(help.starts_with("did you mean `RMT1"), "{help}");
    assert_eq!(
        mistake("shared-identity").unwrap().2,
        "did you mean `RMT101`?"
    );
    assert_eq!(mistake("RMT203").unwrap().0, "rule that can't be waived");
}

#[test]
fn contacts_that_reach_nobody() {
    for (contact, number) in [
        ("payments@example.com", 0),
        ("#payments", 0),
        ("https://example.com/oncall", 0),
        ("TBD", 1),
        ("n/a", 1),
        ("no-reply@example.com", 1),
        ("triage@example.com", 1),
        ("spiffe://example.com/triage", 1),
    ] {
        let text = format!("owner \"x\" {{\n contact = \"{contact}\"\n}}\n");
        assert_eq!(found("RMT103", &text).len(), number, "{contact}");
    }
}

#[test]
fn the_shortest_way_to_everything() {
    let text = rule("RMT202").wrong;
    let world = World::beside_base(text);
    let all = world.check().findings;
    let what: Vec<&str> = all
        .iter()
        .filter(|finding| finding.rule == "RMT202")
        .map(|finding| finding.what.as_str())
        .collect();
    assert_eq!(what.len(), 2, "{what:#?}");
    assert!(
        what[1].starts_with("`identity.reporting` → `identity.operator` → everything in vault")
    );
    // A circle alone leads to another's access, and the search ends.
    let mut world = World::beside_base(text);
    for edge in &mut world.access.escalations {
        let other = match edge.identity.name.as_str() {
            "reporting" => "remit-operator",
            _ => "remit-reporting",
        };
        edge.escalation.gain =
            remit_sdk::access::Gain::Subject("vault_entity".into(), other.into());
    }
    let circle = world.check().findings;
    let circle: Vec<&str> = circle
        .iter()
        .filter(|finding| finding.rule == "RMT202")
        .map(|finding| finding.what.as_str())
        .collect();
    assert_eq!(circle.len(), 2);
    assert!(
        circle[0].contains("→ what `identity.reporting` may do"),
        "{circle:#?}"
    );
}

#[test]
fn a_wildcard_reaches_a_credential_too() {
    let mut world = right(rule("RMT206"));
    assert_eq!(world.codes(), [""; 0]);
    let held = world
        .access
        .permissions
        .iter_mut()
        .find(|held| held.identity.name == "reporting")
        .unwrap();
    held.permission = permission(&["read"], &["database/*"]);
    assert_eq!(world.codes(), ["RMT206"]);
    let mut of_reporting = |actions: &str, resource: &str, instance: &str| {
        let all = &mut world.access.permissions;
        let mut held = all.iter_mut();
        let held = held.find(|held| held.identity.name == "reporting").unwrap();
        held.permission = permission(&[actions], &[resource]);
        held.instance = instance.to_owned();
        world.codes()
    };
    assert_eq!(of_reporting("list", "database/*", "vault"), [""; 0]);
    assert_eq!(of_reporting("read", "other/*", "vault"), [""; 0]);
    assert_eq!(of_reporting("read", "database/*", "elsewhere"), [""; 0]);
    // Everything of a target is what RMT201 is about.
    assert_eq!(of_reporting("read", "*", "vault"), [""; 0]);
}

#[test]
fn a_wildcard_in_an_arn_reaches_a_secret_too() {
    let mut world = right(rule("RMT206"));
    for held in &mut world.access.permissions {
        let secret = match held.identity.name.as_str() {
            "reporting" => "arn:aws:secretsmanager:eu-west-1:1:secret:invoices-*",
            "orders_triage" => "arn:aws:secretsmanager:eu-west-1:1:secret:invoices-key",
            _ => continue,
        };
        held.permission = permission(&["secretsmanager:GetSecretValue"], &[secret]);
    }
    assert_eq!(world.codes(), ["RMT206"]);
}

#[test]
fn what_leads_to_oneself_is_no_escalation() {
    use remit_sdk::access::{Escalation, Gain};
    let mut world = World::beside_base("");
    let subjects = world.access.subjects.clone();
    let ((instance, subject), identity) = subjects.into_iter().next().unwrap();
    world.access.escalations.push(EscalationOf {
        identity,
        instance,
        subject: subject.clone(),
        escalation: Escalation {
            method: "write".into(),
            how: "writes its own".into(),
            gain: Gain::Subject(subject.0, subject.1),
            by: [permission(&["update"], &["x"])].into(),
            depends: Vec::new(),
        },
    });
    assert_eq!(world.codes(), [""; 0]);
    let edge = world.access.escalations.last_mut().unwrap();
    edge.escalation.gain = Gain::Subject("vault_entity".into(), "another".into());
    assert_eq!(world.codes(), ["RMT202"]);
}

#[test]
fn one_agent_in_one_environment_and_domain_is_declared_once() {
    let second = |domain: &str| {
        format!(
            "identity \"second\" {{\n agent = agent.triage\n environment = environment.prod\n \
             domain = \"{domain}\"\n scopes = []\n workload {{\n issuer = issuer.cluster\n \
             namespace = \"agents\"\n service_account = \"second\"\n }}\n}}\n"
        )
    };
    let said = found("RMT101", &second("billing"));
    assert_eq!(said.len(), 1);
    let what = &said[0].what;
    assert!(what.contains("are both `agent.triage` in"), "{what}");
    assert_eq!(found("RMT101", &second("orders")), []);
}

#[test]
fn what_is_forgotten_and_lives_on_is_said() {
    use crate::diff::{Action, Change, Details, Reason};
    let mut world = World::beside_base("");
    let address = remit_sdk::DeclarationAddress::new("identity", "old").object("vault_entity");
    let change = Change {
        address: address.clone(),
        instance: "vault".into(),
        kind: "vault_entity".into(),
        key: "remit-old".into(),
        action: Action::Forget,
        reason: Reason::NotOurs,
        before: [].into(),
        after: [].into(),
        differences: Vec::new(),
        expected: remit_sdk::provider::Expected::Absent,
        old: None,
        moved_from: None,
        details: Details::default(),
        place: None,
    };
    let mut codes = |action: Action, reason: Reason| {
        let change = Change {
            action,
            reason,
            ..change.clone()
        };
        world.plan.changes.insert(address.clone(), change);
        world.codes()
    };
    assert_eq!(codes(Action::Forget, Reason::NotOurs), ["RMT502"]);
    assert_eq!(codes(Action::Forget, Reason::Undeclared), [""; 0]);
    assert_eq!(codes(Action::Create, Reason::NotOurs), [""; 0]);
}

#[test]
fn a_secret_is_never_shown() {
    // Put together here, so that no scanner takes this file for a leak.
    let secret = format!("hvs.{}", "aB3dE6gH9jK2mN5pQ8sT1vW4");
    let text = format!(
        "locals {{\n a = \"{secret}\"\n b = {{ \"{secret}\" = \"{secret}\" }}\n}}\nresource \
         \"vault_policy\" \"p\" {{\n name = \"x\"\n policy = \"# {secret}\"\n}}\n"
    );
    let checked = World::beside_base(&text).check();
    assert_eq!(checked.findings.len(), 4);
    let shown = [
        view::findings::people(&checked, Paint::PLAIN),
        view::findings::json(&checked).to_string(),
        view::sarif::log(&checked).to_string(),
        view::junit::report(&checked),
        format!("{checked:?}"),
    ];
    for text in shown {
        assert!(text.contains("RMT601") && !text.contains(&secret), "{text}");
    }
    assert!(checked.findings.iter().any(|finding| {
        let address = finding.address.as_ref().map(ToString::to_string);
        address.as_deref() == Some("vault_policy.p")
    }));
}

#[test]
fn beyond_the_ceiling() {
    let text = rule("RMT205").right.to_owned() + rule("RMT204").right;
    let held = "scopes      = [scope.reports_write]";
    let text = text.replace(
        "agent       = agent.reporting",
        "agent       = agent.dunning",
    );
    assert!(text.contains(held));
    let found = found("RMT205", &text);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(
        found[0].what,
        "`identity.reporting` may create, update on `kv/data/prod/reports/*` by \
         `scope.reports_write`, which is beyond the ceiling of `agent.dunning`"
    );
}

#[test]
fn what_production_reaches_from_outside_it() {
    let shared = |production: &str, staging: &str| {
        let mut world = right(rule("RMT106"));
        for held in &mut world.access.permissions {
            let path = match held.identity.name.as_str() {
                "triage" => production,
                _ => staging,
            };
            held.permission = permission(&["read"], &[path]);
        }
        world.codes()
    };
    for (production, staging, is_found) in [
        ("kv/data/a", "kv/data/a", true),
        ("kv/data/a", "kv/data/*", true),
        ("kv/data/a/b", "kv/data/+/b", true),
        ("kv/data/a", "kv/data/b", false),
        ("kv/data/a", "other/*", false),
        ("auth/token/lookup-self", "auth/token/lookup-self", false),
        ("arn:aws:s3:::a-b/*", "arn:aws:s3:::a-*", true),
    ] {
        let expected: &[&str] = if is_found { &["RMT106"] } else { &[] };
        assert_eq!(
            shared(production, staging),
            expected,
            "{production} {staging}"
        );
    }
}

#[test]
fn each_instance_is_a_world_of_its_own() {
    let mut world = right(rule("RMT106"));
    for held in &mut world.access.permissions {
        let (path, instance) = match held.identity.name.as_str() {
            "triage" => ("kv/data/a", "other"),
            _ => ("kv/data/*", "another"),
        };
        held.permission = permission(&["read"], &[path]);
        held.instance = instance.to_owned();
    }
    assert_eq!(world.codes(), [""; 0]);
    for held in &mut world.access.permissions {
        held.instance = "other".into();
    }
    let said = world.check().findings;
    let what = &said[0].what;
    assert!(
        what.contains("reaches `kv/data/a`, by `kv/data/*`, as"),
        "{what}"
    );
    for held in &mut world.access.permissions {
        held.permission = permission(&["read"], &["kv/data/a"]);
    }
    let said = world.check().findings;
    let what = &said[0].what;
    assert!(what.contains("reaches `kv/data/a`, as"), "{what}");
}

#[test]
fn one_role_id_is_one_workload() {
    let text = |name: &str| {
        let identity = |label: &str, environment: &str| {
            format!(
                "identity \"{label}\" {{\n agent = agent.reporting\n environment = \
                 environment.{environment}\n domain = \"billing\"\n scopes = \
                 [scope.invoices_read]\n live_name = \"{name}{label}\"\n workload {{\n issuer = \
                 issuer.roles\n secret_id_num_uses = 0\n }}\n}}\n"
            )
        };
        let both = identity("a", "prod") + &identity("b", "staging");
        format!("issuer \"roles\" {{\n type = \"approle\"\n}}\n{both}")
    };
    assert_eq!(found("RMT101", &text("r-")), []);
    let same = text("r-").replace("r-b", "r-a");
    assert_eq!(found("RMT101", &same).len(), 1);
    assert_eq!(found("RMT301", &same).len(), 2);
}

#[test]
fn an_exception_that_waives_nothing_is_told() {
    let wrong = rule("RMT107").wrong;
    let told = |rule: &str, about: &str, expires: &str| {
        let text = format!(
            "{wrong}\nexception \"x\" {{\n rule = \"{rule}\"\n applies_to = {about}\n reason = \"r\"\n \
             approved_by = owner.payments\n expires_at = \"{expires}\"\n}}\n"
        );
        let world = World::beside_base(&text);
        let of = |checked: &Checked| -> Vec<String> {
            let found = idle(&world.model, checked, super::testing::NOW);
            found
                .into_iter()
                .map(|one| format!("{}; {}", one.detail, one.help.unwrap_or_default()))
                .collect()
        };
        let mut checked = world.check();
        let found = of(&checked);
        // Nothing is said of a rule that couldn't look.
        checked
            .skipped
            .push((rule.to_owned(), "needs a plan".into()));
        assert_eq!(of(&checked), Vec::<String>::new());
        found
    };
    let later = "2027-01-01";
    assert_eq!(
        told("RMT107", "identity.reporting", later),
        Vec::<String>::new()
    );
    assert_eq!(
        told("RMT107", "agent.reporting", later),
        [
            "RMT107 finds nothing in agent.reporting; RMT107 finds something in identity.reporting: that is \
          what to write"
        ]
    );
    assert_eq!(
        told("RMT104", "identity.reporting", later),
        ["RMT104 finds nothing in identity.reporting; remove it if what it was for is mended"]
    );
    // One that is past is RMT303's.
    assert_eq!(
        told("RMT104", "identity.reporting", "2026-01-01"),
        Vec::<String>::new()
    );
}

#[test]
fn what_lives_undeclared_is_waived_by_its_provider() {
    let mut world = World::beside_base(
        "exception \"x\" {\n rule = \"RMT501\"\n applies_to = provider.vault\n reason = \"r\"\n \
         approved_by = owner.payments\n expires_at = \"2027-01-01\"\n}\n",
    );
    let place = |instance: &str| (instance.to_owned(), "vault_policy".into(), "remit-x".into());
    world.observed.others.insert(place("vault"));
    world.observed.others.insert(place("aws"));
    let checked = world.check();
    let waived: Vec<bool> = checked
        .findings
        .iter()
        .map(|one| one.waived_by.is_some())
        .collect();
    assert_eq!(waived, [false, true]);
}

#[test]
fn people_are_told_from_service_accounts() {
    let text = rule("RMT504").wrong;
    for (subject, number) in [
        ("someone@example.com", 1),
        ("job@project.iam.gserviceaccount.com", 0),
        ("someone@localhost", 0),
        ("https://a.example/x@y.example", 0),
    ] {
        let text = text.replace("someone@example.com", subject);
        assert_eq!(found("RMT504", &text).len(), number, "{subject}");
    }
    let claims = text.replace(
        "\"someone@example.com\"",
        "\"1234\"\n claims = { email = \"someone@example.com\" }",
    );
    assert_eq!(found("RMT504", &claims).len(), 1);
}

#[test]
fn an_approval_takes_as_many_keys_as_people() {
    let key = |name: &str| {
        let key = if name == "a" {
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKeTe2S4yqWPA3IbtrrPXHjLI1/r4OcLG4TNmVQUYaCO"
        } else {
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBY2eqy2ekoBfI2oq5VoLMs5CGN4D3EU3aCg4MVWRMfE"
        };
        format!("\"{key} comment\"")
    };
    for (keys, number) in [
        (format!("{}, {}", key("a"), key("b")), 0),
        (
            format!("{}, {}", key("a"), key("a").replace("comment", "other")),
            1,
        ),
        (key("a"), 1),
    ] {
        let text = rule("RMT103").right.replace("required = 1", "required = 2");
        let (before, rest) = text.split_once("approvers = [").unwrap();
        let (_, after) = rest.split_once(']').unwrap();
        let text = format!("{before}approvers = [{keys}]{after}");
        assert_eq!(found("RMT103", &text).len(), number, "{keys}");
    }
}

#[test]
fn an_issuer_may_name_a_mount_that_another_names() {
    let text = rule("RMT102").wrong;
    let two = text.replace(
        "issuer \"ci\" {",
        "issuer \"other\" {\n type = \"oidc\"\n url = \"https://other.example.com\"\n audience = \
         [\"v\"]\n MOUNT\n}\nissuer \"ci\" {\n MOUNT",
    );
    let (before, last) = two.rsplit_once("issuer.ci").unwrap();
    let two = format!("{before}issuer.other{last}");
    assert_eq!(found("RMT102", &two.replace("MOUNT", "")), []);
    let same = two.replace("MOUNT", "mount = \"jwt\"");
    assert_eq!(found("RMT102", &same).len(), 1);
    // Two mounts are two, whatever else is declared.
    let different = two.replacen("MOUNT", "mount = \"one\"", 1);
    let different = different.replace("MOUNT", "mount = \"two\"");
    let different = different
        .replace("\"ci\"", "\"x\"")
        .replace("issuer.ci", "issuer.x");
    let different = different
        .replace("\"other\"", "\"y\"")
        .replace("issuer.other", "issuer.y");
    assert_eq!(found("RMT102", &different), []);
}

#[test]
fn an_environment_in_a_name_is_not_always_the_environment() {
    let reach = |path: &str| {
        let mut world = right(rule("RMT106"));
        for held in &mut world.access.permissions {
            if held.identity.name == "reporting" {
                held.permission = permission(&["read"], &[path]);
            }
        }
        world.codes()
    };
    for (path, is_found) in [
        ("kv/data/prod/x", true),
        ("arn:aws:s3:::invoices-prod/*", true),
        ("kv/data/production/x", false),
        ("kv/data/staging/prod-copy", false),
        ("kv/data/x", false),
    ] {
        assert_eq!(reach(path) == ["RMT106"], is_found, "{path}");
    }
}
