//! The kinds as one table: what each is, its key, its attributes with the defaults AWS has.
//! Validation, reading, diffing, writing and the reference pages follow from it; normal forms are
//! in `normal`, policy documents in `document`.
//!
//! Names and defaults are those of the API references of IAM (2010-05-08) and Secrets Manager
//! (2017-10-17).

use remit_sdk::attribute::{
    admits, computed, grants, holds, immutable, integer, key, map, optional, required, set, text,
    volatile,
};
use remit_sdk::schema::{Container, Default, Role, Shape};
use remit_sdk::{Attribute, Kind, Value};

use crate::document;

/// The kinds of this provider, in the order of the reference pages.
pub fn kinds() -> &'static [Kind] {
    &KINDS
}

/// The kind of this name.
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

/// What a role holds outlives it: AWS refuses to delete a role that still has policies.
const IN_ROLE: Option<Container> = Some(Container {
    kind: "aws_iam_role",
    attribute: "role",
    takes_along: false,
});

const TAGGED: Option<&str> = Some("the tags `remit:lineage` and `remit:address`");

/// The role's shortest and default longest session, in seconds.
pub(crate) const SESSION_SECONDS_MIN: i64 = 3600;
/// The longest session any role may give, in seconds.
pub(crate) const SESSION_SECONDS_MAX: i64 = 12 * 3600;

/// How long a removed secret can be restored where nobody says it, in seconds: AWS's own default.
pub(crate) const RECOVERY_SECONDS_DEFAULT: i64 = 30 * 86_400;

/// A policy document, required.
const fn document(name: &'static str, summary: &'static str) -> Attribute {
    Attribute {
        same: Some(document::same),
        ..required(name, Shape::Policy, summary)
    }
}

/// A path of IAM, which is part of the ARN and not of the name.
const fn path(summary: &'static str) -> Attribute {
    optional("path", Shape::String, Default::String("/"), summary)
}

const fn tags() -> Attribute {
    map(
        "tags",
        "Tags by key, those of the ownership mark left out; `aws:` and `remit:` are reserved",
    )
}

const fn boundary() -> Attribute {
    holds(
        "aws_iam_policy",
        false,
        grants(text(
            "permissions_boundary",
            "The ARN of the managed policy that bounds what it can do; empty is none",
        )),
    )
}

const fn arn() -> Attribute {
    computed(
        "arn",
        Shape::String,
        "Its ARN; computed from the account, so it is known at plan",
    )
}

/// What may be there and nothing else: present names that are listed are not this attribute's
/// business, present names that aren't are removed.
const fn exclusive(name: &'static str, summary: &'static str) -> Attribute {
    Attribute {
        volatile: true,
        lets_go: true,
        same: Some(is_within),
        ..optional(name, Shape::Set, Default::None, summary)
    }
}

/// Whether all that is live is allowed.
fn is_within(allowed: &Value, live: &Value) -> bool {
    match (allowed, live) {
        (Value::Set(allowed), Value::Set(live)) => live.is_subset(allowed),
        _ => allowed == live,
    }
}

static KINDS: [Kind; 9] = [
    Kind {
        name: "aws_iam_role",
        version: 1,
        summary: "A role: who may assume it, for how long, within which boundary",
        key: "{name}",
        container: None,
        role: Role::Binding,
        mark: TAGGED,
        attributes: &[
            key(
                "name",
                "Its name; names that differ in case alone are one to AWS",
            ),
            immutable(path("Its path, between slashes")),
            admits(document(
                "assume_role_policy",
                "The trust policy in JSON: who may assume the role; compared in meaning",
            )),
            text("description", "What it is for"),
            optional(
                "max_session_duration",
                Shape::Duration,
                Default::Integer(SESSION_SECONDS_MIN),
                "The longest session it gives, in seconds: 1h to 12h",
            ),
            boundary(),
            tags(),
            exclusive(
                "inline_policies",
                "Names of the only inline policies it may have: a plan removes others, by name. Left out, others are left alone",
            ),
            exclusive(
                "attached_policies",
                "ARNs of the only managed policies that may be attached to it: a plan detaches others, by name. Left out, others are left alone",
            ),
            arn(),
            computed(
                "unique_id",
                Shape::String,
                "Its id, `AROA…`: another role under the same name has another one",
            ),
        ],
        computed_from: &["name", "path"],
        requests: "GetAccountAuthorizationDetails and ListRoles, in pages, read all roles with their policies. \
                   A create is one request, an update one for each of trust, settings, boundary and tags.",
    },
    Kind {
        name: "aws_iam_role_policy",
        version: 1,
        summary: "An inline policy of a role",
        key: "{role}/{name}",
        container: IN_ROLE,
        role: Role::Grant,
        mark: None,
        attributes: &[
            key("role", "The role's name"),
            key("name", "Its name within the role"),
            document("policy", "What it allows, in JSON; compared in meaning"),
        ],
        computed_from: &[],
        requests: "Read with the roles. Each write is one request.",
    },
    Kind {
        name: "aws_iam_policy",
        version: 1,
        summary: "A managed policy",
        key: "policy{path}{name}",
        container: None,
        role: Role::Grant,
        mark: TAGGED,
        attributes: &[
            immutable(path("Its path, between slashes")),
            key(
                "name",
                "Its name; names that differ in case alone are one to AWS",
            ),
            document("policy", "What it allows, in JSON; compared in meaning"),
            immutable(text("description", "What it is for; AWS can't change it")),
            tags(),
            arn(),
            volatile(computed(
                "default_version_id",
                Shape::String,
                "The version that counts, `v1`; AWS keeps five and remit removes the oldest other one when it needs room",
            )),
        ],
        computed_from: &["name", "path"],
        requests: "Read with the roles, and one GetPolicy for the tags of each one asked for. An update makes a \
                   version: one ListPolicyVersions, one CreatePolicyVersion, and one DeletePolicyVersion where five are there.",
    },
    Kind {
        name: "aws_iam_policy_attachment",
        version: 1,
        summary: "One managed policy attached to one role; never exclusive",
        key: "{role}/{policy_arn}",
        container: IN_ROLE,
        role: Role::Grant,
        mark: None,
        attributes: &[
            key("role", "The role's name"),
            holds(
                "aws_iam_policy",
                true,
                key("policy_arn", "The policy's ARN"),
            ),
        ],
        computed_from: &[],
        requests: "Read with the roles. Each write is one request.",
    },
    Kind {
        name: "aws_iam_openid_connect_provider",
        version: 1,
        summary: "An issuer of web identity tokens that this account accepts",
        key: "{url}",
        container: None,
        role: Role::Config,
        mark: TAGGED,
        attributes: &[
            key(
                "url",
                "The issuer's URL, the `iss` of its tokens, with `https://`",
            ),
            set("client_id_list", "The audiences it accepts"),
            Attribute {
                lets_go: true,
                ..optional(
                    "thumbprint_list",
                    Shape::Set,
                    Default::None,
                    "SHA-1 thumbprints of the CAs of its key server; left out, AWS takes its own",
                )
            },
            tags(),
            arn(),
        ],
        computed_from: &["url"],
        requests: "One ListOpenIDConnectProviders, and one GetOpenIDConnectProvider for each one asked for. An \
                   update is one request for each audience, one for the thumbprints, one for tags.",
    },
    Kind {
        name: "aws_iam_user",
        version: 1,
        summary: "A user: for what can't assume a role",
        key: "{name}",
        container: None,
        role: Role::Config,
        mark: TAGGED,
        attributes: &[
            key(
                "name",
                "Its name; names that differ in case alone are one to AWS",
            ),
            path("Its path, between slashes"),
            boundary(),
            tags(),
            arn(),
            computed("unique_id", Shape::String, "Its id, `AIDA…`"),
        ],
        computed_from: &["name", "path"],
        requests: "Read with the roles. A create is one request, an update one for each of path, boundary and tags.",
    },
    Kind {
        name: "aws_iam_group",
        version: 1,
        summary: "A group of users",
        key: "{name}",
        container: None,
        role: Role::Config,
        mark: None,
        attributes: &[
            key(
                "name",
                "Its name; names that differ in case alone are one to AWS",
            ),
            path("Its path, between slashes"),
            arn(),
            computed("unique_id", Shape::String, "Its id, `AGPA…`"),
        ],
        computed_from: &["name", "path"],
        requests: "Read with the roles. Each write is one request.",
    },
    Kind {
        name: "aws_iam_instance_profile",
        version: 1,
        summary: "What hands a role to machines of EC2",
        key: "{name}",
        container: None,
        role: Role::Binding,
        mark: TAGGED,
        attributes: &[
            key(
                "name",
                "Its name; names that differ in case alone are one to AWS",
            ),
            immutable(path("Its path, between slashes")),
            holds(
                "aws_iam_role",
                true,
                admits(text(
                    "role",
                    "The name of the role it hands out; empty is none",
                )),
            ),
            tags(),
            arn(),
            computed("unique_id", Shape::String, "Its id, `AIPA…`"),
        ],
        computed_from: &["name", "path"],
        requests: "One GetInstanceProfile for each one asked for. A create is one request and one for its role.",
    },
    Kind {
        name: "aws_secretsmanager_secret",
        version: 1,
        summary: "A secret of Secrets Manager, without its value: who may read it, and how it rotates",
        key: "{name}",
        container: None,
        role: Role::Grant,
        mark: TAGGED,
        attributes: &[
            key("name", "Its name"),
            text("description", "What it is for"),
            text(
                "kms_key_id",
                "The key it is encrypted with; empty is the account's `aws/secretsmanager`",
            ),
            Attribute {
                same: Some(document::same),
                ..optional(
                    "policy",
                    Shape::Policy,
                    Default::String(""),
                    "The resource policy in JSON: who may read it; compared in meaning; empty is none",
                )
            },
            text(
                "rotation_lambda_arn",
                "The function that rotates it; empty is no rotation",
            ),
            integer(
                "rotation_automatically_after_days",
                "Days between rotations; 0 where a schedule says it",
            ),
            text(
                "rotation_schedule_expression",
                "`cron(…)` or `rate(…)`, instead of days",
            ),
            text(
                "rotation_duration",
                "How long the window of a rotation is, such as `3h`",
            ),
            optional(
                "recovery_window",
                Shape::Duration,
                Default::Integer(RECOVERY_SECONDS_DEFAULT),
                "How long a removed secret can be restored, in whole days: 7d to 30d; 0 removes it for good at once. \
                 AWS takes it with the removal alone, so it is kept in the tag `remit:recovery_window` until then",
            ),
            tags(),
            computed(
                "arn",
                Shape::String,
                "Its ARN, which ends in six random characters: known after apply",
            ),
        ],
        computed_from: &[],
        requests: "ListSecrets in pages, and one GetResourcePolicy for each one asked for. An update is one \
                   request for each of description and key, policy, rotation and tags.",
    },
];
