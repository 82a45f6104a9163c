//! Writes against a scripted server: which calls they take, in which order, and what is waited
//! for.
//!
//! In comes a script of answers, out goes the order of the calls. What AWS makes of them is for
//! tests against a whole server.

use std::collections::BTreeMap;

use super::*;
use crate::client::tests::{Act, CALLER, Server, client, run};
use crate::{normal, schema};
use remit_sdk::Mark;

const MADE: &str = r"<CreateRoleResponse><CreateRoleResult><Role><Path>/</Path><RoleName>first</RoleName><RoleId>AROAFIRST</RoleId>
<Arn>arn:aws:iam::123456789012:role/first</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate></Role></CreateRoleResult></CreateRoleResponse>";

const INVALID_PRINCIPAL: &str = r#"<ErrorResponse><Error><Code>MalformedPolicyDocument</Code>
<Message>Invalid principal in policy: "AWS":"arn:aws:iam::123456789012:role/first"</Message></Error></ErrorResponse>"#;

const NO_ROLE: &str = "<ErrorResponse><Error><Code>NoSuchEntity</Code><Message>The role with name first cannot be found.</Message></Error></ErrorResponse>";

const DONE: &str = "<R/>";

const VERSIONS: &str = r"<ListPolicyVersionsResponse><ListPolicyVersionsResult><IsTruncated>false</IsTruncated><Versions>
<member><VersionId>v6</VersionId><IsDefaultVersion>false</IsDefaultVersion></member>
<member><VersionId>v5</VersionId><IsDefaultVersion>false</IsDefaultVersion></member>
<member><VersionId>v4</VersionId><IsDefaultVersion>false</IsDefaultVersion></member>
<member><VersionId>v3</VersionId><IsDefaultVersion>false</IsDefaultVersion></member>
<member><VersionId>v1</VersionId><IsDefaultVersion>true</IsDefaultVersion></member>
</Versions></ListPolicyVersionsResult></ListPolicyVersionsResponse>";

const CREATED_VERSION: &str = "<CreatePolicyVersionResponse><CreatePolicyVersionResult><PolicyVersion/></CreatePolicyVersionResult></CreatePolicyVersionResponse>";

const POLICY: &str = r"<GetPolicyResponse><GetPolicyResult><Policy><PolicyName>p</PolicyName><PolicyId>ANPAX</PolicyId>
<Arn>arn:aws:iam::123456789012:policy/p</Arn><DefaultVersionId>v7</DefaultVersionId></Policy></GetPolicyResult></GetPolicyResponse>";

const ENTITIES: &str = r"<ListEntitiesForPolicyResponse><ListEntitiesForPolicyResult><IsTruncated>false</IsTruncated><PolicyGroups/><PolicyUsers/>
<PolicyRoles><member><RoleName>theirs</RoleName></member></PolicyRoles></ListEntitiesForPolicyResult></ListEntitiesForPolicyResponse>";

const HOLDS_INLINE: &str = r"<ListRolePoliciesResponse><ListRolePoliciesResult><IsTruncated>false</IsTruncated><PolicyNames>
<member>by-hand</member></PolicyNames></ListRolePoliciesResult></ListRolePoliciesResponse>";

const HOLDS_NOTHING: &str = r"<ListAttachedRolePoliciesResponse><ListAttachedRolePoliciesResult><IsTruncated>false</IsTruncated>
<AttachedPolicies/></ListAttachedRolePoliciesResult></ListAttachedRolePoliciesResponse>";

const NO_PROFILES: &str = r"<ListInstanceProfilesForRoleResponse><ListInstanceProfilesForRoleResult><IsTruncated>false</IsTruncated>
<InstanceProfiles/></ListInstanceProfilesForRoleResult></ListInstanceProfilesForRoleResponse>";

const HELD: &str = "<ErrorResponse><Error><Code>DeleteConflict</Code><Message>Cannot delete entity, must delete policies first.</Message></Error></ErrorResponse>";

fn trust(role: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::123456789012:{role}"}},"Action":"sts:AssumeRole"}}]}}"#
    )
}

fn writer(script: &[Act]) -> (Writer, Server) {
    let mut all = vec![Act::Answer(200, CALLER)];
    all.extend(script);
    let server = Server::start(&all);
    (Writer::new(Arc::new(Shared::new(client(&server)))), server)
}

/// What a write is about: kind, key, attributes; all of them change.
fn request<T>(
    kind: &str,
    key: &str,
    attributes: &[(&str, &str)],
    with: impl FnOnce(WriteRequest<'_>) -> T,
) -> T {
    let kind = schema::kind(kind).unwrap();
    let attributes: BTreeMap<String, Value> = attributes
        .iter()
        .map(|(name, text)| {
            let value = normal::normalise(kind, name, &Value::string(*text)).unwrap();
            ((*name).to_owned(), value)
        })
        .collect();
    let mark = Mark {
        lineage: "l".into(),
        address: "a".into(),
    };
    with(WriteRequest {
        kind,
        key,
        expected: &Expected::Absent,
        attributes: &attributes,
        changed: &attributes.keys().cloned().collect(),
        unset: &BTreeSet::new(),
        secrets: &BTreeMap::new(),
        mark: &mark,
    })
}

fn create_role(writer: &Writer, name: &str, trusted: &str) -> Result<Written, ProviderError> {
    let attributes = [("name", name), ("assume_role_policy", &trust(trusted))];
    request("aws_iam_role", name, &attributes, |request| {
        run(writer.create(request))
    })
}

#[test]
fn a_principal_made_just_before_is_waited_for() {
    let (writer, server) = writer(&[
        Act::Answer(200, MADE),
        Act::Answer(400, INVALID_PRINCIPAL),
        Act::Answer(200, MADE),
        Act::Answer(404, NO_ROLE),
        Act::Answer(200, DONE),
    ]);
    create_role(&writer, "first", "root").unwrap();
    create_role(&writer, "second", "role/first").unwrap();
    let attributes = [
        ("role", "first"),
        ("policy_arn", "arn:aws:iam::aws:policy/p"),
    ];
    request(
        "aws_iam_policy_attachment",
        "first/arn:aws:iam::aws:policy/p",
        &attributes,
        |request| run(writer.create(request)),
    )
    .unwrap();
    let actions = server.actions();
    assert_eq!(
        actions,
        [
            "GetCallerIdentity",
            "CreateRole",
            "CreateRole",
            "CreateRole",
            "AttachRolePolicy",
            "AttachRolePolicy"
        ]
    );
}

#[test]
fn a_name_written_wrong_fails_at_once() {
    let (one, server) = writer(&[Act::Answer(400, INVALID_PRINCIPAL)]);
    let error = create_role(&one, "second", "role/first").unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid);
    assert_eq!(server.actions(), ["GetCallerIdentity", "CreateRole"]);

    let (other, server) = writer(&[Act::Answer(404, NO_ROLE)]);
    let attributes = [
        ("role", "first"),
        ("name", "p"),
        (
            "policy",
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}}"#,
        ),
    ];
    let error = request("aws_iam_role_policy", "first/p", &attributes, |request| {
        run(other.create(request))
    });
    assert_eq!(error.unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(server.actions(), ["GetCallerIdentity", "PutRolePolicy"]);
}

#[test]
fn a_sixth_version_gets_room_first() {
    let (writer, server) = writer(&[
        Act::Answer(200, VERSIONS),
        Act::Answer(200, DONE),
        Act::Answer(200, CREATED_VERSION),
        Act::Answer(200, POLICY),
        Act::Answer(200, DONE),
    ]);
    let attributes = [(
        "policy",
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}}"#,
    )];
    let written = request("aws_iam_policy", "policy/p", &attributes, |request| {
        run(writer.update(request))
    });
    let warnings = written.unwrap().warnings;
    assert!(warnings[0].contains("version `v3`"), "{warnings:?}");
    assert_eq!(
        server.actions(),
        [
            "GetCallerIdentity",
            "ListPolicyVersions",
            "DeletePolicyVersion",
            "CreatePolicyVersion",
            "GetPolicy",
            "TagPolicy"
        ]
    );
}

#[test]
fn a_policy_in_use_keeps_its_versions() {
    let (writer, server) = writer(&[Act::Answer(200, ENTITIES)]);
    let kind = schema::kind("aws_iam_policy").unwrap();
    let error = run(writer.delete(kind, "policy/p", &Expected::Absent)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Conflict);
    assert!(error.message.contains("`theirs`"), "{error}");
    assert_eq!(
        server.actions(),
        ["GetCallerIdentity", "ListEntitiesForPolicy"]
    );
}

#[test]
fn what_keeps_a_role_is_named_and_left_alone() {
    let (writer, server) = writer(&[
        Act::Answer(409, HELD),
        Act::Answer(200, HOLDS_INLINE),
        Act::Answer(200, HOLDS_NOTHING),
        Act::Answer(200, NO_PROFILES),
    ]);
    let kind = schema::kind("aws_iam_role").unwrap();
    let error = run(writer.delete(kind, "r", &Expected::Absent)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Conflict);
    assert!(
        error.message.contains("the inline policy `by-hand`"),
        "{error}"
    );
    let writes: Vec<_> = server
        .actions()
        .into_iter()
        .filter(|action| !action.starts_with("List") && action != "GetCallerIdentity")
        .collect();
    assert_eq!(writes, ["DeleteRole"]);
}

#[test]
fn a_secret_of_vault_is_not_looked_for_here() {
    let (writer, server) = writer(&[]);
    let error = run(writer.secret("kv/data/x", "field")).err().unwrap();
    assert_eq!(error.kind, ErrorKind::Invalid);
    assert!(server.actions().is_empty());
}
