//! What issuers, scopes, identities and resources become in an account of AWS. Pure.
//!
//! In comes the part of a configuration that one provider instance is to hold; out go the
//! objects it becomes, in normal form, with the order they need, and every mistake at once.
//!
//! An issuer becomes an OIDC provider, unless AWS knows its URL already for somebody else. An
//! identity becomes a role that its workloads alone may enter, each by its exact subject. Each
//! scope that the identity holds becomes an inline policy of the role, or managed policies where
//! the role's inline policies would be too large together. What its agent may never exceed becomes
//! the role's permission boundary. Every ARN follows from the block's account and region, so no
//! document is ever known only after apply.

mod check;
mod fit;
mod identity;
mod issuer;
mod resource;
mod scope;

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::declaration::{Agent, Issuer, ProviderConfig, Scope};
use remit_sdk::drafting::{Draft, Drafts};
use remit_sdk::provider::{Lowered, Part};
use remit_sdk::schema::Shape;
use remit_sdk::{Address, DeclarationAddress, Diagnostic, Kind, Lower, ObjectAddress, Span, Value};

use crate::settings::{self, Settings};
use crate::{arn, document, normal, schema};

/// The provider's lowering face.
#[derive(Clone, Copy, Debug, Default)]
pub struct Aws;

impl Lower for Aws {
    fn name(&self) -> &'static str {
        "aws"
    }

    fn kinds(&self) -> &'static [Kind] {
        schema::kinds()
    }

    fn check_config(&self, config: &ProviderConfig) -> Vec<Diagnostic> {
        let mut found = Settings::from_config(config).err().unwrap_or_default();
        found.extend(settings::doubtful_region(config));
        found
    }

    fn normalise(&self, kind: &Kind, attribute: &str, value: &Value) -> Result<Value, String> {
        normal::normalise(kind, attribute, value)
    }

    fn lower(&self, part: &Part<'_>) -> Lowered {
        let (settings, mistakes) = match Settings::of_instance(part.instance, part.config) {
            Ok(settings) => (settings, Vec::new()),
            Err(mistakes) => (Settings::placeholder(part.instance), mistakes),
        };
        let mut lowering = Lowering::new(part, settings);
        lowering.is_known = mistakes.is_empty();
        // Those of a block were told when it was read.
        let has_block = part.config.is_some_and(|config| config.span.is_some());
        for diagnostic in mistakes.into_iter().filter(|_| !has_block) {
            let first = lowering.first_span();
            let at = diagnostic.span.or(first);
            lowering.mistake(diagnostic.at(at));
        }
        for resource in &part.resources {
            lowering.resource(resource);
        }
        lowering.measure_inline();
        lowering.issuers();
        lowering.check_grants();
        lowering.identities();
        lowering.finish()
    }

    fn narrows(&self, kind: &Kind, attribute: &str, before: &Value, after: &Value) -> bool {
        let is_document = kind
            .attribute(attribute)
            .is_some_and(|attribute| attribute.shape == Shape::Policy);
        is_document
            && matches!((before.as_str(), after.as_str()), (Some(before), Some(after))
                if document::narrows(before, after))
    }

    fn computed(
        &self,
        kind: &Kind,
        attribute: &str,
        attributes: &BTreeMap<String, Value>,
        config: Option<&ProviderConfig>,
    ) -> Option<Value> {
        if attribute != "arn" {
            return None;
        }
        let settings = Settings::from_config(config?).ok()?;
        arn_of(kind, attributes, &settings).map(Value::String)
    }

    fn identity_export(
        &self,
        export: &str,
        name: &str,
        config: Option<&ProviderConfig>,
    ) -> Option<Value> {
        if export != "aws_role_arn" {
            return None;
        }
        let settings = Settings::from_config(config?).ok()?;
        Some(Value::string(role_arn(&settings, name)))
    }
}

/// The ARN of an object with these attributes, where it follows from them.
fn arn_of(
    kind: &Kind,
    attributes: &BTreeMap<String, Value>,
    settings: &Settings,
) -> Option<String> {
    let text = |name: &str| attributes.get(name).and_then(Value::as_str);
    let (partition, account) = (settings.partition(), settings.account.as_str());
    if kind.name == "aws_iam_openid_connect_provider" {
        return Some(arn::oidc_provider(partition, account, text("url")?));
    }
    let make = match kind.name {
        "aws_iam_role" => arn::role,
        "aws_iam_policy" => arn::policy,
        "aws_iam_user" => arn::user,
        "aws_iam_group" => arn::group,
        "aws_iam_instance_profile" => arn::instance_profile,
        _ => return None,
    };
    let path = match attributes.get("path") {
        None | Some(Value::Null) => "/",
        Some(path) => path.as_str()?,
    };
    Some(make(partition, account, path, text("name")?))
}

/// The ARN of an identity's role.
fn role_arn(settings: &Settings, name: &str) -> String {
    arn::role(settings.partition(), &settings.account, "/", name)
}

/// Declarations by address.
type By<'a, T> = BTreeMap<&'a DeclarationAddress, &'a T>;

/// A lowering under way.
struct Lowering<'a> {
    part: &'a Part<'a>,
    settings: Settings,
    /// Whether the settings are the block's, or stand in for some that have mistakes.
    is_known: bool,
    out: Drafts<'a>,
    agents: By<'a, Agent>,
    ceilings: By<'a, Scope>,
    scopes: By<'a, Scope>,
    issuers: By<'a, Issuer>,
    /// How many characters of inline policies resources give to a role, by its name in lower case.
    inline: BTreeMap<String, usize>,
    /// Issuers that workloads can come by; those with a mistake are left out.
    accepted: BTreeSet<DeclarationAddress>,
    /// Roles that identities became.
    roles: BTreeSet<ObjectAddress>,
}

impl<'a> Lowering<'a> {
    fn new(part: &'a Part<'a>, settings: Settings) -> Self {
        Self {
            part,
            settings,
            is_known: true,
            out: Drafts::new(part.instance, "aws", schema::kinds(), normal::normalise),
            agents: part.agents.iter().map(|one| (&one.address, *one)).collect(),
            ceilings: part
                .ceilings
                .iter()
                .map(|one| (&one.address, *one))
                .collect(),
            scopes: part.scopes.iter().map(|one| (&one.address, *one)).collect(),
            issuers: part
                .issuers
                .iter()
                .map(|one| (&one.address, *one))
                .collect(),
            inline: BTreeMap::new(),
            accepted: BTreeSet::new(),
            roles: BTreeSet::new(),
        }
    }

    fn address(&self, declaration: &DeclarationAddress, kind: &str) -> ObjectAddress {
        self.out.address(declaration, kind)
    }

    fn mistake(&mut self, diagnostic: Diagnostic) {
        self.out.diagnostics.push(diagnostic);
    }

    fn keep(&mut self, draft: Draft) {
        self.out.keep(draft);
    }

    /// Where something stands that needs this instance.
    fn first_span(&self) -> Option<Span> {
        let identities = self.part.identities.iter().map(|one| one.span);
        let resources = self.part.resources.iter().map(|one| one.span);
        identities.chain(resources).next()
    }

    fn finish(mut self) -> Lowered {
        self.close_roles();
        self.check_attachments();
        let settings = self.settings.clone();
        self.out
            .infer_dependencies(|wanted| check::named_by(wanted, &settings));
        self.out.declared_dependencies();
        self.out
            .same_live_object(normal::folded_key, check::one_object);
        self.check_marks();
        if !self.is_known {
            // Their ARNs would be of no account.
            self.out.objects.clear();
        }
        self.out.finish()
    }
}

/// What a diagnostic is about.
fn about(declaration: &DeclarationAddress) -> Address {
    Address::Declaration(declaration.clone())
}

#[cfg(test)]
mod tests;
