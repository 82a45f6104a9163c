//! The secrets that a step sends: fetched just before, held in memory that is wiped.

use std::collections::BTreeMap;

use remit_sdk::{ErrorKind, Kind, ProviderError, Secret, SecretRef, Value};

use super::walk::Walk;
use crate::plan::Step;
use crate::state::Operation;

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
