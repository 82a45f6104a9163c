//! The secrets that a step sends: fetched just before, held in memory that is wiped.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::{Address, Diagnostic, ErrorKind, Kind, ProviderError, Secret, SecretRef, Value};

use super::walk::Walk;
use crate::plan::{Step, StepOperation};
use crate::state::Operation;

/// What can't be fetched of the secrets that the plan's steps will send and that live in no
/// target: known before the first write, and not at the ninth of ten.
pub(super) fn missing(walk: &Walk<'_>) -> Vec<Diagnostic> {
    let mut asked = BTreeSet::new();
    let mut found = Vec::new();
    for step in &walk.plan.steps {
        let StepOperation::Write(operation) = step.operation else {
            continue;
        };
        for (name, value) in &step.attributes {
            let sends = operation == Operation::Create || step.changed.contains(name);
            let Value::Secret(reference @ (SecretRef::Env(_) | SecretRef::Variable(_))) = value
            else {
                continue;
            };
            if !sends || !asked.insert(reference) {
                continue;
            }
            if let Err(error) = (walk.secrets)(reference) {
                let mut diagnostic = Diagnostic::error("secret is missing", error.message)
                    .about(Address::Object(step.address.clone()));
                diagnostic.help = error.help;
                found.push(diagnostic);
            }
        }
    }
    found
}

/// The secrets that a write sends: all of a create's, those that changed of an update's.
pub(super) async fn resolved(
    walk: &Walk<'_>,
    step: &Step,
    kind: &Kind,
    operation: Operation,
    attributes: &BTreeMap<String, Value>,
) -> Result<BTreeMap<String, Secret>, ProviderError> {
    let mut found = BTreeMap::new();
    for (name, value) in attributes {
        let sends = operation == Operation::Create || step.changed.contains(name);
        let write_only = kind
            .attribute(name)
            .is_some_and(|attribute| attribute.write_only);
        if !(sends && write_only) {
            continue;
        }
        let Value::Secret(reference) = value else {
            let message = format!("`{name}` holds no reference to a secret");
            return Err(ProviderError::new(ErrorKind::Bug, message));
        };
        let secret = match reference {
            SecretRef::Vault { path, field } => match walk.writers.get(&step.instance) {
                Some(writer) => writer.secret(path, field).await?,
                None => {
                    return Err(ProviderError::new(
                        ErrorKind::Bug,
                        "no connection for a secret",
                    ));
                }
            },
            other => (walk.secrets)(other)?,
        };
        found.insert(name.clone(), secret);
    }
    Ok(found)
}
