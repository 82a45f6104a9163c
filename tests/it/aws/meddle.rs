//! Changing one attribute of a live object as somebody else would: by AWS's own API, with
//! everything else as it is.

use serde_json::{Value as Json, json};

use super::shim::Shim;

const OTHER: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:DeleteObject","Resource":"*"}]}"#;
const ANYBODY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}"#;

/// Kind and attribute of every change that [`meddle`] knows.
pub(crate) const MEDDLINGS: [(&str, &str); 26] = [
    ("aws_iam_role", "assume_role_policy"),
    ("aws_iam_role", "description"),
    ("aws_iam_role", "max_session_duration"),
    ("aws_iam_role", "permissions_boundary"),
    ("aws_iam_role", "tags"),
    ("aws_iam_role_policy", "policy"),
    ("aws_iam_policy", "policy"),
    ("aws_iam_policy", "tags"),
    ("aws_iam_openid_connect_provider", "client_id_list"),
    ("aws_iam_openid_connect_provider", "thumbprint_list"),
    ("aws_iam_openid_connect_provider", "tags"),
    ("aws_iam_user", "path"),
    ("aws_iam_user", "permissions_boundary"),
    ("aws_iam_user", "tags"),
    ("aws_iam_group", "path"),
    ("aws_iam_instance_profile", "role"),
    ("aws_iam_instance_profile", "tags"),
    ("aws_secretsmanager_secret", "description"),
    ("aws_secretsmanager_secret", "kms_key_id"),
    ("aws_secretsmanager_secret", "policy"),
    ("aws_secretsmanager_secret", "rotation_lambda_arn"),
    (
        "aws_secretsmanager_secret",
        "rotation_automatically_after_days",
    ),
    ("aws_secretsmanager_secret", "rotation_schedule_expression"),
    ("aws_secretsmanager_secret", "rotation_duration"),
    ("aws_secretsmanager_secret", "recovery_window"),
    ("aws_secretsmanager_secret", "tags"),
];

/// Changes one attribute of the object of this kind that the contract's configuration makes.
pub(crate) fn meddle(shim: &Shim, kind: &str, attribute: &str) {
    let reader = shim.arn("policy/team/reader");
    let provider = shim.arn("oidc-provider/issuer.example.com/x");
    let tag = [
        ("Tags.member.1.Key", "team"),
        ("Tags.member.1.Value", "theirs"),
    ];
    let role = ("RoleName", "agent");
    let user = ("UserName", "robot");
    let profile = ("InstanceProfileName", "machine");
    let provider = ("OpenIDConnectProviderArn", &*provider);
    let policy = ("PolicyArn", &*reader);
    let tagged =
        |action: &str, whose: (&str, &str)| drop(shim.iam(action, &[whose, tag[0], tag[1]]));
    let iam = |action: &str, parameters: &[(&str, &str)]| drop(shim.iam(action, parameters));
    let secret = |action: &str, more: Json| {
        let mut body = json!({"SecretId": "team/token"});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        shim.secrets(action, &body);
    };
    let rotate = |more: Json| {
        let mut body = json!({"RotateImmediately": false,
            "RotationRules": {"ScheduleExpression": "rate(10 days)", "Duration": "3h"}});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        secret("RotateSecret", body);
    };
    match (kind.trim_start_matches("aws_"), attribute) {
        ("iam_role", "assume_role_policy") => {
            iam(
                "UpdateAssumeRolePolicy",
                &[role, ("PolicyDocument", ANYBODY)],
            );
        }
        ("iam_role", "description") => iam(
            "UpdateRole",
            &[
                role,
                ("Description", "theirs"),
                ("MaxSessionDuration", "7200"),
            ],
        ),
        ("iam_role", "max_session_duration") => {
            iam("UpdateRole", &[role, ("MaxSessionDuration", "10800")]);
        }
        ("iam_role", "permissions_boundary") => iam("DeleteRolePermissionsBoundary", &[role]),
        ("iam_role", "tags") => tagged("TagRole", role),
        ("iam_role_policy", "policy") => iam(
            "PutRolePolicy",
            &[role, ("PolicyName", "inline"), ("PolicyDocument", OTHER)],
        ),
        ("iam_policy", "policy") => iam(
            "CreatePolicyVersion",
            &[policy, ("PolicyDocument", OTHER), ("SetAsDefault", "true")],
        ),
        ("iam_policy", "tags") => tagged("TagPolicy", policy),
        ("iam_openid_connect_provider", "client_id_list") => {
            iam(
                "AddClientIDToOpenIDConnectProvider",
                &[provider, ("ClientID", "theirs")],
            );
        }
        ("iam_openid_connect_provider", "thumbprint_list") => {
            let theirs = "f".repeat(40);
            iam(
                "UpdateOpenIDConnectProviderThumbprint",
                &[provider, ("ThumbprintList.member.1", &theirs)],
            );
        }
        ("iam_openid_connect_provider", "tags") => tagged("TagOpenIDConnectProvider", provider),
        ("iam_user", "path") => iam("UpdateUser", &[user, ("NewPath", "/theirs/")]),
        ("iam_user", "permissions_boundary") => iam(
            "PutUserPermissionsBoundary",
            &[user, ("PermissionsBoundary", &reader)],
        ),
        ("iam_user", "tags") => tagged("TagUser", user),
        ("iam_group", "path") => {
            iam(
                "UpdateGroup",
                &[("GroupName", "robots"), ("NewPath", "/theirs/")],
            );
        }
        ("iam_instance_profile", "role") => iam(
            "RemoveRoleFromInstanceProfile",
            &[profile, ("RoleName", "caller")],
        ),
        ("iam_instance_profile", "tags") => tagged("TagInstanceProfile", profile),
        ("secretsmanager_secret", "description") => secret(
            "UpdateSecret",
            json!({"Description": "theirs", "ClientRequestToken": "a".repeat(32)}),
        ),
        ("secretsmanager_secret", "kms_key_id") => secret(
            "UpdateSecret",
            json!({"KmsKeyId": "alias/theirs", "ClientRequestToken": "b".repeat(32)}),
        ),
        ("secretsmanager_secret", "policy") => secret("DeleteResourcePolicy", json!({})),
        ("secretsmanager_secret", "rotation_lambda_arn") => rotate(
            json!({"RotationLambdaARN": format!("arn:aws:lambda:eu-west-1:{}:function:theirs", shim.account())}),
        ),
        ("secretsmanager_secret", "rotation_automatically_after_days") => {
            rotate(json!({"RotationRules": {"AutomaticallyAfterDays": 5}}));
        }
        ("secretsmanager_secret", "rotation_schedule_expression") => {
            rotate(
                json!({"RotationRules": {"ScheduleExpression": "rate(20 days)", "Duration": "3h"}}),
            );
        }
        ("secretsmanager_secret", "rotation_duration") => {
            rotate(
                json!({"RotationRules": {"ScheduleExpression": "rate(10 days)", "Duration": "4h"}}),
            );
        }
        ("secretsmanager_secret", "recovery_window") => secret(
            "UntagResource",
            json!({"TagKeys": ["remit:recovery_window"]}),
        ),
        ("secretsmanager_secret", "tags") => secret(
            "TagResource",
            json!({"Tags": [{"Key": "team", "Value": "theirs"}]}),
        ),
        (kind, attribute) => panic!("no way to meddle with the {attribute} of {kind}"),
    }
}
