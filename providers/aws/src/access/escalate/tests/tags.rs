//! Tags of its own that its policies ask for.

use super::*;
use crate::access::testing::holds;

const NOTHING: [Escalation; 0] = [];

#[test]
fn its_own_tags() {
    const TAGGED: &str = r#""StringEquals":{"aws:PrincipalTag/team":"a"}"#;
    let change = |action: &str, on: &str| allow(action, on);
    let own = change("iam:TagRole", &role_arn("r"));
    for held in [
        allow_if("s3:GetObject", "*", TAGGED),
        allow_if(
            "s3:GetObject",
            "*",
            r#""StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}"#,
        ),
        allow("s3:GetObject", "arn:aws:s3:::a/${AWS:principaltag/team}/*"),
        statement(
            "Deny",
            "s3:PutObject",
            "*",
            r#""Null":{"aws:PrincipalTag/x":"true"}"#,
        ),
    ] {
        let way = only(&r(&format!("{own},{held}")));
        assert_eq!(way.method, "tag-own-role", "{held}");
        assert_eq!(way.gain, Gain::Everything);
        assert_eq!(
            way.depends,
            ["what its policies allow that its tags don't give it now"]
        );
        for (action, on) in [
            ("iam:TagRole", role_arn("other")),
            ("iam:TagUser", "*".to_owned()),
            ("iam:TagPolicy", "*".to_owned()),
        ] {
            let other = r(&format!("{},{held}", change(action, &on)));
            assert_eq!(found(&other), NOTHING, "{action}");
        }
        let away = change("iam:UntagRole", "*");
        assert_eq!(only(&r(&format!("{away},{held}"))).method, "tag-own-role");
    }
    for held in [
        allow("s3:GetObject", "*"),
        allow_if(
            "s3:GetObject",
            "*",
            r#""StringEquals":{"aws:ResourceTag/team":"a"}"#,
        ),
        allow_if(
            "s3:GetObject",
            "*",
            r#""StringEquals":{"aws:ResourceTag/team":"${aws:userid}"}"#,
        ),
        allow("s3:GetObject", "arn:aws:s3:::a/${aws:userid}/*"),
    ] {
        assert_eq!(found(&r(&format!("{own},{held}"))), NOTHING, "{held}");
    }
}

/// No kind tells what a user holds, so here it is put into its hands.
#[test]
fn a_users_own_tags() {
    let objects = Objects::new().user("u").role("r", &nobody());
    let world = objects.world();
    let tagged = r#""StringEquals":{"aws:PrincipalTag/team":"a"}"#;
    let ways = |subject: (String, String), action: &str, held: &str| -> Vec<String> {
        let mut asker = Asker::new(Holder::of(&world, &subject).unwrap());
        let own = allow(action, "*");
        asker.layers = holds(&format!("{own},{held}")).layers();
        let ways = methods().flat_map(|method| asker.ways(method));
        ways.map(|way| way.method).collect()
    };
    let held = allow_if("s3:GetObject", "*", tagged);
    for action in ["iam:TagUser", "iam:UntagUser"] {
        assert_eq!(ways(user("u"), action, &held), ["tag-own-user"]);
        assert_eq!(ways(role("r"), action, &held), [] as [&str; 0]);
        let of_roles = action.replace("User", "Role");
        assert_eq!(ways(user("u"), &of_roles, &held), [] as [&str; 0]);
        let other = allow("s3:GetObject", "*");
        assert_eq!(ways(user("u"), action, &other), [] as [&str; 0]);
    }
}
