//! Bulk readings against a scripted server: what is asked for, what counts as absent, and what
//! a refused or broken list makes of the objects it would have told.
//!
//! In comes a script of answers in the order the requests come with one at a time, out go
//! readings.

use remit_sdk::address::DeclarationAddress;
use remit_sdk::declaration::Lifecycle;
use remit_sdk::{FileId, Span};

use super::*;
use crate::client::tests::{Act, CALLER, Server, client, run};
use crate::schema;

const DENIED: &str = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>User me is not authorized</Message></Error></ErrorResponse>";

const EXPIRED: &str = "<ErrorResponse><Error><Code>ExpiredToken</Code><Message>The security token is expired</Message></Error></ErrorResponse>";

/// The role `Known`, whose trust names a principal that was deleted.
const DETAILS: &str = r#"<GetAccountAuthorizationDetailsResponse><GetAccountAuthorizationDetailsResult><IsTruncated>false</IsTruncated><RoleDetailList><member>
<Path>/</Path><RoleName>Known</RoleName><RoleId>AROAKNOWN</RoleId><Arn>arn:aws:iam::123456789012:role/Known</Arn>
<AssumeRolePolicyDocument>{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"AROAABCDEFGHIJKLMNOPQ"},"Action":"sts:AssumeRole"}}</AssumeRolePolicyDocument>
<RolePolicyList><member><PolicyName>by-hand</PolicyName><PolicyDocument>{}</PolicyDocument></member></RolePolicyList>
<AttachedManagedPolicies><member><PolicyName>p</PolicyName><PolicyArn>arn:aws:iam::aws:policy/p</PolicyArn></member></AttachedManagedPolicies>
</member><member><Path>/</Path><RoleName>Remit-stray</RoleName><RoleId>AROASTRAY</RoleId></member></RoleDetailList></GetAccountAuthorizationDetailsResult></GetAccountAuthorizationDetailsResponse>"#;

const ROLES: &str = r"<ListRolesResponse><ListRolesResult><IsTruncated>false</IsTruncated><Roles><member><Path>/</Path><RoleName>Known</RoleName>
<RoleId>AROAKNOWN</RoleId><Arn>arn:aws:iam::123456789012:role/Known</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate>
</member></Roles></ListRolesResult></ListRolesResponse>";

const TURNING: &str = r"<ListRolesResponse><ListRolesResult><IsTruncated>true</IsTruncated><Marker>m</Marker><Roles></Roles></ListRolesResult></ListRolesResponse>";

fn kind(name: &str) -> &'static Kind {
    schema::kind(name).unwrap()
}

fn query((kind, key): &(&str, &str)) -> Query {
    Query {
        kind: schema::kind(kind).unwrap(),
        key: (*key).to_owned(),
    }
}

/// A reader of a server that says who it is and then plays the script.
fn reader(script: &[Act]) -> (Reader, Server) {
    let mut all = vec![Act::Answer(200, CALLER)];
    all.extend(script);
    let server = Server::start(&all);
    let shared = Shared::new(client(&server));
    (Reader(Arc::new(shared)), server)
}

fn observe(reader: &Reader, queries: &[(&str, &str)]) -> Result<Observation, ProviderError> {
    let queries: Vec<_> = queries.iter().map(query).collect();
    run(reader.observe(&queries, 1))
}

fn found(observation: &Observation, kind: &str, key: &str) -> Reading {
    observation.readings[&(kind.to_owned(), key.to_owned())].clone()
}

fn wanted(kind: &'static Kind, key: &str, attributes: &[(&str, &str)]) -> Wanted {
    let attributes = attributes.iter();
    Wanted {
        address: DeclarationAddress::new("resource", "x").object(kind.name),
        instance: "aws".into(),
        kind,
        key: key.into(),
        attributes: attributes
            .map(|(name, text)| ((*name).to_owned(), Value::string(*text)))
            .collect(),
        depends_on: BTreeSet::new(),
        holders: BTreeSet::new(),
        lifecycle: Lifecycle::default(),
        span: Span {
            file: FileId(0),
            start: 0,
            end: 0,
        },
    }
}

#[test]
fn what_nobody_asks_for_is_not_read() {
    let (reader, server) = reader(&[]);
    let observation = observe(&reader, &[]).unwrap();
    assert!(observation.readings.is_empty());
    assert!(server.actions().is_empty());
}

#[test]
fn a_list_read_whole_tells_what_is_and_what_is_not() {
    let (reader, server) = reader(&[Act::Answer(200, DETAILS), Act::Answer(200, ROLES)]);
    let queries = [
        ("aws_iam_role", "Known"),
        ("aws_iam_role", "absent"),
        ("aws_iam_role_policy", "Known/by-plan"),
        ("aws_iam_role_policy", "absent/by-plan"),
        (
            "aws_iam_policy_attachment",
            "Known/arn:aws:iam::aws:policy/p",
        ),
        (
            "aws_iam_policy_attachment",
            "Known/arn:aws:iam::aws:policy/q",
        ),
    ];
    let observation = observe(&reader, &queries).unwrap();
    assert_eq!(
        server.actions(),
        [
            "GetCallerIdentity",
            "GetAccountAuthorizationDetails",
            "ListRoles"
        ]
    );
    let is_there = |at: usize| {
        let (kind, key) = queries[at];
        match found(&observation, kind, key) {
            Reading::Present(_) => true,
            Reading::Absent => false,
            Reading::Unreadable(error) => panic!("{error}"),
        }
    };
    let all: Vec<_> = (0..queries.len()).map(is_there).collect();
    assert_eq!(all, [true, false, false, false, true, false]);
    let others: Vec<_> = observation
        .others
        .iter()
        .map(|(kind, key)| format!("{kind} {key}"))
        .collect();
    // The prefix in another case is the prefix; who is asked for is no other.
    assert_eq!(
        others,
        [
            "aws_iam_role Remit-stray",
            "aws_iam_role_policy Known/by-hand"
        ]
    );
}

#[test]
fn another_spelling_is_in_the_way_unless_it_is_about_to_go() {
    let script = [Act::Answer(200, DETAILS), Act::Answer(200, ROLES)];
    let (one, _server) = reader(&script);
    let observation = observe(&one, &[("aws_iam_role", "known")]).unwrap();
    let Reading::Unreadable(error) = found(&observation, "aws_iam_role", "known") else {
        panic!("another spelling is neither present nor absent");
    };
    assert_eq!(error.kind, ErrorKind::Conflict);
    assert!(error.message.contains("`Known`"), "{error}");
    let (both, _server) = reader(&script);
    let queries = [("aws_iam_role", "known"), ("aws_iam_role", "Known")];
    let observation = observe(&both, &queries).unwrap();
    assert_eq!(
        found(&observation, "aws_iam_role", "known"),
        Reading::Absent
    );
}

#[test]
fn a_list_that_is_refused_or_broken_makes_nothing_absent() {
    for (script, says) in [
        (
            [Act::Answer(403, DENIED), Act::Answer(200, ROLES)],
            "not authorized",
        ),
        (
            [Act::Answer(200, DETAILS), Act::Answer(403, DENIED)],
            "not authorized",
        ),
        (
            [Act::Answer(200, "<R/>"), Act::Answer(200, ROLES)],
            "is not AWS's",
        ),
    ] {
        let (reader, _server) = reader(&script);
        let observation = observe(&reader, &[("aws_iam_role", "absent")]).unwrap();
        match found(&observation, "aws_iam_role", "absent") {
            Reading::Unreadable(error) => assert!(error.message.contains(says), "{error}"),
            other => panic!("{other:?}"),
        }
    }
    let (turning, _server) = reader(&[
        Act::Answer(200, DETAILS),
        Act::Answer(200, TURNING),
        Act::Answer(200, TURNING),
    ]);
    let observation = observe(&turning, &[("aws_iam_role", "absent")]).unwrap();
    let reading = found(&observation, "aws_iam_role", "absent");
    assert!(matches!(reading, Reading::Unreadable(_)), "{reading:?}");
}

#[test]
fn expired_credentials_stop_the_whole_reading() {
    let (reader, _server) = reader(&[Act::Answer(403, EXPIRED)]);
    let error = observe(&reader, &[("aws_iam_role", "x")]).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Denied);
    assert!(error.help.unwrap().contains("aws sso login"));
}

#[test]
fn a_broken_trust_is_told_unless_it_is_what_is_wanted() {
    let (reader, _server) = reader(&[Act::Answer(200, DETAILS), Act::Answer(200, ROLES)]);
    observe(&reader, &[("aws_iam_role", "Known")]).unwrap();
    let trust = |who: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{{"AWS":"{who}"}},"Action":"sts:AssumeRole"}}}}"#
        )
    };
    let role = |who: &str| {
        wanted(
            kind("aws_iam_role"),
            "Known",
            &[("assume_role_policy", &trust(who))],
        )
    };
    let by_arn = role("arn:aws:iam::123456789012:role/somebody");
    let told = run(reader.check(&[&by_arn]));
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].summary, "broken trust");
    assert!(told[0].detail.contains("AROAABCDEFGHIJKLMNOPQ"));
    let by_id = role("AROAABCDEFGHIJKLMNOPQ");
    assert!(run(reader.check(&[&by_id])).is_empty());
}
