//! The stages from a configuration to a [`Model`], in the order they need each other.

use std::collections::BTreeMap;

use remit_sdk::{DeclarationAddress, Diagnostic, Lower};

use super::reader::Reader;
use super::{
    Model, digest, exception, identity, issuer, people, provider, resource, scope, settings,
};
use crate::config::syntax::Configuration;
use crate::diagnostic::SourceMap;
use crate::evaluate::{Declared, Evaluated, Evaluator, Inputs, with_large_stack};

/// The checked model of a configuration, with warnings; or every mistake in it, warnings
/// included.
pub fn build(
    configuration: &Configuration,
    inputs: &Inputs<'_>,
    providers: &[&dyn Lower],
    sources: &SourceMap,
) -> Result<(Model, Vec<Diagnostic>), Vec<Diagnostic>> {
    let (model, diagnostics) = with_large_stack(|| {
        let evaluator = Evaluator::new(configuration, inputs, providers);
        let model = model(&evaluator, sources);
        (model, evaluator.diagnostics())
    })
    .map_err(|error| vec![error])?;
    if diagnostics.iter().any(Diagnostic::is_error) {
        return Err(diagnostics);
    }
    Ok((model, diagnostics))
}

/// Everything that could be read; what couldn't is reported and missing.
fn model(evaluator: &Evaluator<'_>, sources: &SourceMap) -> Model {
    let mut model = Model {
        settings: settings::settings(evaluator),
        ..Model::default()
    };
    evaluator.set_prefix(&model.settings.prefix);
    evaluator.check_variables();
    model.providers = provider::providers(evaluator);
    evaluator.set_configs(&model.providers);
    for config in model.providers.values() {
        let provider = evaluator
            .providers
            .iter()
            .find(|provider| provider.name() == config.provider);
        for mistake in provider.iter().flat_map(|one| one.check_config(config)) {
            let block = evaluator.index.providers.get(&config.instance);
            evaluator.report(provider::at_its_name(mistake, block.copied()));
        }
    }
    for (name, attribute) in &evaluator.index.locals {
        let _ = evaluator.local_value(name, attribute.name.span, attribute);
    }
    for (name, block) in &evaluator.index.variables {
        if let Ok(value) = evaluator.variable_value(name, None, block) {
            model.variables.insert((*name).to_owned(), (*value).clone());
        }
    }
    model.owners = each(evaluator, "owner", |reader, address, _| {
        people::owner(reader, address)
    });
    model.environments = each(evaluator, "environment", |reader, address, _| {
        people::environment(reader, address)
    });
    model.issuers = each(evaluator, "issuer", |reader, address, _| {
        issuer::issuer(reader, address)
    });
    model.agents = each(evaluator, "agent", |reader, address, _| {
        people::agent(reader, address)
    });
    model.identities = each(evaluator, "identity", |reader, address, _| {
        identity::identity(reader, address, &model)
    });
    model.scopes = each(evaluator, "scope", |reader, address, declared| {
        scope::scope(reader, address, declared.block, &model)
    });
    model.resources = resources(evaluator);
    model.exceptions = each(evaluator, "exception", |reader, address, _| {
        exception::exception(reader, address)
    });
    model.outputs = resource::outputs(evaluator);
    implicit_providers(evaluator, &mut model);
    model.digest = digest::digest(sources, &model.variables);
    model
}

/// Reads every instance of one kind of declaration.
fn each<'c, T>(
    evaluator: &Evaluator<'c>,
    kind: &str,
    read: impl Fn(&Reader<'_, 'c>, DeclarationAddress, &Declared<'c>) -> Evaluated<T>,
) -> BTreeMap<DeclarationAddress, T> {
    let mut found = BTreeMap::new();
    for declared in &evaluator.index.declared {
        if declared.block.kind.value != kind {
            continue;
        }
        for key in evaluator.keys(declared) {
            let key = key.as_deref();
            let address = declared.instance(key);
            let result = evaluator.in_instance(declared, key, |scope| {
                let reader = Reader::instance(evaluator, declared, key, scope);
                read(&reader, address.clone(), declared)
            });
            if let Ok(value) = result {
                found.insert(address, value);
            }
        }
    }
    found
}

fn resources(
    evaluator: &Evaluator<'_>,
) -> BTreeMap<DeclarationAddress, remit_sdk::declaration::Resource> {
    each(evaluator, "resource", |reader, address, declared| {
        let kind = declared.kind.ok_or(crate::evaluate::Failed)?;
        let provider = evaluator
            .providers
            .iter()
            .find(|provider| provider.kind(kind.name).is_some())
            .ok_or(crate::evaluate::Failed)?;
        resource::resource(reader, address, kind, *provider)
    })
}

/// A provider's default instance exists without a block; it is listed where something uses it.
fn implicit_providers(evaluator: &Evaluator<'_>, model: &mut Model) {
    for lower in evaluator.providers {
        let name = lower.name();
        let by_resource = || {
            model
                .resources
                .values()
                .any(|resource| resource.instance == name)
        };
        let by_identity = || {
            model.identities.values().any(|identity| {
                model.is_in(identity, name) && model.instance_of(identity, name) == name
            })
        };
        if !model.providers.contains_key(name) && (by_resource() || by_identity()) {
            model
                .providers
                .insert(name.to_owned(), provider::implicit(name));
        }
    }
}
