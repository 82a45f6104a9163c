use remit_sdk::{FileId, Spanned};

use super::*;

fn span(at: u32) -> Span {
    Span::new(FileId(0), at, at + 1)
}

fn attributes(all: &[(&str, Value)]) -> Attributes {
    (10..)
        .zip(all)
        .map(|(at, (name, value))| {
            (
                (*name).to_owned(),
                Spanned::new(value.clone(), Some(span(at))),
            )
        })
        .collect()
}

fn block(kind: &str, all: &[(&str, Value)]) -> ProviderBlock {
    ProviderBlock {
        kind: kind.into(),
        labels: Vec::new(),
        attributes: attributes(all),
        span: span(2),
    }
}

fn config(all: &[(&str, Value)], blocks: Vec<ProviderBlock>) -> ProviderConfig {
    ProviderConfig {
        instance: "aws".into(),
        provider: "aws".into(),
        attributes: attributes(all),
        blocks,
        span: Some(span(1)),
    }
}

fn text(text: &str) -> Value {
    Value::string(text)
}

fn minimal() -> Vec<(&'static str, Value)> {
    vec![
        ("region", text("eu-west-1")),
        ("account", text("123456789012")),
    ]
}

fn mistakes(all: &[(&str, Value)], blocks: Vec<ProviderBlock>) -> Vec<String> {
    Settings::from_config(&config(all, blocks))
        .unwrap_err()
        .into_iter()
        .map(|one| {
            assert!(one.span.is_some(), "{}", one.detail);
            if one.summary == "unknown attribute" {
                return format!("{}; {}", one.detail, one.help.unwrap_or_default());
            }
            assert_eq!(one.summary, "provider \"aws\" is not understood");
            one.detail
        })
        .collect()
}

#[test]
fn a_block_becomes_settings() {
    let mut all = minimal();
    all.extend([
        ("profile", text("agents")),
        ("endpoint", text("http://127.0.0.1:5000/")),
        ("exclusive_policies", Value::Bool(true)),
    ]);
    let role = block(
        "assume_role",
        &[
            ("role_arn", text("arn:aws:iam::123456789012:role/ops/remit")),
            ("external_id", text("a:b/c")),
            ("session_name", text("remit@ci")),
        ],
    );
    let settings = Settings::from_config(&config(&all, vec![role])).unwrap();
    assert_eq!(
        settings.with_prefix("p-"),
        Settings {
            instance: "aws".into(),
            prefix: "p-".into(),
            region: "eu-west-1".into(),
            account: "123456789012".into(),
            profile: Some("agents".into()),
            endpoint: Some("http://127.0.0.1:5000".into()),
            assume_role: Some(AssumeRole {
                role_arn: "arn:aws:iam::123456789012:role/ops/remit".into(),
                external_id: Some("a:b/c".into()),
                session_name: Some("remit@ci".into()),
            }),
            exclusive_policies: true,
            span: Some(span(1)),
        }
    );
    let settings = Settings::from_config(&config(&minimal(), Vec::new())).unwrap();
    assert_eq!(settings.prefix, "remit-");
    assert_eq!(settings.assume_role, None);
    assert!(!settings.exclusive_policies);
}

#[test]
fn the_region_decides_the_partition() {
    for (region, partition) in [
        ("eu-west-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("us-isob-east-1", "aws-iso-b"),
        // Not known yet, and taken.
        ("xy-north-12", "aws"),
    ] {
        let all = [("region", text(region)), ("account", text("000000000001"))];
        let settings = Settings::from_config(&config(&all, Vec::new())).unwrap();
        assert_eq!(settings.partition(), partition, "{region}");
    }
}

#[test]
fn every_known_region_looks_like_one() {
    for region in REGIONS {
        assert!(looks_like_region(region), "{region}");
    }
    for no in [
        "",
        "eu-west",
        "eu-west-1a",
        "eu_west_1",
        "EU-WEST-1",
        "eu-west-",
        "-west-1",
        "global",
        "1",
        "eu-west-100",
        "a-b-c-d-1",
    ] {
        assert!(!looks_like_region(no), "{no}");
    }
}

#[test]
fn a_wrong_region_is_told_the_nearest() {
    let account = ("account", text("123456789012"));
    let found = mistakes(&[("region", text("euwest-1")), account.clone()], Vec::new());
    assert_eq!(
        found,
        ["`euwest-1` is no region; did you mean `eu-west-1`?"]
    );
    let found = mistakes(
        &[("region", text("EU-WEST-3")), account.clone()],
        Vec::new(),
    );
    assert_eq!(
        found,
        ["`EU-WEST-3` is no region; did you mean `eu-west-3`?"]
    );
    let found = mistakes(&[("region", text("the moon")), account], Vec::new());
    assert_eq!(
        found,
        ["`the moon` is no region; write one such as `eu-west-1`"]
    );
}

#[test]
fn an_account_is_twelve_digits_of_text() {
    for (account, why) in [
        (
            Value::integer(12_345_678_901),
            "`account` is text, since zeros in front count; write `account = \"012345678901\"`",
        ),
        (
            text("1234-5678-9012"),
            "`account` is 12 digits and nothing else; write `account = \"123456789012\"`",
        ),
        (
            text("production"),
            "`production` is no account; an account is 12 digits, zeros in front included",
        ),
        (Value::Bool(true), "`account` must be a string, not a bool"),
        (
            Value::Null,
            "`account` is missing: write the account's 12 digits; a plan never runs against another one",
        ),
    ] {
        let all = [("region", text("eu-west-1")), ("account", account)];
        assert_eq!(mistakes(&all, Vec::new()), [why]);
    }
}

#[test]
fn an_endpoint_is_safe_to_send_signed_requests_to() {
    for good in [
        "https://iam.example.com",
        "http://localhost:5000",
        "http://[::1]:5000/base",
    ] {
        assert_eq!(check_endpoint(good), Ok(()), "{good}");
    }
    for (bad, why) in [
        ("http://iam.example.com", "in clear"),
        ("http://10.0.0.1", "in clear"),
        ("ftp://localhost", "no https URL"),
        ("localhost", "no URL"),
        ("https://u:hunter2@localhost", "a user name or a password"),
        ("https://localhost?x", "a query"),
        ("https://localhost#x", "a fragment"),
    ] {
        let found = check_endpoint(bad).unwrap_err();
        assert!(found.contains(why), "{bad}: {found}");
        assert!(!found.contains("hunter2"));
    }
}

#[test]
fn all_mistakes_are_named_at_once() {
    let role = block(
        "assume_role",
        &[
            ("role_arn", text("remit")),
            ("external_id", text("a b")),
            ("session_name", text("x")),
            ("rolearn", text("x")),
        ],
    );
    let found = mistakes(
        &[
            ("regoin", text("eu-west-1")),
            ("secret_key", text("hunter2")),
            ("access_key", text("AKIA")),
            ("token", text("hunter2")),
            ("profile", text("")),
            ("endpoint", text("http://example.com")),
            ("exclusive_policies", text("yes")),
        ],
        vec![role, block("assume_role", &[]), block("login", &[])],
    );
    for why in [
        "no attribute `regoin` here; did you mean `region`?",
        "`region` is missing",
        "`account` is missing",
        "is no name of a profile",
        "in clear",
        "`exclusive_policies` must be a bool",
        "unknown block `login`; there is `assume_role`",
        "there can be one `assume_role` block",
        "`remit` is no ARN of a role",
        "`external_id` has 2 to 1224 characters: letters, digits and `_+=,.@-:/`",
        "`session_name` has 2 to 64 characters",
        "no attribute `rolearn` here; did you mean `role_arn`?",
    ] {
        assert!(
            found.iter().any(|one| one.contains(why)),
            "{why}: {found:#?}"
        );
    }
    let credentials = found
        .iter()
        .filter(|one| one.starts_with("credentials are never written"));
    assert_eq!(credentials.count(), 3);
    assert!(!found.iter().any(|one| one.contains("hunter2")));
}

#[test]
fn the_role_to_assume_is_in_the_account() {
    let role = |arn: &str| vec![block("assume_role", &[("role_arn", text(arn))])];
    let found = mistakes(&minimal(), role("arn:aws:iam::210987654321:role/remit"));
    assert_eq!(
        found,
        [
            "the role to assume is in the account 210987654321, and `account` pins 123456789012; remit would work in the wrong one"
        ]
    );
    let found = mistakes(&minimal(), role("arn:aws-cn:iam::123456789012:role/remit"));
    assert_eq!(
        found,
        ["the role to assume is in the partition `aws-cn`, and `eu-west-1` is in `aws`"]
    );
    for no in [
        "arn:aws:iam::123456789012:user/remit",
        "arn:aws:iam::123456789012:role/",
        "arn:aws:iam::123456789012:role/*",
        "arn:aws:sts::123456789012:assumed-role/remit/x",
    ] {
        let found = mistakes(&minimal(), role(no));
        assert!(found[0].contains("is no ARN of a role"), "{no}: {found:?}");
    }
    let found = mistakes(&minimal(), vec![block("assume_role", &[])]);
    assert_eq!(
        found,
        ["`assume_role` needs `role_arn`, the role to work as"]
    );
}

#[test]
fn without_a_block_it_says_what_to_declare() {
    for (instance, labels) in [("aws", "\"aws\""), ("aws.audit", "\"aws\" \"audit\"")] {
        let config = ProviderConfig {
            instance: instance.into(),
            attributes: Attributes::new(),
            span: None,
            ..config(&[], Vec::new())
        };
        let found = Settings::from_config(&config).unwrap_err();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].summary, "provider \"aws\" is not declared");
        let help = found[0].help.as_deref().unwrap();
        assert!(help.contains(&format!("provider {labels} {{")), "{help}");
    }
}
