//! What a configuration declares, by name, before anything is evaluated.
//!
//! In: the syntax tree. Out: an [`Index`], and the mistakes that can be seen without evaluating:
//! blocks of unknown kinds, wrong labels, one name declared twice.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::address::is_label;
use remit_sdk::{DeclarationAddress, Diagnostic, Kind, Lower, Span};

use super::nearest::did_you_mean;
use super::scope::Holder;
use crate::config::syntax::{Attribute, Block, Configuration};

/// The kinds of declaration that references begin with.
pub(crate) const DECLARATIONS: [&str; 7] = [
    "owner",
    "environment",
    "issuer",
    "agent",
    "scope",
    "identity",
    "exception",
];

/// Blocks the language has and this version doesn't.
const NOT_YET: [&str; 7] = [
    "module",
    "data",
    "import",
    "moved",
    "removed",
    "credential",
    "rotation_window",
];

/// Blocks that are no declarations.
const OTHERS: [&str; 6] = [
    "remit", "provider", "variable", "locals", "output", "resource",
];

/// A block that is a declaration, or several under `for_each`.
#[derive(Debug)]
pub(crate) struct Declared<'c> {
    /// Its place in [`Index::declared`].
    pub(crate) id: usize,
    /// Its address without a key.
    pub(crate) address: DeclarationAddress,
    /// The block.
    pub(crate) block: &'c Block,
    /// For a resource: its kind.
    pub(crate) kind: Option<&'static Kind>,
}

/// What is declared, by name.
#[derive(Debug, Default)]
pub(crate) struct Index<'c> {
    /// All declarations in the order written.
    pub(crate) declared: Vec<Declared<'c>>,
    names: BTreeMap<String, BTreeMap<String, usize>>,
    /// `variable` blocks.
    pub(crate) variables: BTreeMap<&'c str, &'c Block>,
    /// Attributes of `locals` blocks.
    pub(crate) locals: BTreeMap<&'c str, &'c Attribute>,
    /// `output` blocks.
    pub(crate) outputs: BTreeMap<&'c str, &'c Block>,
    /// `provider` blocks by instance: `vault`, `vault.audit`.
    pub(crate) providers: BTreeMap<String, &'c Block>,
    /// The `remit` block.
    pub(crate) settings: Option<&'c Block>,
    /// Kinds that were refused: what refers to them isn't reported again.
    pub(crate) refused: BTreeSet<&'c str>,
}

impl<'c> Index<'c> {
    /// Goes through all blocks.
    pub(crate) fn build(
        configuration: &'c Configuration,
        providers: &[&dyn Lower],
    ) -> (Self, Vec<Diagnostic>) {
        let mut index = Self::default();
        let mut errors = Vec::new();
        for attribute in &configuration.attributes {
            errors.push(
                Diagnostic::error(
                    "attribute outside a block",
                    format!("`{}` stands outside any block", attribute.name.value),
                )
                .at(attribute.name.span)
                .help("put it in a block; values for variables stand in `*.auto.remitvars.hcl`"),
            );
        }
        for block in &configuration.blocks {
            index.block(block, providers, &mut errors);
        }
        (index, errors)
    }

    fn block(&mut self, block: &'c Block, providers: &[&dyn Lower], errors: &mut Vec<Diagnostic>) {
        let kind = block.kind.value.as_str();
        let earlier = match kind {
            "remit" => {
                labels(block, &[], errors);
                self.settings.replace(block).map(|earlier| earlier.span)
            }
            "locals" => {
                labels(block, &[], errors);
                self.locals(block, errors);
                None
            }
            "provider" => self.provider(block, providers, errors),
            "variable" => labels(block, &["name"], errors)
                .and_then(|name| self.variables.insert(name, block))
                .map(|earlier| earlier.span),
            "output" => labels(block, &["name"], errors)
                .and_then(|name| self.outputs.insert(name, block))
                .map(|earlier| earlier.span),
            "resource" => self.resource(block, providers, errors),
            _ if DECLARATIONS.contains(&kind) => {
                labels(block, &["name"], errors).and_then(|name| {
                    reserved(block, name, errors);
                    self.declare(DeclarationAddress::new(kind, name), block, None)
                })
            }
            _ => {
                self.refused.insert(kind);
                errors.push(unknown_block(block));
                None
            }
        };
        if let Some(earlier) = earlier {
            let name = block.labels.last().map_or(kind, |label| &label.value);
            errors.push(
                Diagnostic::error(
                    "declared twice",
                    format!("`{kind}` `{name}` is declared a second time here"),
                )
                .at(block.span)
                .label(earlier, "first declared here")
                .help(match kind {
                    "remit" => "write all settings in one `remit` block",
                    _ => "rename or remove one of the two",
                }),
            );
        }
    }

    fn declare(
        &mut self,
        address: DeclarationAddress,
        block: &'c Block,
        kind: Option<&'static Kind>,
    ) -> Option<Span> {
        let id = self.declared.len();
        let names = self.names.entry(address.kind.clone()).or_default();
        if let Some(earlier) = names.get(&address.name) {
            return self
                .declared
                .get(*earlier)
                .map(|earlier| earlier.block.span);
        }
        names.insert(address.name.clone(), id);
        self.declared.push(Declared {
            id,
            address,
            block,
            kind,
        });
        None
    }

    fn locals(&mut self, block: &'c Block, errors: &mut Vec<Diagnostic>) {
        for attribute in &block.body.attributes {
            let name = attribute.name.value.as_str();
            if let Some(earlier) = self.locals.insert(name, attribute) {
                errors.push(
                    Diagnostic::error(
                        "declared twice",
                        format!("`local.{name}` is declared a second time here"),
                    )
                    .at(attribute.name.span)
                    .label(earlier.name.span, "first declared here")
                    .help("rename or remove one of the two"),
                );
            }
        }
        for inner in &block.body.blocks {
            errors.push(
                Diagnostic::error(
                    "unknown block",
                    format!("`locals` holds no block `{}`", inner.kind.value),
                )
                .at(inner.span)
                .help("write an object: NAME = { … }"),
            );
        }
    }

    fn provider(
        &mut self,
        block: &'c Block,
        providers: &[&dyn Lower],
        errors: &mut Vec<Diagnostic>,
    ) -> Option<Span> {
        let wanted: &[&str] = if block.labels.len() > 1 {
            &["provider", "alias"]
        } else {
            &["provider"]
        };
        labels(block, wanted, errors)?;
        let label = block.labels.first()?;
        let known = || providers.iter().map(|provider| provider.name());
        if !known().any(|name| name == label.value) {
            errors.push(unknown_provider(&label.value, label.span, known()));
        }
        let instance: Vec<&str> = block
            .labels
            .iter()
            .map(|label| label.value.as_str())
            .collect();
        self.providers
            .insert(instance.join("."), block)
            .map(|earlier| earlier.span)
    }

    fn resource(
        &mut self,
        block: &'c Block,
        providers: &[&dyn Lower],
        errors: &mut Vec<Diagnostic>,
    ) -> Option<Span> {
        let name = labels(block, &["kind", "name"], errors)?;
        let label = block.labels.first()?;
        let kind = find_kind(providers, &label.value);
        if kind.is_none() {
            errors.push(unknown_kind(&label.value, label.span, providers));
        }
        self.declare(DeclarationAddress::new(&label.value, name), block, kind)
    }

    /// The declaration of this kind and name.
    pub(crate) fn find(&self, kind: &str, name: &str) -> Option<&Declared<'c>> {
        let id = self.names.get(kind)?.get(name)?;
        self.declared.get(*id)
    }

    /// The names declared of this kind.
    pub(crate) fn names(&self, kind: &str) -> impl Iterator<Item = &str> {
        self.names
            .get(kind)
            .into_iter()
            .flat_map(|names| names.keys().map(String::as_str))
    }

    /// The kinds something is declared of.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(String::as_str)
    }
}

/// The provider's kind of this name.
pub(crate) fn find_kind(providers: &[&dyn Lower], name: &str) -> Option<&'static Kind> {
    providers.iter().find_map(|provider| provider.kind(name))
}

/// Checks the labels; the last one, if there is one.
fn labels<'c>(block: &'c Block, wanted: &[&str], errors: &mut Vec<Diagnostic>) -> Option<&'c str> {
    let kind = &block.kind.value;
    let quoted: Vec<String> = wanted.iter().map(|label| format!(" \"{label}\"")).collect();
    let shape = format!("{kind}{}", quoted.concat());
    if block.labels.len() != wanted.len() {
        errors.push(
            Diagnostic::error(
                "wrong number of labels",
                format!(
                    "a `{kind}` block has {} and this one has {}",
                    count(wanted.len()),
                    count(block.labels.len())
                ),
            )
            .at(block.span)
            .help(format!("write `{shape} {{ … }}`")),
        );
    }
    for label in &block.labels {
        if !is_label(&label.value) {
            errors.push(
                Diagnostic::error(
                    "invalid label",
                    format!(
                        "`{}` is no label: a label is a lower-case letter, then lower-case letters, digits and `_`",
                        remit_sdk::text::safe(&label.value)
                    ),
                )
                .at(label.span)
                .help("names that must look otherwise are set by an attribute, such as `live_name`"),
            );
        }
    }
    block.labels.last().map(|label| label.value.as_str())
}

fn count(labels: usize) -> String {
    match labels {
        0 => "no label".into(),
        1 => "one label".into(),
        n => format!("{n} labels"),
    }
}

fn reserved(block: &Block, name: &str, errors: &mut Vec<Diagnostic>) {
    if block.kind.value == "identity" && Holder::NAMES.contains(&name) {
        errors.push(
            Diagnostic::error(
                "reserved label",
                format!("`identity.{name}` is what a grant calls its holder's {name}"),
            )
            .at(block.labels.first().and_then(|label| label.span))
            .help("choose another label"),
        );
    }
}

fn unknown_block(block: &Block) -> Diagnostic {
    let kind = block.kind.value.as_str();
    if NOT_YET.contains(&kind) {
        return Diagnostic::error(
            "not in this version",
            format!("this version of remit doesn't know `{kind}` blocks yet"),
        )
        .at(block.span)
        .help("remove the block, or use a version that knows it");
    }
    let error = Diagnostic::error("unknown block", format!("there is no block `{kind}`"))
        .at(block.kind.span);
    let known = DECLARATIONS.into_iter().chain(OTHERS);
    error.help(did_you_mean(kind, known).unwrap_or_else(|| {
        format!(
            "blocks are {} and {}",
            DECLARATIONS.join(", "),
            OTHERS.join(", ")
        )
    }))
}

/// A provider this version doesn't have.
pub(crate) fn unknown_provider<'a>(
    name: &str,
    span: Option<Span>,
    known: impl Iterator<Item = &'a str>,
) -> Diagnostic {
    let known: Vec<&str> = known.collect();
    Diagnostic::error(
        "unknown provider",
        format!("there is no provider `{}`", remit_sdk::text::safe(name)),
    )
    .at(span)
    .help(
        did_you_mean(name, known.iter().copied())
            .unwrap_or_else(|| format!("providers of this version: {}", known.join(", "))),
    )
}

fn unknown_kind(name: &str, span: Option<Span>, providers: &[&dyn Lower]) -> Diagnostic {
    let kinds: Vec<&str> = providers
        .iter()
        .flat_map(|provider| provider.kinds())
        .map(|kind| kind.name)
        .collect();
    Diagnostic::error(
        "unknown resource kind",
        format!("no provider has a kind `{}`", remit_sdk::text::safe(name)),
    )
    .at(span)
    .help(did_you_mean(name, kinds).unwrap_or_else(|| "`remit schema` lists the kinds".to_owned()))
}
