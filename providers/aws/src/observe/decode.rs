//! What AWS tells, as objects. Pure.
//!
//! In come the SDK's types, from a listing of everything or from a call for one object; both go
//! through the same few structs here, so that an object is the same whichever way it was read. Out
//! go objects in normal form, the ownership mark taken out of their tags, or `None` where an
//! answer lacks what every answer has. Nothing is guessed: what AWS leaves out has its default.

use std::collections::BTreeMap;

use aws_sdk_iam::types as iam;
use aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretOutput;
use aws_sdk_secretsmanager::types as secrets;
use remit_sdk::{Fingerprint, Kind, Object, Value};
use serde_json::{Map, Value as Json};

use crate::{document, normal, schema};

/// Tags that AWS gives itself; nobody else can change them.
const AWS_TAGS: &str = "aws:";

/// The tag that holds how long a removed secret can be restored, in days. AWS is told that only
/// with the removal, so it has to stand somewhere until then.
pub(crate) const RECOVERY_TAG: &str = "remit:recovery_window";

/// The key AWS encrypts secrets with where nobody names one.
pub(crate) const DEFAULT_KEY: &str = "alias/aws/secretsmanager";

const DAY_SECONDS: i64 = 86_400;

/// Tags by key.
pub(crate) type Tags = BTreeMap<String, String>;

/// What AWS told of one object.
pub(super) struct Told {
    /// AWS's id of it, which another object under the same name doesn't have.
    id: Option<String>,
    attributes: Vec<(&'static str, Value)>,
    /// As they are, the mark's among them; `None` where the kind has none.
    tags: Option<Tags>,
}

/// An object out of what was told.
pub(super) fn object(kind: &Kind, key: &str, told: Told) -> Option<Object> {
    let mut attributes = kind.parse_key(key)?;
    for (name, value) in told.attributes {
        attributes.insert(name.to_owned(), normal_form(kind, name, value));
    }
    let mut mark = None;
    if let Some(mut tags) = told.tags {
        tags.retain(|key, _| !key.starts_with(AWS_TAGS));
        if let Some(days) = tags
            .remove(RECOVERY_TAG)
            .and_then(|days| days.parse::<i64>().ok())
            && kind.attribute("recovery_window").is_some()
        {
            let seconds = days.saturating_mul(DAY_SECONDS);
            attributes.insert("recovery_window".to_owned(), Value::integer(seconds));
        }
        let (rest, found) = normal::split_tags(tags);
        mark = found;
        let rest = rest
            .into_iter()
            .map(|(key, value)| (key, Value::string(value)));
        attributes.insert("tags".to_owned(), Value::Map(rest.collect()));
    }
    for attribute in kind.attributes {
        if let Some(default) = attribute.default.value() {
            attributes
                .entry(attribute.name.to_owned())
                .or_insert(default);
        }
    }
    Some(Object {
        kind: kind.name.to_owned(),
        key: key.to_owned(),
        version: None,
        fingerprint: fingerprint(kind, told.id.as_deref(), &attributes),
        id: told.id,
        attributes,
        mark,
    })
}

/// The normal form of a live value; one that has none is shown as it stands.
fn normal_form(kind: &Kind, name: &str, value: Value) -> Value {
    match (normal::use_of(kind, name), &value) {
        (Some(usage), Value::String(text)) if !text.is_empty() => {
            Value::string(document::live(text, usage))
        }
        _ => normal::refine(kind, name, value.clone()).unwrap_or(value),
    }
}

/// Over the id and all that was told, but what others change by right.
fn fingerprint(kind: &Kind, id: Option<&str>, attributes: &BTreeMap<String, Value>) -> Fingerprint {
    let stable = attributes.iter().filter(|(name, _)| {
        kind.attribute(name)
            .is_some_and(|attribute| !attribute.volatile && attribute.unverifiable.is_none())
    });
    let mut all: Map<String, Json> = stable
        .map(|(name, value)| (name.clone(), value.to_json()))
        .collect();
    all.insert("$id".to_owned(), Json::from(id));
    Fingerprint::of(&Json::Object(all))
}

fn text(value: impl Into<String>) -> Value {
    Value::string(value)
}

fn or_empty(value: Option<&String>) -> Value {
    Value::string(value.map(String::as_str).unwrap_or_default())
}

/// Tags of IAM.
pub(crate) fn iam_tags(tags: Option<&[iam::Tag]>) -> Tags {
    tags.into_iter()
        .flatten()
        .map(|tag| (tag.key.clone(), tag.value.clone()))
        .collect()
}

/// Tags of Secrets Manager.
pub(crate) fn secret_tags(tags: Option<&[secrets::Tag]>) -> Tags {
    tags.into_iter()
        .flatten()
        .filter_map(|tag| Some((tag.key.clone()?, tag.value.clone().unwrap_or_default())))
        .collect()
}

fn boundary(found: Option<&iam::AttachedPermissionsBoundary>) -> Value {
    or_empty(found.and_then(|found| found.permissions_boundary_arn.as_ref()))
}

// ---- roles

/// Names of a role's inline policies and ARNs of those attached to it.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) inline: Vec<String>,
    pub(super) attached: Vec<String>,
}

impl Held {
    pub(super) fn of(detail: &iam::RoleDetail) -> Option<Self> {
        let inline = detail.role_policy_list().iter();
        Some(Self {
            inline: inline
                .map(|policy| policy.policy_name.clone())
                .collect::<Option<_>>()?,
            attached: arns(detail.attached_managed_policies())?,
        })
    }
}

/// The ARNs of attached policies.
pub(super) fn arns(attached: &[iam::AttachedPolicy]) -> Option<Vec<String>> {
    attached
        .iter()
        .map(|policy| policy.policy_arn.clone())
        .collect()
}

/// A role; `listed` has its description and its longest session, which a listing of everything
/// leaves out.
pub(super) fn role(
    kind: &Kind,
    key: &str,
    listed: &iam::Role,
    detail: Option<&iam::RoleDetail>,
    held: Held,
) -> Option<Object> {
    let trust = match detail {
        Some(detail) => detail.assume_role_policy_document.as_ref(),
        None => listed.assume_role_policy_document.as_ref(),
    };
    let limit = match detail {
        Some(detail) => detail.permissions_boundary.as_ref(),
        None => listed.permissions_boundary.as_ref(),
    };
    let tags = match detail {
        Some(detail) => iam_tags(detail.tags.as_deref()),
        None => iam_tags(listed.tags.as_deref()),
    };
    let session = listed
        .max_session_duration
        .map_or(schema::SESSION_SECONDS_MIN, i64::from);
    let told = Told {
        id: Some(listed.role_id.clone()),
        attributes: vec![
            ("path", text(&listed.path)),
            ("assume_role_policy", text(trust?)),
            ("description", or_empty(listed.description.as_ref())),
            ("max_session_duration", Value::integer(session)),
            ("permissions_boundary", boundary(limit)),
            ("inline_policies", Value::strings(held.inline)),
            ("attached_policies", Value::strings(held.attached)),
            ("arn", text(&listed.arn)),
            ("unique_id", text(&listed.role_id)),
        ],
        tags: Some(tags),
    };
    object(kind, key, told)
}

/// An inline policy.
pub(super) fn role_policy(kind: &Kind, key: &str, document: &str) -> Option<Object> {
    let told = Told {
        id: None,
        attributes: vec![("policy", text(document))],
        tags: None,
    };
    object(kind, key, told)
}

/// An attachment; there is nothing to it but its being there.
pub(super) fn attachment(kind: &Kind, key: &str) -> Option<Object> {
    let told = Told {
        id: None,
        attributes: Vec::new(),
        tags: None,
    };
    object(kind, key, told)
}

// ---- the rest of IAM

/// A managed policy, with the text of its default version.
pub(super) fn policy(
    kind: &Kind,
    key: &str,
    policy: &iam::Policy,
    document: &str,
) -> Option<Object> {
    let told = Told {
        id: Some(policy.policy_id.clone()?),
        attributes: vec![
            ("policy", text(document)),
            ("description", or_empty(policy.description.as_ref())),
            ("arn", text(policy.arn.as_ref()?)),
            (
                "default_version_id",
                text(policy.default_version_id.as_ref()?),
            ),
        ],
        tags: Some(iam_tags(policy.tags.as_deref())),
    };
    object(kind, key, told)
}

/// An OIDC provider, which has no id but its ARN.
pub(super) fn oidc_provider(
    kind: &Kind,
    key: &str,
    arn: &str,
    found: &aws_sdk_iam::operation::get_open_id_connect_provider::GetOpenIdConnectProviderOutput,
) -> Option<Object> {
    let told = Told {
        id: Some(arn.to_owned()),
        attributes: vec![
            ("client_id_list", Value::strings(found.client_id_list())),
            ("thumbprint_list", Value::strings(found.thumbprint_list())),
            ("arn", text(arn)),
        ],
        tags: Some(iam_tags(found.tags.as_deref())),
    };
    object(kind, key, told)
}

/// A user, from a listing of everything.
pub(super) fn user_detail(kind: &Kind, key: &str, user: &iam::UserDetail) -> Option<Object> {
    let limit = user.permissions_boundary.as_ref();
    let names = (
        user.path.as_ref()?,
        user.user_id.as_ref()?,
        user.arn.as_ref()?,
    );
    user_told(kind, key, names, limit, user.tags.as_deref())
}

/// A user, from a call for it.
pub(super) fn user(kind: &Kind, key: &str, user: &iam::User) -> Option<Object> {
    let limit = user.permissions_boundary.as_ref();
    let names = (&user.path, &user.user_id, &user.arn);
    user_told(kind, key, names, limit, user.tags.as_deref())
}

fn user_told(
    kind: &Kind,
    key: &str,
    (path, id, arn): (&String, &String, &String),
    limit: Option<&iam::AttachedPermissionsBoundary>,
    tags: Option<&[iam::Tag]>,
) -> Option<Object> {
    let told = Told {
        id: Some(id.clone()),
        attributes: vec![
            ("path", text(path)),
            ("permissions_boundary", boundary(limit)),
            ("arn", text(arn)),
            ("unique_id", text(id)),
        ],
        tags: Some(iam_tags(tags)),
    };
    object(kind, key, told)
}

/// A group: its path, id and ARN.
pub(super) fn group(kind: &Kind, key: &str, (path, id, arn): (&str, &str, &str)) -> Option<Object> {
    let told = Told {
        id: Some(id.to_owned()),
        attributes: vec![
            ("path", text(path)),
            ("arn", text(arn)),
            ("unique_id", text(id)),
        ],
        tags: None,
    };
    object(kind, key, told)
}

/// An instance profile, which holds one role at most.
pub(super) fn instance_profile(
    kind: &Kind,
    key: &str,
    profile: &iam::InstanceProfile,
) -> Option<Object> {
    let role = profile.roles.first().map(|role| &role.role_name);
    let told = Told {
        id: Some(profile.instance_profile_id.clone()),
        attributes: vec![
            ("path", text(&profile.path)),
            ("role", or_empty(role)),
            ("arn", text(&profile.arn)),
            ("unique_id", text(&profile.instance_profile_id)),
        ],
        tags: Some(iam_tags(profile.tags.as_deref())),
    };
    object(kind, key, told)
}

// ---- secrets

/// What a listing and a call for one secret both tell.
#[derive(Clone, Debug)]
pub(super) struct SecretFacts {
    pub(super) arn: String,
    pub(super) name: String,
    /// Whether it is scheduled for deletion.
    pub(super) is_deleted: bool,
    description: Option<String>,
    kms_key_id: Option<String>,
    rotates: bool,
    function: Option<String>,
    rules: Option<secrets::RotationRulesType>,
    pub(super) tags: Tags,
}

impl SecretFacts {
    pub(super) fn listed(entry: &secrets::SecretListEntry) -> Option<Self> {
        Some(Self {
            arn: entry.arn.clone()?,
            name: entry.name.clone()?,
            is_deleted: entry.deleted_date.is_some(),
            description: entry.description.clone(),
            kms_key_id: entry.kms_key_id.clone(),
            rotates: entry.rotation_enabled.unwrap_or_default(),
            function: entry.rotation_lambda_arn.clone(),
            rules: entry.rotation_rules.clone(),
            tags: secret_tags(entry.tags.as_deref()),
        })
    }

    pub(super) fn described(found: &DescribeSecretOutput) -> Option<Self> {
        Some(Self {
            arn: found.arn.clone()?,
            name: found.name.clone()?,
            is_deleted: found.deleted_date.is_some(),
            description: found.description.clone(),
            kms_key_id: found.kms_key_id.clone(),
            rotates: found.rotation_enabled.unwrap_or_default(),
            function: found.rotation_lambda_arn.clone(),
            rules: found.rotation_rules.clone(),
            tags: secret_tags(found.tags.as_deref()),
        })
    }
}

/// A secret with its resource policy. Rules of a rotation that is off don't count.
pub(super) fn secret(
    kind: &Kind,
    key: &str,
    facts: SecretFacts,
    policy: Option<&String>,
) -> Option<Object> {
    let rules = facts.rules.as_ref().filter(|_| facts.rotates);
    let schedule = rules.and_then(|rules| rules.schedule_expression.as_ref());
    // Beside a schedule AWS may tell the days that follow from it.
    let days = rules
        .filter(|_| schedule.is_none())
        .and_then(|rules| rules.automatically_after_days);
    let key_id = facts
        .kms_key_id
        .as_ref()
        .filter(|id| !id.ends_with(DEFAULT_KEY));
    let told = Told {
        id: Some(facts.arn.clone()),
        attributes: vec![
            ("description", or_empty(facts.description.as_ref())),
            ("kms_key_id", or_empty(key_id)),
            ("policy", or_empty(policy)),
            (
                "rotation_lambda_arn",
                or_empty(facts.function.as_ref().filter(|_| facts.rotates)),
            ),
            (
                "rotation_automatically_after_days",
                Value::integer(days.unwrap_or_default()),
            ),
            ("rotation_schedule_expression", or_empty(schedule)),
            (
                "rotation_duration",
                or_empty(rules.and_then(|rules| rules.duration.as_ref())),
            ),
            ("arn", text(&facts.arn)),
        ],
        tags: Some(facts.tags),
    };
    object(kind, key, told)
}

#[cfg(test)]
mod tests;
