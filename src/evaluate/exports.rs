//! What a declaration gives to others: `identity.x.name`, `environment.x.tier`, attributes of
//! resources.
//!
//! Everything but what a server computes is known from the configuration. An attribute is
//! evaluated only when it is asked for, so two resources may use attributes of each other as
//! long as no attribute depends on itself.

use std::collections::BTreeMap;
use std::rc::Rc;

use remit_sdk::naming::live_name;
use remit_sdk::schema::Need;
use remit_sdk::{DeclarationAddress, Diagnostic, Kind, Pending, Span, Spanned, Value};

use super::evaluator::{Evaluated, Evaluator, Failed};
use super::index::Declared;
use super::nearest::did_you_mean;
use crate::config::syntax::Block;

/// What each kind of declaration exports.
const EXPORTS: [(&str, &[&str]); 7] = [
    ("owner", &["name"]),
    ("environment", &["name", "tier"]),
    ("issuer", &["name", "vault_mount"]),
    ("agent", &["name"]),
    ("scope", &["name", "vault_policy"]),
    ("exception", &["name"]),
    (
        "identity",
        &[
            "name",
            "agent",
            "environment",
            "domain",
            "vault_role",
            "vault_mount",
            "aws_role_arn",
        ],
    ),
];

/// What people call a declaration: its label, and its key where there is one (`eu-prod`).
pub(crate) fn declaration_name(address: &DeclarationAddress) -> String {
    match &address.key {
        Some(key) => format!("{}-{key}", address.name),
        None => address.name.clone(),
    }
}

impl<'c> Evaluator<'c> {
    /// The attribute `name` of a declaration.
    pub(super) fn export(&self, address: &DeclarationAddress, name: &Spanned<String>) -> Evaluated {
        if address.kind == "provider" {
            return Err(self.no_export(address, name, &[]));
        }
        let declared = self
            .index
            .find(&address.kind, &address.name)
            .ok_or(Failed)?;
        if declared.block.kind.value == "resource" {
            let kind = declared.kind.ok_or(Failed)?;
            return self.resource_attribute(declared, kind, address, name);
        }
        let exports = EXPORTS
            .iter()
            .find(|(kind, _)| *kind == address.kind)
            .map_or(&[][..], |(_, exports)| exports);
        if !exports.contains(&name.value.as_str()) {
            return Err(self.no_export(address, name, exports));
        }
        let key = address.key.as_deref();
        match (address.kind.as_str(), name.value.as_str()) {
            ("identity", "name" | "vault_role") => {
                self.live_name(declared, address, "live_name", name.span)
            }
            ("identity", part @ ("agent" | "environment")) => {
                match &*self.written(declared, key, part, name.span)? {
                    Value::Declaration(other) => Ok(Value::String(declaration_name(other))),
                    _ => Err(Failed),
                }
            }
            ("identity", "aws_role_arn") => self.identity_export(declared, address, name),
            ("identity", "vault_mount") => self.identity_mount(declared, key, name),
            ("identity" | "environment", part @ ("domain" | "tier")) => {
                Ok((*self.written(declared, key, part, name.span)?).clone())
            }
            ("issuer", "vault_mount") => self.live_name(declared, address, "mount", name.span),
            ("scope", "vault_policy") => self.scope_policy(declared, address, name),
            _ => Ok(Value::String(declaration_name(address))),
        }
    }

    fn no_export(
        &self,
        address: &DeclarationAddress,
        name: &Spanned<String>,
        exports: &[&str],
    ) -> Failed {
        let wrong = name.value.as_str();
        let near = did_you_mean(wrong, exports.iter().copied());
        self.report(
            Diagnostic::error(
                "unknown attribute",
                format!("`{address}` has no attribute `{wrong}` that others may use"),
            )
            .at(name.span)
            .help(near.unwrap_or_else(|| match exports {
                [] => "refer to it whole".to_owned(),
                exports => format!("it has {}", exports.join(", ")),
            })),
        )
    }

    /// An attribute that must be written; if it isn't, the model says so.
    fn written(
        &self,
        declared: &Declared<'c>,
        key: Option<&str>,
        name: &str,
        at: Option<Span>,
    ) -> Evaluated<Rc<Value>> {
        let (value, _) = self.attribute(declared, key, name, at)?.ok_or(Failed)?;
        Ok(value)
    }

    /// The computed live name, unless the attribute `given` sets another.
    fn live_name(
        &self,
        declared: &Declared<'c>,
        address: &DeclarationAddress,
        given: &str,
        at: Option<Span>,
    ) -> Evaluated {
        let given = self.attribute(declared, address.key.as_deref(), given, at)?;
        match given.as_ref().map(|(value, _)| &**value) {
            None | Some(Value::Null) => Ok(Value::String(live_name(&self.prefix(), address))),
            Some(Value::String(name)) => Ok(Value::string(name)),
            Some(_) => Err(Failed),
        }
    }

    /// What a provider computes for an identity from its name and the provider's block.
    fn identity_export(
        &self,
        declared: &Declared<'c>,
        address: &DeclarationAddress,
        name: &Spanned<String>,
    ) -> Evaluated {
        let provider = name.value.split('_').next().unwrap_or_default();
        let environment =
            self.written(declared, address.key.as_deref(), "environment", name.span)?;
        let Value::Declaration(environment) = &*environment else {
            return Err(Failed);
        };
        let instance = self.instance_of(environment, provider, name.span)?;
        let live = self.live_name(declared, address, "live_name", name.span)?;
        let live = live.as_str().ok_or(Failed)?;
        self.with_config(&instance, |lower, config| {
            lower.identity_export(&name.value, live, config)
        })
        .ok_or_else(|| {
            self.report(
                Diagnostic::error(
                    "value not known from the configuration",
                    format!(
                        "`{address}.{}` follows from what `provider \"{provider}\"` says, and there is no block of `{instance}` that says enough",
                        name.value
                    ),
                )
                .at(name.span)
                .help("declare the provider with its `account`; a provider's own block can't use it"),
            )
        })
    }

    /// The instance of a provider that an environment names, or the default one.
    fn instance_of(
        &self,
        environment: &DeclarationAddress,
        provider: &str,
        at: Option<Span>,
    ) -> Evaluated<String> {
        let declared = self
            .index
            .find("environment", &environment.name)
            .filter(|_| environment.kind == "environment")
            .ok_or(Failed)?;
        let written = self.attribute(declared, environment.key.as_deref(), "providers", at)?;
        let alias = match written.as_ref().map(|(value, _)| &**value) {
            Some(Value::Map(all)) => match all.get(provider) {
                Some(Value::Declaration(instance)) => instance.key.clone(),
                _ => None,
            },
            _ => None,
        };
        Ok(match alias {
            Some(alias) => format!("{provider}.{alias}"),
            None => provider.to_owned(),
        })
    }

    fn identity_mount(
        &self,
        declared: &Declared<'c>,
        key: Option<&str>,
        name: &Spanned<String>,
    ) -> Evaluated {
        let workloads: Vec<&Block> = declared.block.body.blocks("workload").collect();
        let [workload] = workloads.as_slice() else {
            return Err(self.report(
                Diagnostic::error(
                    "ambiguous attribute",
                    format!(
                        "`{}` has {} workloads, and each logs in at its own issuer's mount",
                        declared.address,
                        workloads.len()
                    ),
                )
                .at(name.span)
                .help("use the issuer's: `issuer.NAME.vault_mount`"),
            ));
        };
        let issuer = workload.body.attribute("issuer").ok_or(Failed)?;
        let value =
            self.in_instance(declared, key, |scope| self.value(&issuer.expression, scope))?;
        let Value::Declaration(address) = value else {
            return Err(Failed);
        };
        let declared = self.index.find("issuer", &address.name).ok_or(Failed)?;
        if address.kind != "issuer" {
            return Err(Failed);
        }
        self.live_name(declared, &address, "mount", name.span)
    }

    fn scope_policy(
        &self,
        declared: &Declared<'c>,
        address: &DeclarationAddress,
        name: &Spanned<String>,
    ) -> Evaluated {
        if super::uses::holder_names(declared.block).is_empty() {
            return Ok(Value::String(live_name(&self.prefix(), address)));
        }
        Err(self.report(
            Diagnostic::error(
                "ambiguous attribute",
                format!(
                    "the grants of `{address}` name their holder, so it has one policy for each"
                ),
            )
            .at(name.span)
            .help("a scope whose grants don't use `identity.…` has a single policy"),
        ))
    }

    fn resource_attribute(
        &self,
        declared: &Declared<'c>,
        kind: &'static Kind,
        address: &DeclarationAddress,
        name: &Spanned<String>,
    ) -> Evaluated {
        let key = address.key.as_deref();
        let attribute = match kind.attribute(&name.value) {
            Some(attribute) => attribute,
            None if name.value == "id" => return self.pending(declared, kind, address, "id"),
            None => {
                let names: Vec<&str> = kind.attributes.iter().map(|one| one.name).collect();
                return Err(self.no_export(address, name, &names));
            }
        };
        if attribute.need == Need::Computed {
            return match self.computed(declared, kind, address, attribute.name)? {
                Some(value) => Ok(value),
                None => self.pending(declared, kind, address, attribute.name),
            };
        }
        let Some((value, _)) = self.attribute(declared, key, attribute.name, name.span)? else {
            return Ok(attribute.default.value().unwrap_or_default());
        };
        let known = !attribute.write_only && !value.has_pending();
        let provider = self
            .providers
            .iter()
            .find(|provider| provider.kind(kind.name).is_some());
        let normal = provider
            .filter(|_| known)
            .and_then(|provider| provider.normalise(kind, attribute.name, &value).ok());
        Ok(normal.unwrap_or_else(|| (*value).clone()))
    }

    /// A computed attribute that the provider tells from what is written alone.
    fn computed(
        &self,
        declared: &Declared<'c>,
        kind: &'static Kind,
        address: &DeclarationAddress,
        attribute: &str,
    ) -> Evaluated<Option<Value>> {
        let alias = self.alias(declared, address)?;
        let Some(provider) = self
            .providers
            .iter()
            .find(|provider| provider.kind(kind.name).is_some())
        else {
            return Ok(None);
        };
        let instance = match alias {
            Some(alias) => format!("{}.{alias}", provider.name()),
            None => provider.name().to_owned(),
        };
        let mut attributes = BTreeMap::new();
        for name in kind.computed_from {
            let name = Spanned::new((*name).to_owned(), None);
            let value = self.resource_attribute(declared, kind, address, &name)?;
            attributes.insert(name.value, value);
        }
        Ok(self.with_config(&instance, |lower, config| {
            lower.computed(kind, attribute, &attributes, config)
        }))
    }

    /// The alias of the instance that a resource belongs to.
    fn alias(
        &self,
        declared: &Declared<'c>,
        address: &DeclarationAddress,
    ) -> Evaluated<Option<String>> {
        let provider = self.attribute(declared, address.key.as_deref(), "provider", None)?;
        Ok(match provider.as_ref().map(|(value, _)| &**value) {
            Some(Value::Declaration(provider)) => provider.key.clone(),
            _ => None,
        })
    }

    fn pending(
        &self,
        declared: &Declared<'c>,
        kind: &'static Kind,
        address: &DeclarationAddress,
        attribute: &str,
    ) -> Evaluated {
        let alias = self.alias(declared, address)?;
        let object = address.object(kind.name).with_alias(alias);
        Ok(Value::Pending(Pending::attribute(object, attribute)))
    }
}
