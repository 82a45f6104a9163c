use aws_smithy_types::DateTime;
use remit_sdk::Mark;

use super::*;

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":["sts:AssumeRole"]}]}"#;

/// As IAM returns it.
const ENCODED: &str = "%7B%22Statement%22%3A%5B%7B%22Action%22%3A%22sts%3AAssumeRole%22%2C%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22AWS%22%3A%22arn%3Aaws%3Aiam%3A%3A123456789012%3Aroot%22%7D%7D%5D%2C%22Version%22%3A%222012-10-17%22%7D";

fn kind(name: &str) -> &'static Kind {
    schema::kind(name).unwrap()
}

fn tags(all: &[(&str, &str)]) -> Vec<iam::Tag> {
    all.iter()
        .map(|(key, value)| iam::Tag::builder().key(*key).value(*value).build().unwrap())
        .collect()
}

fn marked() -> Vec<iam::Tag> {
    let mark = Mark {
        lineage: "l".into(),
        address: "identity.x[\"prod\"]/aws_iam_role".into(),
    };
    let mut all = tags(&[("agent", "x"), ("aws:cloudformation:stack-name", "y")]);
    for (key, value) in normal::mark_tags(&mark) {
        all.extend(tags(&[(&key, &value)]));
    }
    all
}

fn listed() -> iam::builders::RoleBuilder {
    iam::Role::builder()
        .path("/")
        .role_name("x")
        .role_id("AROAX")
        .arn("arn:aws:iam::123456789012:role/x")
        .create_date(DateTime::from_secs(0))
        .description("d")
        .max_session_duration(7200)
}

fn bounded(arn: &str) -> iam::AttachedPermissionsBoundary {
    iam::AttachedPermissionsBoundary::builder()
        .permissions_boundary_arn(arn)
        .build()
}

fn detail() -> iam::RoleDetail {
    iam::RoleDetail::builder()
        .role_name("x")
        .role_id("AROAX")
        .assume_role_policy_document(ENCODED)
        .permissions_boundary(bounded("arn:b"))
        .set_tags(Some(marked()))
        .role_policy_list(iam::PolicyDetail::builder().policy_name("p").build())
        .attached_managed_policies(iam::AttachedPolicy::builder().policy_arn("arn:a").build())
        .build()
}

fn single() -> Object {
    let role = listed()
        .assume_role_policy_document(TRUST)
        .permissions_boundary(bounded("arn:b"))
        .set_tags(Some(marked()))
        .build()
        .unwrap();
    let held = Held {
        inline: vec!["p".into()],
        attached: vec!["arn:a".into()],
    };
    super::role(kind("aws_iam_role"), "x", &role, None, held).unwrap()
}

#[test]
fn a_role_is_the_same_from_a_list_and_alone() {
    let detail = detail();
    let held = Held::of(&detail).unwrap();
    let role = listed().build().unwrap();
    let bulk = super::role(kind("aws_iam_role"), "x", &role, Some(&detail), held);
    assert_eq!(bulk.unwrap(), single());
}

#[test]
fn the_mark_and_aws_s_own_tags_are_no_attributes() {
    let object = single();
    let address = object.mark.map(|mark| mark.address);
    assert_eq!(
        address.as_deref(),
        Some("identity.x[\"prod\"]/aws_iam_role")
    );
    let agent = BTreeMap::from([("agent".to_owned(), Value::string("x"))]);
    assert_eq!(object.attributes["tags"], Value::Map(agent));
    assert_eq!(object.id.as_deref(), Some("AROAX"));
    assert_eq!(
        object.attributes["max_session_duration"],
        Value::integer(7200)
    );
}

#[test]
fn the_fingerprint_is_of_what_others_have_no_right_to_change() {
    let role = |detail: &iam::RoleDetail| {
        let held = Held::of(detail).unwrap();
        let listed = listed().build().unwrap();
        super::role(kind("aws_iam_role"), "x", &listed, Some(detail), held)
            .unwrap()
            .fingerprint
    };
    let before = role(&detail());
    let mut more = detail();
    more.role_policy_list = None;
    assert_eq!(role(&more), before, "what a role holds is not the role");
    let mut other = detail();
    other.permissions_boundary = Some(bounded("arn:c"));
    assert_ne!(role(&other), before);
    let mut other = detail();
    other.tags = Some(tags(&[("agent", "y")]));
    assert_ne!(role(&other), before);
    let listed = listed().role_id("AROAY").build().unwrap();
    let object = super::role(
        kind("aws_iam_role"),
        "x",
        &listed,
        Some(&detail()),
        Held::of(&detail()).unwrap(),
    );
    assert_ne!(
        object.unwrap().fingerprint,
        before,
        "another role of that name"
    );
}

#[test]
fn half_an_answer_is_none() {
    let role = listed().build().unwrap();
    assert!(super::role(kind("aws_iam_role"), "x", &role, None, Held::default()).is_none());
    let policy = iam::Policy::builder().arn("arn:p").build();
    let kind = kind("aws_iam_policy");
    assert!(super::policy(kind, "policy/p", &policy, "{}").is_none());
}

fn entry() -> secrets::builders::SecretListEntryBuilder {
    let rules = secrets::RotationRulesType::builder()
        .automatically_after_days(10)
        .build();
    secrets::SecretListEntry::builder()
        .arn("arn:s")
        .name("s")
        .rotation_lambda_arn("arn:f")
        .rotation_rules(rules)
        .kms_key_id("arn:aws:kms:eu-west-1:123456789012:alias/aws/secretsmanager")
}

fn secret(entry: secrets::SecretListEntry, policy: Option<&str>) -> Object {
    let facts = SecretFacts::listed(&entry).unwrap();
    let policy = policy.map(str::to_owned);
    super::secret(
        kind("aws_secretsmanager_secret"),
        "s",
        facts,
        policy.as_ref(),
    )
    .unwrap()
}

#[test]
fn rules_of_a_rotation_that_is_off_do_not_count() {
    let off = secret(entry().rotation_enabled(false).build(), None);
    assert_eq!(off.attributes["rotation_lambda_arn"], Value::string(""));
    let days = |object: &Object| object.attributes["rotation_automatically_after_days"].clone();
    assert_eq!(days(&off), Value::integer(0));
    assert_eq!(off.attributes["policy"], Value::string(""));
    assert_eq!(off.attributes["kms_key_id"], Value::string(""));
    let on = secret(entry().rotation_enabled(true).build(), None);
    assert_eq!(days(&on), Value::integer(10));
    assert_ne!(on.fingerprint, off.fingerprint);
}

#[test]
fn the_time_to_restore_stands_in_a_tag() {
    let window = |entry| secret(entry, None).attributes["recovery_window"].clone();
    assert_eq!(window(entry().build()), Value::integer(30 * DAY_SECONDS));
    let tag = |days| {
        secrets::Tag::builder()
            .key(RECOVERY_TAG)
            .value(days)
            .build()
    };
    let object = secret(entry().tags(tag("7")).build(), None);
    assert_eq!(object.attributes["tags"], Value::Map(BTreeMap::new()));
    assert_eq!(
        object.attributes["recovery_window"],
        Value::integer(7 * DAY_SECONDS)
    );
    assert_eq!(window(entry().tags(tag("0")).build()), Value::integer(0));
    assert_eq!(
        window(entry().tags(tag("x")).build()),
        Value::integer(30 * DAY_SECONDS)
    );
}

#[test]
fn a_policy_that_cannot_be_understood_is_shown_as_it_stands() {
    let kind = kind("aws_iam_role_policy");
    let object = super::role_policy(kind, "r/p", "%7Bnonsense").unwrap();
    assert_eq!(object.attributes["policy"], Value::string("{nonsense"));
    assert_eq!(object.attributes["role"], Value::string("r"));
}
