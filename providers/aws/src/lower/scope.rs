//! Scopes: what an identity may do, as policies of its role.
//!
//! In come the AWS grants of each scope that an identity holds; out goes one inline policy a
//! scope, or managed policies with their attachments where the role's inline policies would be
//! too large together. A grant is one statement that allows; where the identity is bound to
//! networks, so is each statement. What AWS would refuse is said at the grant, once for each
//! scope however many hold it.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::declaration::{AwsGrant, Grant, Identity, Scope, ScopeGrants};
use remit_sdk::drafting::text_of;
use remit_sdk::text::safe;
use remit_sdk::{DeclarationAddress, Diagnostic, Span, naming};

use super::fit::{self, Fitted};
use super::{Draft, Lowering, about};
use crate::arn;
use crate::document::{self, Document, ROLE_INLINE_SIZE_MAX, Statement};

/// The condition key of the address that a request comes from.
const SOURCE_IP: &str = "aws:SourceIp";

/// The statements of grants. Those that can't be are left out: they have been told by then.
pub(crate) fn statements(grants: &[Grant]) -> impl Iterator<Item = Statement> {
    grants
        .iter()
        .filter_map(aws)
        .filter_map(|grant| statement(grant).ok())
}

const fn aws(grant: &Grant) -> Option<&AwsGrant> {
    match grant {
        Grant::Aws(grant) => Some(grant),
        Grant::Vault(_) | Grant::Database(_) => None,
    }
}

/// A grant as a statement, or what is wrong with it, each with its place.
fn statement(grant: &AwsGrant) -> Result<Statement, Vec<(String, Span)>> {
    let mut mistakes = Vec::new();
    let actions = grant.actions.span.unwrap_or(grant.span);
    for action in &grant.actions.value {
        if let Err(why) = document::check_action(action) {
            mistakes.push((why, actions));
        }
    }
    let resources = grant.resources.span.unwrap_or(grant.span);
    for resource in &grant.resources.value {
        if let Err(why) = arn::check_pattern(resource) {
            mistakes.push((why, resources));
        }
    }
    let texts = |all: &BTreeSet<String>| all.iter().cloned().collect::<Vec<_>>();
    let mut statement =
        Statement::allow(texts(&grant.actions.value), texts(&grant.resources.value));
    for condition in &grant.conditions {
        for (key, values) in &condition.values {
            let values = values.iter().map(String::as_str);
            match statement
                .clone()
                .with_condition(&condition.operator, key, values)
            {
                Ok(more) => statement = more,
                Err(why) => {
                    let mistake = (why, condition.span);
                    // A wrong operator is wrong for each of its keys.
                    if !mistakes.contains(&mistake) {
                        mistakes.push(mistake);
                    }
                }
            }
        }
    }
    if mistakes.is_empty() {
        Ok(statement)
    } else {
        Err(mistakes)
    }
}

/// The same statement, for requests from these networks alone; none is from anywhere.
///
/// A statement that asks for networks of its own must hold beside it. Two lists under one operator
/// would be alternatives, so the second stands under `IpAddressIfExists`: what lets a request
/// without an address pass there is of no use, since the other one refuses it.
pub(super) fn bind_networks(
    statement: Statement,
    networks: &BTreeSet<String>,
) -> Result<Statement, String> {
    if networks.is_empty() {
        return Ok(statement);
    }
    let values = || networks.iter().map(String::as_str);
    statement
        .clone()
        .with_condition("IpAddress", SOURCE_IP, values())
        .or_else(|_| statement.with_condition("IpAddressIfExists", SOURCE_IP, values()))
        .map_err(|_| {
            format!(
                "it asks for `{SOURCE_IP}` under `IpAddress` and `IpAddressIfExists`, and the session's `bound_cidrs` must hold beside them, for which there is no third operator; write one list under `IpAddress`"
            )
        })
}

impl Lowering<'_> {
    /// Every grant of every scope, held or a ceiling, checked once.
    pub(super) fn check_grants(&mut self) {
        let all = self.part.scopes.iter().chain(&self.part.ceilings);
        let mut scopes: BTreeMap<&DeclarationAddress, Vec<&Scope>> = BTreeMap::new();
        for scope in all {
            scopes.entry(&scope.address).or_default().push(scope);
        }
        let holders: BTreeSet<_> = self
            .part
            .identities
            .iter()
            .map(|one| one.address.clone())
            .collect();
        let mut found = Vec::new();
        for (address, scopes) in scopes {
            let mut of_scope: Vec<Diagnostic> = Vec::new();
            let grants = scopes.into_iter().flat_map(|scope| match &scope.grants {
                ScopeGrants::Shared(grants) => vec![grants.as_slice()],
                ScopeGrants::PerHolder(all) => all
                    .iter()
                    .filter(|(holder, _)| holders.contains(holder))
                    .map(|(_, grants)| grants.as_slice())
                    .collect(),
            });
            for grant in grants.flatten().filter_map(aws) {
                for diagnostic in self.check_grant(address, grant) {
                    // Holders of one scope most often have the same mistake.
                    if !of_scope.contains(&diagnostic) {
                        of_scope.push(diagnostic);
                    }
                }
            }
            found.append(&mut of_scope);
        }
        self.out.diagnostics.append(&mut found);
    }

    fn check_grant(&self, scope: &DeclarationAddress, grant: &AwsGrant) -> Vec<Diagnostic> {
        let mut mistakes = statement(grant).err().unwrap_or_default();
        let own = self.settings.partition();
        let resources = grant.resources.span.unwrap_or(grant.span);
        for resource in &grant.resources.value {
            let partition = partition_of(resource).filter(|partition| *partition != own);
            if let Some(partition) = partition.filter(|_| self.is_known) {
                let why = format!(
                    "`{}` is in the partition `{}`, and `{}` is in `{own}`: AWS refuses such a policy",
                    safe(resource),
                    safe(partition),
                    self.settings.region
                );
                mistakes.push((why, resources));
            }
        }
        mistakes
            .into_iter()
            .map(|(why, span)| {
                Diagnostic::error("grant not possible in aws", why)
                    .at(span)
                    .about(about(scope))
            })
            .collect()
    }

    /// The policies of an identity's role.
    pub(super) fn policies(&mut self, identity: &Identity) {
        let scopes: Vec<&Scope> = identity
            .scopes
            .iter()
            .filter_map(|held| self.scopes.get(&held.value).copied())
            .collect();
        let held: Vec<(&Scope, Document)> = scopes
            .into_iter()
            .filter_map(|scope| {
                let all = self.bound_statements(identity, scope);
                (!all.is_empty()).then(|| (scope, Document::of(all)))
            })
            .collect();
        let documents: Vec<Document> = held.iter().map(|(_, one)| one.clone()).collect();
        let inline = self.inline.get(&identity.name.to_lowercase()).copied();
        let fitted = match fit::fit(&documents, inline.unwrap_or_default()) {
            Ok(fitted) => fitted,
            Err(rest) => {
                self.too_large(identity, &held, rest);
                return;
            }
        };
        self.warn_of_moves(identity, &held, &fitted);
        for ((scope, document), pieces) in held.iter().zip(&fitted.pieces) {
            if pieces.is_empty() {
                self.inline(identity, scope, document);
            }
            for (number, piece) in (1..).zip(pieces) {
                self.managed(identity, scope, piece, number);
            }
        }
    }

    /// The statements of a scope, each for the identity's networks alone.
    fn bound_statements(&mut self, identity: &Identity, scope: &Scope) -> Vec<Statement> {
        let mut all = Vec::new();
        for grant in scope.grants_for(&identity.address).iter().filter_map(aws) {
            let Ok(statement) = statement(grant) else {
                continue;
            };
            match bind_networks(statement, &identity.session.bound_cidrs) {
                Ok(statement) => all.push(statement),
                Err(why) => self.mistake(
                    Diagnostic::error("grant not possible in aws", why)
                        .at(grant.span)
                        .about(about(&scope.address)),
                ),
            }
        }
        all
    }

    /// How large the inline policies are that resources give to roles.
    pub(super) fn measure_inline(&mut self) {
        for wanted in &self.out.objects {
            if wanted.kind.name == "aws_iam_role_policy"
                && let (Some(role), Some(text)) =
                    (text_of(wanted, "role"), text_of(wanted, "policy"))
            {
                *self.inline.entry(role.to_lowercase()).or_default() += document::size(text);
            }
        }
    }

    fn too_large(&mut self, identity: &Identity, held: &[(&Scope, Document)], rest: usize) {
        let largest = held
            .iter()
            .filter(|(_, document)| fit::split(document).is_none())
            .max_by_key(|(_, document)| fit::size(document));
        let (detail, span) = match largest {
            Some((scope, document)) => (
                format!(
                    "the policy of `{}` for `{}` has {} characters, one statement of it more than the {} of a managed policy, and {rest} would remain where AWS takes {ROLE_INLINE_SIZE_MAX} inline",
                    scope.address,
                    identity.address,
                    fit::size(document),
                    document::MANAGED_SIZE_MAX
                ),
                scope.span,
            ),
            None => (
                format!(
                    "resources give the role of `{}` inline policies of {rest} characters, and AWS takes {ROLE_INLINE_SIZE_MAX}",
                    identity.address
                ),
                identity.span,
            ),
        };
        self.mistake(
            Diagnostic::error("policy too large for aws", detail)
                .help("use wildcards in actions and resources, or split the grant in several")
                .at(span)
                .about(about(&identity.address)),
        );
    }

    fn warn_of_moves(&mut self, identity: &Identity, held: &[(&Scope, Document)], fitted: &Fitted) {
        let moved: Vec<String> = held
            .iter()
            .zip(&fitted.pieces)
            .filter(|(_, pieces)| !pieces.is_empty())
            .map(|((scope, _), pieces)| match pieces.len() {
                1 => format!("`{}`", scope.address),
                many => format!("`{}` (in {many} pieces)", scope.address),
            })
            .collect();
        if moved.is_empty() {
            return;
        }
        let detail = format!(
            "the inline policies of `{}` would have {} characters, and AWS takes {ROLE_INLINE_SIZE_MAX} for one role; managed policies hold what it may by {}",
            identity.address,
            fitted.size,
            moved.join(", ")
        );
        self.mistake(
            Diagnostic::warning("policies attached instead of inline", detail)
                .help("nothing is to be done; with shorter grants they would stay inline")
                .at(identity.span)
                .about(about(&identity.address)),
        );
    }

    fn inline(&mut self, identity: &Identity, scope: &Scope, document: &Document) {
        let address = self
            .address(&identity.address, "aws_iam_role_policy")
            .with_part(scope.address.to_string());
        self.keep(
            Draft::new(address, &scope.lifecycle, scope.span)
                .text("role", &identity.name)
                .text("name", naming::live_name(self.part.prefix, &scope.address))
                .text("policy", document.to_string())
                .held_by([identity.address.clone()]),
        );
    }

    /// A piece of a scope's policy as a managed policy, and its attachment. The first is named as
    /// if it were the only one, so that a second renames nothing.
    fn managed(&mut self, identity: &Identity, scope: &Scope, document: &Document, number: usize) {
        let mut named = scope.address.clone();
        let mut part = scope.address.to_string();
        if number > 1 {
            // No label begins with a digit, so no other declaration has this address.
            named.module.push(number.to_string());
            part = format!("{part}/{number}");
        }
        let name = naming::live_name_for_holder(self.part.prefix, &named, &identity.address);
        let (partition, account) = (self.settings.partition(), &self.settings.account);
        let arn = arn::policy(partition, account, "/", &name);
        let policy = self
            .address(&identity.address, "aws_iam_policy")
            .with_part(&part);
        let attachment = self
            .address(&identity.address, "aws_iam_policy_attachment")
            .with_part(&part);
        let holder = || [identity.address.clone()];
        self.keep(
            Draft::new(policy, &scope.lifecycle, scope.span)
                .text("name", name)
                .text("policy", document.to_string())
                .held_by(holder()),
        );
        self.keep(
            Draft::new(attachment, &scope.lifecycle, scope.span)
                .text("role", &identity.name)
                .text("policy_arn", arn)
                .held_by(holder()),
        );
    }
}

/// The partition of an ARN's pattern, if it names one; what is no ARN has been told already.
fn partition_of(pattern: &str) -> Option<&str> {
    arn::check_pattern(pattern).ok()?;
    let partition = pattern.strip_prefix("arn:")?.split(':').next()?;
    (!partition.contains(['*', '?', '$'])).then_some(partition)
}
