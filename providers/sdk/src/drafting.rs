//! What lowering shares in every provider: objects put together, resources taken as they are
//! written, dependencies that follow from names, two declarations that would be one live object.
//!
//! In come drafts and `resource` blocks; out goes [`Lowered`], everything in normal form with
//! every mistake at once. What a declaration becomes is the provider's own.

use std::collections::{BTreeMap, BTreeSet};

use crate::address::{Address, DeclarationAddress, ObjectAddress};
use crate::declaration::{Lifecycle, Resource, Wanted};
use crate::diagnostic::Diagnostic;
use crate::provider::Lowered;
use crate::schema::{Attribute, Kind, Need};
use crate::settings::UNKNOWN_ATTRIBUTE;
use crate::shape;
use crate::span::Span;
use crate::text::safe;
use crate::value::Value;

/// The normal form of a written value of an attribute.
pub type Normalise = fn(&Kind, &str, &Value) -> Result<Value, String>;

/// An object being put together.
pub struct Draft {
    address: ObjectAddress,
    attributes: BTreeMap<String, Value>,
    depends_on: BTreeSet<ObjectAddress>,
    holders: BTreeSet<DeclarationAddress>,
    lifecycle: Lifecycle,
    span: Span,
}

impl Draft {
    /// An object without attributes.
    pub fn new(address: ObjectAddress, lifecycle: &Lifecycle, span: Span) -> Self {
        Self {
            address,
            attributes: BTreeMap::new(),
            depends_on: BTreeSet::new(),
            holders: BTreeSet::new(),
            lifecycle: lifecycle.clone(),
            span,
        }
    }

    /// With an attribute.
    #[must_use]
    pub fn set(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.attributes.insert(name.to_owned(), value.into());
        self
    }

    /// With an attribute that is text.
    #[must_use]
    pub fn text(self, name: &str, text: impl Into<String>) -> Self {
        self.set(name, Value::string(text))
    }

    /// With an attribute that is a set of texts.
    #[must_use]
    pub fn strings<S: Into<String>>(self, name: &str, all: impl IntoIterator<Item = S>) -> Self {
        self.set(name, Value::strings(all))
    }

    /// With an attribute that is a duration, in seconds.
    #[must_use]
    pub fn seconds(self, name: &str, seconds: u64) -> Self {
        // More than `i64::MAX` seconds is no lifetime that anything would tell from for ever.
        self.set(
            name,
            Value::integer(i64::try_from(seconds).unwrap_or(i64::MAX)),
        )
    }

    /// To be done after these.
    #[must_use]
    pub fn after(mut self, all: impl IntoIterator<Item = ObjectAddress>) -> Self {
        self.depends_on.extend(all);
        self
    }

    /// As the access of these identities.
    #[must_use]
    pub fn held_by(mut self, all: impl IntoIterator<Item = DeclarationAddress>) -> Self {
        self.holders.extend(all);
        self
    }
}

/// The objects that a part of a configuration becomes, being collected.
pub struct Drafts<'a> {
    instance: &'a str,
    provider: &'static str,
    kinds: &'static [Kind],
    normalise: Normalise,
    /// Objects so far, in normal form.
    pub objects: Vec<Wanted>,
    /// Mistakes and warnings so far.
    pub diagnostics: Vec<Diagnostic>,
}

impl<'a> Drafts<'a> {
    /// Nothing yet, for one instance of a provider with these kinds.
    pub fn new(
        instance: &'a str,
        provider: &'static str,
        kinds: &'static [Kind],
        normalise: Normalise,
    ) -> Self {
        Self {
            instance,
            provider,
            kinds,
            normalise,
            objects: Vec::new(),
            diagnostics: Vec::new(),
        }
    }

    /// The address of what a declaration becomes at this instance.
    pub fn address(&self, declaration: &DeclarationAddress, kind: &str) -> ObjectAddress {
        let alias = self.instance.split_once('.');
        declaration
            .object(kind)
            .with_alias(alias.map(|(_, alias)| alias.to_owned()))
    }

    /// Puts a draft of a declaration that isn't a resource into normal form and keeps it. What
    /// can't be is a diagnostic at the declaration, since its own spans are gone by then.
    pub fn keep(&mut self, draft: Draft) {
        let Some(kind) = self
            .kinds
            .iter()
            .find(|kind| kind.name == draft.address.kind)
        else {
            return;
        };
        let mut attributes = BTreeMap::new();
        for (name, value) in draft.attributes {
            match (self.normalise)(kind, &name, &value) {
                Ok(Value::Null) => {}
                Ok(value) => {
                    attributes.insert(name, value);
                }
                Err(why) => {
                    let declaration = draft.address.declaration.clone();
                    self.diagnostics.push(
                        Diagnostic::error(format!("not possible in {}", self.provider), why)
                            .at(draft.span)
                            .about(Address::Declaration(declaration)),
                    );
                }
            }
        }
        for name in kind.key_attributes() {
            if let Some(default) = kind.attribute(name).and_then(|one| one.default.value()) {
                attributes.entry(name.to_owned()).or_insert(default);
            }
        }
        let Some(key) = kind.key_of(&attributes) else {
            return;
        };
        self.objects.push(Wanted {
            address: draft.address,
            instance: self.instance.to_owned(),
            kind,
            key,
            attributes,
            depends_on: draft.depends_on,
            holders: draft.holders,
            lifecycle: draft.lifecycle,
            span: draft.span,
        });
    }

    /// Takes a `resource` block as it is written. `refuse` says what is wrong with a value beyond
    /// its form: a summary, why, and what to write instead.
    pub fn resource(
        &mut self,
        resource: &Resource,
        refuse: impl Fn(&Kind, &str, &Value) -> Option<(&'static str, String, String)>,
    ) {
        let kind = resource.kind;
        let address = self.address(&resource.address, kind.name);
        let mut draft = Draft::new(address, &resource.lifecycle, resource.span);
        for (name, written) in &resource.attributes {
            if written.value == Value::Null {
                continue;
            }
            let attribute = kind.attribute(name);
            if attribute.is_none() && kind.versioned(name).is_none() {
                self.unknown(resource, name, written.span);
                continue;
            }
            if attribute.is_some_and(|attribute| attribute.need == Need::Computed) {
                let why = format!("`{name}` of `{}` is told by the server", kind.name);
                self.bad_attribute(resource, "attribute can't be set", why, written.span);
                continue;
            }
            if let Some((summary, why, help)) = refuse(kind, name, &written.value) {
                self.diagnostics.push(
                    Diagnostic::error(summary, why)
                        .help(help)
                        .at(resource.span)
                        .at(written.span)
                        .about(Address::Declaration(resource.address.clone()))
                        .hiding_text(),
                );
                continue;
            }
            match (self.normalise)(kind, name, &written.value) {
                Ok(value) => draft = draft.set(name, value),
                Err(why) => {
                    self.bad_attribute(resource, "attribute with a wrong value", why, written.span);
                    let holds_secret = attribute.is_some_and(|attribute| attribute.write_only);
                    if let Some(last) = self.diagnostics.last_mut().filter(|_| holds_secret) {
                        last.hides_text = true;
                    }
                }
            }
        }
        for attribute in kind.attributes {
            self.check_missing(resource, attribute);
        }
        self.keep(draft);
    }

    /// An attribute that the kind doesn't have. Where the kind takes a secret, this may be one,
    /// misspelt: only where another attribute was surely meant is its value shown.
    fn unknown(&mut self, resource: &Resource, name: &str, value: Option<Span>) {
        let kind = resource.kind;
        let known = || {
            let settable = |one: &&Attribute| one.need != Need::Computed;
            kind.attributes.iter().filter(settable)
        };
        let meant = shape::nearest(name, known().map(|one| one.name))
            .and_then(|meant| kind.attribute(meant));
        let all: Vec<&str> = known().map(|one| one.name).collect();
        let help = match meant {
            Some(meant) => format!("did you mean `{}`?", meant.name),
            None => format!("it has {}", all.join(", ")),
        };
        let is_plain = meant.is_some_and(|meant| !meant.write_only);
        let takes_secret = known().any(|one| one.write_only);
        let why = format!("`{}` has no attribute `{}`", kind.name, safe(name));
        let at = resource.names.get(name).copied().or(value);
        self.bad_attribute(resource, UNKNOWN_ATTRIBUTE, why, at);
        if let Some(last) = self.diagnostics.last_mut() {
            last.help = Some(help);
            last.hidden = value.filter(|_| takes_secret && !is_plain);
        }
    }

    fn check_missing(&mut self, resource: &Resource, attribute: &Attribute) {
        let written = |name: &str| {
            resource
                .attributes
                .get(name)
                .filter(|written| written.value != Value::Null)
        };
        if written(attribute.name).is_some() {
            return;
        }
        if attribute.need == Need::Required {
            let why = format!(
                "`{}` needs `{}`: {}",
                resource.kind.name, attribute.name, attribute.summary
            );
            self.bad_attribute(resource, "required attribute missing", why, None);
        }
        let version = format!("{}_version", attribute.name);
        if attribute.write_only
            && let Some(version_written) = written(&version)
        {
            let why = format!(
                "`{version}` says when `{}` is written again, and there is none",
                attribute.name
            );
            let span = version_written.span;
            self.bad_attribute(resource, "version without its secret", why, span);
        }
    }

    fn bad_attribute(
        &mut self,
        resource: &Resource,
        summary: &str,
        why: String,
        span: Option<Span>,
    ) {
        self.diagnostics.push(
            Diagnostic::error(summary, why)
                .at(resource.span)
                .at(span)
                .about(Address::Declaration(resource.address.clone())),
        );
    }

    /// What an object names, it depends on: its container, what `named` adds by kind and key, and
    /// what its pending values wait for.
    pub fn infer_dependencies(&mut self, named: impl Fn(&Wanted) -> Vec<(&'static str, String)>) {
        let by_key: BTreeMap<(&str, &str), &ObjectAddress> = self
            .objects
            .iter()
            .map(|wanted| ((wanted.kind.name, wanted.key.as_str()), &wanted.address))
            .collect();
        let inferred: Vec<BTreeSet<ObjectAddress>> = self
            .objects
            .iter()
            .map(|wanted| {
                let mut keys = named(wanted);
                if let Some(container) = &wanted.kind.container
                    && let Some(key) = text_of(wanted, container.attribute)
                {
                    keys.push((container.kind, key.to_owned()));
                }
                let mut all: BTreeSet<ObjectAddress> = keys
                    .iter()
                    .filter_map(|(kind, key)| by_key.get(&(*kind, key.as_str())))
                    .map(|address| (*address).clone())
                    .collect();
                for value in wanted.attributes.values() {
                    value.walk(&mut |value| {
                        if let Value::Pending(pending) = value {
                            all.extend(pending.objects().cloned());
                        }
                    });
                }
                all
            })
            .collect();
        for (wanted, all) in self.objects.iter_mut().zip(inferred) {
            wanted.depends_on.extend(all);
            wanted.depends_on.remove(&wanted.address);
        }
    }

    /// `depends_on` of a declaration names declarations: every object of theirs comes first.
    pub fn declared_dependencies(&mut self) {
        let addresses: Vec<_> = self.objects.iter().map(|one| one.address.clone()).collect();
        for wanted in &mut self.objects {
            for declaration in &wanted.lifecycle.depends_on {
                let before = Address::Declaration(declaration.clone());
                let own = &wanted.address.declaration;
                let covered = addresses
                    .iter()
                    .filter(|one| one.declaration != *own && before.covers(one));
                wanted.depends_on.extend(covered.cloned());
            }
        }
    }

    /// Refuses two declarations that would fight over one live object. `folded` is a key as the
    /// server compares it; `explain` words a case that deserves more than the plain words.
    pub fn same_live_object(
        &mut self,
        folded: impl Fn(&Kind, &str) -> String,
        explain: impl Fn(&Wanted, &Wanted) -> Option<(&'static str, String, &'static str)>,
    ) {
        let mut seen: BTreeMap<(&str, String), &Wanted> = BTreeMap::new();
        let mut found = Vec::new();
        for wanted in &self.objects {
            let key = folded(wanted.kind, &wanted.key);
            let Some(before) = seen.insert((wanted.kind.name, key), wanted) else {
                continue;
            };
            let (summary, detail, help) = explain(before, wanted).unwrap_or_else(|| {
                (
                    "two declarations of one live object",
                    format!(
                        "`{}` and `{}` both are the {} `{}`",
                        before.address,
                        wanted.address,
                        wanted.kind.name,
                        safe(&wanted.key)
                    ),
                    "give one of them another name, or remove it",
                )
            });
            let declaration = wanted.address.declaration.clone();
            found.push(
                Diagnostic::error(summary, detail)
                    .help(help)
                    .at(wanted.span)
                    .label(before.span, "the other one")
                    .about(Address::Declaration(declaration)),
            );
        }
        self.diagnostics.extend(found);
    }

    /// Everything collected.
    pub fn finish(self) -> Lowered {
        Lowered {
            objects: self.objects,
            diagnostics: self.diagnostics,
        }
    }
}

/// An attribute of a wanted object that is known text.
pub fn text_of<'a>(wanted: &'a Wanted, name: &str) -> Option<&'a str> {
    wanted.attributes.get(name).and_then(Value::as_str)
}
