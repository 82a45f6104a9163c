//! What the policies of others give to whom they name.

use super::*;

const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:s-abcdef";
const GET: &str = "secretsmanager:GetSecretValue";

/// A secret whose policy lets these read it.
fn secret_of(objects: Objects, principals: &str) -> Objects {
    let text =
        format!(r#"{{"Effect":"Allow","Action":"{GET}","Resource":"*","Principal":{principals}}}"#);
    objects.with(
        "aws_secretsmanager_secret",
        "s",
        &[
            ("arn", Value::string(SECRET)),
            ("policy", Value::string(document(&text))),
        ],
    )
}

fn bounded(objects: Objects, boundary: &str) -> Objects {
    objects
        .having("permissions_boundary", Value::string(policy_arn("m")))
        .policy("m", boundary)
}

/// IAM User Guide, "Policy evaluation for requests within a single account": what a resource's
/// policy grants to a user's ARN isn't limited by an implicit denial of the user's boundary, nor
/// is what it grants to a role session's ARN; what it grants to a role's ARN is. So it is said,
/// too, in "Permissions boundaries for IAM entities".
#[test]
fn what_is_granted_directly_is_not_bounded() {
    let request = format!("{GET} {SECRET}");
    let verdict = |objects: &Objects, subject: &Subject| {
        Aws.can(&objects.world(), subject, &request)
            .unwrap()
            .verdict
    };
    let s3 = allow("s3:*", "*");
    let of_user = |boundary: &str| {
        let own = r#"{"AWS":"arn:aws:iam::111122223333:user/u"}"#;
        secret_of(bounded(Objects::new().user("u"), boundary), own)
    };
    let users = of_user(&s3);
    // No kind tells what else the user holds, and that may deny it.
    let Verdict::Depends(on) = verdict(&users, &user("u")) else {
        panic!("{:?}", verdict(&users, &user("u")));
    };
    let unread = "what a policy of user u or of its groups denies, which isn't known here";
    assert_eq!(on, [unread]);
    let listed = Aws.permissions(&users.world(), &user("u"));
    assert!(listed.iter().any(|one| one.actions == set([GET])));
    let without = bounded(Objects::new().user("u"), &s3);
    let more = Aws.beyond(&users.world(), &user("u"), &without.world());
    assert!(more.iter().any(|one| one.permission.actions == set([GET])));
    let denying = of_user(&format!("{s3},{}", deny("*", SECRET)));
    assert!(matches!(verdict(&denying, &user("u")), Verdict::Denied(_)));

    let of_role = |principal: &str| {
        let bounded = bounded(Objects::new().role("r", &nobody()), &s3);
        let principals = format!(r#"{{"AWS":"{principal}"}}"#);
        verdict(&secret_of(bounded, &principals), &role("r"))
    };
    assert!(matches!(of_role(&role_arn("r")), Verdict::Denied(_)));
    let session = "arn:aws:sts::111122223333:assumed-role/r/x";
    let userid = Verdict::Depends(vec!["aws:userid".to_owned()]);
    assert_eq!(of_role(session), userid);
    assert_eq!(of_role("*"), Verdict::Allowed);
}

#[test]
fn assuming_a_role_takes_what_its_trust_policy_says() {
    let assume = format!("sts:AssumeRole {}", role_arn("b"));
    let verdict = |own: &str, trust: &str| can(&r(own).role("b", trust), &assume).verdict;
    let own = allow("sts:AssumeRole", &role_arn("b"));
    let other = allow("s3:GetObject", "*");
    let by = |principal: &str| trusts(&format!(r#""AWS":"{principal}""#));
    let named = by(&role_arn("r"));
    assert_eq!(verdict(&other, &named), Verdict::Allowed);
    assert_eq!(verdict(&own, &named), Verdict::Allowed);
    assert_eq!(verdict(&own, &by("111122223333")), Verdict::Allowed);
    let not_named = "no statement of the identity's policies allows it";
    assert_eq!(
        verdict(&other, &by("111122223333")),
        Verdict::Denied(not_named.to_owned())
    );
    let not_let_in = "the trust policy of role b doesn't let it in";
    assert_eq!(
        verdict(&own, &nobody()),
        Verdict::Denied(not_let_in.to_owned())
    );
    let denied = format!("{other},{}", deny("sts:*", "*"));
    assert!(matches!(verdict(&denied, &named), Verdict::Denied(_)));
    let session = by("arn:aws:sts::111122223333:assumed-role/r/x");
    let on = Verdict::Depends(vec!["whether its session is called x".to_owned()]);
    assert_eq!(verdict(&other, &session), on);
    assert!(matches!(verdict(&own, "{"), Verdict::Depends(_)));
    // Nobody here knows whom it trusts.
    assert!(matches!(
        can(&r(&own), &assume).verdict,
        Verdict::Depends(_)
    ));
    let found = can(&r(&other).role("b", &named), &assume);
    assert_eq!(found.path, ["role r", "the trust policy of role b"]);
    // A user's boundary doesn't limit it, as it does a role's.
    let s3 = allow("s3:*", "*");
    let bounded_role = bounded(r(&other), &s3)
        .role("r", &nobody())
        .having("permissions_boundary", Value::string(policy_arn("m")))
        .role("b", &named);
    assert!(matches!(
        can(&bounded_role, &assume).verdict,
        Verdict::Denied(_)
    ));
    let its_user =
        bounded(Objects::new().user("u"), &s3).role("b", &by("arn:aws:iam::111122223333:user/u"));
    let found = Aws.escalations(&its_user.world(), &user("u"));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].method, "assume-role");
}
