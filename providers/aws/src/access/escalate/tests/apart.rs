//! Roles that aren't known here, and resources that only the policies tell from others.

use super::*;

/// Functions and instances aren't declared here, and neither are all roles.
#[test]
fn roles_that_are_not_known_here() {
    const FUNCTION: &str = "arn:aws:lambda:eu-west-1:111122223333:function:agent-x";
    let run = allow("lambda:CreateFunction lambda:InvokeFunction", FUNCTION);
    let pass = |resources: &str| r(&format!("{run},{}", allow("iam:PassRole", resources)));
    let there = role_arn("deploy-admin");
    let way = &found(&pass(&there))[0];
    assert_eq!(way.method, "pass-role-lambda");
    assert_eq!(way.gain, Gain::Foreign(format!("aws_iam_role {there}")));
    assert_eq!(
        way.depends,
        [
            "what they may do".to_owned(),
            format!("whether roles that are `{there}` trust lambda.amazonaws.com"),
        ]
    );
    let passed = way
        .by
        .iter()
        .find(|one| one.actions == set(["iam:PassRole"]));
    assert_eq!(passed.unwrap().resources, set([there.as_str()]));
    // It is known here, and may be passed or not.
    let trusts = service("lambda.amazonaws.com");
    let way = found(&pass(&there).role("deploy-admin", &trusts));
    assert_eq!(way.len(), 1);
    assert_eq!(way[0].gain, leads_to("deploy-admin"));
    assert_eq!(found(&pass(&there).role("deploy-admin", &nobody())), []);
    assert_eq!(found(&pass(&role_arn("r"))), []);
    // A pattern of which nothing but a role that is known here is left.
    let narrowed = |but: &str| {
        let deny = deny("iam:PassRole", &format!("!{}", role_arn(but)));
        let pass = allow("iam:PassRole", &role_arn("*"));
        r(&format!("{run},{pass},{deny}")).role("deploy-admin", &nobody())
    };
    assert_eq!(found(&narrowed("deploy-admin")), []);
    assert_eq!(found(&narrowed("deploy-x"))[0].method, "pass-role-lambda");
    assert_eq!(found(&narrowed("deploy-*"))[0].method, "pass-role-lambda");
    let all_but = pass(&format!("!{}", role_arn("x")));
    let gain = &found(&all_but)[0].gain;
    assert_eq!(
        *gain,
        Gain::Foreign(format!("aws_iam_role all but {}", role_arn("x")))
    );
    for (action, on, method) in [
        (
            "lambda:UpdateFunctionCode",
            FUNCTION,
            "update-function-code",
        ),
        (
            "ssm:SendCommand",
            "arn:aws:ec2:eu-west-1:111122223333:instance/i-1",
            "run-on-instance",
        ),
    ] {
        let all = found(&r(&allow(action, on)).role("t", &nobody()));
        assert_eq!(all.len(), 1, "{all:#?}");
        assert_eq!(all[0].method, method);
        assert_eq!(
            all[0].gain,
            Gain::Foreign("some role that isn't known here".to_owned())
        );
        assert_eq!(
            all[0].depends,
            [
                "what that role may do",
                "whether what it changes runs as one"
            ]
        );
    }
}

#[test]
fn a_trust_policy_that_is_not_known_is_not_nothing() {
    let run = allow("lambda:CreateFunction lambda:InvokeFunction", "*");
    let on = "what the trust policy of role t says, which isn't known here";
    for (statements, method) in [
        (allow("sts:AssumeRole", &role_arn("t")), "assume-role"),
        (
            format!("{run},{}", allow("iam:PassRole", &role_arn("t"))),
            "pass-role-lambda",
        ),
    ] {
        let way = only(&r(&statements).role("t", "{"));
        assert_eq!((way.method.as_str(), way.gain), (method, leads_to("t")));
        assert_eq!(way.depends, [on]);
    }
}

/// A denial of all but some leaves those.
#[test]
fn what_a_denial_of_all_others_leaves() {
    let agents = "arn:aws:lambda:*:*:function:agent-*";
    for allowed in ["*", "arn:aws:lambda:*:*:function:*"] {
        let deny = deny("*", &format!("!{agents}"));
        let all = format!("{},{deny}", allow("lambda:UpdateFunctionCode", allowed));
        let all = found(&r(&all).role("t", &service("lambda.amazonaws.com")));
        let way = all.iter().find(|one| one.gain == leads_to("t")).unwrap();
        assert_eq!(way.method, "update-function-code");
        let where_ = way.by.first().unwrap().resources.first().unwrap();
        let agents = Pattern::wild(agents, Version::V2012);
        assert_eq!(
            agents.matches(where_, &|_| Filled::Absent),
            Match::Yes,
            "{where_}"
        );
    }
    let none = format!(
        "{},{}",
        allow("lambda:UpdateFunctionCode", agents),
        deny("*", "!arn:aws:s3:::*")
    );
    assert_eq!(found(&r(&none)), []);
    // A boundary that meets its policy in part.
    let bounded = r(&allow(
        "lambda:UpdateFunctionCode",
        "arn:aws:lambda:*:*:function:a*",
    ))
    .policy("b", &allow("*", "arn:aws:lambda:*:*:function:*-x"))
    .role("r", &nobody())
    .having("permissions_boundary", Value::string(policy_arn("b")));
    assert_eq!(found(&bounded)[0].method, "update-function-code");
}

#[test]
fn new_ones_under_any_name_that_is_told_apart() {
    let two = |create: &str, put: &str| {
        r(&format!(
            "{},{}",
            allow("iam:CreateRole", create),
            allow("iam:PutRolePolicy", put)
        ))
    };
    let (a, b) = (role_arn("a-*"), role_arn("b-*"));
    for (create, put) in [
        (a.clone(), role_arn("a-b*")),
        (format!("{a} {b}"), b.clone()),
        (role_arn("a*"), role_arn("*b")),
        (role_arn("*"), role_arn("new-b")),
    ] {
        let way = only(&two(&create, &put));
        assert_eq!(way.method, "create-role", "{create} {put}");
    }
    assert_eq!(found(&two(&a, &b)), []);
    // Neither a role of another account nor a user.
    assert_eq!(found(&two(&a, "arn:aws:iam::444455556666:role/a-*")), []);
    assert_eq!(found(&two(&a, "arn:aws:iam::111122223333:user/a-*")), []);
    let but = format!(
        "{},{}",
        allow("iam:CreateRole iam:PutRolePolicy", "*"),
        deny("*", &format!("!{}", role_arn("ci-*")))
    );
    assert_eq!(only(&r(&but)).method, "create-role");
}

/// What is passed in China is passed to a service of another name, or of the same one.
#[test]
fn services_in_china() {
    let own = "arn:aws-cn:iam::111122223333:role/r";
    for passed in ["ec2.amazonaws.com.cn", "ec2.amazonaws.com"] {
        let condition = format!(r#""StringEquals":{{"iam:PassedToService":"{passed}"}}"#);
        let pass = allow_if("iam:PassRole", "*", &condition);
        let statements = format!("{},{pass}", allow("ec2:RunInstances", "*"));
        let here = Objects::new()
            .role("r", &nobody())
            .having("arn", Value::string(own))
            .inline("r", "p", &statements)
            .role("t", &service("ec2.amazonaws.com.cn"))
            .having("arn", Value::string("arn:aws-cn:iam::111122223333:role/t"));
        let way = only(&here);
        assert_eq!(way.method, "pass-role-ec2");
        assert_eq!((way.gain, way.depends), (leads_to("t"), Vec::new()));
    }
}
