use remit_sdk::Value;
use remit_sdk::access::Certainty;

use super::super::testing::*;
use super::*;

mod named;

const OBJECT: &str = "arn:aws:s3:::b/k";

fn nobody() -> String {
    trusts(r#""Service":"ec2.amazonaws.com""#)
}

/// A role `r` with one inline policy.
fn r(statements: &str) -> Objects {
    Objects::new()
        .role("r", &nobody())
        .inline("r", "p", statements)
}

fn can(objects: &Objects, request: &str) -> Answer {
    Aws.can(&objects.world(), &role("r"), request).unwrap()
}

fn actions(objects: &Objects) -> Vec<BTreeSet<String>> {
    let found = Aws.permissions(&objects.world(), &role("r"));
    found.into_iter().map(|one| one.actions).collect()
}

#[test]
fn subjects_are_roles_and_users() {
    let objects = Objects::new()
        .role("r", &nobody())
        .user("u")
        .policy("p", &allow("s3:*", "*"))
        .with("aws_iam_group", "g", &[]);
    assert_eq!(
        Aws.subjects(&objects.world()),
        [role("r"), user("u")].into()
    );
    assert_eq!(Aws.provider(), "aws");
    let policy = ("aws_iam_policy".to_owned(), "policy/p".to_owned());
    assert_eq!(Aws.permissions(&objects.world(), &policy), []);
    assert_eq!(Aws.permissions(&objects.world(), &role("x")), []);
    assert_eq!(Aws.escalations(&objects.world(), &role("x")), []);
}

#[test]
fn policies_are_found() {
    let objects = r(&allow("s3:GetObject", "*"))
        .declared("mine")
        .inline("R", "q", &allow("sqs:SendMessage", "*"))
        .inline("other", "q", &allow("sns:Publish", "*"))
        .policy("m", &allow("kms:Decrypt", "*"))
        .policy("unused", &allow("ec2:*", "*"))
        .attached("r", &policy_arn("M"));
    let found = Aws.permissions(&objects.world(), &role("r"));
    let all: Vec<_> = found
        .iter()
        .map(|one| (one.actions.clone(), one.sources.clone()))
        .collect();
    let foreign = |text: &str| BTreeSet::from([Source::Foreign(text.to_owned())]);
    let mine = remit_sdk::DeclarationAddress::new("aws_iam_role_policy", "mine")
        .object("aws_iam_role_policy");
    assert_eq!(
        all,
        [
            (set(["kms:Decrypt"]), foreign("aws_iam_policy policy/m")),
            (
                set(["s3:GetObject"]),
                BTreeSet::from([Source::Object(mine)])
            ),
            (set(["sqs:SendMessage"]), foreign("aws_iam_role_policy R/q")),
        ]
    );
}

#[test]
fn a_boundary_is_found() {
    let bounded = |arn: &str| {
        Objects::new()
            .role("r", &nobody())
            .having("permissions_boundary", Value::string(arn))
            .inline("r", "p", &allow("s3:*", "*"))
            .policy("b", &allow("s3:Get*", "*"))
    };
    assert_eq!(actions(&bounded(&policy_arn("b"))), [set(["s3:Get*"])]);
    assert_eq!(actions(&bounded("")), [set(["s3:*"])]);
    let unknown = bounded(&policy_arn("c"));
    let found = Aws.permissions(&unknown.world(), &role("r"));
    let why = "only as arn:aws:iam::111122223333:policy/c allows";
    assert!(found[0].conditions.contains(why), "{found:?}");
}

#[test]
fn policies_of_aws() {
    let with = |name: &str| {
        r(&allow("s3:GetObject", "*")).attached("r", &format!("arn:aws:iam::aws:policy/{name}"))
    };
    assert_eq!(
        actions(&with("AdministratorAccess")),
        [set(["*"]), set(["s3:GetObject"])]
    );
    assert_eq!(
        can(&with("AdministratorAccess"), "ec2:RunInstances *").verdict,
        Verdict::Allowed
    );
    assert_eq!(actions(&with("AWSDenyAll")), [] as [BTreeSet<String>; 0]);
    let other = with("ReadOnlyAccess");
    let arn = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    let whatever = format!("whatever {arn} gives");
    assert_eq!(
        actions(&other),
        [set(["s3:GetObject"]), BTreeSet::from([whatever])]
    );
    assert_eq!(Aws.missing(&other.world()), BTreeSet::new());
    // Nobody's own policy has its name.
    let mine =
        with("AdministratorAccess").policy("AdministratorAccess", &allow("s3:GetObject", "*"));
    assert_eq!(can(&mine, "ec2:RunInstances *").verdict, Verdict::Allowed);
}

#[test]
fn what_is_missing() {
    let objects = Objects::new()
        .role("r", &nobody())
        .having("permissions_boundary", Value::string(policy_arn("b")))
        .having("inline_policies", Value::strings(["p", "q"]))
        .having(
            "attached_policies",
            Value::strings([policy_arn("m"), policy_arn("n")]),
        )
        .inline("r", "P", &allow("s3:GetObject", "*"))
        .policy("m", &allow("s3:GetObject", "*"))
        .attached("r", &policy_arn("m"))
        .attached("r", &policy_arn("o"))
        .user("u")
        .having("permissions_boundary", Value::string(policy_arn("c")));
    let named = |kind: &'static str, key: &str| (kind, key.to_owned());
    assert_eq!(
        Aws.missing(&objects.world()),
        BTreeSet::from([
            named("aws_iam_policy", "policy/b"),
            named("aws_iam_policy", "policy/c"),
            named("aws_iam_policy", "policy/n"),
            named("aws_iam_policy", "policy/o"),
            named(
                "aws_iam_policy_attachment",
                &format!("r/{}", policy_arn("n"))
            ),
            named("aws_iam_role_policy", "r/q"),
        ])
    );
}

#[test]
fn answers() {
    let objects = r(&format!(
        "{},{}",
        allow("s3:*", "*"),
        deny("s3:Delete*", "*")
    ))
    .declared("x");
    let found = can(&objects, &format!("s3:GetObject {OBJECT}"));
    assert_eq!(found.verdict, Verdict::Allowed);
    assert_eq!(found.path, ["role r", "inline policy p"]);
    assert_eq!(found.sources.len(), 1);
    let found = can(&objects, &format!("s3:DeleteObject {OBJECT}"));
    assert_eq!(
        found.verdict,
        Verdict::Denied("inline policy p denies it".to_owned())
    );
    assert_eq!(found.path, ["role r", "inline policy p"]);
    let found = can(&objects, "sqs:SendMessage *");
    let why = "no statement of the identity's policies allows it";
    assert_eq!(found.verdict, Verdict::Denied(why.to_owned()));
    let ip = r(&allow_if(
        "s3:*",
        "*",
        r#""IpAddress":{"aws:SourceIp":"10.0.0.0/8"}"#,
    ));
    let found = can(&ip, &format!("s3:GetObject {OBJECT}"));
    assert_eq!(
        found.verdict,
        Verdict::Depends(vec!["aws:SourceIp".to_owned()])
    );
    let found = Aws
        .can(
            &objects.world(),
            &role("x"),
            &format!("s3:GetObject {OBJECT}"),
        )
        .unwrap();
    assert_eq!(
        found.verdict,
        Verdict::Denied("there is no aws_iam_role x".to_owned())
    );
}

#[test]
fn requests_are_written_so() {
    let objects = r(&allow("s3:*", "*"));
    for request in [
        "",
        "s3:GetObject",
        "s3:Get* *",
        "s3:GetObject b",
        "get *",
        "s3:GetObject * *",
    ] {
        let found = Aws.can(&objects.world(), &role("r"), request);
        assert!(
            found
                .unwrap_err()
                .contains("s3:GetObject arn:aws:s3:::bucket/key"),
            "{request}"
        );
    }
    assert!(
        Aws.can(&objects.world(), &role("r"), " s3:GetObject  * ")
            .is_ok()
    );
}

#[test]
fn what_is_known_of_a_caller() {
    let own = |condition: &str| r(&allow_if("s3:*", "*", condition));
    let ask = |condition: &str| can(&own(condition), &format!("s3:GetObject {OBJECT}")).verdict;
    let arn = role_arn("r");
    assert_eq!(
        ask(&format!(r#""ArnEquals":{{"aws:PrincipalArn":"{arn}"}}"#)),
        Verdict::Allowed
    );
    assert_eq!(
        ask(r#""StringEquals":{"aws:PrincipalAccount":"111122223333"}"#),
        Verdict::Allowed
    );
    assert_eq!(
        ask(r#""StringEquals":{"aws:PrincipalType":"AssumedRole"}"#),
        Verdict::Allowed
    );
    assert_eq!(ask(r#""Null":{"aws:username":"true"}"#), Verdict::Allowed);
    assert!(matches!(
        ask(r#""StringEquals":{"aws:PrincipalTag/t":"a"}"#),
        Verdict::Depends(_)
    ));
}

#[test]
fn users_hold_what_nobody_reads() {
    let objects = Objects::new()
        .user("u")
        .having("permissions_boundary", Value::string(policy_arn("b")))
        .having("tags", Value::Map([("t".to_owned(), Value::string("a"))].into()))
        .policy("b", &allow_if("s3:*", "*", r#""StringEquals":{"aws:PrincipalTag/t":"a","aws:username":"u","aws:PrincipalType":"User"}"#));
    let world = objects.world();
    let found = Aws.permissions(&world, &user("u"));
    assert_eq!(
        found[0].actions,
        set(["whatever a policy of user u or of its groups gives"])
    );
    assert!(found[0].conditions.contains("only s3:*") || !found[0].conditions.is_empty());
    let found = Aws
        .can(&world, &user("u"), &format!("s3:GetObject {OBJECT}"))
        .unwrap();
    assert!(matches!(found.verdict, Verdict::Depends(_)));
    assert_eq!(found.path[0], "user u");
    let found = Aws.can(&world, &user("u"), "sqs:SendMessage *").unwrap();
    let why = "no statement of the permission boundary allows it";
    assert_eq!(found.verdict, Verdict::Denied(why.to_owned()));
    assert_eq!(Aws.beyond(&world, &user("u"), &world), []);
    // A new one holds nothing.
    let before = Objects::new();
    assert_eq!(Aws.beyond(&world, &user("u"), &before.world()), []);
    // But for what a secret gives it.
    let text = r#"{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Principal":{"AWS":"arn:aws:iam::111122223333:user/u"},"Resource":"*"}"#;
    let given = |text: &str| {
        Objects::new().user("u").with(
            "aws_secretsmanager_secret",
            "s",
            &[("policy", Value::string(document(text)))],
        )
    };
    let gained = |text: &str| Aws.beyond(&given(text).world(), &user("u"), &before.world());
    // And what it gives and denies isn't given.
    let denied = format!("{text},{}", text.replace("Allow", "Deny"));
    assert_eq!(gained(&denied), []);
    let found = gained(text);
    assert_eq!(found.len(), 1);
    assert_eq!(
        found[0].permission.actions,
        set(["secretsmanager:GetSecretValue"])
    );
    let unbounded = Objects::new().user("u");
    assert!(
        !Aws.beyond(&unbounded.world(), &user("u"), &world)
            .is_empty()
    );
}

#[test]
fn administrative_permissions_are_told() {
    let found = |statements: &str| {
        let all = Aws.permissions(&r(statements).world(), &role("r"));
        Aws.is_administrative(&all[0])
    };
    assert_eq!(
        found(&allow("iam:CreateUser", "*")).as_deref(),
        Some("`iam:CreateUser` decides who may do what")
    );
    assert_eq!(found(&allow("s3:GetObject", "*")), None);
}

#[test]
fn before_and_after() {
    let before = r(&allow("s3:GetObject", "*"));
    let after = r(&allow("s3:GetObject s3:PutObject", "*")).declared("x");
    let found = Aws.beyond(&after.world(), &role("r"), &before.world());
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].permission.actions, set(["s3:PutObject"]));
    assert_eq!(found[0].certainty, Certainty::Surely);
    assert_eq!(Aws.beyond(&before.world(), &role("r"), &after.world()), []);
    assert_eq!(Aws.beyond(&before.world(), &role("x"), &after.world()), []);
    let nothing = Objects::new();
    assert_eq!(
        Aws.beyond(&after.world(), &role("r"), &nothing.world())
            .len(),
        1
    );
}

#[test]
fn a_changed_tag_of_a_resource_counts() {
    let condition = r#""StringEquals":{"secretsmanager:ResourceTag/team":"a"}"#;
    let with = |objects: Objects| {
        let own = allow_if("secretsmanager:GetSecretValue", "*", condition);
        objects.role("r", &nobody()).inline("r", "p", &own)
    };
    let tagged = |value: &str| {
        let tags = Value::Map([("Team".to_owned(), Value::string(value))].into());
        with(Objects::new().with("aws_secretsmanager_secret", "s", &[("tags", tags)]))
    };
    let more = |over: &Objects, under: &Objects| {
        Aws.beyond(&over.world(), &role("r"), &under.world()).len()
    };
    assert_eq!(more(&tagged("a"), &tagged("b")), 1);
    assert_eq!(more(&tagged("a"), &tagged("a")), 0);
    // One that is made has its tags from the first, which is no change of what a policy gives.
    assert_eq!(more(&tagged("a"), &with(Objects::new())), 0);
}

#[test]
fn a_changed_tag_counts() {
    let tagged = |value: &str| {
        Objects::new()
            .role("r", &nobody())
            .having(
                "tags",
                Value::Map([("Team".to_owned(), Value::string(value))].into()),
            )
            .inline(
                "r",
                "p",
                &allow_if(
                    "s3:*",
                    "*",
                    r#""StringEquals":{"aws:PrincipalTag/team":"a"}"#,
                ),
            )
    };
    let (a, b) = (tagged("a"), tagged("b"));
    assert_eq!(Aws.beyond(&a.world(), &role("r"), &a.world()), []);
    assert_eq!(Aws.beyond(&a.world(), &role("r"), &b.world()).len(), 1);
    let moved = Objects::new()
        .role("r", &nobody())
        .having("arn", Value::string(role_arn("x/r")))
        .inline(
            "r",
            "p",
            &allow_if(
                "s3:*",
                "*",
                r#""ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/x/*"}"#,
            ),
        );
    let there = Objects::new().role("r", &nobody()).inline(
        "r",
        "p",
        &allow_if(
            "s3:*",
            "*",
            r#""ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/x/*"}"#,
        ),
    );
    assert_eq!(
        Aws.beyond(&moved.world(), &role("r"), &there.world()).len(),
        1
    );
}

#[test]
fn documents_that_cannot_be_read() {
    let with = |value: Value| {
        Objects::new().role("r", &nobody()).with(
            "aws_iam_role_policy",
            "r/p",
            &[
                ("role", Value::string("r")),
                ("name", Value::string("p")),
                ("policy", value),
            ],
        )
    };
    let (one, two) = (with(Value::string("{")), with(Value::string("[")));
    assert_eq!(Aws.beyond(&one.world(), &role("r"), &one.world()), []);
    let found = Aws.beyond(&one.world(), &role("r"), &two.world());
    assert_eq!(found.len(), 1);
    assert!(matches!(found[0].certainty, Certainty::Undecided(_)));
    assert!(matches!(
        can(&one, "s3:GetObject *").verdict,
        Verdict::Depends(_)
    ));
    assert!(matches!(
        can(&with(Value::Null), "s3:GetObject *").verdict,
        Verdict::Depends(_)
    ));
    let encoded = with(Value::string(
        "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22s3%3AGetObject%22%2C%22Resource%22%3A%22%2A%22%7D%7D",
    ));
    assert_eq!(can(&encoded, "s3:GetObject *").verdict, Verdict::Allowed);
}

#[test]
fn policies_of_secrets_count() {
    const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:s-AbCdEf";
    let secret = |effect: &str, principal: &str, resource: &str, arn: &str| {
        let text = format!(
            r#"{{"Effect":"{effect}","Action":"secretsmanager:GetSecretValue","Principal":{{"AWS":"{principal}"}},"Resource":"{resource}"}}"#
        );
        Objects::new().role("r", &nobody()).with(
            "aws_secretsmanager_secret",
            "s",
            &[
                ("name", Value::string("s")),
                ("policy", Value::string(document(&text))),
                ("arn", Value::string(arn)),
            ],
        )
    };
    let get = format!("secretsmanager:GetSecretValue {SECRET}");
    let me = role_arn("r");
    for (principal, resource, arn, expected) in [
        (me.as_str(), "*", SECRET, true),
        ("*", "*", SECRET, true),
        (&role_arn("x"), "*", SECRET, false),
        ("111122223333", "*", SECRET, false),
        (
            &me,
            "arn:aws:secretsmanager:eu-west-1:111122223333:secret:other-*",
            SECRET,
            false,
        ),
        (&me, SECRET, SECRET, true),
    ] {
        let found = can(&secret("Allow", principal, resource, arn), &get).verdict;
        assert_eq!(
            found == Verdict::Allowed,
            expected,
            "{principal} {resource}"
        );
    }
    // Before AWS made up the last characters.
    let new = secret("Allow", &me, "*", "");
    assert!(matches!(
        can(&new, &get).verdict,
        Verdict::Allowed | Verdict::Depends(_)
    ));
    let other = "secretsmanager:GetSecretValue arn:aws:secretsmanager:eu-west-1:111122223333:secret:t-AbCdEf";
    assert!(matches!(
        can(&secret("Allow", &me, "*", SECRET), other).verdict,
        Verdict::Denied(_)
    ));
    let denied = secret("Deny", "111122223333", "*", SECRET).inline("r", "p", &allow("*", "*"));
    assert!(
        matches!(can(&denied, &get).verdict, Verdict::Denied(why) if why.contains("the policy of secret s"))
    );
    let open = secret("Deny", &role_arn("x"), "*", SECRET).inline("r", "p", &allow("*", "*"));
    assert_eq!(can(&open, &get).verdict, Verdict::Allowed);
}
