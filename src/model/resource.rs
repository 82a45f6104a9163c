//! `resource` and `output` blocks: values as they are, pending ones included.
//!
//! What an attribute of a resource may hold is its provider's to say, when it lowers.

use std::collections::BTreeMap;

use remit_sdk::declaration::Resource;
use remit_sdk::{DeclarationAddress, Diagnostic, Kind, Lower, Spanned, Value};

use super::Output;
use super::decode::{Decoded, boolean, provider_instance, text};
use super::lifecycle::lifecycle;
use super::reader::{Reader, Written};
use crate::evaluate::{Evaluated, Evaluator, Failed, Scope};

/// What every resource may have beside its kind's attributes.
const COMMON: [&str; 3] = ["for_each", "provider", "depends_on"];

/// Reads a `resource` block.
pub(super) fn resource(
    reader: &Reader<'_, '_>,
    address: DeclarationAddress,
    kind: &'static Kind,
    provider: &dyn Lower,
) -> Evaluated<Resource> {
    let instance = reader.optional("provider", |written| instance(written, provider.name()));
    let lifecycle = lifecycle(reader);
    let mut attributes = BTreeMap::new();
    let mut names = BTreeMap::new();
    let mut result = Ok(());
    for attribute in reader.all() {
        let name = &attribute.name.value;
        if COMMON.contains(&name.as_str()) {
            continue;
        }
        match reader.get(name) {
            Ok(None) => {}
            Ok(Some(written)) => {
                let span = Some(written.span());
                names.extend(attribute.name.span.map(|span| (name.clone(), span)));
                attributes.insert(name.clone(), Spanned::new(written.value, span));
            }
            Err(Failed) => result = Err(Failed),
        }
    }
    reader.finish();
    result?;
    Ok(Resource {
        address,
        instance: instance?.unwrap_or_else(|| provider.name().to_owned()),
        kind,
        attributes,
        names,
        lifecycle: lifecycle?,
        span: reader.header,
    })
}

fn instance(written: &Written<'_>, provider: &str) -> Decoded<String> {
    let instance = provider_instance(&written.value, written.span())?;
    if instance.split('.').next() == Some(provider) {
        return Ok(instance);
    }
    Err(Diagnostic::error(
        "wrong provider",
        format!("this kind belongs to the provider `{provider}`, and `{instance}` is another's"),
    )
    .at(written.span())
    .help(format!(
        "write `provider.{provider}`, or `provider.{provider}.ALIAS`"
    )))
}

/// Reads all `output` blocks.
pub(super) fn outputs(evaluator: &Evaluator<'_>) -> BTreeMap<String, Output> {
    let mut found = BTreeMap::new();
    for (name, block) in &evaluator.index.outputs {
        let what = format!("output.{name}");
        let reader = Reader::block(evaluator, block, &Scope::CONFIGURATION, what);
        if let Ok(output) = output(&reader) {
            found.insert((*name).to_owned(), output);
        }
    }
    found
}

fn output(reader: &Reader<'_, '_>) -> Evaluated<Output> {
    let description = reader.optional("description", text);
    let sensitive = reader.optional("sensitive", boolean);
    if reader.raw("value").is_none() {
        reader.required("value", |_| Ok(()))?;
    }
    let value = reader.get("value").and_then(|written| match written {
        Some(written) => no_secret(reader, written),
        None => Ok(Value::Null),
    });
    reader.finish();
    Ok(Output {
        value: value?,
        sensitive: sensitive?.unwrap_or(false),
        description: description?,
        span: reader.header,
    })
}

fn no_secret(reader: &Reader<'_, '_>, written: Written<'_>) -> Evaluated {
    let mut secret = None;
    written.value.walk(&mut |value| {
        if let Value::Secret(found) = value {
            secret = Some(found.to_string());
        }
    });
    match secret {
        None => Ok(written.value),
        Some(secret) => Err(reader.report(
            Diagnostic::error(
                "secret in an output",
                format!(
                    "outputs are shown and recorded, so `{secret}` can't be one, sensitive or not"
                ),
            )
            .at(written.span())
            .help("read the secret where it lives"),
        )),
    }
}
