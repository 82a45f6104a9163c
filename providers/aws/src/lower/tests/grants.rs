//! What may be done: policies, their sizes, permission boundaries.

use super::*;
use crate::document::{Document, Statement};

const INLINE: &str = "identity.x[\"prod\"]/aws_iam_role_policy/scope.read";

/// A grant whose statement has about this many characters.
fn large(tag: usize, size: usize) -> AwsGrant {
    let count = size / 64;
    let all: Vec<String> = (0..count)
        .map(|n| format!("arn:aws:s3:::{tag:03}-{n:044}"))
        .collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    grant(&["s3:GetObject"], &all)
}

fn with(grants: Vec<AwsGrant>) -> Config {
    let mut config = one();
    config.scopes[0].grants = shared(grants);
    config
}

#[test]
fn a_grant_is_a_statement() {
    let mut one = grant(
        &["s3:Get*", "s3:ListBucket", "*"],
        &["*", "arn:aws:s3:::home-${aws:username}/*"],
    );
    one.conditions = vec![
        condition("StringEquals", "aws:PrincipalTag/domain", &["billing"]),
        condition("ForAnyValue:StringLike", "aws:TagKeys", &["a*", "b"]),
    ];
    let lowered = with(vec![one, grant(&["sts:GetCallerIdentity"], &["*"])]).good();
    assert_eq!(
        json(find(&lowered, INLINE), "policy"),
        serde_json::json!({
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": ["*", "s3:Get*", "s3:ListBucket"],
                    "Resource": ["*", "arn:aws:s3:::home-${aws:username}/*"],
                    "Condition": {
                        "ForAnyValue:StringLike": { "aws:TagKeys": ["a*", "b"] },
                        "StringEquals": { "aws:PrincipalTag/domain": "billing" },
                    },
                },
                { "Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*" },
            ]
        })
    );
}

#[test]
fn grants_of_other_systems_make_nothing_here() {
    let mut config = one();
    config.scopes[0].grants = ScopeGrants::Shared(Vec::new());
    let lowered = config.good();
    assert_eq!(
        addresses(&lowered),
        [
            "issuer.gh/aws_iam_openid_connect_provider",
            "identity.x[\"prod\"]/aws_iam_role"
        ]
    );
}

#[test]
fn a_scope_may_differ_for_each_holder() {
    let mut config = one();
    let mut other = config.identities[0].clone();
    other.address = address("identity.x[\"dev\"]");
    other.name = "remit-x-dev".into();
    config.identities.push(other);
    let of = |name: &str| {
        let resource = format!("arn:aws:s3:::{name}/*");
        vec![Grant::Aws(grant(&["s3:GetObject"], &[&resource]))]
    };
    config.scopes[0].grants = ScopeGrants::PerHolder(
        [
            (address("identity.x[\"prod\"]"), of("prod")),
            (address("identity.x[\"dev\"]"), of("dev")),
        ]
        .into(),
    );
    let lowered = config.good();
    for name in ["prod", "dev"] {
        let policy = find(
            &lowered,
            &format!("identity.x[\"{name}\"]/aws_iam_role_policy/scope.read"),
        );
        assert!(
            json(policy, "policy")
                .to_string()
                .contains(&format!(":::{name}/*"))
        );
        assert_eq!(policy.key, format!("remit-x-{name}/remit-read"));
    }
}

#[test]
fn a_grant_of_networks_holds_beside_the_sessions() {
    let mut own = grant(&["s3:GetObject"], &["*"]);
    own.conditions = vec![condition("IpAddress", "aws:SourceIp", &["203.0.113.7/32"])];
    let mut config = with(vec![own.clone()]);
    config.identities[0].session.bound_cidrs = ["203.0.113.0/24".to_owned()].into();
    let lowered = config.good();
    let policy = json(find(&lowered, INLINE), "policy");
    assert_eq!(
        policy["Statement"][0]["Condition"],
        serde_json::json!({
            "IpAddress": { "aws:SourceIp": "203.0.113.7/32" },
            "IpAddressIfExists": { "aws:SourceIp": "203.0.113.0/24" },
        })
    );
    // Where both operators are taken there is no third, and nothing is left out.
    own.conditions.push(condition(
        "IpAddressIfExists",
        "aws:SourceIp",
        &["203.0.113.7/32"],
    ));
    config.scopes[0].grants = shared(vec![own]);
    let found = config.mistakes();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("no third operator"), "{found:?}");
}

#[test]
fn every_mistake_of_a_grant_is_told_once_and_underlined() {
    let mut bad = grant(
        &["GetObject", "s3:Get Object"],
        &["bucket", "arn:aws:s3:bucket", "arn:aws-cn:s3:::b"],
    );
    bad.conditions = vec![
        AwsCondition {
            values: ["aws:x", "aws:y"]
                .map(|key| (key.to_owned(), BTreeSet::from(["z".to_owned()])))
                .into(),
            ..condition("StringEqual", "", &[])
        },
        condition("StringEquals", "x", &["y"]),
    ];
    let mut config = with(vec![bad]);
    let mut other = config.identities[0].clone();
    other.address = address("identity.y");
    other.name = "remit-y".into();
    config.identities.push(other);
    config.ceilings = config.scopes.clone();
    let lowered = config.lower();
    let found: Vec<_> = lowered
        .diagnostics
        .iter()
        .map(|one| {
            assert_eq!(one.summary, "grant not possible in aws");
            (one.detail.as_str(), one.span.unwrap().start)
        })
        .collect();
    let wanted = [
        ("`GetObject` lacks its service", 20),
        ("`s3:Get Object` holds more than", 20),
        ("`arn:aws:s3:bucket` has 4 of 6 parts", 21),
        ("`bucket` is no ARN", 21),
        ("did you mean `StringEquals`?", 23),
        ("`x` is no condition key", 23),
        (
            "is in the partition `aws-cn`, and `eu-west-1` is in `aws`",
            21,
        ),
    ];
    assert_eq!(found.len(), wanted.len(), "{found:#?}");
    for (why, at) in wanted {
        assert!(
            found
                .iter()
                .any(|(detail, span)| detail.contains(why) && *span == at),
            "{why}: {found:#?}"
        );
    }
}

#[test]
fn policies_too_large_for_inline_are_attached() {
    let mut config = with(vec![large(1, 4000), large(2, 4000)]);
    config
        .scopes
        .push(scope("scope.small", shared(vec![large(3, 3000)])));
    config.identities[0]
        .scopes
        .push(Spanned::new(address("scope.small"), None));
    assert_eq!(config.mistakes(), [""; 0]);
    let found = config.warnings();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("policies attached instead of inline: "));
    assert!(found[0].contains("AWS takes 10240"));
    assert!(
        found[0].ends_with("by `scope.read` (in 2 pieces)"),
        "{found:?}"
    );
    let lowered = config.lower();
    let role = "identity.x[\"prod\"]/aws_iam_role".to_owned();
    assert_eq!(
        addresses(&lowered)[2..],
        [
            "identity.x[\"prod\"]/aws_iam_policy/scope.read",
            "identity.x[\"prod\"]/aws_iam_policy_attachment/scope.read",
            "identity.x[\"prod\"]/aws_iam_policy/scope.read/2",
            "identity.x[\"prod\"]/aws_iam_policy_attachment/scope.read/2",
            "identity.x[\"prod\"]/aws_iam_role_policy/scope.small",
        ]
    );
    for part in ["scope.read", "scope.read/2"] {
        let policy = find(
            &lowered,
            &format!("identity.x[\"prod\"]/aws_iam_policy/{part}"),
        );
        let attachment = format!("identity.x[\"prod\"]/aws_iam_policy_attachment/{part}");
        let name = policy.attributes["name"].as_str().unwrap();
        assert_eq!(
            find(&lowered, &attachment).attributes["policy_arn"],
            Value::string(format!("arn:aws:iam::{ACCOUNT}:policy/{name}"))
        );
        assert_eq!(
            waits(&lowered, &attachment),
            [policy.address.to_string(), role.clone()]
        );
        assert_eq!(
            policy.holders,
            BTreeSet::from([address("identity.x[\"prod\"]")])
        );
    }
}

#[test]
fn what_fits_nowhere_is_refused() {
    let found = with(vec![large(1, 12_000)]).mistakes();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("policy too large for aws: the policy of `scope.read`"));
    // What resources give to the role counts too.
    let mut config = with(vec![large(1, 7000)]);
    assert_eq!(config.lower().diagnostics, []);
    let text = Document::of([Statement::allow(
        ["s3:GetObject"],
        large(2, 5000).resources.value,
    )]);
    config.resources = vec![resource(
        "aws_iam_role_policy.r",
        &[
            ("role", Value::string("Remit-X-Prod")),
            ("name", Value::string("r")),
            ("policy", Value::string(text.to_string())),
        ],
    )];
    let found = config.mistakes();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("one statement of it more than the 6144"),
        "{found:?}"
    );
    config.scopes[0].grants = shared(vec![large(1, 4000), large(3, 3000)]);
    assert_eq!(config.mistakes(), [""; 0]);
    assert_eq!(config.warnings().len(), 1);
}

#[test]
fn more_attachments_than_aws_takes_are_refused() {
    let mut config = with((0..11).map(|tag| large(tag, 5900)).collect());
    let found = config.mistakes();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("would have 11 managed policies attached, and AWS attaches 10"));
    config.scopes[0].grants = shared((0..10).map(|tag| large(tag, 5900)).collect());
    assert_eq!(config.mistakes(), [""; 0]);
}

fn boundary(config: &Config) -> Json {
    let lowered = config.good();
    let policy = find(&lowered, "identity.x[\"prod\"]/aws_iam_policy/ceiling");
    let role = find(&lowered, "identity.x[\"prod\"]/aws_iam_role");
    let name = policy.attributes["name"].as_str().unwrap();
    assert!(name.starts_with("remit-ceiling-a-x-prod-"), "{name}");
    assert_eq!(
        role.attributes["permissions_boundary"],
        Value::string(format!("arn:aws:iam::{ACCOUNT}:policy/{name}"))
    );
    assert!(role.depends_on.contains(&policy.address));
    assert_eq!(policy.holders, role.holders);
    json(policy, "policy")
}

#[test]
fn a_ceiling_is_the_roles_boundary() {
    let mut config = one();
    config.agents = vec![agent(&["scope.read", "scope.max"])];
    config.identities[0].session.bound_cidrs = ["203.0.113.0/24".to_owned()].into();
    let mine = vec![Grant::Aws(grant(&["s3:*"], &["arn:aws:s3:::prod/*"]))];
    let others = vec![Grant::Aws(grant(&["s3:*"], &["arn:aws:s3:::dev/*"]))];
    let per_holder = ScopeGrants::PerHolder(
        [
            (address("identity.x[\"prod\"]"), mine),
            (address("identity.x[\"dev\"]"), others),
        ]
        .into(),
    );
    config.ceilings = vec![
        config.scopes[0].clone(),
        scope("scope.max", per_holder),
        scope("scope.foreign", shared(vec![grant(&["iam:*"], &["*"])])),
    ];
    assert_eq!(
        boundary(&config),
        serde_json::json!({
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": "s3:*",
                    "Resource": "arn:aws:s3:::prod/*",
                },
                {
                    "Effect": "Allow",
                    "Action": "s3:GetObject",
                    "Resource": "arn:aws:s3:::invoices/*",
                },
            ]
        })
    );
}

#[test]
fn a_ceiling_without_grants_here_allows_nothing() {
    let mut config = one();
    config.agents = vec![agent(&["scope.vault_only"])];
    config.ceilings = vec![scope("scope.vault_only", ScopeGrants::Shared(Vec::new()))];
    assert_eq!(
        boundary(&config)["Statement"],
        serde_json::json!([{ "Effect": "Deny", "Action": "*", "Resource": "*" }])
    );
}

#[test]
fn a_ceiling_too_large_for_one_policy_is_refused() {
    let mut config = one();
    config.agents = vec![agent(&["scope.max"])];
    config.ceilings = vec![scope("scope.max", shared(vec![large(1, 7000)]))];
    let found = config.mistakes();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains(
        "the permission boundary of `identity.x[\"prod\"]`, from the ceiling of `agent.a`"
    ));
    assert!(found[0].contains("AWS takes 6144"));
}

#[test]
fn a_mistake_of_a_ceiling_alone_is_told() {
    let mut config = one();
    config.agents = vec![agent(&["scope.max"])];
    config.ceilings = vec![scope("scope.max", shared(vec![grant(&["x"], &["*"])]))];
    let found = config.mistakes();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("lacks its service"));
}
