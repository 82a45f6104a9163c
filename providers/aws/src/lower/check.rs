//! What concerns objects together: what they name, roles that hold nothing else, attachments that
//! are too many, marks that don't fit, two declarations of one live object.
//!
//! In come the objects of the part, all of them; out go dependencies by kind and key, and
//! diagnostics. Names that nothing in the part declares are somebody else's, and no mistake.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::declaration::Wanted;
use remit_sdk::drafting::text_of;
use remit_sdk::text::safe;
use remit_sdk::{Diagnostic, Value};

use super::fit::ATTACHMENTS_MAX;
use super::{Lowering, about};
use crate::arn::Arn;
use crate::document::{self, PrincipalKind};
use crate::normal;
use crate::settings::Settings;

/// What an object names beside its container, by kind and key.
pub(super) fn named_by(wanted: &Wanted, settings: &Settings) -> Vec<(&'static str, String)> {
    let mut keys = Vec::new();
    for name in ["policy_arn", "permissions_boundary"] {
        keys.extend(text_of(wanted, name).and_then(|text| named_policy(text, settings)));
    }
    if wanted.kind.name == "aws_iam_instance_profile"
        && let Some(role) = text_of(wanted, "role").filter(|role| !role.is_empty())
    {
        keys.push(("aws_iam_role", role.to_owned()));
    }
    for attribute in ["assume_role_policy", "policy"] {
        let document = normal::use_of(wanted.kind, attribute)
            .zip(text_of(wanted, attribute))
            .and_then(|(of, text)| document::parse(text, of).ok());
        for statement in document.iter().flat_map(document::Document::statements) {
            let Some(principals) = &statement.principals else {
                continue;
            };
            for kind in [PrincipalKind::Aws, PrincipalKind::Federated] {
                let all = principals.named().get(&kind).into_iter().flatten();
                keys.extend(all.filter_map(|text| named_principal(text, settings)));
            }
        }
    }
    keys
}

/// An ARN of IAM in this account.
fn own(text: &str, settings: &Settings) -> Option<Arn> {
    Arn::parse(text).ok().filter(|arn| {
        arn.service == "iam"
            && arn.account == settings.account
            && arn.partition == settings.partition()
    })
}

fn named_policy(text: &str, settings: &Settings) -> Option<(&'static str, String)> {
    let arn = own(text, settings)?;
    arn.resource
        .starts_with("policy/")
        .then_some(("aws_iam_policy", arn.resource))
}

fn named_principal(text: &str, settings: &Settings) -> Option<(&'static str, String)> {
    let arn = own(text, settings)?;
    let (kind, rest) = arn.kind_and_rest()?;
    match kind {
        "oidc-provider" => Some(("aws_iam_openid_connect_provider", format!("https://{rest}"))),
        "role" => Some(("aws_iam_role", arn.name().to_owned())),
        "user" => Some(("aws_iam_user", arn.name().to_owned())),
        _ => None,
    }
}

/// Two issuers that AWS would take for one.
pub(super) fn one_object(
    before: &Wanted,
    wanted: &Wanted,
) -> Option<(&'static str, String, &'static str)> {
    (wanted.kind.name == "aws_iam_openid_connect_provider").then(|| {
        (
            "two declarations of one live object",
            format!(
                "`{}` and `{}` both have the URL `{}`, and AWS knows one OIDC provider for each URL",
                before.address.declaration,
                wanted.address.declaration,
                safe(&wanted.key)
            ),
            "use one issuer for both, or write `existing_in_aws = true` in one of them and let the other one list the audiences of both",
        )
    })
}

impl Lowering<'_> {
    /// Roles that may hold nothing but what the configuration gives them, where the block says so.
    pub(super) fn close_roles(&mut self) {
        if !self.settings.exclusive_policies {
            return;
        }
        let inline = self.of_roles("aws_iam_role_policy", "name");
        let attached = self.of_roles("aws_iam_policy_attachment", "policy_arn");
        for wanted in &mut self.out.objects {
            if !self.roles.contains(&wanted.address) {
                continue;
            }
            let role = wanted.key.to_lowercase();
            for (name, all) in [
                ("inline_policies", &inline),
                ("attached_policies", &attached),
            ] {
                let of_role = all.get(&role).cloned().unwrap_or_default();
                wanted
                    .attributes
                    .insert(name.to_owned(), Value::strings(of_role));
            }
        }
    }

    /// An attribute of all objects of a kind, by the role that holds them, whose name has no case.
    fn of_roles(&self, kind: &str, attribute: &str) -> BTreeMap<String, BTreeSet<String>> {
        let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for wanted in self.out.objects.iter().filter(|one| one.kind.name == kind) {
            if let (Some(role), Some(text)) = (text_of(wanted, "role"), text_of(wanted, attribute))
            {
                let of_role = found.entry(role.to_lowercase()).or_default();
                of_role.insert(text.to_owned());
            }
        }
        found
    }

    /// More managed policies on one role than AWS attaches.
    pub(super) fn check_attachments(&mut self) {
        let mut last: BTreeMap<String, (&Wanted, usize)> = BTreeMap::new();
        for wanted in &self.out.objects {
            if wanted.kind.name == "aws_iam_policy_attachment"
                && let Some(role) = text_of(wanted, "role")
            {
                let (at, count) = last.entry(role.to_lowercase()).or_insert((wanted, 0));
                *at = wanted;
                *count += 1;
            }
        }
        let found: Vec<Diagnostic> = last
            .into_values()
            .filter(|(_, count)| *count > ATTACHMENTS_MAX)
            .map(|(wanted, count)| {
                let role = safe(text_of(wanted, "role").unwrap_or_default());
                let detail = format!(
                    "the role `{role}` would have {count} managed policies attached, and AWS attaches {ATTACHMENTS_MAX} to one role"
                );
                Diagnostic::error("too many policies for one role", detail)
                    .help("shorten its grants with wildcards in actions and resources, or make two identities of it")
                    .at(wanted.span)
                    .about(about(&wanted.address.declaration))
            })
            .collect();
        self.out.diagnostics.extend(found);
    }

    /// The address stands in a tag, whose values are short.
    pub(super) fn check_marks(&mut self) {
        let mut told = BTreeSet::new();
        let mut found = Vec::new();
        for wanted in &self.out.objects {
            let declaration = &wanted.address.declaration;
            let length = normal::encode(&wanted.address.to_string()).len();
            if wanted.kind.mark.is_none()
                || length <= normal::TAG_VALUE_CHARACTERS_MAX
                || !told.insert(declaration.clone())
            {
                continue;
            }
            let detail = format!(
                "`{}` stands in a tag of its object, where AWS keeps {} characters and it would take {length}",
                wanted.address,
                normal::TAG_VALUE_CHARACTERS_MAX
            );
            found.push(
                Diagnostic::error("address too long", detail)
                    .help("use a shorter `for_each` key, of letters and digits: every other sign takes three characters")
                    .at(wanted.span)
                    .about(about(declaration)),
            );
        }
        self.out.diagnostics.extend(found);
    }
}
