//! Names in `ignore_changes` that no object of the declaration has.
//!
//! In: the objects that are wanted. Out: diagnostics. A name that is misspelt would ignore
//! nothing, and nobody would know until the plan puts back what was to be left alone. A resource
//! is one kind, so there it is an error; what another declaration becomes depends on the
//! configuration, so there it is a warning.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::declaration::Wanted;
use remit_sdk::text::safe;
use remit_sdk::{Address, DeclarationAddress, Diagnostic, Kind, ObjectAddress, shape};

/// How many attributes are listed where none is near.
const LISTED_MAX: usize = 12;

/// What is wrong, once for each block and name.
pub(super) fn unknown(objects: &BTreeMap<ObjectAddress, Wanted>) -> Vec<Diagnostic> {
    let mut blocks: BTreeMap<DeclarationAddress, Vec<&Wanted>> = BTreeMap::new();
    for wanted in objects.values() {
        let block = wanted.address.declaration.block();
        blocks.entry(block).or_default().push(wanted);
    }
    blocks
        .iter()
        .flat_map(|(block, all)| of_block(block, all))
        .collect()
}

fn of_block(block: &DeclarationAddress, all: &[&Wanted]) -> Vec<Diagnostic> {
    let kinds: BTreeMap<&str, &'static Kind> =
        all.iter().map(|one| (one.kind.name, one.kind)).collect();
    let names: BTreeSet<&String> = all
        .iter()
        .flat_map(|one| &one.lifecycle.ignore_changes)
        .filter(|name| *name != "*")
        .collect();
    let is_known = |name: &str| {
        kinds
            .values()
            .any(|kind| kind.attribute(name).is_some() || kind.versioned(name).is_some())
    };
    names
        .into_iter()
        .filter(|name| !is_known(name))
        .map(|name| {
            let known: BTreeSet<&'static str> = kinds
                .values()
                .flat_map(|kind| kind.attributes)
                .map(|attribute| attribute.name)
                .collect();
            let listed: Vec<_> = known.iter().copied().take(LISTED_MAX).collect();
            let help = match shape::nearest(name, known.iter().copied()) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => format!(
                    "`remit schema` lists them: {}{}",
                    listed.join(", "),
                    if known.len() > LISTED_MAX {
                        ", …"
                    } else {
                        ""
                    }
                ),
            };
            let detail = format!(
                "`ignore_changes` names `{}`, which no object of `{block}` has, so it would ignore \
                 nothing",
                safe(name)
            );
            let summary = "unknown attribute in ignore_changes";
            // A resource has its kind's name.
            let diagnostic = if kinds.contains_key(block.kind.as_str()) {
                Diagnostic::error(summary, detail)
            } else {
                Diagnostic::warning(summary, detail)
            };
            diagnostic
                .help(help)
                .at(all.first().map(|one| one.span))
                .about(Address::Declaration(block.clone()))
        })
        .collect()
}
