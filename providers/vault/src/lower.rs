//! What issuers, scopes, identities and resources become on a Vault or an OpenBao. Pure.
//!
//! In comes the part of a configuration that one provider instance is to hold; out go the
//! objects it becomes, in normal form, with the order they need, and every mistake at once.
//!
//! An issuer becomes an auth mount and its config, unless it names an existing mount, which is
//! used and never owned. A scope becomes a policy, and a database role for each database grant.
//! An identity becomes an entity that carries the policies, and for each workload an alias and a
//! login role without policies of its own.

mod check;
mod identity;
mod resource;
mod scope;

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::declaration::{Lifecycle, Wanted};
use remit_sdk::provider::{Lowered, Part};
use remit_sdk::{Address, DeclarationAddress, Diagnostic, Kind, Lower, ObjectAddress, Span, Value};

use crate::{normal, schema};

/// The provider's lowering face.
#[derive(Clone, Copy, Debug, Default)]
pub struct Vault;

impl Lower for Vault {
    fn name(&self) -> &'static str {
        "vault"
    }

    fn kinds(&self) -> &'static [Kind] {
        schema::kinds()
    }

    fn normalise(&self, kind: &Kind, attribute: &str, value: &Value) -> Result<Value, String> {
        normal::normalise(kind, attribute, value)
    }

    fn narrows(&self, kind: &Kind, attribute: &str, before: &Value, after: &Value) -> bool {
        let document = |value: &Value| {
            value
                .as_str()
                .and_then(|text| crate::policy::parse(text).ok())
        };
        kind.name == "vault_policy"
            && attribute == "policy"
            && matches!((document(before), document(after)), (Some(before), Some(after))
                if after.narrows(&before))
    }

    fn lower(&self, part: &Part<'_>) -> Lowered {
        let mut lowering = Lowering::new(part);
        lowering.issuers();
        lowering.scopes();
        lowering.identities();
        lowering.resources();
        lowering.finish()
    }
}

/// An auth mount as its issuer's logins need it.
#[derive(Clone)]
struct Mount {
    path: String,
    /// Objects that make it up; none where it isn't ours.
    objects: BTreeSet<ObjectAddress>,
}

/// A lowering under way.
struct Lowering<'a> {
    part: &'a Part<'a>,
    alias: Option<String>,
    out: Lowered,
    mounts: BTreeMap<DeclarationAddress, Mount>,
    /// Names of policies by scope, and by holder where there is one policy for each.
    policies: BTreeMap<(DeclarationAddress, Option<DeclarationAddress>), String>,
}

/// An object being put together.
struct Draft {
    address: ObjectAddress,
    attributes: BTreeMap<String, Value>,
    depends_on: BTreeSet<ObjectAddress>,
    holders: BTreeSet<DeclarationAddress>,
    lifecycle: Lifecycle,
    span: Span,
}

impl Draft {
    fn new(address: ObjectAddress, lifecycle: &Lifecycle, span: Span) -> Self {
        Self {
            address,
            attributes: BTreeMap::new(),
            depends_on: BTreeSet::new(),
            holders: BTreeSet::new(),
            lifecycle: lifecycle.clone(),
            span,
        }
    }

    fn set(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.attributes.insert(name.to_owned(), value.into());
        self
    }

    fn text(self, name: &str, text: impl Into<String>) -> Self {
        self.set(name, Value::string(text))
    }

    fn strings<S: Into<String>>(self, name: &str, all: impl IntoIterator<Item = S>) -> Self {
        self.set(name, Value::strings(all))
    }

    fn seconds(self, name: &str, seconds: u64) -> Self {
        // More than `i64::MAX` seconds is no lifetime that anything would tell from for ever.
        self.set(
            name,
            Value::integer(i64::try_from(seconds).unwrap_or(i64::MAX)),
        )
    }

    fn after(mut self, all: impl IntoIterator<Item = ObjectAddress>) -> Self {
        self.depends_on.extend(all);
        self
    }

    fn held_by(mut self, all: impl IntoIterator<Item = DeclarationAddress>) -> Self {
        self.holders.extend(all);
        self
    }
}

impl<'a> Lowering<'a> {
    fn new(part: &'a Part<'a>) -> Self {
        Self {
            part,
            alias: part
                .instance
                .split_once('.')
                .map(|(_, alias)| alias.to_owned()),
            out: Lowered::default(),
            mounts: BTreeMap::new(),
            policies: BTreeMap::new(),
        }
    }

    fn address(&self, declaration: &DeclarationAddress, kind: &str) -> ObjectAddress {
        declaration.object(kind).with_alias(self.alias.clone())
    }

    fn mistake(&mut self, diagnostic: Diagnostic) {
        self.out.diagnostics.push(diagnostic);
    }

    /// Puts a draft of a declaration that isn't a resource into normal form and keeps it. What
    /// can't be is a diagnostic at the declaration, since its own spans are gone by then.
    fn keep(&mut self, draft: Draft) {
        let Some(kind) = schema::kind(&draft.address.kind) else {
            return;
        };
        let mut attributes = BTreeMap::new();
        for (name, value) in draft.attributes {
            match normal::normalise(kind, &name, &value) {
                Ok(Value::Null) => {}
                Ok(value) => {
                    attributes.insert(name, value);
                }
                Err(why) => {
                    let declaration = draft.address.declaration.clone();
                    self.mistake(
                        Diagnostic::error("not possible in vault", why)
                            .at(draft.span)
                            .about(Address::Declaration(declaration)),
                    );
                }
            }
        }
        let Some(key) = kind.key_of(&attributes) else {
            return;
        };
        self.out.objects.push(Wanted {
            address: draft.address,
            instance: self.part.instance.to_owned(),
            kind,
            key,
            attributes,
            depends_on: draft.depends_on,
            holders: draft.holders,
            lifecycle: draft.lifecycle,
            span: draft.span,
        });
    }

    fn finish(mut self) -> Lowered {
        self.allow_roles();
        self.infer_dependencies();
        self.declared_dependencies();
        self.same_live_object();
        self.out
    }
}

#[cfg(test)]
mod tests;
