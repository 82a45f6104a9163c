use std::collections::BTreeMap;

use proptest::prelude::*;
use remit_sdk::Mark;

use super::tag::is_tag_character;
use super::*;
use crate::schema;

fn kind(name: &str) -> &'static Kind {
    schema::kind(name).unwrap()
}

fn normal(of: &str, name: &str, value: impl Into<Value>) -> Result<Value, String> {
    normalise(kind(of), name, &value.into())
}

fn text(of: &str, name: &str, value: &str) -> Result<Value, String> {
    normal(of, name, Value::string(value))
}

fn refused(of: &str, name: &str, value: impl Into<Value>, why: &str) {
    let found = normal(of, name, value).unwrap_err();
    assert!(found.contains(why), "{of}.{name}: {found}");
}

fn tags(all: &[(&str, &str)]) -> Value {
    Value::Map(
        all.iter()
            .map(|(key, value)| ((*key).to_owned(), Value::string(*value)))
            .collect(),
    )
}

const ROLE: &str = "aws_iam_role";
const SECRET: &str = "aws_secretsmanager_secret";
const PROVIDER: &str = "aws_iam_openid_connect_provider";

#[test]
fn names_have_iams_characters_and_lengths() {
    for (of, name, most) in [
        (ROLE, "name", 64),
        ("aws_iam_user", "name", 64),
        ("aws_iam_role_policy", "role", 64),
        ("aws_iam_policy_attachment", "role", 64),
        ("aws_iam_instance_profile", "role", 64),
        ("aws_iam_role_policy", "name", 128),
        ("aws_iam_policy", "name", 128),
        ("aws_iam_group", "name", 128),
        ("aws_iam_instance_profile", "name", 128),
        (SECRET, "name", 512),
    ] {
        let longest = "a".repeat(most);
        assert_eq!(text(of, name, &longest), Ok(Value::string(&longest)));
        let longer = "a".repeat(most + 1);
        assert!(text(of, name, &longer).is_err(), "{of}.{name}");
        for bad in ["a b", "ä", "a:b", "a*"] {
            assert!(text(of, name, bad).is_err(), "{of}.{name}: {bad}");
        }
    }
    for of in [ROLE, "aws_iam_policy", SECRET] {
        assert!(text(of, "name", "").is_err(), "{of}");
        assert!(text(of, "name", "a_+=.@-Z9").is_ok(), "{of}");
    }
    assert!(text(ROLE, "name", "a/b").is_err());
    assert!(text(SECRET, "name", "a/b").is_ok());
    refused(
        "aws_iam_role_policy",
        "role",
        Value::string("arn:aws:iam::123456789012:role/ops/x"),
        "`role` takes a name, not an ARN; write `x`",
    );
    refused(
        ROLE,
        "name",
        Value::string("a".repeat(65)),
        "has 65 characters, and IAM takes 64 there",
    );
}

#[test]
fn paths_stand_between_slashes() {
    for good in ["/", "/a/", "/a/b+c/"] {
        assert_eq!(text(ROLE, "path", good), Ok(Value::string(good)));
    }
    for (bad, why) in [
        ("", "write `/`"),
        ("a", "write `/a/`"),
        ("/a", "write `/a/`"),
        ("a/b/", "write `/a/b/`"),
        ("//", "is no path"),
        ("/a b/", "no spaces"),
        ("/aws-service-role/x/", "AWS's own"),
        (&format!("/{}/", "a".repeat(511)), "IAM takes 512"),
    ] {
        refused("aws_iam_policy", "path", Value::string(bad), why);
    }
}

#[test]
fn arns_are_of_what_the_attribute_names() {
    let policy = "arn:aws:iam::123456789012:policy/a/b";
    for (of, name) in [
        ("aws_iam_policy_attachment", "policy_arn"),
        (ROLE, "permissions_boundary"),
        ("aws_iam_user", "permissions_boundary"),
    ] {
        for good in [policy, "arn:aws:iam::aws:policy/ReadOnlyAccess"] {
            assert!(text(of, name, good).is_ok(), "{of}.{name}: {good}");
        }
        for bad in [
            "ReadOnlyAccess",
            "arn:aws:iam::123456789012:role/x",
            "arn:aws:iam::123456789012:policy/*",
            "arn:aws:iam::123456789012:policy/",
            "arn:aws:iam:eu-west-1:123456789012:policy/x",
            "arn:aws:iam::12345:policy/x",
        ] {
            assert!(text(of, name, bad).is_err(), "{of}.{name}: {bad}");
        }
    }
    assert!(text(ROLE, "permissions_boundary", "").is_ok());
    assert!(text("aws_iam_policy_attachment", "policy_arn", "").is_err());
    let set = |all: &[&str]| Value::strings(all.iter().copied());
    assert!(normal(ROLE, "attached_policies", set(&[policy])).is_ok());
    refused(ROLE, "attached_policies", set(&["x"]), "no ARN");
    assert!(normal(ROLE, "inline_policies", set(&["x"])).is_ok());
    refused(ROLE, "inline_policies", set(&["a b"]), "no name");
    let function = "arn:aws:lambda:eu-west-1:123456789012:function:rotate";
    assert!(text(SECRET, "rotation_lambda_arn", function).is_ok());
    refused(
        SECRET,
        "rotation_lambda_arn",
        Value::string(policy),
        "is no ARN of a function",
    );
    for good in [
        "",
        "alias/x",
        "1234-5678",
        "arn:aws:kms:eu-west-1:123456789012:key/x",
    ] {
        assert!(text(SECRET, "kms_key_id", good).is_ok(), "{good}");
    }
    refused(SECRET, "kms_key_id", Value::string("a b"), "is no key");
}

#[test]
fn an_issuers_url_is_what_iam_takes() {
    for good in [
        "https://token.actions.githubusercontent.com",
        "https://oidc.eks.eu-west-1.amazonaws.com/id/ABC",
        "https://tenant.auth0.com/",
    ] {
        assert_eq!(text(PROVIDER, "url", good), Ok(Value::string(good)));
    }
    for (bad, why) in [
        ("token.actions.githubusercontent.com", "no https URL"),
        ("http://issuer.example.com", "no https URL"),
        ("https://", "no https URL"),
        ("https://issuer.example.com:8443", "names a port"),
        ("https://u@issuer.example.com", "a user name or a password"),
        ("https://issuer.example.com/?a", "without query"),
        ("https://issuer.example.com/#a", "without query"),
        (
            &format!("https://h.example/{}", "a".repeat(250)),
            "IAM takes 255",
        ),
    ] {
        refused(PROVIDER, "url", Value::string(bad), why);
    }
    let set = |all: Vec<String>| Value::strings(all);
    assert!(
        normal(
            PROVIDER,
            "client_id_list",
            set(vec!["sts.amazonaws.com".into()])
        )
        .is_ok()
    );
    refused(
        PROVIDER,
        "client_id_list",
        set(vec![String::new()]),
        "1 to 255",
    );
    refused(
        PROVIDER,
        "client_id_list",
        set((0..101).map(|n| n.to_string()).collect()),
        "has 101 entries, and AWS takes 100",
    );
    assert_eq!(
        normal(PROVIDER, "thumbprint_list", set(vec!["AB".repeat(20)])),
        Ok(Value::strings(["ab".repeat(20)]))
    );
    refused(
        PROVIDER,
        "thumbprint_list",
        set(vec!["AB:CD".into()]),
        "SHA-1",
    );
}

#[test]
fn durations_are_in_range() {
    for (good, seconds) in [("1h", 3600), ("12h", 43_200), ("5400", 5400)] {
        assert_eq!(
            text(ROLE, "max_session_duration", good),
            Ok(Value::integer(seconds))
        );
    }
    for bad in ["15m", "13h", "0", "-1h"] {
        refused(
            ROLE,
            "max_session_duration",
            Value::string(bad),
            "AWS lets a role's longest session be 3600 (1h) to 43200 (12h)",
        );
    }
    for good in ["0", "7d", "30d", "168h"] {
        assert!(text(SECRET, "recovery_window", good).is_ok(), "{good}");
    }
    for bad in ["1d", "6d", "31d", "36h", "180h", "-7d"] {
        refused(
            SECRET,
            "recovery_window",
            Value::string(bad),
            "write `7d` to `30d`, or 0",
        );
    }
}

#[test]
fn rotation_is_what_secrets_manager_takes() {
    let days = "rotation_automatically_after_days";
    for good in [0, 1, 1000] {
        assert!(normal(SECRET, days, Value::integer(good)).is_ok());
    }
    for bad in [-1, 1001] {
        refused(SECRET, days, Value::integer(bad), "1 to 1000 days");
    }
    for good in ["", "1h", "24h"] {
        assert!(text(SECRET, "rotation_duration", good).is_ok(), "{good}");
    }
    for bad in ["3", "0h", "25h", "90m", "+3h"] {
        refused(
            SECRET,
            "rotation_duration",
            Value::string(bad),
            "`1h` to `24h`",
        );
    }
    let schedule = "rotation_schedule_expression";
    for good in [
        "",
        "rate(10 days)",
        "cron(0 8 1 * ? *)",
        "cron(0 16 ? * MON#1 *)",
    ] {
        assert!(text(SECRET, schedule, good).is_ok(), "{good}");
    }
    for bad in ["10 days", "rate(", "rate()", "cron(0; rm)"] {
        refused(
            SECRET,
            schedule,
            Value::string(bad),
            "write `rate(10 days)`",
        );
    }
}

#[test]
fn descriptions_are_what_iam_keeps() {
    assert!(text(ROLE, "description", "").is_ok());
    assert!(text(ROLE, "description", "für Rechnungen\n").is_ok());
    refused(ROLE, "description", Value::string("a – b"), "holds `–`");
    refused(
        "aws_iam_policy",
        "description",
        Value::string("a".repeat(1001)),
        "1000 characters",
    );
    assert!(text(SECRET, "description", "a – b").is_ok());
    refused(
        SECRET,
        "description",
        Value::string("a".repeat(2049)),
        "2048 characters",
    );
}

#[test]
fn tags_are_what_aws_takes() {
    assert!(
        normal(
            ROLE,
            "tags",
            tags(&[("domain", "billing"), ("Straße", "x y+z=@")])
        )
        .is_ok()
    );
    for (tag, why) in [
        (("aws:x", ""), "`aws:` are AWS's own"),
        (("AWS:x", ""), "AWS's own"),
        (("remit:address", ""), "remit's own"),
        (("", "x"), "1 to 128 characters"),
        (("a\"b", "x"), "letters, digits, spaces"),
        (("a", "x[0]"), "holds `[`"),
        (("a", "x\u{1b}"), "holds `\\u{1b}`"),
    ] {
        refused(ROLE, "tags", tags(&[tag]), why);
    }
    let long = "a".repeat(129);
    refused(ROLE, "tags", tags(&[(&long, "")]), "this one has 129");
    let long = "a".repeat(257);
    refused(ROLE, "tags", tags(&[("a", &long)]), "at most 256");
    refused(
        ROLE,
        "tags",
        tags(&[("A", "1"), ("a", "2")]),
        "one tag to IAM",
    );
    assert!(normal(SECRET, "tags", tags(&[("A", "1"), ("a", "2")])).is_ok());
    let many: Vec<String> = (0..49).map(|n| n.to_string()).collect();
    let map = |count: usize| {
        let all = many.iter().take(count);
        Value::Map(all.map(|key| (key.clone(), Value::string(""))).collect())
    };
    assert!(normal(ROLE, "tags", map(48)).is_ok());
    refused(ROLE, "tags", map(49), "remit needs 2 of them");
}

fn allow(resources: &[String]) -> String {
    serde_json::json!({
        "Version": "2012-10-17",
        "Statement": { "Effect": "Allow", "Action": "s3:GetObject", "Resource": resources }
    })
    .to_string()
}

fn bucket(size: usize) -> Vec<String> {
    (0..=size / 50)
        .map(|n| format!("arn:aws:s3:::{n:034}"))
        .collect()
}

#[test]
fn documents_are_read_by_their_use() {
    let identity = allow(&["*".to_owned()]);
    let trust = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}}"#;
    let resource = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"secretsmanager:GetSecretValue","Resource":"*"}}"#;
    let uses = [
        (ROLE, "assume_role_policy", trust),
        ("aws_iam_role_policy", "policy", identity.as_str()),
        ("aws_iam_policy", "policy", identity.as_str()),
        (SECRET, "policy", resource),
    ];
    for (of, name, good) in uses {
        let first = text(of, name, good).unwrap();
        assert_ne!(first, Value::string(good), "{of}: is not canonical");
        assert_eq!(normal(of, name, first.clone()), Ok(first));
        for (_, _, other) in uses.iter().filter(|(_, _, other)| *other != good) {
            let found = text(of, name, other).unwrap_err();
            assert!(found.starts_with("the policy can't be used: "), "{found}");
        }
    }
    assert_eq!(text(SECRET, "policy", ""), Ok(Value::string("")));
    assert!(text("aws_iam_policy", "policy", "").is_err());
    assert!(text(ROLE, "assume_role_policy", "").is_err());
    refused(
        "aws_iam_policy",
        "policy",
        Value::string(allow(&["arn:aws:s3:::\u{4e2d}".to_owned()])),
        "U+4E2D",
    );
}

#[test]
fn documents_too_large_say_how_large() {
    for (of, most, what) in [
        ("aws_iam_policy", 6144, "a managed policy"),
        (
            "aws_iam_role_policy",
            10_240,
            "all inline policies of a role together",
        ),
    ] {
        assert!(
            text(of, "policy", &allow(&bucket(most - 300))).is_ok(),
            "{of}"
        );
        let large = allow(&bucket(most));
        // As it is sent: its one statement in a list.
        let size = document::size(&large) + 2;
        refused(
            of,
            "policy",
            Value::string(large),
            &format!(
                "the policy has {size} characters, white space not counted, and AWS takes {most} for {what}"
            ),
        );
    }
    let trust = |count: usize| {
        let services: Vec<String> = (0..count)
            .map(|n| format!("{n:040}.amazonaws.com"))
            .collect();
        serde_json::json!({
            "Version": "2012-10-17",
            "Statement": { "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "Service": services } }
        })
        .to_string()
    };
    assert!(text(ROLE, "assume_role_policy", &trust(30)).is_ok());
    refused(
        ROLE,
        "assume_role_policy",
        Value::string(trust(40)),
        "AWS takes 2048 for a trust policy",
    );
}

#[test]
fn keys_fold_as_aws_compares_names() {
    for (of, key, folded) in [
        (ROLE, "Remit-X", "remit-x"),
        ("aws_iam_role_policy", "R/P", "r/p"),
        ("aws_iam_policy", "policy/a/b/X", "x"),
        ("aws_iam_policy", "policy/X", "x"),
        ("aws_iam_group", "G", "g"),
        (
            "aws_iam_policy_attachment",
            "R/arn:aws:iam::aws:policy/ReadOnlyAccess",
            "r/arn:aws:iam::aws:policy/readonlyaccess",
        ),
        (PROVIDER, "https://h/A", "https://h/A"),
        (SECRET, "A/b", "A/b"),
    ] {
        assert_eq!(folded_key(kind(of), key), folded);
    }
}

#[test]
fn an_address_stands_in_a_tag() {
    let mark = Mark {
        lineage: "0f1e".into(),
        address: "module.m.identity.x[\"a=b ü\"]@eu/aws_iam_policy/scope.s/2".into(),
    };
    let [lineage, address] = mark_tags(&mark);
    assert_eq!(lineage, (MARK_LINEAGE.to_owned(), "0f1e".to_owned()));
    assert_eq!(
        address,
        (
            MARK_ADDRESS.to_owned(),
            "module.m.identity.x=5b=22a=3db=20=c3=bc=22=5d@eu/aws_iam_policy/scope.s/2".to_owned()
        )
    );
    let mut all = BTreeMap::from([
        ("domain".to_owned(), "billing".to_owned()),
        lineage,
        address,
    ]);
    let own = BTreeMap::from([("domain".to_owned(), "billing".to_owned())]);
    assert_eq!(split_tags(all.clone()), (own.clone(), Some(mark)));
    // Half a mark, or one that can't be read, is none.
    for bad in ["", "a=", "a=2", "a=zz", "a=+1", "=ff"] {
        all.insert(MARK_ADDRESS.into(), bad.into());
        assert_eq!(split_tags(all.clone()), (own.clone(), None), "{bad}");
    }
    all.insert(MARK_ADDRESS.into(), "a".into());
    all.insert(MARK_LINEAGE.into(), String::new());
    assert_eq!(split_tags(all.clone()), (own.clone(), None));
    all.remove(MARK_ADDRESS);
    assert_eq!(split_tags(all), (own.clone(), None));
    assert_eq!(split_tags(own.clone()), (own, None));
}

proptest! {
    #[test]
    fn every_mark_reads_back(lineage in "\\PC{1,20}", address in any::<String>()) {
        prop_assume!(!address.is_empty());
        let mark = Mark { lineage, address };
        let tags = mark_tags(&mark);
        for (_, value) in &tags {
            prop_assert!(value.chars().all(is_tag_character), "{value}");
        }
        let (rest, found) = split_tags(tags.into_iter().collect());
        prop_assert!(rest.is_empty());
        prop_assert_eq!(found, Some(mark));
    }

    #[test]
    fn normal_forms_are_stable(
        index in 0_usize..9,
        attribute in 0_usize..12,
        value in prop_oneof![
            any::<String>().prop_map(Value::String),
            "[a-z/:0-9.*-]{0,30}".prop_map(Value::String),
            any::<i64>().prop_map(Value::integer),
            prop::collection::btree_set("[A-F0-9]{40}", 0..4).prop_map(Value::strings),
        ],
    ) {
        let kind = &schema::kinds()[index];
        if let Some(attribute) = kind.attributes.get(attribute)
            && let Ok(once) = normalise(kind, attribute.name, &value)
        {
            prop_assert_eq!(normalise(kind, attribute.name, &once), Ok(once));
        }
    }
}
