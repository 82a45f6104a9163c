//! Users, groups, roles and policies that aren't among the objects.

use super::*;
use crate::access::testing::holds;

fn user_arn(name: &str) -> String {
    format!("arn:aws:iam::111122223333:user/{name}")
}

fn foreign(kind: &str, text: &str) -> Gain {
    Gain::Foreign(format!("{kind} {text}"))
}

/// The gains of a method.
fn gains(objects: &Objects, method: &str) -> Vec<Gain> {
    let mut all = found(objects);
    all.retain(|one| one.method == method);
    all.into_iter().map(|one| one.gain).collect()
}

#[test]
fn users_that_are_not_known_here() {
    let all = user_arn("*");
    for (action, method, how) in [
        (
            "iam:CreateAccessKey",
            "create-access-key",
            "makes an access key of users that are",
        ),
        (
            "iam:CreateLoginProfile",
            "create-login-profile",
            "gives users that are",
        ),
        (
            "iam:UpdateLoginProfile",
            "update-login-profile",
            "sets the password of users that are",
        ),
    ] {
        let ways = found(&r(&allow(action, &all)));
        assert_eq!(ways.len(), 1, "{ways:#?}");
        assert_eq!(ways[0].method, method);
        assert!(ways[0].how.starts_with(how), "{}", ways[0].how);
        assert_eq!(ways[0].gain, foreign("aws_iam_user", &all));
        assert_eq!(ways[0].depends, ["what they may do"]);
        let by = ways[0].by.first().unwrap();
        assert_eq!(ways[0].by.len(), 1);
        assert_eq!(by.actions, set([action]));
        assert_eq!(by.resources, set([all.as_str()]));
    }
}

/// What is told is told once, and only as far as nobody declared it.
#[test]
fn only_what_is_beyond_the_known_ones() {
    let with = |resources: &str| {
        let objects = r(&allow("iam:CreateAccessKey", resources)).user("u");
        gains(&objects, "create-access-key")
    };
    let known = || Gain::Subject("aws_iam_user".to_owned(), "u".to_owned());
    let unknown = |text: &str| foreign("aws_iam_user", text);
    assert_eq!(with(&user_arn("u")), [known()]);
    let all = user_arn("*");
    assert_eq!(with(&all), [known(), unknown(&all)]);
    assert_eq!(with("*"), [known(), unknown("*")]);
    for text in [user_arn("root-admin"), user_arn("a/*"), user_arn("??")] {
        assert_eq!(with(&text), [unknown(&text)], "{text}");
    }
    let two = format!("{} {}", user_arn("u"), user_arn("v"));
    assert_eq!(with(&two), [known(), unknown(&user_arn("v"))]);
    // Neither of another kind nor of another account.
    for text in [
        role_arn("*"),
        role_arn("user/x"),
        "arn:aws:iam::444455556666:user/*".to_owned(),
        "arn:aws-cn:iam::111122223333:user/*".to_owned(),
        "arn:aws:iam::111122223333:user/".to_owned(),
    ] {
        assert_eq!(with(&text), [], "{text}");
    }
    // A pattern that isn't only about users, or not only of this account.
    for text in [
        "arn:aws:iam::*:user/admin-*",
        "arn:aws:iam::${aws:PrincipalAccount}:user/admin-*",
        "arn:*:iam::*:*/admin-x",
    ] {
        assert_eq!(with(text), [unknown(text)], "{text}");
    }
    let but = |text: &str| with(&format!("!{text}"));
    let all_but = |text: &str| vec![unknown(&format!("all but {text}"))];
    assert_eq!(but(&user_arn("u")), all_but(&user_arn("u")));
    assert_eq!(but(&user_arn("*")), []);
    assert_eq!(but("arn:aws:iam::*:user/*"), []);
    // All new users have a name that begins so.
    let some = user_arn("n*");
    let mut both = all_but(&some);
    both.insert(0, known());
    assert_eq!(but(&some), both);
}

#[test]
fn a_known_one_may_have_any_name() {
    let with = |resources: &str| {
        let objects = r(&allow("iam:CreateAccessKey", resources)).user("new");
        gains(&objects, "create-access-key")
    };
    let all = user_arn("*");
    assert_eq!(with(&all)[1..], [foreign("aws_iam_user", &all)]);
    assert_eq!(with(&user_arn("new")).len(), 1);
}

/// What everybody is given for their own user.
#[test]
fn ones_own_keys_are_no_way() {
    for text in ["arn:aws:iam::*:user/${aws:username}", "${aws:PrincipalArn}"] {
        let all = found(&r(&allow("iam:CreateAccessKey", text)).user("u"));
        assert_eq!(all, [], "{text}");
    }
}

#[test]
fn what_is_denied_is_not_reached() {
    let with = |denied: &str| {
        let create = allow("iam:CreateAccessKey", &user_arn("*"));
        let all = format!("{create},{}", deny("iam:*", denied));
        gains(&r(&all), "create-access-key")
    };
    let unknown = [foreign("aws_iam_user", &user_arn("*"))];
    assert_eq!(with(&user_arn("*")), []);
    assert_eq!(with(&user_arn("new*")), unknown);
    assert_eq!(with(&format!("!{}", user_arn("x"))), unknown);
    assert_eq!(with(&format!("!{}", role_arn("x"))), []);
    let bounded = |boundary: &str| {
        let objects = r(&allow("iam:CreateAccessKey", "*"))
            .policy("b", &allow("*", boundary))
            .role("r", &nobody())
            .having("permissions_boundary", Value::string(policy_arn("b")));
        gains(&objects, "create-access-key")
    };
    assert_eq!(bounded(&role_arn("*")), []);
    let some = bounded(&user_arn("ci-*"));
    assert_eq!(some, [foreign("aws_iam_user", "*")]);
}

/// Where patterns overlap in too many ways, that is said, of what may be one of the kind alone.
#[test]
fn patterns_that_overlap_too_much() {
    let many: Vec<String> = (0..40)
        .map(|n| format!("arn:aws:iam::111122223333:*{n}*a{n}*b{n}*c{n}*"))
        .collect();
    let with = |allowed: &str| {
        let create = allow("iam:CreateAccessKey", allowed);
        let all = format!("{create},{}", deny("iam:*", &many.join(" ")));
        let denied_new = deny("iam:CreateAccessKey", &user_arn("new*"));
        found(&r(&format!("{all},{denied_new}")))
    };
    let way = &with(&user_arn("*"))[0];
    assert_eq!(way.method, "create-access-key");
    assert_eq!(way.gain, foreign("aws_iam_user", &user_arn("*")));
    let why = "where its policies allow it, whose patterns overlap in too many ways to tell";
    assert_eq!(way.depends, ["what they may do", why]);
    assert_eq!(with(&role_arn("*")), []);
    // Where nothing is denied, each is asked by itself, however they overlap.
    let many = many.join(" ").replace(":*", ":user/*");
    let never = r#""StringEquals":{"aws:PrincipalType":"User"}"#;
    let all = r(&allow_if("iam:CreateAccessKey", &many, never));
    assert_eq!(found(&all), []);
}

#[test]
fn roles_that_are_not_known_here_and_may_be_rewritten() {
    let with = |resources: &str| {
        let objects = r(&allow("iam:UpdateAssumeRolePolicy", resources)).role("t", &nobody());
        gains(&objects, "update-assume-role-policy")
    };
    let all = role_arn("*");
    assert_eq!(with(&all), [leads_to("t"), foreign("aws_iam_role", &all)]);
    let admin = role_arn("Admin");
    assert_eq!(with(&admin), [foreign("aws_iam_role", &admin)]);
    assert_eq!(with(&role_arn("t")), [leads_to("t")]);
    assert_eq!(with(&role_arn("r")), []);
    assert_eq!(with(&user_arn("*")), []);
    let way = &found(&r(&allow("iam:UpdateAssumeRolePolicy", &admin)))[0];
    assert_eq!(
        way.how,
        format!("writes into the trust policy of roles that are `{admin}` that it may assume it")
    );
    assert_eq!(way.depends, ["what they may do"]);
}

/// No kind tells what a user holds, so here it is put into its hands.
#[test]
fn groups_that_are_not_known_here() {
    let objects = Objects::new()
        .user("u")
        .with("aws_iam_group", "g", &[])
        .role("r", &nobody());
    let world = objects.world();
    let ways = |subject: (String, String), action: &str, on: &str| -> Vec<(String, Gain)> {
        let mut asker = Asker::new(Holder::of(&world, &subject).unwrap());
        asker.layers = holds(&allow(action, on)).layers();
        asker.unread = Vec::new();
        let ways = methods().flat_map(|method| asker.ways(method));
        let mut ways: Vec<_> = ways.map(|way| (way.how, way.gain)).collect();
        ways.sort();
        ways
    };
    let arn = |name: &str| format!("arn:aws:iam::111122223333:group/{name}");
    let known = Gain::Foreign("aws_iam_group g".to_owned());
    for (action, how) in [
        ("iam:AddUserToGroup", "joins {}"),
        ("iam:AttachGroupPolicy", "attaches any managed policy to {}"),
        ("iam:PutGroupPolicy", "writes any inline policy for {}"),
    ] {
        let known = (how.replace("{}", "group g"), known.clone());
        let unknown = |text: &str| {
            let title = format!("groups that are `{text}`");
            (how.replace("{}", &title), foreign("aws_iam_group", text))
        };
        assert_eq!(ways(user("u"), action, "*"), [known.clone(), unknown("*")]);
        assert_eq!(ways(user("u"), action, &arn("g")), [known]);
        let admins = arn("admins");
        assert_eq!(ways(user("u"), action, &admins), [unknown(&admins)]);
        assert_eq!(ways(role("r"), action, "*"), []);
    }
}

#[test]
fn roles_beyond_that_it_may_assume_and_rewrite() {
    let (all, app) = (role_arn("*"), role_arn("app-*"));
    for (action, method, how) in [
        (
            "iam:AttachRolePolicy",
            "attach-policy-to-assumable-role",
            "attaches any managed policy to",
        ),
        (
            "iam:PutRolePolicy",
            "put-policy-of-assumable-role",
            "writes any inline policy for",
        ),
    ] {
        let with = |assumed: &str, written: &str| {
            let two = [allow("sts:AssumeRole", assumed), allow(action, written)];
            let mut all = found(&r(&two.join(",")));
            all.retain(|one| one.method == method);
            all
        };
        let ways = with(&all, &app);
        assert_eq!(ways.len(), 1, "{ways:#?}");
        assert_eq!(ways[0].gain, Gain::Everything);
        assert_eq!(
            ways[0].how,
            format!("{how} roles that are `{app}`, which it may assume")
        );
        assert_eq!(
            ways[0].depends,
            [format!("whether roles that are `{app}` trust it")]
        );
        let by: Vec<_> = ways[0].by.iter().map(|one| one.resources.clone()).collect();
        assert_eq!(by, [set([app.as_str()]), set([&role_arn("app-new")])]);
        assert_eq!(with(&app, &all).len(), 1);
        assert_eq!(with(&role_arn("other-*"), &app), []);
        assert_eq!(with(&all, &role_arn("r")), []);
        assert_eq!(with("arn:aws:iam::444455556666:role/*", "*"), []);
        // It is known here, and doesn't trust it.
        let known = allow(&format!("sts:AssumeRole {action}"), &role_arn("t"));
        assert_eq!(found(&r(&known).role("t", &nobody())), []);
    }
    // To assume one is told without a policy of its own.
    assert_eq!(
        names(&r(&allow("sts:AssumeRole", &all))),
        ["assume-role-elsewhere"]
    );
}

#[test]
fn policies_of_roles_beyond() {
    const METHOD: &str = "create-version-of-assumable-role";
    let (roles, policies) = (role_arn("app-*"), policy_arn("p-*"));
    let with = |actions: &str, assumed: &str, on: &str| {
        let two = [allow("sts:AssumeRole", assumed), allow(actions, on)];
        let mut all = found(&r(&two.join(",")));
        all.retain(|one| one.method == METHOD);
        all
    };
    for action in ["iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"] {
        let ways = with(action, &roles, &policies);
        assert_eq!(ways.len(), 1, "{ways:#?}");
        assert_eq!(ways[0].gain, Gain::Everything);
        assert_eq!(
            ways[0].how,
            format!(
                "writes a new version of policies that are `{policies}` of roles that are \
                 `{roles}`, which it may assume, or goes back to an earlier one"
            )
        );
        assert_eq!(
            ways[0].depends,
            [
                format!("whether roles that are `{roles}` trust it"),
                format!("whether they hold policies that are `{policies}`"),
            ]
        );
        let by: Vec<_> = ways[0].by.iter().map(|one| one.resources.clone()).collect();
        assert_eq!(by, [set([policies.as_str()]), set([roles.as_str()])]);
        assert_eq!(with(action, &role_arn("r"), &policies), []);
        // Nobody writes a policy of AWS.
        let of_aws = "arn:aws:iam::aws:policy/*";
        assert_eq!(with(action, &roles, of_aws), []);
    }
    // Both are one way, by what is surer.
    let either = "iam:CreatePolicyVersion iam:SetDefaultPolicyVersion";
    assert_eq!(with(either, &roles, &policies).len(), 1);
    let statements = [
        allow("sts:AssumeRole", &roles),
        allow_if(
            "iam:CreatePolicyVersion sts:AssumeRole",
            &format!("{policies} {}", role_arn("a*")),
            r#""StringEquals":{"aws:k":"a"}"#,
        ),
        allow("iam:SetDefaultPolicyVersion", &policies),
    ];
    let all = found(&r(&statements.join(",")));
    let ways: Vec<_> = all.iter().filter(|one| one.method == METHOD).collect();
    assert_eq!(ways.len(), 1, "{ways:#?}");
    assert_eq!(ways[0].depends.len(), 2, "{:?}", ways[0].depends);
}

/// Another that it may both rewrite and become, known here or not.
#[test]
fn others_that_it_rewrites_and_becomes() {
    let user = || Gain::Subject("aws_iam_user".to_owned(), "u".to_owned());
    let (users, roles) = (user_arn("*"), role_arn("*"));
    for (method, writes, becomes, known, all, gain) in [
        (
            "write-policy-of-user",
            &["iam:AttachUserPolicy", "iam:PutUserPolicy"][..],
            &[
                "iam:CreateAccessKey",
                "iam:CreateLoginProfile",
                "iam:UpdateLoginProfile",
            ][..],
            user_arn("u"),
            users,
            user(),
        ),
        (
            "write-policy-of-role",
            &["iam:AttachRolePolicy", "iam:PutRolePolicy"],
            &["iam:UpdateAssumeRolePolicy"],
            role_arn("t"),
            roles,
            leads_to("t"),
        ),
    ] {
        let with = |write: &str, on: &str, become_: &str, of: &str| {
            let two = [allow(write, on), allow(become_, of)];
            let objects = r(&two.join(",")).user("u").role("t", &nobody());
            found(&objects)
        };
        let only_this = |all: Vec<Escalation>| -> Vec<Escalation> {
            all.into_iter().filter(|one| one.method == method).collect()
        };
        for write in writes {
            for become_ in becomes {
                let ways = only_this(with(write, &known, become_, &known));
                assert_eq!(ways.len(), 1, "{ways:#?}");
                assert_eq!(ways[0].gain, Gain::Everything);
                assert_eq!((ways[0].by.len(), ways[0].depends.len()), (2, 0));
                let both = only_this(with(write, &all, become_, &all));
                let unknown: Vec<_> = both.iter().filter(|one| one.how.contains('*')).collect();
                assert_eq!((both.len(), unknown.len()), (2, 1), "{both:#?}");
                assert_eq!(unknown[0].gain, Gain::Everything);
                assert_eq!(unknown[0].depends.len(), 1);
                assert!(unknown[0].depends[0].starts_with("whether there are "));
                assert_eq!(
                    only_this(with(write, &known, become_, &format!("{all}x"))),
                    []
                );
            }
            // To become it alone leads to what it may do, and to write it alone nowhere.
            let alone = with("s3:GetObject", "*", becomes[0], &known);
            assert_eq!(alone.len(), 1);
            assert_eq!(alone[0].gain, gain);
            assert_eq!(with(write, &known, "s3:GetObject", "*"), []);
        }
    }
}
