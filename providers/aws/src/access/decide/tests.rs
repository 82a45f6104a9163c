//! The cases of AWS's documentation, each with the page it is on.

use super::*;
use crate::document::{Use, parse};

/// `…/UserGuide/` of the IAM User Guide.
const LOGIC: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html";
const BOUNDARIES: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html";
const SESSIONS: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session";
const NOT_ACTION: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notaction.html";
const NOT_RESOURCE: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notresource.html";
const RESOURCE: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html";
const ACTION: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html";
const OPERATORS: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html";
const SETS: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html";
const VARIABLES: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html";

pub(super) fn policy(name: &str, statements: &str) -> Policy {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    Policy {
        source: Source::Foreign(name.to_owned()),
        name: name.to_owned(),
        document: Some(parse(&text, Use::Identity).unwrap()),
    }
}

use super::super::Policy;

#[derive(Debug, PartialEq)]
enum Is {
    Allowed,
    Explicit,
    Implicit(Layer),
    Depends,
}

fn decided(holdings: &Holdings, action: &str, resource: &str, context: &Context) -> Is {
    let request = Request {
        action,
        resource,
        context: context.clone(),
    };
    match holdings.decide(&request) {
        Decision::Allowed(by) => {
            assert!(!by.is_empty());
            Is::Allowed
        }
        Decision::DeniedBy(_) => Is::Explicit,
        Decision::NotAllowed(layer) => Is::Implicit(layer),
        Decision::Depends { on, by } => {
            assert!(!on.is_empty() && !by.is_empty());
            Is::Depends
        }
    }
}

fn holds(identity: &str) -> Holdings {
    Holdings {
        identity: vec![policy("p", identity)],
        ..Holdings::default()
    }
}

fn statement(effect: &str, rest: &str) -> String {
    format!(r#"{{"Effect":"{effect}",{rest}}}"#)
}

const S3_ALL: &str = r#""Action":"s3:*","Resource":"*""#;
const S3_GET: &str = r#""Action":"s3:GetObject","Resource":"*""#;
const OBJECT: &str = "arn:aws:s3:::b/k";

#[test]
fn layers() {
    let allow = |rest: &str| statement("Allow", rest);
    let deny = |rest: &str| statement("Deny", rest);
    let layered = |identity: &str, boundary: Option<&str>, session: Option<&str>| Holdings {
        direct: Vec::new(),
        identity: vec![policy("p", identity)],
        boundary: boundary.map(|text| policy("b", text)),
        session: session.map(|text| vec![policy("s", text)]),
    };
    let (all, get) = (allow(S3_ALL), allow(S3_GET));
    let (no_get, other) = (deny(S3_GET), allow(r#""Action":"sqs:*","Resource":"*""#));
    let both = format!("{all},{no_get}");
    let cases = [
        (
            LOGIC,
            layered(&other, None, None),
            Is::Implicit(Layer::Identity),
        ),
        (LOGIC, layered(&get, None, None), Is::Allowed),
        (LOGIC, layered(&both, None, None), Is::Explicit),
        (BOUNDARIES, layered(&all, Some(&get), None), Is::Allowed),
        (
            BOUNDARIES,
            layered(&all, Some(&other), None),
            Is::Implicit(Layer::Boundary),
        ),
        (
            BOUNDARIES,
            layered(&other, Some(&all), None),
            Is::Implicit(Layer::Identity),
        ),
        (BOUNDARIES, layered(&all, Some(&both), None), Is::Explicit),
        (SESSIONS, layered(&all, None, Some(&get)), Is::Allowed),
        (
            SESSIONS,
            layered(&all, None, Some(&other)),
            Is::Implicit(Layer::Session),
        ),
        (
            SESSIONS,
            layered(&all, Some(&all), Some(&both)),
            Is::Explicit,
        ),
        (SESSIONS, layered(&all, Some(&get), Some(&all)), Is::Allowed),
        (
            SESSIONS,
            layered(&all, Some(&other), Some(&all)),
            Is::Implicit(Layer::Boundary),
        ),
    ];
    for (number, (page, holdings, expected)) in cases.into_iter().enumerate() {
        let found = decided(&holdings, "s3:GetObject", OBJECT, &Context::default());
        assert_eq!(found, expected, "{number}: {page}");
    }
    assert_eq!(
        decided(
            &Holdings::default(),
            "s3:GetObject",
            OBJECT,
            &Context::default()
        ),
        Is::Implicit(Layer::Identity),
        "{LOGIC}"
    );
}

#[test]
fn elements() {
    let cases = [
        (ACTION, r#""Action":"S3:getobject","Resource":"*""#, true),
        (ACTION, r#""Action":"s3:Get*","Resource":"*""#, true),
        (ACTION, r#""Action":"s3:Get?bject","Resource":"*""#, true),
        (ACTION, r#""Action":"s3:Put*","Resource":"*""#, false),
        (
            RESOURCE,
            r#""Action":"s3:*","Resource":"arn:aws:s3:::b/*""#,
            true,
        ),
        (
            RESOURCE,
            r#""Action":"s3:*","Resource":"arn:aws:s3:::B/*""#,
            false,
        ),
        (
            RESOURCE,
            r#""Action":"s3:*","Resource":"arn:aws:s3:::b""#,
            false,
        ),
        (
            RESOURCE,
            r#""Action":"s3:*","Resource":"arn:aws:s3:*:*:*""#,
            true,
        ),
        (NOT_ACTION, r#""NotAction":"iam:*","Resource":"*""#, true),
        (
            NOT_ACTION,
            r#""NotAction":["iam:*","s3:Get*"],"Resource":"*""#,
            false,
        ),
        (
            NOT_RESOURCE,
            r#""Action":"s3:*","NotResource":"arn:aws:s3:::c/*""#,
            true,
        ),
        (
            NOT_RESOURCE,
            r#""Action":"s3:*","NotResource":["arn:aws:s3:::b/*"]"#,
            false,
        ),
    ];
    for (page, rest, expected) in cases {
        let found = decided(
            &holds(&statement("Allow", rest)),
            "s3:GetObject",
            OBJECT,
            &Context::default().and_nothing_else(),
        );
        let expected = if expected {
            Is::Allowed
        } else {
            Is::Implicit(Layer::Identity)
        };
        assert_eq!(found, expected, "{rest}: {page}");
    }
    // "Deny all but": everything else is denied, and nothing is allowed by it.
    let only_get = statement("Deny", r#""NotAction":"s3:GetObject","Resource":"*""#);
    let holdings = holds(&format!("{},{only_get}", statement("Allow", S3_ALL)));
    let none = Context::default();
    assert_eq!(
        decided(&holdings, "s3:GetObject", OBJECT, &none),
        Is::Allowed
    );
    assert_eq!(
        decided(&holdings, "s3:PutObject", OBJECT, &none),
        Is::Explicit
    );
}

#[test]
fn conditions() {
    let cases = [
        (
            OPERATORS,
            r#"{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}"#,
            Is::Allowed,
        ),
        (
            OPERATORS,
            r#"{"StringEquals":{"AWS:requestedregion":"eu-west-1"}}"#,
            Is::Allowed,
        ),
        (
            OPERATORS,
            r#"{"StringEquals":{"k:k":"1"}}"#,
            Is::Implicit(Layer::Identity),
        ),
        (
            OPERATORS,
            r#"{"StringEquals":{"aws:RequestedRegion":"eu-west-1","k:k":"1"}}"#,
            Is::Implicit(Layer::Identity),
        ),
        (
            OPERATORS,
            r#"{"StringEqualsIfExists":{"k:k":"1"}}"#,
            Is::Allowed,
        ),
        (OPERATORS, r#"{"StringNotEquals":{"k:k":"1"}}"#, Is::Allowed),
        (OPERATORS, r#"{"Null":{"k:k":"true"}}"#, Is::Allowed),
        (
            OPERATORS,
            r#"{"Null":{"k:k":"false"}}"#,
            Is::Implicit(Layer::Identity),
        ),
        (
            SETS,
            r#"{"ForAllValues:StringEquals":{"k:k":"1"}}"#,
            Is::Allowed,
        ),
        (
            SETS,
            r#"{"ForAnyValue:StringEquals":{"k:k":"1"}}"#,
            Is::Implicit(Layer::Identity),
        ),
        (
            SETS,
            r#"{"ForAllValues:StringEquals":{"k:k":"1"},"Null":{"k:k":"false"}}"#,
            Is::Implicit(Layer::Identity),
        ),
        (
            OPERATORS,
            r#"{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#,
            Is::Allowed,
        ),
        (OPERATORS, r#"{"StringEquals":{"k:u":"1"}}"#, Is::Depends),
    ];
    let context = Context::default()
        .with("aws:RequestedRegion", "eu-west-1")
        .with("aws:SourceIp", "10.1.2.3")
        .without("k:k");
    for (page, condition, expected) in cases {
        let rest = format!(r#"{S3_GET},"Condition":{condition}"#);
        let found = decided(
            &holds(&statement("Allow", &rest)),
            "s3:GetObject",
            OBJECT,
            &context,
        );
        assert_eq!(found, expected, "{condition}: {page}");
    }
    // A denial that may hold leaves it open; where nothing is allowed it doesn't.
    let maybe = statement(
        "Deny",
        &format!(r#"{S3_GET},"Condition":{{"Bool":{{"aws:SecureTransport":"false"}}}}"#),
    );
    let both = holds(&format!("{},{maybe}", statement("Allow", S3_ALL)));
    assert_eq!(
        decided(&both, "s3:GetObject", OBJECT, &context),
        Is::Depends
    );
    let secure = context.clone().with("aws:SecureTransport", "true");
    assert_eq!(decided(&both, "s3:GetObject", OBJECT, &secure), Is::Allowed);
    assert_eq!(
        decided(&holds(&maybe), "s3:GetObject", OBJECT, &context),
        Is::Implicit(Layer::Identity)
    );
}

#[test]
fn variables() {
    let own = statement(
        "Allow",
        r#""Action":"s3:*","Resource":"arn:aws:s3:::b/home/${aws:username}/*""#,
    );
    let own = holds(&own);
    let at = |resource: &str, context: &Context| decided(&own, "s3:GetObject", resource, context);
    let me = Context::default().with("aws:username", "me");
    assert_eq!(
        at("arn:aws:s3:::b/home/me/k", &me),
        Is::Allowed,
        "{VARIABLES}"
    );
    assert_eq!(
        at("arn:aws:s3:::b/home/you/k", &me),
        Is::Implicit(Layer::Identity)
    );
    let nobody = Context::default().without("aws:username");
    assert_eq!(
        at("arn:aws:s3:::b/home/me/k", &nobody),
        Is::Implicit(Layer::Identity)
    );
    assert_eq!(
        at("arn:aws:s3:::b/home/me/k", &Context::default()),
        Is::Depends
    );
    assert_eq!(
        at("arn:aws:s3:::c/home/me/k", &Context::default()),
        Is::Implicit(Layer::Identity)
    );
}

#[test]
fn wildcards_inside_a_segment() {
    let across = holds(&statement(
        "Allow",
        r#""Action":"*","Resource":"arn:aws:logs:*:1*3:x""#,
    ));
    let none = Context::default();
    assert_eq!(
        decided(&across, "logs:A", "arn:aws:logs:r:123:x", &none),
        Is::Allowed,
        "{RESOURCE}"
    );
    assert_eq!(
        decided(&across, "logs:A", "arn:aws:logs:r:1:3:x", &none),
        Is::Depends
    );
}

#[test]
fn what_is_not_known() {
    let unread = |name: &str| Policy {
        document: None,
        ..policy(name, &statement("Allow", S3_ALL))
    };
    let none = Context::default();
    let some = Holdings {
        identity: vec![unread("x")],
        ..Holdings::default()
    };
    assert_eq!(decided(&some, "s3:GetObject", OBJECT, &none), Is::Depends);
    let bounded = Holdings {
        boundary: Some(unread("x")),
        ..holds(&statement("Allow", S3_ALL))
    };
    assert_eq!(
        decided(&bounded, "s3:GetObject", OBJECT, &none),
        Is::Depends
    );
    assert_eq!(
        decided(&bounded, "sqs:A", "*", &none),
        Is::Implicit(Layer::Identity)
    );
    let request = Request {
        action: "s3:GetObject",
        resource: OBJECT,
        context: none,
    };
    let Decision::Depends { on, .. } = some.decide(&request) else {
        panic!("it can't be known");
    };
    let said = [
        "what x allows, which isn't known here",
        "what x denies, which isn't known here",
    ];
    assert_eq!(on, said.map(str::to_owned).into());
}

#[test]
fn who_decided() {
    let named = policy(
        "p",
        r#"{"Sid":"A","Effect":"Allow","Action":"s3:*","Resource":"*"},{"Sid":"D","Effect":"Deny","Action":"s3:Put*","Resource":"*"}"#,
    );
    let holdings = Holdings {
        identity: vec![named],
        ..Holdings::default()
    };
    let ask = |action| {
        holdings.decide(&Request {
            action,
            resource: OBJECT,
            context: Context::default(),
        })
    };
    let by = |sid: &str| By {
        layer: Layer::Identity,
        name: format!("statement `{sid}` of p"),
        source: Source::Foreign("p".to_owned()),
    };
    assert_eq!(ask("s3:GetObject"), Decision::Allowed(vec![by("A")]));
    assert_eq!(ask("s3:PutObject"), Decision::DeniedBy(by("D")));
}
