use remit_sdk::Value;
use remit_sdk::access::Evaluate as _;

use super::super::testing::*;
use super::asking::filled;
use super::*;
use crate::lower::Aws;

mod apart;
mod federated;
mod tags;
mod unknown;

fn nobody() -> String {
    trusts(r#""Federated":"arn:aws:iam::111122223333:oidc-provider/x""#)
}

fn service(name: &str) -> String {
    if name == table::COGNITO {
        let text = trusts(&format!(r#""Federated":"{name}""#));
        return text.replace("sts:AssumeRole", "sts:AssumeRoleWithWebIdentity");
    }
    trusts(&format!(r#""Service":"{name}""#))
}

fn r(statements: &str) -> Objects {
    Objects::new()
        .role("r", &nobody())
        .inline("r", "p", statements)
}

fn found(objects: &Objects) -> Vec<Escalation> {
    Aws.escalations(&objects.world(), &role("r"))
}

fn names(objects: &Objects) -> Vec<String> {
    found(objects).into_iter().map(|one| one.method).collect()
}

/// The ways that don't lead to a role or user that isn't known here.
fn known(objects: &Objects) -> Vec<Escalation> {
    let mut all = found(objects);
    all.retain(|one| !one.how.contains("some role that is") && !one.how.contains("users that are"));
    all
}

/// The one way to something known.
fn only(objects: &Objects) -> Escalation {
    let mut all = known(objects);
    assert_eq!(all.len(), 1, "{all:#?}");
    all.remove(0)
}

fn leads_to(name: &str) -> Gain {
    Gain::Subject("aws_iam_role".to_owned(), name.to_owned())
}

#[test]
fn every_method_has_its_words() {
    let mut seen = BTreeSet::new();
    for method in methods() {
        assert!(seen.insert(method.name), "{} stands twice", method.name);
        assert!(
            method
                .name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        );
        assert!(method.how.contains("{}"), "{}", method.name);
        for (actions, _) in method.needs {
            assert!(!actions.is_empty());
            for action in *actions {
                crate::document::check_action(action).unwrap();
            }
        }
    }
}

/// Each method that is about a role that trusts a service is found with just what it takes, and
/// isn't without any one part of it.
#[test]
fn each_method_of_services_takes_all_its_parts() {
    for method in methods() {
        let (name, passes) = match method.target {
            Target::Passed(name) => (name, true),
            Target::Running(name) => (name, false),
            _ => continue,
        };
        let mut needed: Vec<&str> = method.needs.iter().map(|(actions, _)| actions[0]).collect();
        if passes {
            needed.push("iam:PassRole");
        }
        let with =
            |actions: &[&str], trust: &str| r(&allow(&actions.join(" "), "*")).role("t", trust);
        let names = |objects: &Objects| -> Vec<String> {
            let known = known(objects).into_iter();
            known.map(|one| one.method).collect()
        };
        let all = known(&with(&needed, &service(name)));
        let own: Vec<_> = all.iter().filter(|one| one.method == method.name).collect();
        assert_eq!(own.len(), 1, "{}", method.name);
        let elsewhere = found(&with(&needed, &nobody()));
        let elsewhere = elsewhere.iter().find(|one| one.method == method.name);
        let elsewhere = elsewhere.unwrap_or_else(|| panic!("{}", method.name));
        assert!(matches!(elsewhere.gain, Gain::Foreign(_)));
        assert!(elsewhere.depends.iter().any(|on| on.contains("may do")));
        assert_eq!(own[0].gain, leads_to("t"));
        assert!(
            own[0].how.ends_with("role t") || own[0].how.contains("role t"),
            "{}",
            own[0].how
        );
        assert_eq!(own[0].by.len(), needed.len());
        assert_eq!(own[0].depends.is_empty(), passes, "{}", method.name);
        assert!(!names(&with(&needed, &nobody())).contains(&method.name.to_owned()));
        for left_out in 0..needed.len() {
            let mut less = needed.clone();
            less.remove(left_out);
            if less.is_empty() {
                continue;
            }
            let all = found(&with(&less, &service(name)));
            assert!(
                !all.iter().any(|one| one.method == method.name),
                "{}",
                method.name
            );
        }
        for (at, (alternatives, _)) in method.needs.iter().enumerate() {
            for action in *alternatives {
                let mut other = needed.clone();
                other[at] = action;
                assert!(
                    names(&with(&other, &service(name))).contains(&method.name.to_owned()),
                    "{action}"
                );
            }
        }
    }
}

#[test]
fn its_own_policies() {
    let version = allow("iam:CreatePolicyVersion", &policy_arn("m"));
    let held = r(&version)
        .policy("m", &allow("s3:GetObject", "*"))
        .attached("r", &policy_arn("m"));
    let way = only(&held);
    assert_eq!(way.method, "create-policy-version");
    assert_eq!(way.how, "writes a new version of policy m, which it holds");
    assert_eq!((way.gain, way.depends), (Gain::Everything, Vec::new()));
    assert_eq!(
        way.by.first().unwrap().actions,
        set(["iam:CreatePolicyVersion"])
    );
    assert_eq!(
        names(&r(&version).policy("m", &allow("s3:GetObject", "*"))),
        [] as [&str; 0]
    );
    // Nobody writes a policy of AWS.
    let of_aws = r(&allow("iam:CreatePolicyVersion", "*"))
        .attached("r", "arn:aws:iam::aws:policy/AWSDenyAll");
    assert_eq!(names(&of_aws), [] as [&str; 0]);
    let back = r(&allow("iam:SetDefaultPolicyVersion", "*")).attached("r", &policy_arn("m"));
    assert!(names(&back).contains(&"set-default-policy-version".to_owned()));
    for (action, method) in [
        ("iam:AttachRolePolicy", "attach-role-policy"),
        ("iam:PutRolePolicy", "put-role-policy"),
    ] {
        assert_eq!(names(&r(&allow(action, &role_arn("r")))), [method]);
        assert_eq!(
            names(&r(&allow(action, &role_arn("other")))),
            [] as [&str; 0]
        );
    }
}

#[test]
fn a_boundary_holds() {
    let bounded = |boundary: &str, own: &str| {
        r(own)
            .policy("b", boundary)
            .role("r", &nobody())
            .having("permissions_boundary", Value::string(policy_arn("b")))
    };
    let put = allow("iam:PutRolePolicy", "*");
    assert_eq!(names(&bounded(&allow("s3:*", "*"), &put)), [] as [&str; 0]);
    let way = only(&bounded(&allow("s3:* iam:PutRolePolicy", "*"), &put));
    assert_eq!(way.depends, ["what its permission boundary leaves"]);
    for action in [
        "iam:DeleteRolePermissionsBoundary",
        "iam:PutRolePermissionsBoundary",
    ] {
        let own = allow(action, "*");
        let way = only(&bounded(&allow("*", "*"), &own));
        assert_eq!(
            way.depends,
            ["what its policies allow that its boundary forbids"]
        );
        assert_eq!(names(&bounded(&allow("s3:*", "*"), &own)), [] as [&str; 0]);
        assert_eq!(names(&r(&own)), [] as [&str; 0]);
    }
    // The boundary itself rewritten.
    let way = only(&bounded(
        &allow("iam:*", "*"),
        &allow("iam:CreatePolicyVersion", "*"),
    ));
    assert_eq!(way.how, "writes a new version of policy b, which it holds");
    assert_eq!(way.depends, [] as [&str; 0]);
    let _ = way.by;
}

#[test]
fn denials_that_can_be_taken_away() {
    let own = allow("iam:DeleteRolePolicy iam:DetachRolePolicy", &role_arn("r"));
    assert_eq!(names(&r(&own)), [] as [&str; 0]);
    let inline = r(&format!("{own},{}", deny("s3:*", "*")));
    let way = only(&inline);
    assert_eq!(way.method, "delete-denying-policy");
    assert_eq!(
        way.depends,
        ["what its policies allow that that policy denies"]
    );
    let attached = r(&own)
        .policy("m", &deny("s3:*", "*"))
        .attached("r", &policy_arn("m"));
    assert_eq!(only(&attached).method, "detach-denying-policy");
}

#[test]
fn users() {
    let objects = |actions: &str, on: &str| r(&allow(actions, on)).user("u");
    let arn = "arn:aws:iam::111122223333:user/u";
    for (action, method) in [
        ("iam:CreateAccessKey", "create-access-key"),
        ("iam:CreateLoginProfile", "create-login-profile"),
        ("iam:UpdateLoginProfile", "update-login-profile"),
    ] {
        let way = only(&objects(action, arn));
        assert_eq!(way.method, method);
        assert_eq!(
            way.gain,
            Gain::Subject("aws_iam_user".to_owned(), "u".to_owned())
        );
        let another = found(&objects(action, "arn:aws:iam::111122223333:user/v"));
        assert_eq!(another.len(), 1, "{another:#?}");
        assert!(matches!(another[0].gain, Gain::Foreign(_)));
    }
    let three = "iam:CreateUser iam:PutUserPolicy iam:CreateAccessKey";
    let way = only(&objects(three, "arn:aws:iam::111122223333:user/made/*"));
    assert_eq!(way.method, "create-user");
    assert_eq!(way.gain, Gain::Everything);
    assert_eq!(
        names(&objects("iam:CreateUser iam:PutUserPolicy", "*")),
        [] as [&str; 0]
    );
}

#[test]
fn what_is_not_known_of_a_user_is_no_way() {
    let objects = Objects::new().user("u").with("aws_iam_group", "g", &[]);
    assert_eq!(Aws.escalations(&objects.world(), &user("u")), []);
    // With a secret's policy there is something known, and it isn't about groups.
    let way = r(&allow(
        "iam:AttachGroupPolicy iam:AddUserToGroup iam:PutGroupPolicy",
        "*",
    ))
    .with("aws_iam_group", "g", &[]);
    assert_eq!(names(&way), [] as [&str; 0]);
}

#[test]
fn assuming_roles() {
    let me = role_arn("r");
    let account = trusts(r#""AWS":"111122223333""#);
    let named = trusts(&format!(r#""AWS":"{me}""#));
    let assume = allow("sts:AssumeRole", &role_arn("t"));
    // The account is trusted: its own policies decide.
    let way = only(&r(&assume).role("t", &account));
    assert_eq!(
        (way.method.as_str(), way.gain),
        ("assume-role", leads_to("t"))
    );
    assert_eq!(way.how, "assumes role t");
    assert_eq!(way.by.first().unwrap().actions, set(["sts:AssumeRole"]));
    assert_eq!(
        names(&r(&allow("s3:*", "*")).role("t", &account)),
        [] as [&str; 0]
    );
    // It is named: that is enough, unless it is denied.
    let way = only(&r(&allow("s3:GetObject", "*")).role("t", &named));
    assert_eq!(way.gain, leads_to("t"));
    assert_eq!(
        names(&r(&deny("sts:*", "*")).role("t", &named)),
        [] as [&str; 0]
    );
    let bounded = r(&allow("s3:GetObject", "*"))
        .role("t", &named)
        .policy("b", &allow("s3:*", "*"))
        .role("r", &nobody())
        .having("permissions_boundary", Value::string(policy_arn("b")));
    assert_eq!(names(&bounded), [] as [&str; 0]);
    // Not trusted.
    assert_eq!(names(&r(&assume).role("t", &nobody())), [] as [&str; 0]);
    // With a condition.
    let external = document(
        r#"{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"111122223333"},"Condition":{"StringEquals":{"sts:ExternalId":"x"}}}"#,
    );
    assert_eq!(
        only(&r(&assume).role("t", &external)).depends,
        ["sts:ExternalId"]
    );
    // Rewriting what it may assume, or who may assume.
    let both = allow("sts:AssumeRole iam:PutRolePolicy", &role_arn("t"));
    let all = found(&r(&both).role("t", &account));
    let everything: Vec<_> = all
        .iter()
        .filter(|one| one.gain == Gain::Everything)
        .map(|one| one.method.as_str())
        .collect();
    assert_eq!(everything, ["put-policy-of-assumable-role"]);
    for action in ["iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"] {
        let version = allow(action, &policy_arn("m"));
        let with = |trust: &str| {
            let all = found(
                &r(&format!("{assume},{version}"))
                    .policy("m", &allow("s3:*", "*"))
                    .role("t", trust)
                    .attached("t", &policy_arn("m")),
            );
            let method = "create-version-of-assumable-role";
            all.into_iter().find(|one| one.method == method)
        };
        let way = with(&account).unwrap();
        assert_eq!((way.by.len(), way.gain), (2, Gain::Everything));
        assert!(way.how.contains("policy m of role t"), "{}", way.how);
        assert_eq!(with(&external).unwrap().depends, ["sts:ExternalId"]);
        assert_eq!(with(&nobody()), None);
    }
    let way = only(&r(&allow("iam:UpdateAssumeRolePolicy", &role_arn("t"))).role("t", &nobody()));
    assert_eq!(
        (way.method.as_str(), way.gain),
        ("update-assume-role-policy", leads_to("t"))
    );
    assert_eq!(
        names(&r(&allow("iam:UpdateAssumeRolePolicy", &role_arn("r")))),
        [] as [&str; 0]
    );
}

#[test]
fn roles_elsewhere() {
    let there = "arn:aws:iam::444455556666:role/x";
    let way = only(&r(&allow("sts:AssumeRole", there)));
    assert_eq!(way.method, "assume-role-elsewhere");
    assert_eq!(way.gain, Gain::Foreign(format!("aws_iam_role {there}")));
    assert_eq!(
        way.depends,
        [format!("whether roles that are `{there}` trust it")]
    );
    let denied = format!("{},{}", allow("sts:AssumeRole", there), deny("sts:*", "*"));
    assert_eq!(names(&r(&denied)), [] as [&str; 0]);
    // What another statement names is no role.
    let bucket = "arn:aws:s3:::b";
    for other in [
        allow("s3:*", bucket),
        deny("s3:*", bucket),
        deny("sts:*", bucket),
    ] {
        let all = format!("{},{other}", allow("sts:AssumeRole", "*"));
        assert_eq!(
            only(&r(&all)).gain,
            Gain::Foreign("aws_iam_role *".to_owned())
        );
    }
    let some = "arn:aws:iam::444455556666:role/x*";
    let way = only(&r(&allow("sts:AssumeRole", some)));
    assert_eq!(way.by.first().unwrap().resources, set([some]));
    assert_eq!(
        names(&r(&allow("sts:AssumeRole", &role_arn("r")))),
        [] as [&str; 0]
    );
}

#[test]
fn new_roles() {
    let three = allow(
        "iam:CreateRole iam:PutRolePolicy",
        "arn:aws:iam::111122223333:role/made/*",
    );
    let way = only(&r(&three));
    assert_eq!(
        (way.method.as_str(), way.gain),
        ("create-role", Gain::Everything)
    );
    assert_eq!(names(&r(&allow("iam:CreateRole", "*"))), [] as [&str; 0]);
    let apart = format!(
        "{},{}",
        allow("iam:CreateRole", "arn:aws:iam::111122223333:role/made/*"),
        allow(
            "iam:AttachRolePolicy",
            "arn:aws:iam::111122223333:role/other/*"
        )
    );
    assert_eq!(names(&r(&apart)), [] as [&str; 0]);
}

/// Neither its own policy nor its boundary names one that both allow.
#[test]
fn new_roles_of_its_own_account() {
    let three = "iam:CreateRole iam:PutRolePolicy";
    let objects = r(&allow(three, "arn:*:iam::111122223333:role/n*"))
        .policy("b", &allow("*", "arn:aws:iam::*:role/*"))
        .role("r", &nobody())
        .having("permissions_boundary", Value::string(policy_arn("b")));
    let way = only(&objects);
    assert_eq!(way.method, "create-role");
    let made: BTreeSet<String> = way.by.into_iter().flat_map(|one| one.resources).collect();
    assert_eq!(made, set(["arn:aws:iam::111122223333:role/new"]));
}

#[test]
fn resources_of_an_action() {
    let objects = r(&format!(
        "{},{},{}",
        allow("s3:*", "arn:aws:s3:::b?/*"),
        allow("sqs:*", "arn:aws:sqs:::q"),
        deny("s3:*", "arn:aws:s3:::c")
    ));
    let (world, subject) = (objects.world(), role("r"));
    let asker = Asker::new(Holder::of(&world, &subject).unwrap());
    assert_eq!(asker.named("s3:GetObject"), ["*", "arn:aws:s3:::bx/new"]);
    let filled = |text: &str| filled(&Pattern::action(text));
    assert_eq!(["*", "a?*"].map(filled), ["*", "axnew"]);
}

#[test]
fn what_is_about_users() {
    let bounded = ("permissions_boundary", Value::string(policy_arn("b")));
    let objects = Objects::new()
        .policy("b", &allow("*", "*"))
        .with("aws_iam_group", "g", &[])
        .role("r", &nobody())
        .having(bounded.0, bounded.1.clone())
        .user("u")
        .user("v")
        .having(bounded.0, bounded.1);
    let world = objects.world();
    let aims = |subject: (String, String), target: Target| -> Vec<String> {
        let asker = Asker::new(Holder::of(&world, &subject).unwrap());
        asker
            .aims(target)
            .into_iter()
            .filter_map(|aim| aim.arn)
            .collect()
    };
    let arn = |rest: &str| vec![format!("arn:aws:iam::111122223333:{rest}")];
    assert_eq!(aims(user("u"), Target::Group), arn("group/g"));
    assert_eq!(aims(user("v"), Target::BoundedUser), arn("user/v"));
    assert_eq!(aims(user("u"), Target::BoundedUser), [] as [&str; 0]);
    assert_eq!(aims(role("r"), Target::BoundedUser), [] as [&str; 0]);
    assert_eq!(aims(role("r"), Target::BoundedRole), arn("role/r"));
    assert_eq!(aims(user("v"), Target::BoundedRole), [] as [&str; 0]);
}

#[test]
fn passing_is_held_to_its_conditions() {
    let run = allow("lambda:CreateFunction lambda:InvokeFunction", "*");
    let pass = |service: &str| {
        allow_if(
            "iam:PassRole",
            &role_arn("t"),
            &format!(r#""StringEquals":{{"iam:PassedToService":"{service}"}}"#),
        )
    };
    let with =
        |passed: &str| r(&format!("{run},{passed}")).role("t", &service("lambda.amazonaws.com"));
    assert_eq!(
        names(&with(&pass("lambda.amazonaws.com"))),
        ["pass-role-lambda"]
    );
    assert_eq!(names(&with(&pass("ec2.amazonaws.com"))), [] as [&str; 0]);
    let another = with(&allow("iam:PassRole", &role_arn("s")));
    assert_eq!(known(&another), []);
    let tagged = allow_if("iam:PassRole", "*", r#""StringEquals":{"aws:k":"a"}"#);
    assert_eq!(only(&with(&tagged)).depends, ["aws:k"]);
}

#[test]
fn what_an_unknown_policy_denies_is_said() {
    let arn = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    let way = only(&r(&allow("iam:PutRolePolicy", "*")).attached("r", arn));
    assert_eq!(way.depends, [format!("what {arn} denies")]);
    assert_eq!(
        names(&r(&allow("s3:GetObject", "*")).attached("r", arn)),
        [] as [&str; 0]
    );
}

#[test]
fn administrators_have_every_way() {
    let all = names(
        &r(&allow("*", "*"))
            .role("t", &service("lambda.amazonaws.com"))
            .user("u"),
    );
    for name in [
        "put-role-policy",
        "create-role",
        "create-access-key",
        "pass-role-lambda",
        "update-function-code",
    ] {
        assert!(all.contains(&name.to_owned()), "{name}");
    }
}
