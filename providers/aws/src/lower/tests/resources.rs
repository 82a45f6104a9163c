//! Resources: any kind as it is written, what names what, roles that hold nothing else.

use super::*;

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}}"#;
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}"#;

fn text(text: &str) -> Value {
    Value::string(text)
}

fn assumed_by(principal: &str) -> Value {
    text(&format!(
        "{{\"Version\":\"2012-10-17\",\"Statement\":{{\"Effect\":\"Allow\",\"Principal\":{principal},\"Action\":\"sts:AssumeRole\"}}}}"
    ))
}

fn arn(resource: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:{resource}")
}

/// One of each kind, that name each other.
fn every_kind() -> Vec<Resource> {
    vec![
        resource(
            "aws_iam_openid_connect_provider.p",
            &[
                ("url", text("https://issuer.example.com/a")),
                ("client_id_list", Value::List(vec![text("x"), text("x")])),
                ("thumbprint_list", Value::List(vec![text(&"AB".repeat(20))])),
            ],
        ),
        resource(
            "aws_iam_role.r",
            &[
                ("name", text("r")),
                ("path", text("/ops/")),
                (
                    "assume_role_policy",
                    assumed_by(&format!(
                        "{{\"AWS\":[\"{}\",\"{}\"],\"Federated\":\"{}\"}}",
                        arn("role/boss"),
                        arn("user/people/u"),
                        arn("oidc-provider/issuer.example.com/a")
                    )),
                ),
                ("permissions_boundary", text(&arn("policy/a/b"))),
                ("max_session_duration", text("2h")),
            ],
        ),
        resource(
            "aws_iam_role.boss",
            &[("name", text("boss")), ("assume_role_policy", text(TRUST))],
        ),
        resource(
            "aws_iam_role_policy.i",
            &[
                ("role", text("r")),
                ("name", text("i")),
                ("policy", text(POLICY)),
            ],
        ),
        resource(
            "aws_iam_policy.b",
            &[
                ("name", text("b")),
                ("path", text("/a/")),
                ("policy", text(POLICY)),
            ],
        ),
        resource(
            "aws_iam_policy_attachment.a",
            &[
                ("role", text("r")),
                ("policy_arn", text(&arn("policy/a/b"))),
            ],
        ),
        resource(
            "aws_iam_user.u",
            &[
                ("name", text("u")),
                ("path", text("/people/")),
                ("permissions_boundary", text(&arn("policy/a/b"))),
            ],
        ),
        resource("aws_iam_group.g", &[("name", text("g"))]),
        resource(
            "aws_iam_instance_profile.m",
            &[("name", text("m")), ("role", text("r"))],
        ),
        resource(
            "aws_secretsmanager_secret.s",
            &[
                ("name", text("agents/s")),
                (
                    "policy",
                    text(&format!(
                        "{{\"Version\":\"2012-10-17\",\"Statement\":{{\"Effect\":\"Allow\",\"Principal\":{{\"AWS\":\"{}\"}},\"Action\":\"secretsmanager:GetSecretValue\",\"Resource\":\"*\"}}}}",
                        arn("role/ops/r")
                    )),
                ),
                (
                    "rotation_lambda_arn",
                    text("arn:aws:lambda:eu-west-1:123456789012:function:f"),
                ),
                ("rotation_automatically_after_days", Value::integer(30)),
                ("recovery_window", text("7d")),
            ],
        ),
    ]
}

#[test]
fn every_kind_is_taken_as_written() {
    let config = Config {
        resources: every_kind(),
        ..Config::new()
    };
    let lowered = config.good();
    let keys: Vec<_> = lowered.objects.iter().map(|one| one.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "https://issuer.example.com/a",
            "r",
            "boss",
            "r/i",
            "policy/a/b",
            "r/arn:aws:iam::123456789012:policy/a/b",
            "u",
            "g",
            "m",
            "agents/s",
        ]
    );
    let kinds: BTreeSet<_> = lowered.objects.iter().map(|one| one.kind.name).collect();
    assert_eq!(kinds.len(), schema::kinds().len());
    let role = find(&lowered, "aws_iam_role.r/aws_iam_role");
    assert_eq!(
        role.attributes["max_session_duration"],
        Value::integer(7200)
    );
    let provider = &lowered.objects[0];
    assert_eq!(
        provider.attributes["thumbprint_list"],
        Value::strings(["ab".repeat(20)])
    );
    // A policy's key has a path, which nobody needs to write.
    let config = Config {
        resources: vec![resource(
            "aws_iam_policy.b",
            &[("name", text("b")), ("policy", text(POLICY))],
        )],
        ..Config::new()
    };
    assert_eq!(config.good().objects[0].key, "policy/b");
}

#[test]
fn what_names_another_waits_for_it() {
    let config = Config {
        resources: every_kind(),
        ..Config::new()
    };
    let lowered = config.good();
    let of = |all: &[&str]| -> Vec<String> {
        let all = all.iter().map(|one| {
            let kind = one.split('.').next().unwrap();
            format!("{one}/{kind}")
        });
        all.collect()
    };
    for (waiting, waited) in [
        (
            "aws_iam_role.r",
            &[
                "aws_iam_openid_connect_provider.p",
                "aws_iam_policy.b",
                "aws_iam_role.boss",
                "aws_iam_user.u",
            ][..],
        ),
        ("aws_iam_role.boss", &[]),
        ("aws_iam_role_policy.i", &["aws_iam_role.r"]),
        ("aws_iam_policy.b", &[]),
        (
            "aws_iam_policy_attachment.a",
            &["aws_iam_policy.b", "aws_iam_role.r"],
        ),
        ("aws_iam_user.u", &["aws_iam_policy.b"]),
        ("aws_iam_instance_profile.m", &["aws_iam_role.r"]),
        ("aws_secretsmanager_secret.s", &["aws_iam_role.r"]),
    ] {
        let kind = waiting.split('.').next().unwrap();
        let found = waits(&lowered, &format!("{waiting}/{kind}"));
        assert_eq!(found, of(waited), "{waiting}");
    }
}

#[test]
fn what_is_named_elsewhere_is_somebody_elses() {
    let mut config = Config {
        resources: every_kind(),
        ..Config::new()
    };
    config.provider = Some(provider(&[("account", text("210987654321"))]));
    let lowered = config.good();
    assert_eq!(
        waits(
            &lowered,
            "aws_iam_policy_attachment.a/aws_iam_policy_attachment"
        ),
        ["aws_iam_role.r/aws_iam_role"]
    );
    assert!(waits(&lowered, "aws_iam_role.r/aws_iam_role").is_empty());
}

#[test]
fn a_resource_may_hang_on_an_identitys_role() {
    let mut config = one();
    config.resources = vec![resource(
        "aws_iam_policy_attachment.a",
        &[
            ("role", text("remit-x-prod")),
            ("policy_arn", text("arn:aws:iam::aws:policy/ReadOnlyAccess")),
        ],
    )];
    let lowered = config.good();
    assert_eq!(
        waits(
            &lowered,
            "aws_iam_policy_attachment.a/aws_iam_policy_attachment"
        ),
        ["identity.x[\"prod\"]/aws_iam_role"]
    );
}

#[test]
fn one_live_object_has_one_declaration() {
    for (kind, first, second) in [
        (
            "aws_iam_role",
            &[("name", "R"), ("assume_role_policy", TRUST)][..],
            &[("name", "r"), ("assume_role_policy", TRUST)][..],
        ),
        (
            "aws_iam_policy",
            &[("name", "p"), ("path", "/a/"), ("policy", POLICY)],
            &[("name", "P"), ("path", "/b/"), ("policy", POLICY)],
        ),
        ("aws_iam_user", &[("name", "u")], &[("name", "U")]),
    ] {
        let of = |name: &str, all: &[(&'static str, &str)]| {
            let all: Vec<_> = all
                .iter()
                .map(|(name, value)| (*name, text(value)))
                .collect();
            resource(&format!("{kind}.{name}"), &all)
        };
        let config = Config {
            resources: vec![of("a", first), of("b", second)],
            ..Config::new()
        };
        let found = config.mistakes();
        assert_eq!(found.len(), 1, "{kind}: {found:?}");
        assert!(found[0].starts_with("two declarations of one live object: "));
    }
    let config = Config {
        resources: vec![
            resource("aws_secretsmanager_secret.a", &[("name", text("s"))]),
            resource("aws_secretsmanager_secret.b", &[("name", text("S"))]),
        ],
        ..Config::new()
    };
    config.good();
}

#[test]
fn mistakes_of_resources_are_told_at_once_and_underlined() {
    let config = Config {
        resources: vec![
            resource(
                "aws_iam_role.r",
                &[
                    ("nmae", text("r")),
                    ("assume_role_policy", text("{")),
                    ("arn", text("arn:aws:iam::1:role/r")),
                    ("max_session_duration", text("15m")),
                ],
            ),
            resource("aws_iam_role_policy.i", &[("role", text("r"))]),
        ],
        ..Config::new()
    };
    let lowered = config.lower();
    let found: Vec<_> = lowered
        .diagnostics
        .iter()
        .map(|one| {
            let help = one.help.clone().unwrap_or_default();
            let text = format!("{}: {}; {help}", one.summary, one.detail);
            (text, one.span.unwrap().start)
        })
        .collect();
    for (why, at) in [
        ("did you mean `name`?", 30),
        ("the policy can't be used: ", 31),
        ("`arn` of `aws_iam_role` is told by the server", 32),
        ("AWS lets a role's longest session be", 33),
        ("`aws_iam_role` needs `name`", 5),
        ("`aws_iam_role_policy` needs `name`", 5),
        ("`aws_iam_role_policy` needs `policy`", 5),
    ] {
        assert!(
            found
                .iter()
                .any(|(text, span)| text.contains(why) && *span == at),
            "{why}: {found:#?}"
        );
    }
    assert_eq!(found.len(), 7, "{found:#?}");
}

#[test]
fn a_secret_rotates_by_something_and_sometimes() {
    let lambda = (
        "rotation_lambda_arn",
        text("arn:aws:lambda:eu-west-1:123456789012:function:f"),
    );
    let days = ("rotation_automatically_after_days", Value::integer(30));
    let schedule = ("rotation_schedule_expression", text("rate(10 days)"));
    let window = ("rotation_duration", text("3h"));
    let mistakes = |all: &[&(&'static str, Value)]| {
        let mut attributes = vec![("name", text("s"))];
        attributes.extend(all.iter().map(|one| (*one).clone()));
        Config {
            resources: vec![resource("aws_secretsmanager_secret.s", &attributes)],
            ..Config::new()
        }
        .mistakes()
    };
    let none = (
        ("rotation_lambda_arn", text("")),
        ("rotation_automatically_after_days", Value::integer(0)),
    );
    for good in [
        &[][..],
        &[&lambda, &days],
        &[&lambda, &schedule, &window],
        &[&none.0, &none.1],
    ] {
        assert_eq!(mistakes(good), [""; 0]);
    }
    for (bad, why) in [
        (&[&lambda, &days, &schedule][..], "both say when it rotates"),
        (&[&days], "not by what"),
        (&[&window, &none.0], "not by what"),
        (&[&lambda], "not when"),
        (&[&lambda, &window], "not when"),
    ] {
        let found = mistakes(bad);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains(why), "{found:?}");
    }
}

#[test]
fn a_closed_role_holds_what_the_configuration_gives_it() {
    let mut config = one();
    config.provider = Some(provider(&[("exclusive_policies", Value::Bool(true))]));
    config.resources = vec![
        resource(
            "aws_iam_policy_attachment.a",
            &[
                ("role", text("REMIT-x-prod")),
                ("policy_arn", text("arn:aws:iam::aws:policy/ReadOnlyAccess")),
            ],
        ),
        resource(
            "aws_iam_role.r",
            &[("name", text("r")), ("assume_role_policy", text(TRUST))],
        ),
    ];
    let mut other = config.identities[0].clone();
    other.address = address("identity.y");
    other.name = "remit-y".into();
    other.scopes.clear();
    config.identities.push(other);
    let lowered = config.good();
    let lists = |text: &str| {
        let role = find(&lowered, text);
        ["inline_policies", "attached_policies"].map(|name| role.attributes.get(name).cloned())
    };
    let none = Value::strings::<_, &str>([]);
    assert_eq!(
        lists("identity.x[\"prod\"]/aws_iam_role"),
        [
            Some(Value::strings(["remit-read"])),
            Some(Value::strings(["arn:aws:iam::aws:policy/ReadOnlyAccess"])),
        ]
    );
    assert_eq!(
        lists("identity.y/aws_iam_role"),
        [Some(none.clone()), Some(none)]
    );
    // What somebody wrote as a resource says itself what it holds.
    assert_eq!(lists("aws_iam_role.r/aws_iam_role"), [None, None]);
}

#[test]
fn declared_dependencies_name_all_objects_of_a_declaration() {
    let mut config = one();
    config.resources = vec![resource("aws_iam_group.g", &[("name", text("g"))])];
    config.resources[0].lifecycle.depends_on = vec![address("identity.x")];
    let lowered = config.good();
    assert_eq!(waits(&lowered, "aws_iam_group.g/aws_iam_group").len(), 2);
}

#[test]
fn an_account_is_of_the_blocks_partition() {
    let mut config = Config {
        resources: vec![resource(
            "aws_iam_role.r",
            &[
                ("name", text("r")),
                (
                    "assume_role_policy",
                    assumed_by("{\"AWS\":\"210987654321\"}"),
                ),
            ],
        )],
        ..Config::new()
    };
    for (region, partition) in [("eu-west-1", "aws"), ("us-gov-west-1", "aws-us-gov")] {
        config.provider = Some(provider(&[("region", text(region))]));
        let lowered = config.good();
        let document = json(&lowered.objects[0], "assume_role_policy");
        assert_eq!(
            document["Statement"][0]["Principal"]["AWS"],
            format!("arn:{partition}:iam::210987654321:root")
        );
    }
}
