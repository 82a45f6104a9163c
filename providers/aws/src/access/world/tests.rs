use remit_sdk::Spanned;
use remit_sdk::declaration::ProviderConfig;

use super::super::testing::*;
use super::*;

const READ: &str = r#""Action":"secretsmanager:GetSecretValue""#;
const OWN: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:s-AbCdEf";
const OTHER: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:t-AbCdEf";

/// What the policy of a secret gives the role `r`.
fn given(rest: &str) -> Vec<Statement> {
    let principal = format!(r#""Principal":{{"AWS":"{}"}}"#, role_arn("r"));
    let text = format!(r#"{{"Effect":"Allow",{principal},{READ},{rest}}}"#);
    let objects = Objects::new().role("r", "").with(
        "aws_secretsmanager_secret",
        "s",
        &[
            ("arn", Value::string(OWN)),
            ("policy", Value::string(document(&text))),
        ],
    );
    let (world, subject) = (objects.world(), role("r"));
    let holdings = Holder::of(&world, &subject).unwrap().holdings();
    let documents = holdings.identity.into_iter().filter_map(|one| one.document);
    documents
        .flat_map(|one| one.statements().to_vec())
        .collect()
}

#[test]
fn a_policy_of_a_secret_is_one_of_whom_it_names() {
    let all = given(r#""Resource":"*""#);
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].principals, None);
    let alone = Selection::Only(BTreeSet::from([OWN.to_owned()]));
    assert_eq!(all[0].resources, Some(alone));
}

#[test]
fn a_policy_of_a_secret_may_leave_it_out() {
    let but = |arn: &str| given(&format!(r#""NotResource":"{arn}""#));
    assert_eq!(but(OWN), []);
    assert_eq!(but(OTHER).len(), 1);
}

#[test]
fn arns_follow_from_the_account() {
    let settings = [("region", "eu-west-1"), ("account", "111122223333")];
    let settings = settings.map(|(name, text)| {
        let value = Spanned::new(Value::string(text), None);
        (name.to_owned(), value)
    });
    let config = ProviderConfig {
        instance: "aws".to_owned(),
        provider: "aws".to_owned(),
        attributes: settings.into_iter().collect(),
        blocks: Vec::new(),
        span: None,
    };
    let objects = Objects::new()
        .with("aws_iam_role", "r", &[("path", Value::string("/a/"))])
        .with("aws_iam_user", "u", &[]);
    let mut world = objects.world();
    let arn = |world: &World<'_>, subject: &Subject| Holder::of(world, subject).unwrap().arn();
    assert_eq!(arn(&world, &role("r")), None);
    world.config = Some(&config);
    assert_eq!(arn(&world, &role("r")), Some(role_arn("a/r")));
    let own = "arn:aws:iam::111122223333:user/u";
    assert_eq!(arn(&world, &user("u")).as_deref(), Some(own));
}

/// A role tells the names of what it has. What couldn't be read of it isn't nothing.
#[test]
fn what_a_role_tells_of_itself_and_nobody_read() {
    use remit_sdk::access::{Certainty, Evaluate as _, Verdict};
    use remit_sdk::value::Pending;

    use crate::lower::Aws;

    let bare = || Objects::new().role("r", "");
    let listed = || {
        bare()
            .having(ATTACHED_LIST, Value::strings([policy_arn("z").as_str()]))
            .having(INLINE_LIST, Value::strings(["zz"]))
    };
    let verdict = |world: &World<'_>| {
        let request = "s3:GetObject arn:aws:s3:::a/b";
        Aws.can(world, &role("r"), request).unwrap().verdict
    };
    let actions = |objects: &Objects| -> Vec<BTreeSet<String>> {
        let all = Aws.permissions(&objects.world(), &role("r"));
        all.into_iter().map(|one| one.actions).collect()
    };
    let whatever = |what: &str| set([format!("whatever {what} gives").as_str()]);
    let whole = [whatever(&policy_arn("z")), whatever("inline policy zz")];
    assert_eq!(actions(&listed()), whole);
    let all = Aws.permissions(&listed().world(), &role("r"));
    let stands_for: BTreeSet<String> = all.iter().filter_map(|one| Aws.stands_for(one)).collect();
    assert_eq!(stands_for, whole.iter().flatten().cloned().collect());
    assert!(matches!(verdict(&listed().world()), Verdict::Depends(_)));
    let beyond = Aws.beyond(&listed().world(), &role("r"), &bare().world());
    assert_eq!(beyond.len(), 2);
    let undecided = |certainty: &Certainty| matches!(certainty, Certainty::Undecided(_));
    assert!(beyond.iter().all(|one| undecided(&one.certainty)));
    let same = Aws.beyond(&listed().world(), &role("r"), &listed().world());
    assert_eq!(same, []);
    // What is attached is read by its ARN, though the attachment itself wasn't.
    let read = listed().policy("z", &allow("s3:*", "*"));
    let known = Aws.permissions(&read.world(), &role("r"));
    let known = known.iter().filter(|one| Aws.stands_for(one).is_none());
    assert_eq!(known.count(), 1);
    assert_eq!(
        actions(&read),
        [set(["s3:*"]), whatever("inline policy zz")]
    );
    // It is among the objects, or is known to be gone.
    let known = listed()
        .policy("z", &allow("s3:*", "*"))
        .attached("R", &policy_arn("z"))
        .inline("r", "ZZ", &allow("sqs:*", "*"));
    assert_eq!(actions(&known), [set(["s3:*"]), set(["sqs:*"])]);
    let (objects, gone) = (listed(), format!("r/{}", policy_arn("z")));
    let mut world = objects.world();
    world.absent.insert((INLINE, "R/zz"));
    world.absent.insert((ATTACHMENT, &gone));
    assert!(matches!(verdict(&world), Verdict::Denied(_)));
    assert_eq!(missing(&world), BTreeSet::new());
    // What is gone of another role, or another of this one, is not.
    world.absent.remove(&(INLINE, "R/zz"));
    world.absent.insert((INLINE, "other/zz"));
    world.absent.insert((INLINE, "r/other"));
    assert!(matches!(verdict(&world), Verdict::Depends(_)));
    // Names that aren't known yet.
    let pending = Value::Pending(Pending::attribute("a.b/c".parse().unwrap(), "arn"));
    let later = bare().having(ATTACHED_LIST, Value::Set([pending].into()));
    assert_eq!(
        actions(&later),
        [whatever("an attached policy of role r, known after apply,")]
    );
}
