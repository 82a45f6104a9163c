//! The strict AWS is as strict as it says: each refusal once, by raw requests, on a real moto.

mod behaves;

use super::shim::wire::{Answer, Call, decode};
use super::shim::{Shim, xml};

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}"#;

fn trusting(principal: &str) -> String {
    TRUST.replace("\"Service\":\"ec2.amazonaws.com\"", principal)
}

/// A policy of about this size.
fn large(size: usize) -> String {
    let name = "x".repeat(size - POLICY.len());
    POLICY.replace("s3:::b/*", &format!("s3:::b/{name}*"))
}

fn ask(shim: &Shim, action: &str, parameters: &[(&str, &str)]) -> Answer {
    shim.ask(&Call::iam(action, parameters)).unwrap()
}

/// A request that must be refused with this code; what AWS says.
fn refused(shim: &Shim, code: &str, action: &str, parameters: &[(&str, &str)]) -> String {
    let answer = ask(shim, action, parameters);
    assert_eq!(answer.code(), code, "{action}: {}", answer.body);
    xml::text(&answer.body, "Message").unwrap()
}

fn role(shim: &Shim, name: &str, trust: &str) -> String {
    shim.iam(
        "CreateRole",
        &[("RoleName", name), ("AssumeRolePolicyDocument", trust)],
    )
}

fn policy(shim: &Shim, name: &str) -> String {
    shim.iam(
        "CreatePolicy",
        &[("PolicyName", name), ("PolicyDocument", POLICY)],
    );
    shim.arn(&format!("policy/{name}"))
}

fn trust_of(shim: &Shim, name: &str) -> String {
    let told = ask(shim, "GetRole", &[("RoleName", name)]);
    decode(&xml::text(&told.body, "AssumeRolePolicyDocument").unwrap())
}

#[test]
fn a_trust_policy_names_somebody_who_exists() {
    let shim = Shim::start();
    let nobody = shim.arn("role/nobody");
    let trust = trusting(&format!("\"AWS\":\"{nobody}\""));
    let create = [("RoleName", "r"), ("AssumeRolePolicyDocument", &*trust)];
    let said = refused(&shim, "MalformedPolicyDocument", "CreateRole", &create);
    assert_eq!(
        said,
        format!("Invalid principal in policy: \"AWS\":\"{nobody}\"")
    );
    role(&shim, "nobody", TRUST);
    assert!(ask(&shim, "CreateRole", &create).is_ok());

    let without = trusting("").replace("\"Principal\":{},", "");
    let update = [("RoleName", "r"), ("PolicyDocument", &*without)];
    let said = refused(
        &shim,
        "MalformedPolicyDocument",
        "UpdateAssumeRolePolicy",
        &update,
    );
    assert_eq!(said, "Missing required field Principal");
    let service = trusting("\"Service\":\"ec2\"");
    let update = [("RoleName", "r"), ("PolicyDocument", &*service)];
    refused(
        &shim,
        "MalformedPolicyDocument",
        "UpdateAssumeRolePolicy",
        &update,
    );

    // Who lives in another account is looked up as well.
    let abroad = "arn:aws:iam::210987654321:role/caller";
    let foreign = trusting(&format!("\"AWS\":\"{abroad}\""));
    let update = [("RoleName", "r"), ("PolicyDocument", &*foreign)];
    refused(
        &shim,
        "MalformedPolicyDocument",
        "UpdateAssumeRolePolicy",
        &update,
    );
    shim.knows(abroad);
    assert!(ask(&shim, "UpdateAssumeRolePolicy", &update).is_ok());

    // A number is kept as the ARN of the account's root.
    let number = trusting(&format!("\"AWS\":\"{}\"", shim.account()));
    shim.iam(
        "UpdateAssumeRolePolicy",
        &[("RoleName", "r"), ("PolicyDocument", &number)],
    );
    assert!(trust_of(&shim, "r").contains(&shim.arn("root")));
}

#[test]
fn names_that_differ_in_case_alone_are_one() {
    let shim = Shim::start();
    role(&shim, "Reader", TRUST);
    let create = [("RoleName", "reader"), ("AssumeRolePolicyDocument", TRUST)];
    let said = refused(&shim, "EntityAlreadyExists", "CreateRole", &create);
    assert_eq!(said, "Role with name reader already exists.");
    policy(&shim, "P");
    let create = [
        ("PolicyName", "p"),
        ("Path", "/other/"),
        ("PolicyDocument", POLICY),
    ];
    refused(&shim, "EntityAlreadyExists", "CreatePolicy", &create);
    for (action, name) in [
        ("CreateUser", "UserName"),
        ("CreateGroup", "GroupName"),
        ("CreateInstanceProfile", "InstanceProfileName"),
    ] {
        shim.iam(action, &[(name, "Same")]);
        refused(&shim, "EntityAlreadyExists", action, &[(name, "sAME")]);
    }
    let long = "x".repeat(65);
    let create = [("RoleName", &*long), ("AssumeRolePolicyDocument", TRUST)];
    refused(&shim, "ValidationError", "CreateRole", &create);
}

#[test]
fn documents_have_limits_that_white_space_does_not_count_in() {
    let shim = Shim::start();
    role(&shim, "r", TRUST);
    let arn = policy(&shim, "p");
    let (fits, over) = (large(6144), large(6145));
    let said = refused(
        &shim,
        "LimitExceeded",
        "CreatePolicyVersion",
        &[("PolicyArn", &arn), ("PolicyDocument", &over)],
    );
    assert_eq!(said, "Cannot exceed quota for PolicySize: 6144");
    let spaced = fits.replace(',', ",\n     ");
    shim.iam(
        "CreatePolicyVersion",
        &[("PolicyArn", &arn), ("PolicyDocument", &spaced)],
    );

    let put = |name: &str, document: &str| {
        ask(
            &shim,
            "PutRolePolicy",
            &[
                ("RoleName", "r"),
                ("PolicyName", name),
                ("PolicyDocument", document),
            ],
        )
    };
    assert!(put("a", &large(5120)).is_ok());
    assert!(put("b", &large(5120)).is_ok(), "10,240 together");
    let over = put("c", POLICY);
    assert_eq!(over.code(), "LimitExceeded");
    assert!(
        over.body
            .contains("Maximum policy size of 10240 bytes exceeded for role r")
    );
    assert!(
        put("b", &large(5000)).is_ok(),
        "in the place of its former self"
    );

    let trust = trusting(&format!(
        "\"Service\":\"{}.amazonaws.com\"",
        "x".repeat(2048)
    ));
    let said = refused(
        &shim,
        "LimitExceeded",
        "UpdateAssumeRolePolicy",
        &[("RoleName", "r"), ("PolicyDocument", &trust)],
    );
    assert_eq!(said, "Cannot exceed quota for ACLSizePerRole: 2048");
}

#[test]
fn documents_are_read_strictly() {
    let shim = Shim::start();
    role(&shim, "r", TRUST);
    for document in [
        &*POLICY.replace(
            "\"Effect\":\"Allow\"",
            "\"Effect\":\"Allow\",\"Effect\":\"Deny\"",
        ),
        &*POLICY.replace("\"Effect\"", "\"Principal\":\"*\",\"Effect\""),
        "{",
        "[]",
    ] {
        refused(
            &shim,
            "MalformedPolicyDocument",
            "PutRolePolicy",
            &[
                ("RoleName", "r"),
                ("PolicyName", "p"),
                ("PolicyDocument", document),
            ],
        );
    }
    refused(
        &shim,
        "ValidationError",
        "CreatePolicy",
        &[
            ("PolicyName", "p"),
            ("PolicyDocument", &POLICY.replace("b/*", "\u{2603}/*")),
        ],
    );
}

#[test]
fn a_managed_policy_is_of_the_newer_version() {
    let shim = Shim::start();
    role(&shim, "r", &TRUST.replace("2012-10-17", "2008-10-17"));
    let old = POLICY.replace("\"Version\":\"2012-10-17\",", "");
    let create = [("PolicyName", "p"), ("PolicyDocument", &*old)];
    let said = refused(&shim, "MalformedPolicyDocument", "CreatePolicy", &create);
    assert_eq!(
        said,
        "Policy document must be version 2012-10-17 or greater."
    );
    let inline = [("RoleName", "r"), ("PolicyName", "p"), create[1]];
    assert!(ask(&shim, "PutRolePolicy", &inline).is_ok());
}

#[test]
fn nothing_goes_that_something_hangs_on() {
    let shim = Shim::start();
    role(&shim, "r", TRUST);
    let arn = policy(&shim, "p");
    let attachment = [("RoleName", "r"), ("PolicyArn", &*arn)];
    shim.iam("AttachRolePolicy", &attachment);
    let policy_arn = [("PolicyArn", &*arn)];
    let said = refused(&shim, "DeleteConflict", "DeletePolicy", &policy_arn);
    assert_eq!(said, "Cannot delete a policy attached to entities.");
    refused(&shim, "DeleteConflict", "DeleteRole", &[("RoleName", "r")]);
    shim.iam("DetachRolePolicy", &attachment);
    let version = [("PolicyArn", &*arn), ("PolicyDocument", POLICY)];
    shim.iam("CreatePolicyVersion", &version);
    refused(&shim, "DeleteConflict", "DeletePolicy", &policy_arn);
    shim.iam(
        "DeletePolicyVersion",
        &[("PolicyArn", &arn), ("VersionId", "v2")],
    );
    let bound = [("RoleName", "r"), ("PermissionsBoundary", &*arn)];
    shim.iam("PutRolePermissionsBoundary", &bound);
    refused(&shim, "DeleteConflict", "DeletePolicy", &policy_arn);
    shim.iam("DeleteRolePermissionsBoundary", &[("RoleName", "r")]);
    shim.iam("DeletePolicy", &policy_arn);

    let inline = [
        ("RoleName", "r"),
        ("PolicyName", "i"),
        ("PolicyDocument", POLICY),
    ];
    shim.iam("PutRolePolicy", &inline);
    let said = refused(&shim, "DeleteConflict", "DeleteRole", &[("RoleName", "r")]);
    assert_eq!(said, "Cannot delete entity, must delete policies first.");
    shim.iam(
        "DeleteRolePolicy",
        &[("RoleName", "r"), ("PolicyName", "i")],
    );
    shim.iam("CreateInstanceProfile", &[("InstanceProfileName", "m")]);
    let member = [("InstanceProfileName", "m"), ("RoleName", "r")];
    shim.iam("AddRoleToInstanceProfile", &member);
    let said = refused(&shim, "DeleteConflict", "DeleteRole", &[("RoleName", "r")]);
    assert!(said.contains("instance profile"), "{said}");
    shim.iam("RemoveRoleFromInstanceProfile", &member);
    shim.iam("DeleteRole", &[("RoleName", "r")]);
    shim.iam("DeleteInstanceProfile", &member[..1]);

    let user = [("UserName", "u")];
    shim.iam("CreateUser", &user);
    let key = shim.iam("CreateAccessKey", &user);
    let key = xml::text(&key, "AccessKeyId").unwrap();
    let said = refused(&shim, "DeleteConflict", "DeleteUser", &user);
    assert_eq!(said, "Cannot delete entity, must delete access keys first.");
    shim.iam(
        "DeleteAccessKey",
        &[("UserName", "u"), ("AccessKeyId", &key)],
    );
    shim.iam("CreateGroup", &[("GroupName", "g")]);
    let member = [("GroupName", "g"), ("UserName", "u")];
    shim.iam("AddUserToGroup", &member);
    refused(&shim, "DeleteConflict", "DeleteUser", &user);
    refused(
        &shim,
        "DeleteConflict",
        "DeleteGroup",
        &[("GroupName", "g")],
    );
    shim.iam("RemoveUserFromGroup", &member);
    shim.iam("DeleteGroup", &[("GroupName", "g")]);
    shim.iam("DeleteUser", &user);
    assert!(shim.dump().is_empty(), "{:?}", shim.dump());
}

#[test]
fn a_policy_has_five_versions_and_a_role_ten_policies() {
    let shim = Shim::start();
    let arn = policy(&shim, "p");
    let version = [
        ("PolicyArn", &*arn),
        ("PolicyDocument", POLICY),
        ("SetAsDefault", "true"),
    ];
    for _ in 0..4 {
        shim.iam("CreatePolicyVersion", &version);
    }
    refused(&shim, "LimitExceeded", "CreatePolicyVersion", &version);
    let default = [("PolicyArn", &*arn), ("VersionId", "v5")];
    refused(&shim, "DeleteConflict", "DeletePolicyVersion", &default);

    role(&shim, "r", TRUST);
    for number in 0..10 {
        let arn = policy(&shim, &format!("p{number}"));
        shim.iam(
            "AttachRolePolicy",
            &[("RoleName", "r"), ("PolicyArn", &arn)],
        );
    }
    let said = refused(
        &shim,
        "LimitExceeded",
        "AttachRolePolicy",
        &[("RoleName", "r"), ("PolicyArn", &arn)],
    );
    assert_eq!(said, "Cannot exceed quota for PoliciesPerRole: 10");
}
