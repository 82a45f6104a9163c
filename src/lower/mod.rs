//! The model to the objects that are wanted.
//!
//! In: a checked [`Model`] and the lowering half of each provider. Out: [`Desired`], every
//! object with what must be done before it, or every mistake found.
//!
//! Each provider says what its part of a declaration becomes; this module says which part is
//! whose, joins the results to one graph and refuses what no order could satisfy. It never
//! contacts a server: names and keys are computed.

mod catalog;
mod ignored;
mod parts;

use std::collections::{BTreeMap, BTreeSet};

use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;
use remit_sdk::declaration::Wanted;
use remit_sdk::{Address, DeclarationAddress, Diagnostic, ObjectAddress, Spanned};

pub use catalog::Catalog;

use crate::model::Model;

/// Everything that is wanted.
#[derive(Debug, Default)]
pub struct Desired {
    /// The objects.
    pub objects: BTreeMap<ObjectAddress, Wanted>,
}

/// What the identities of agents with a ceiling would become if they held all of it, and nothing
/// else: what they may never exceed.
pub fn ceilings(model: &Model, catalog: &Catalog<'_>) -> Result<Desired, Vec<Diagnostic>> {
    let mut most = Model {
        settings: model.settings.clone(),
        ..Model::default()
    };
    for (address, identity) in &model.identities {
        let Some(agent) = model.agents.get(&identity.agent) else {
            continue;
        };
        if agent.ceiling.is_empty() {
            continue;
        }
        let mut identity = identity.clone();
        let span = identity.span;
        identity.scopes = agent
            .ceiling
            .iter()
            .map(|scope| Spanned::new(scope.clone(), Some(span)))
            .collect();
        most.identities.insert(address.clone(), identity);
    }
    if most.identities.is_empty() {
        return Ok(Desired::default());
    }
    most.providers.clone_from(&model.providers);
    most.environments.clone_from(&model.environments);
    most.issuers.clone_from(&model.issuers);
    most.agents.clone_from(&model.agents);
    most.scopes.clone_from(&model.scopes);
    lower(&most, catalog).map(|(desired, _)| desired)
}

/// What `model` becomes in the targets of `catalog`'s providers. The second part of the result
/// are warnings.
pub fn lower(
    model: &Model,
    catalog: &Catalog<'_>,
) -> Result<(Desired, Vec<Diagnostic>), Vec<Diagnostic>> {
    let mut diagnostics = Vec::new();
    let mut objects: BTreeMap<ObjectAddress, Wanted> = BTreeMap::new();
    for part in parts::split(model, catalog, &mut diagnostics) {
        let Some(provider) = catalog.provider_of_instance(&part.instance) else {
            continue;
        };
        let lowered = provider.lower(&part.borrow(&model.settings.prefix));
        diagnostics.extend(lowered.diagnostics);
        for wanted in lowered.objects {
            if let Some(before) = objects.insert(wanted.address.clone(), wanted) {
                diagnostics.push(
                    Diagnostic::error(
                        "two objects with one address",
                        format!("{} is made twice", before.address),
                    )
                    .at(before.span),
                );
            }
        }
    }
    diagnostics.extend(ignored::unknown(&objects));
    connect(&mut objects);
    diagnostics.extend(cycles(&objects));
    if diagnostics.iter().any(Diagnostic::is_error) {
        return Err(diagnostics);
    }
    Ok((Desired { objects }, diagnostics))
}

/// Adds the order that `depends_on` asks for, and drops what names no object: a provider may
/// name what only some configurations have.
fn connect(objects: &mut BTreeMap<ObjectAddress, Wanted>) {
    let mut by_declaration: BTreeMap<DeclarationAddress, Vec<ObjectAddress>> = BTreeMap::new();
    for address in objects.keys() {
        by_declaration
            .entry(address.declaration.clone())
            .or_default()
            .push(address.clone());
        if address.declaration.key.is_some() {
            by_declaration
                .entry(address.declaration.block())
                .or_default()
                .push(address.clone());
        }
    }
    let known: BTreeSet<ObjectAddress> = objects.keys().cloned().collect();
    for (address, wanted) in objects.iter_mut() {
        let own = address.declaration.clone();
        let replaced_with = wanted.lifecycle.replace_on.iter();
        // What replaces it is decided, and done, before it.
        for declaration in wanted.lifecycle.depends_on.iter().chain(replaced_with) {
            if *declaration == own {
                continue;
            }
            wanted.depends_on.extend(
                by_declaration
                    .get(declaration)
                    .into_iter()
                    .flatten()
                    .cloned(),
            );
        }
        wanted
            .depends_on
            .retain(|other| other != address && known.contains(other));
    }
}

/// The circles among the objects, each as a diagnostic that names its members.
fn cycles(objects: &BTreeMap<ObjectAddress, Wanted>) -> Vec<Diagnostic> {
    let mut graph: DiGraphMap<&ObjectAddress, ()> = DiGraphMap::new();
    for (address, wanted) in objects {
        graph.add_node(address);
        for other in &wanted.depends_on {
            graph.add_edge(address, other, ());
        }
    }
    let mut found = Vec::new();
    for mut component in tarjan_scc(&graph) {
        if component.len() < 2 {
            continue;
        }
        component.sort();
        let members: Vec<String> = component.iter().map(ToString::to_string).collect();
        let span = component
            .first()
            .and_then(|address| objects.get(*address))
            .map(|one| one.span);
        let mut diagnostic = Diagnostic::error(
            "objects that wait for each other",
            format!(
                "each of these must be done before the next: {}",
                members.join(", ")
            ),
        )
        .help("remove one `depends_on`, or one reference, so that the circle opens")
        .at(span);
        if let Some(address) = component.first() {
            diagnostic = diagnostic.about(Address::Object((*address).clone()));
        }
        found.push(diagnostic);
    }
    found
}
