//! What a write must hold to be accepted. Pure.
//!
//! In: the kind, the write, and what is there. Out: the attributes after it, or why not. An
//! error of kind `Bug` is a request that no correct caller sends.

use std::collections::BTreeMap;

use remit_sdk::provider::{Expected, WriteRequest};
use remit_sdk::schema::{Kind, Need, Shape};
use remit_sdk::text::safe;
use remit_sdk::{ErrorKind, Object, ProviderError, Value};

use crate::normal::normalise;

type Attributes = BTreeMap<String, Value>;

fn error(kind: ErrorKind, message: impl Into<String>) -> ProviderError {
    ProviderError::new(kind, message)
}

fn invalid(message: impl Into<String>) -> ProviderError {
    error(ErrorKind::Invalid, message)
}

/// What a create makes of the request, computed attributes apart.
pub(crate) fn create(request: &WriteRequest<'_>) -> Result<Attributes, ProviderError> {
    let kind = request.kind;
    if *request.expected != Expected::Absent {
        return Err(error(ErrorKind::Bug, "a create that expects an object"));
    }
    check_attributes(request)?;
    let mut made = Attributes::new();
    for attribute in kind.attributes {
        let wanted = if attribute.write_only {
            None
        } else {
            request.attributes.get(attribute.name)
        };
        let present = wanted.is_some() || request.secrets.contains_key(attribute.name);
        if attribute.need == Need::Required && !present {
            return Err(invalid(format!("`{}` is missing", attribute.name)));
        }
        let value = wanted.cloned().or_else(|| attribute.default.value());
        if let Some(value) = value.filter(|_| !attribute.write_only) {
            made.insert(attribute.name.to_owned(), value);
        }
    }
    if kind.key_of(&made).as_deref() != Some(request.key) {
        return Err(invalid("the key isn't that of the attributes"));
    }
    Ok(made)
}

/// What an update makes of the object that is there.
pub(crate) fn update(
    request: &WriteRequest<'_>,
    before: &Attributes,
) -> Result<Attributes, ProviderError> {
    check_attributes(request)?;
    let mut after = before.clone();
    for name in request.changed.union(request.unset) {
        let Some(attribute) = request.kind.attribute(name) else {
            return Err(invalid(format!("`{}` is no attribute", safe(name))));
        };
        if attribute.write_only {
            if !request.secrets.contains_key(name) {
                return Err(error(
                    ErrorKind::Bug,
                    format!("`{name}` changes and isn't sent"),
                ));
            }
            continue;
        }
        let value = if request.unset.contains(name) {
            attribute.default.value().unwrap_or(attribute.shape.zero())
        } else if let Some(value) = request.attributes.get(name) {
            value.clone()
        } else {
            return Err(error(
                ErrorKind::Bug,
                format!("`{name}` changes and has no value"),
            ));
        };
        if attribute.need == Need::Computed {
            return Err(invalid(format!("`{name}` is the server's to give")));
        }
        if attribute.need == Need::Required && request.unset.contains(name) {
            return Err(invalid(format!("`{name}` can't be unset")));
        }
        if attribute.immutable && before.get(name) != Some(&value) {
            return Err(invalid(format!("`{name}` can't be changed")));
        }
        after.insert(name.clone(), value);
    }
    Ok(after)
}

/// What is sent is known, may be sent, and is in normal form.
fn check_attributes(request: &WriteRequest<'_>) -> Result<(), ProviderError> {
    for (name, value) in request.attributes {
        let attribute = request
            .kind
            .attribute(name)
            .ok_or_else(|| invalid(format!("`{}` is no attribute", safe(name))))?;
        if attribute.write_only {
            return Err(error(
                ErrorKind::Bug,
                format!("`{name}` is not among the secrets"),
            ));
        }
        if attribute.need == Need::Computed {
            return Err(invalid(format!("`{name}` is the server's to give")));
        }
        let mut unknown = false;
        value.walk(&mut |value| {
            unknown |= matches!(
                value,
                Value::Pending(_) | Value::Secret(_) | Value::Declaration(_) | Value::Null
            );
        });
        if unknown {
            return Err(error(
                ErrorKind::Bug,
                format!("`{name}` holds what is no plain value"),
            ));
        }
        let normal =
            normalise(attribute.shape, value).map_err(|why| invalid(format!("`{name}`: {why}")))?;
        // Other providers have other normal forms of a policy.
        if attribute.shape != Shape::Policy && normal != *value {
            return Err(error(
                ErrorKind::Bug,
                format!("`{name}` is not in normal form"),
            ));
        }
    }
    for name in request.secrets.keys() {
        if !request.kind.attribute(name).is_some_and(|a| a.write_only) {
            return Err(invalid(format!("`{}` takes no secret", safe(name))));
        }
    }
    Ok(())
}

/// Compare-and-swap.
pub(crate) fn as_expected(
    kind: &Kind,
    expected: &Expected,
    found: &Object,
) -> Result<(), ProviderError> {
    let conflict = |what: &str| {
        let message = format!("the {} `{}` {what}", kind.name, safe(&found.key));
        Err(error(ErrorKind::Conflict, message))
    };
    match expected {
        Expected::Absent => conflict("exists"),
        Expected::Present { id, .. } if *id != found.id => conflict("is another one"),
        Expected::Present {
            version: Some(version),
            ..
        } if Some(*version) != found.version => conflict("has another version"),
        Expected::Present { fingerprint, .. } if *fingerprint != found.fingerprint => {
            conflict("was changed")
        }
        Expected::Present { .. } => Ok(()),
    }
}
