//! The ways in which permissions of AWS are known to add up to more, as a table.
//!
//! They are those that Rhino Security Labs ("AWS IAM Privilege Escalation – Methods and
//! Mitigation") and the catalogue pathfinding.cloud describe, and of HackTricks Cloud those through
//! identity providers, each held against the Service Authorization Reference for the actions that
//! it takes; what audiences and tags lead to follows from the IAM User Guide.

mod passed;
mod running;

/// Services by the names under which roles trust them.
const AGENTCORE: &str = "bedrock-agentcore.amazonaws.com";
const APP_RUNNER: &str = "tasks.apprunner.amazonaws.com";
/// It vouches for whom it knows, and isn't trusted as a service.
pub(super) const COGNITO: &str = "cognito-identity.amazonaws.com";
const EC2: &str = "ec2.amazonaws.com";
const LAMBDA: &str = "lambda.amazonaws.com";
const GLUE: &str = "glue.amazonaws.com";
const CLOUDFORMATION: &str = "cloudformation.amazonaws.com";
const CODEBUILD: &str = "codebuild.amazonaws.com";
const SAGEMAKER: &str = "sagemaker.amazonaws.com";
const STATES: &str = "states.amazonaws.com";
const TASKS: &str = "ecs-tasks.amazonaws.com";

/// What a method is about; each that there is in the account is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A managed policy that it holds, or that bounds it.
    HeldPolicy,
    /// Itself, where it is a role.
    ItselfAsRole,
    /// Itself, where it is a user.
    ItselfAsUser,
    /// Itself, where it is a role with a boundary.
    BoundedRole,
    /// Itself, where it is a user with a boundary.
    BoundedUser,
    /// Itself, where it is a role of which an inline policy denies something.
    RoleDeniedInline,
    /// Itself, where it is a role of which an attached policy denies something.
    RoleDeniedAttached,
    /// Itself, where it is a role of whose policies one asks for its tags.
    TaggedRole,
    /// The same, where it is a user.
    TaggedUser,
    /// Another user.
    User,
    /// A group.
    Group,
    /// Another role.
    Role,
    /// Another role that trusts an identity provider, of which this is changed.
    Vouched(Change),
    /// Another role that it may assume.
    AssumableRole,
    /// A managed policy that such a role holds.
    AssumablePolicy,
    /// Another role that trusts this service, and that it may pass to it.
    Passed(&'static str),
    /// Another role that trusts this service, and that may run what the action changes.
    Running(&'static str),
    /// A role that isn't there yet.
    NewRole,
    /// A user that isn't there yet.
    NewUser,
}

/// What is changed of an identity provider, on which the action is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// The keys that a SAML provider signs with.
    Keys,
    /// The certificates by which AWS knows an OIDC provider's server.
    Thumbprints,
    /// For whom an OIDC provider's tokens may be.
    Audiences,
}

/// Where an action is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum On {
    /// On the target.
    Target,
    /// Anywhere.
    Somewhere,
}

/// A way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Method {
    pub(super) name: &'static str,
    pub(super) target: Target,
    /// Of each of these one action is needed.
    pub(super) needs: &'static [(&'static [&'static str], On)],
    /// What one does; `{}` is the target.
    pub(super) how: &'static str,
}

impl Method {
    /// Whether it writes the policies of another that it becomes.
    pub(super) fn writes_policies(&self) -> bool {
        [
            "attach-policy-to-assumable-role",
            "put-policy-of-assumable-role",
            "write-policy-of-user",
            "write-policy-of-role",
        ]
        .contains(&self.name)
    }
}

const fn one(
    name: &'static str,
    target: Target,
    needs: &'static [(&'static [&'static str], On)],
    how: &'static str,
) -> Method {
    Method {
        name,
        target,
        needs,
        how,
    }
}

use On::Target as OnIt;
use Target::{
    AssumablePolicy, AssumableRole, BoundedRole, BoundedUser, Group, HeldPolicy, ItselfAsRole,
    ItselfAsUser, NewRole, NewUser, Role, RoleDeniedAttached, RoleDeniedInline, TaggedRole,
    TaggedUser, User, Vouched,
};
use passed::PASSED;
use running::RUNNING;

/// The ways.
pub(super) fn methods() -> impl Iterator<Item = &'static Method> {
    IDENTITIES.iter().chain(PASSED).chain(RUNNING)
}

const IDENTITIES: &[Method] = &[
    // ---- its own policies
    one(
        "create-policy-version",
        HeldPolicy,
        &[(&["iam:CreatePolicyVersion"], OnIt)],
        "writes a new version of {}, which it holds",
    ),
    one(
        "set-default-policy-version",
        HeldPolicy,
        &[(&["iam:SetDefaultPolicyVersion"], OnIt)],
        "goes back to an earlier version of {}, which it holds",
    ),
    one(
        "attach-role-policy",
        ItselfAsRole,
        &[(&["iam:AttachRolePolicy"], OnIt)],
        "attaches any managed policy to itself, {}",
    ),
    one(
        "put-role-policy",
        ItselfAsRole,
        &[(&["iam:PutRolePolicy"], OnIt)],
        "writes any inline policy for itself, {}",
    ),
    one(
        "attach-user-policy",
        ItselfAsUser,
        &[(&["iam:AttachUserPolicy"], OnIt)],
        "attaches any managed policy to itself, {}",
    ),
    one(
        "put-user-policy",
        ItselfAsUser,
        &[(&["iam:PutUserPolicy"], OnIt)],
        "writes any inline policy for itself, {}",
    ),
    one(
        "attach-group-policy",
        Group,
        &[(&["iam:AttachGroupPolicy"], OnIt)],
        "attaches any managed policy to {}",
    ),
    one(
        "put-group-policy",
        Group,
        &[(&["iam:PutGroupPolicy"], OnIt)],
        "writes any inline policy for {}",
    ),
    one(
        "add-user-to-group",
        Group,
        &[(&["iam:AddUserToGroup"], OnIt)],
        "joins {}",
    ),
    // ---- what holds it back
    one(
        "delete-role-boundary",
        BoundedRole,
        &[(&["iam:DeleteRolePermissionsBoundary"], OnIt)],
        "takes the permission boundary off itself, {}",
    ),
    one(
        "put-role-boundary",
        BoundedRole,
        &[(&["iam:PutRolePermissionsBoundary"], OnIt)],
        "puts a wider permission boundary on itself, {}",
    ),
    one(
        "delete-user-boundary",
        BoundedUser,
        &[(&["iam:DeleteUserPermissionsBoundary"], OnIt)],
        "takes the permission boundary off itself, {}",
    ),
    one(
        "put-user-boundary",
        BoundedUser,
        &[(&["iam:PutUserPermissionsBoundary"], OnIt)],
        "puts a wider permission boundary on itself, {}",
    ),
    one(
        "delete-denying-policy",
        RoleDeniedInline,
        &[(&["iam:DeleteRolePolicy"], OnIt)],
        "deletes an inline policy that denies it something, from itself, {}",
    ),
    one(
        "detach-denying-policy",
        RoleDeniedAttached,
        &[(&["iam:DetachRolePolicy"], OnIt)],
        "detaches a policy that denies it something, from itself, {}",
    ),
    one(
        "tag-own-role",
        TaggedRole,
        &[(&["iam:TagRole", "iam:UntagRole"], OnIt)],
        "changes the tags that its policies ask for, of itself, {}",
    ),
    one(
        "tag-own-user",
        TaggedUser,
        &[(&["iam:TagUser", "iam:UntagUser"], OnIt)],
        "changes the tags that its policies ask for, of itself, {}",
    ),
    // ---- others
    one(
        "create-access-key",
        User,
        &[(&["iam:CreateAccessKey"], OnIt)],
        "makes an access key of {}",
    ),
    one(
        "create-login-profile",
        User,
        &[(&["iam:CreateLoginProfile"], OnIt)],
        "gives {} a password for the console",
    ),
    one(
        "update-login-profile",
        User,
        &[(&["iam:UpdateLoginProfile"], OnIt)],
        "sets the password of {}",
    ),
    one(
        "update-assume-role-policy",
        Role,
        &[(&["iam:UpdateAssumeRolePolicy"], OnIt)],
        "writes into the trust policy of {} that it may assume it",
    ),
    one(
        "write-policy-of-user",
        User,
        &[
            (&["iam:AttachUserPolicy", "iam:PutUserPolicy"], OnIt),
            (
                &[
                    "iam:CreateAccessKey",
                    "iam:CreateLoginProfile",
                    "iam:UpdateLoginProfile",
                ],
                OnIt,
            ),
        ],
        "gives {} any policy, and itself a credential to go with it",
    ),
    one(
        "write-policy-of-role",
        Role,
        &[
            (&["iam:AttachRolePolicy", "iam:PutRolePolicy"], OnIt),
            (&["iam:UpdateAssumeRolePolicy"], OnIt),
        ],
        "gives {} any policy, and a trust policy by which it may assume it",
    ),
    one(
        "update-saml-provider",
        Vouched(Change::Keys),
        &[(&["iam:UpdateSAMLProvider"], OnIt)],
        "logs in as {} by a key of its own, which it gives a SAML provider",
    ),
    one(
        "update-oidc-thumbprint",
        Vouched(Change::Thumbprints),
        &[(&["iam:UpdateOpenIDConnectProviderThumbprint"], OnIt)],
        "logs in as {} by keys of its own, with a certificate that it has an OIDC provider take",
    ),
    one(
        "add-oidc-audience",
        Vouched(Change::Audiences),
        &[(&["iam:AddClientIDToOpenIDConnectProvider"], OnIt)],
        "logs in as {} by a token for another audience, which it has an OIDC provider take",
    ),
    one(
        "attach-policy-to-assumable-role",
        AssumableRole,
        &[(&["iam:AttachRolePolicy"], OnIt)],
        "attaches any managed policy to {}, which it may assume",
    ),
    one(
        "put-policy-of-assumable-role",
        AssumableRole,
        &[(&["iam:PutRolePolicy"], OnIt)],
        "writes any inline policy for {}, which it may assume",
    ),
    one(
        "create-version-of-assumable-role",
        AssumablePolicy,
        &[(
            &["iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"],
            OnIt,
        )],
        "writes a new version of {}, which it may assume, or goes back to an earlier one",
    ),
    one("assume-role", AssumableRole, &[], "assumes {}"),
    one(
        "create-role",
        NewRole,
        &[
            (&["iam:CreateRole"], OnIt),
            (&["iam:AttachRolePolicy", "iam:PutRolePolicy"], OnIt),
        ],
        "makes {} that trusts it, with any policy",
    ),
    one(
        "create-user",
        NewUser,
        &[
            (&["iam:CreateUser"], OnIt),
            (&["iam:AttachUserPolicy", "iam:PutUserPolicy"], OnIt),
            (&["iam:CreateAccessKey", "iam:CreateLoginProfile"], OnIt),
        ],
        "makes {} with any policy, and a credential for it",
    ),
];
