//! What the strict AWS does beside refusing: pages, lag, unique ids, faults, its log, web identities.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use super::super::shim::fault::{Fault, Rule, Said};
use super::super::shim::wire::{Call, Service, decode};
use super::super::shim::{Shim, xml};
use super::{POLICY, TRUST, ask, policy, refused, role, trust_of, trusting};
use crate::support::keys::Keys;

#[test]
fn listings_come_in_pages_of_encoded_documents() {
    let shim = Shim::start();
    for number in 0..7 {
        role(&shim, &format!("r{number}"), TRUST);
    }
    policy(&shim, "p");
    let mut names = Vec::new();
    let mut marker = String::new();
    for page in 0..3 {
        let parameters = [("MaxItems", "3"), ("Marker", &*marker)];
        let asked = if page == 0 {
            &parameters[..1]
        } else {
            &parameters[..]
        };
        let answer = ask(&shim, "GetAccountAuthorizationDetails", asked);
        let roles = xml::members(&answer.body, "RoleDetailList");
        let policies = xml::members(&answer.body, "Policies");
        assert!(roles.len() + policies.len() <= 3);
        for one in roles {
            let document = xml::text(one, "AssumeRolePolicyDocument").unwrap();
            assert_eq!(decode(&document), TRUST);
            assert!(document.starts_with("%7B"), "{document}");
            names.push(xml::text(one, "RoleName").unwrap());
        }
        for one in policies {
            names.push(xml::text(one, "PolicyName").unwrap());
            assert_eq!(decode(&xml::text(one, "Document").unwrap()), POLICY);
        }
        let more = xml::text(&answer.body, "IsTruncated").unwrap();
        assert_eq!(more, if page < 2 { "true" } else { "false" });
        marker = xml::text(&answer.body, "Marker").unwrap_or_default();
    }
    names.sort();
    assert_eq!(names, ["p", "r0", "r1", "r2", "r3", "r4", "r5", "r6"]);
    let wrong = [("Marker", "77.1")];
    refused(
        &shim,
        "ValidationError",
        "GetAccountAuthorizationDetails",
        &wrong,
    );

    let first = ask(&shim, "ListRoles", &[("MaxItems", "5")]);
    assert_eq!(xml::members(&first.body, "Roles").len(), 5);
    assert!(first.body.contains("%7B"), "{}", first.body);
    let marker = xml::text(&first.body, "Marker").unwrap();
    let second = ask(
        &shim,
        "ListRoles",
        &[("MaxItems", "5"), ("Marker", &marker)],
    );
    assert_eq!(xml::members(&second.body, "Roles").len(), 2);
    assert_eq!(shim.log().iter().filter(|asked| asked.is_page()).count(), 4);
}

#[test]
fn a_removed_principal_leaves_its_unique_id() {
    let shim = Shim::start();
    let made = role(&shim, "caller", TRUST);
    let id = xml::text(&made, "RoleId").unwrap();
    let arn = shim.arn("role/caller");
    role(&shim, "target", &trusting(&format!("\"AWS\":[\"{arn}\"]")));
    let body = json!({"Name": "s"});
    shim.secrets("CreateSecret", &body);
    let policy = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow",
        "Principal": {"AWS": arn}, "Action": "secretsmanager:GetSecretValue", "Resource": "*"}});
    let body = json!({"SecretId": "s", "ResourcePolicy": policy.to_string()});
    shim.secrets("PutResourcePolicy", &body);
    shim.iam("DeleteRole", &[("RoleName", "caller")]);
    assert!(trust_of(&shim, "target").contains(&id));
    role(&shim, "caller", TRUST);
    assert!(
        !trust_of(&shim, "target").contains(&arn),
        "not the same role"
    );
    let told = shim.secrets("GetResourcePolicy", &json!({"SecretId": "s"}));
    assert!(told["ResourcePolicy"].as_str().unwrap().contains(&id));
    // What is left can't be written again.
    let broken = trusting(&format!("\"AWS\":\"{id}\""));
    let update = [("RoleName", "target"), ("PolicyDocument", &*broken)];
    refused(
        &shim,
        "MalformedPolicyDocument",
        "UpdateAssumeRolePolicy",
        &update,
    );
}

#[test]
fn changes_are_seen_later() {
    let lag = Duration::from_millis(700);
    let shim = Shim::lagging(Duration::ZERO);
    role(&shim, "old", TRUST);
    shim.set_lag(lag);
    let started = Instant::now();
    role(&shim, "new", TRUST);
    let get = [("RoleName", "new")];
    refused(&shim, "NoSuchEntity", "GetRole", &get);
    let put = [
        ("RoleName", "new"),
        ("PolicyName", "p"),
        ("PolicyDocument", POLICY),
    ];
    refused(&shim, "NoSuchEntity", "PutRolePolicy", &put);
    let arn = shim.arn("role/new");
    let trust = trusting(&format!("\"AWS\":\"{arn}\""));
    let update = [("RoleName", "old"), ("PolicyDocument", &*trust)];
    refused(
        &shim,
        "MalformedPolicyDocument",
        "UpdateAssumeRolePolicy",
        &update,
    );
    // Its name is taken all the same.
    let create = [("RoleName", "new"), ("AssumeRolePolicyDocument", TRUST)];
    refused(&shim, "EntityAlreadyExists", "CreateRole", &create);
    let described = [("RoleName", "old"), ("Description", "changed")];
    assert!(ask(&shim, "UpdateRole", &described).is_ok());
    let description = |shim: &Shim| {
        let told = ask(shim, "GetRole", &[("RoleName", "old")]);
        xml::text(&told.body, "Description").unwrap_or_default()
    };
    assert_eq!(description(&shim), "");
    let early = ask(&shim, "GetAccountAuthorizationDetails", &[]);
    assert_eq!(xml::members(&early.body, "RoleDetailList").len(), 1);
    assert!(started.elapsed() < lag, "too slow to tell");

    std::thread::sleep(lag);
    let told = ask(&shim, "GetRole", &get);
    assert_eq!(xml::text(&told.body, "Arn").unwrap(), arn);
    assert_eq!(description(&shim), "changed");
    assert!(ask(&shim, "PutRolePolicy", &put).is_ok());
    assert!(ask(&shim, "UpdateAssumeRolePolicy", &update).is_ok());
    std::thread::sleep(lag);
    let details = ask(&shim, "GetAccountAuthorizationDetails", &[]);
    assert!(details.body.contains(shim.account()));
    let leader = shim.dump().concat();
    let id = xml::text(&details.body, "RoleId").unwrap();
    assert!(
        leader.contains(&id),
        "the ids are those of the first account"
    );

    // What is gone is told of for a while.
    shim.iam("DeleteRolePolicy", &put[..2]);
    shim.iam("DeleteRole", &get);
    assert!(ask(&shim, "GetRole", &get).is_ok());
    std::thread::sleep(lag);
    refused(&shim, "NoSuchEntity", "GetRole", &get);
    assert!(!trust_of(&shim, "old").contains(&arn));
}

#[test]
fn faults_happen_where_they_are_asked_for() {
    let shim = Shim::start();
    let create = [("UserName", "u")];
    let call = Call::iam("CreateUser", &create);
    let list = |code: &str| {
        let answer = ask(&shim, "ListUsers", &[]);
        assert_eq!(answer.code(), code, "{}", answer.body);
        answer
    };
    shim.rule(Rule::nth_write(0, Fault::LostRequest));
    shim.rule(Rule::nth_write(0, Fault::LostAnswer));
    assert!(shim.ask(&call).is_none());
    assert!(xml::members(&list("").body, "Users").is_empty());
    assert!(shim.ask(&call).is_none());
    assert_eq!(xml::members(&list("").body, "Users").len(), 1);
    refused(&shim, "EntityAlreadyExists", "CreateUser", &create);

    shim.heal();
    shim.rule(Rule::all(Fault::Said(Said::Throttled)).every(3).times(2));
    let codes: Vec<String> = (0..8)
        .map(|_| ask(&shim, "ListUsers", &[]).code())
        .collect();
    let throttled = "Throttling";
    assert_eq!(codes, [throttled, "", "", throttled, "", "", "", ""]);
    shim.heal();
    shim.limit(5.0, 3.0);
    let codes: Vec<String> = (0..5)
        .map(|_| ask(&shim, "ListUsers", &[]).code())
        .collect();
    assert_eq!(codes, ["", "", "", throttled, throttled]);
    std::thread::sleep(Duration::from_millis(250));
    assert!(ask(&shim, "ListUsers", &[]).is_ok());
    for (said, status, code) in [
        (Said::Denied, 403, "AccessDenied"),
        (Said::Expired, 403, "ExpiredToken"),
        (Said::UnknownKey, 403, "InvalidClientTokenId"),
        (Said::Failed, 500, "ServiceFailure"),
        (Said::BadGateway, 502, ""),
        (Said::Garbage, 200, ""),
        (Said::Html, 200, ""),
    ] {
        shim.heal();
        shim.rule(Rule::on("ListUsers", Fault::Said(said)));
        assert_eq!(list(code).status, status, "{said:?}");
        assert!(ask(&shim, "ListRoles", &[]).is_ok());
    }
    shim.heal();
    shim.rule(Rule::on("ListSecrets", Fault::Said(Said::Expired)));
    let answer = shim.ask(&Call::secrets("ListSecrets", &json!({}))).unwrap();
    assert_eq!(
        (answer.status, &*answer.code()),
        (400, "ExpiredTokenException")
    );

    shim.heal();
    let pause = Duration::from_millis(200);
    shim.rule(Rule::on("ListGroups", Fault::Slow(pause)).from(1).times(1));
    let times: Vec<Duration> = (0..3)
        .map(|_| {
            let asked = Instant::now();
            assert!(ask(&shim, "ListGroups", &[]).is_ok());
            asked.elapsed()
        })
        .collect();
    assert!(times[1] >= pause && times[0] < times[1] && times[2] < times[1]);

    let meanwhile = Arc::new(AtomicUsize::new(0));
    let (seen, other) = (Arc::clone(&meanwhile), shim.clone());
    let act = move || {
        seen.fetch_add(1, Ordering::SeqCst);
        other.iam("CreateGroup", &[("GroupName", "theirs")]);
    };
    shim.rule(Rule::on("CreateGroup", Fault::Meanwhile(Arc::new(act))));
    refused(
        &shim,
        "EntityAlreadyExists",
        "CreateGroup",
        &[("GroupName", "theirs")],
    );
    assert_eq!(meanwhile.load(Ordering::SeqCst), 1);
}

#[test]
fn the_log_tells_what_was_asked_and_keeps_no_secret() {
    let shim = Shim::start();
    let body = json!({"Name": "s", "SecretString": "c4n4ry-shim", "Description": "d"});
    assert!(
        shim.ask(&Call::secrets("CreateSecret", &body))
            .unwrap()
            .is_ok()
    );
    shim.iam("CreateUser", &[("UserName", "theirs")]);
    ask(&shim, "GetUser", &[("UserName", "nobody")]);
    let log = shim.take_log();
    assert_eq!(
        log.len(),
        2,
        "what the test does itself is not in it: {log:?}"
    );
    assert_eq!(log[0].action, "CreateSecret");
    assert_eq!((log[0].mutating, log[0].status), (true, 200));
    assert_eq!(log[0].service, Service::Secrets);
    assert_eq!(log[0].parameters["Description"], "d");
    assert!(!format!("{log:?}").contains("c4n4ry"), "{log:?}");
    assert_eq!((log[1].mutating, log[1].status), (false, 404));
    assert!(log[0].at <= log[1].at);
    assert!(shim.log().is_empty() && shim.writes().is_empty());
}

#[test]
fn an_account_is_nobody_elses() {
    let (one, two) = (Shim::start(), Shim::start());
    role(&one, "r", TRUST);
    assert!(two.dump().is_empty());
    let told = one
        .ask(&Call::query(Service::Sts, "GetCallerIdentity", &[]))
        .unwrap();
    assert_eq!(xml::text(&told.body, "Account").unwrap(), one.account());
}

#[test]
fn what_moto_lacks_is_there() {
    let shim = Shim::start();
    let url = "https://issuer.example.com/x";
    let arn = shim.arn("oidc-provider/issuer.example.com/x");
    let provider = ("OpenIDConnectProviderArn", &*arn);
    shim.iam(
        "CreateOpenIDConnectProvider",
        &[("Url", url), ("ClientIDList.member.1", "a")],
    );
    shim.iam(
        "AddClientIDToOpenIDConnectProvider",
        &[provider, ("ClientID", "b")],
    );
    shim.iam(
        "AddClientIDToOpenIDConnectProvider",
        &[provider, ("ClientID", "b")],
    );
    shim.iam(
        "RemoveClientIDFromOpenIDConnectProvider",
        &[provider, ("ClientID", "a")],
    );
    let told = ask(&shim, "GetOpenIDConnectProvider", &[provider]).body;
    assert_eq!(xml::members(&told, "ClientIDList"), ["b"]);
    assert_eq!(xml::members(&told, "ThumbprintList").len(), 1);

    let bound = policy(&shim, "bound");
    let user = ("UserName", "u");
    let tag = [("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")];
    shim.iam(
        "CreateUser",
        &[user, ("PermissionsBoundary", &bound), tag[0], tag[1]],
    );
    shim.iam("UpdateUser", &[user, ("NewPath", "/x/")]);
    let details = ask(&shim, "GetAccountAuthorizationDetails", &[]).body;
    let told = xml::members(&details, "UserDetailList")[0].to_owned();
    assert_eq!(xml::text(&told, "PermissionsBoundaryArn").unwrap(), bound);
    assert_eq!(xml::text(&told, "Arn").unwrap(), shim.arn("user/x/u"));
    assert_eq!(xml::members(&told, "Tags").len(), 1);
    shim.iam("DeleteUserPermissionsBoundary", &[user]);
    assert!(
        !ask(&shim, "GetUser", &[user])
            .body
            .contains("PermissionsBoundary")
    );
    shim.iam("CreateGroup", &[("GroupName", "g")]);
    shim.iam("UpdateGroup", &[("GroupName", "g"), ("NewPath", "/y/")]);
    let told = ask(&shim, "GetGroup", &[("GroupName", "g")]).body;
    assert_eq!(xml::text(&told, "Arn").unwrap(), shim.arn("group/y/g"));

    let named = json!({"SecretId": "s"});
    shim.secrets("CreateSecret", &json!({"Name": "s", "Description": "d"}));
    let rotate = |more: Json| {
        let mut body = json!({"SecretId": "s", "RotateImmediately": false});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        shim.ask(&Call::secrets("RotateSecret", &body)).unwrap()
    };
    let rules = json!({"ScheduleExpression": "rate(10 days)", "Duration": "3h"});
    assert!(
        !rotate(json!({"RotationRules": rules})).is_ok(),
        "without a function"
    );
    let function = "arn:aws:lambda:eu-west-1:1:function:f";
    let answer = rotate(json!({"RotationRules": rules, "RotationLambdaARN": function}));
    assert!(answer.is_ok(), "{}", answer.body);
    let told = shim.secrets("DescribeSecret", &named);
    assert_eq!(told["RotationRules"], rules);
    shim.secrets("CancelRotateSecret", &named);
    let token = "0123456789abcdef0123456789abcdef";
    shim.secrets(
        "UpdateSecret",
        &json!({"SecretId": "s", "Description": "", "ClientRequestToken": token}),
    );
    let told = shim.secrets("DescribeSecret", &named);
    assert_eq!(told["RotationEnabled"], false);
    assert!(
        told.get("Description").is_none_or(|one| one == ""),
        "{told}"
    );
    shim.secrets(
        "DeleteSecret",
        &json!({"SecretId": "s", "RecoveryWindowInDays": 7}),
    );
    let again = shim
        .ask(&Call::secrets("CreateSecret", &json!({"Name": "s"})))
        .unwrap();
    assert_eq!(again.code(), "InvalidRequestException", "{}", again.body);
}

#[test]
fn a_web_identity_has_only_the_role_that_trusts_it() {
    let shim = Shim::start();
    let issuer = "https://issuer.example.com";
    let keys = Keys::generate();
    shim.iam(
        "CreateOpenIDConnectProvider",
        &[("Url", issuer), ("ClientIDList.member.1", "aws")],
    );
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": {"Federated": shim.arn("oidc-provider/issuer.example.com")},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {
            "issuer.example.com:aud": "aws", "issuer.example.com:sub": "agent"}}}]});
    role(&shim, "agent", &trust.to_string());
    role(&shim, "other", TRUST);
    let assume = |name: &str, token: &str, seconds: &str| {
        let arn = shim.arn(&format!("role/{name}"));
        let call = Call::query(
            Service::Sts,
            "AssumeRoleWithWebIdentity",
            &[
                ("RoleArn", &arn),
                ("RoleSessionName", "s"),
                ("WebIdentityToken", token),
                ("DurationSeconds", seconds),
            ],
        );
        shim.ask(&call).unwrap()
    };
    let none = json!({});
    let good = keys.sign(issuer, "agent", "aws", 60, &none);
    assert_eq!(
        assume("agent", &good, "900").code(),
        "InvalidIdentityToken",
        "no key yet"
    );
    shim.trust_key(issuer, &keys.public_pem);
    let answer = assume("agent", &good, "900");
    assert!(answer.is_ok(), "{}", answer.body);
    assert!(answer.body.contains("<SessionToken>"), "{}", answer.body);
    for (name, token, seconds, code) in [
        ("other", &good, "900", "AccessDenied"),
        ("nobody", &good, "900", "AccessDenied"),
        ("agent", &good, "3601", "ValidationError"),
        (
            "agent",
            &keys.sign(issuer, "agent2", "aws", 60, &none),
            "900",
            "AccessDenied",
        ),
        (
            "agent",
            &keys.sign(issuer, "agent", "vault", 60, &none),
            "900",
            "InvalidIdentityToken",
        ),
        (
            "agent",
            &keys.sign(issuer, "agent", "aws", -60, &none),
            "900",
            "ExpiredTokenException",
        ),
        (
            "agent",
            &Keys::generate().sign(issuer, "agent", "aws", 60, &none),
            "900",
            "InvalidIdentityToken",
        ),
        ("agent", &"x.y.z".to_owned(), "900", "InvalidIdentityToken"),
    ] {
        let answer = assume(name, token, seconds);
        assert_eq!(answer.code(), code, "{name}: {}", answer.body);
    }
    assert!(!format!("{:?}", shim.log()).contains(&good));
}
