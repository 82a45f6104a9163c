//! `provider` blocks, evaluated; what their settings mean is the provider's to say.

use std::collections::BTreeMap;

use remit_sdk::declaration::{ProviderBlock, ProviderConfig};
use remit_sdk::settings::UNKNOWN_ATTRIBUTE;
use remit_sdk::{Diagnostic, Spanned, Value};

use super::reader::Reader;
use crate::config::syntax::{Block, Body};
use crate::evaluate::{Evaluated, Evaluator, Failed, Scope};

/// All provider instances that are declared.
pub(super) fn providers(evaluator: &Evaluator<'_>) -> BTreeMap<String, ProviderConfig> {
    let mut found = BTreeMap::new();
    for (instance, block) in &evaluator.index.providers {
        if let Ok(config) = provider(evaluator, instance, block) {
            found.insert(instance.clone(), config);
        }
    }
    found
}

/// Where a name is wrong, the name is underlined and not its value.
pub(super) fn at_its_name(mistake: Diagnostic, block: Option<&Block>) -> Diagnostic {
    let Some(block) = block.filter(|_| mistake.summary == UNKNOWN_ATTRIBUTE) else {
        return mistake;
    };
    let inner = block.body.blocks.iter().map(|inner| &inner.body);
    let attribute = std::iter::once(&block.body)
        .chain(inner)
        .flat_map(|body| &body.attributes)
        .find(|attribute| Some(attribute.expression.span) == mistake.span);
    match attribute {
        Some(attribute) => Diagnostic {
            hidden: mistake.span.filter(|_| mistake.hides_text),
            hides_text: false,
            span: attribute.name.span,
            ..mistake
        },
        None => mistake,
    }
}

/// A provider that is used without a block.
pub(super) fn implicit(instance: &str) -> ProviderConfig {
    ProviderConfig {
        instance: instance.to_owned(),
        provider: instance.to_owned(),
        attributes: BTreeMap::new(),
        blocks: Vec::new(),
        span: None,
    }
}

fn provider(evaluator: &Evaluator<'_>, instance: &str, block: &Block) -> Evaluated<ProviderConfig> {
    let reader = Reader::block(
        evaluator,
        block,
        &Scope::CONFIGURATION,
        format!("provider.{instance}"),
    );
    let attributes = attributes(&reader, &block.body);
    let blocks: Vec<Evaluated<ProviderBlock>> = block
        .body
        .blocks
        .iter()
        .map(|inner| {
            for deeper in &inner.body.blocks {
                reader.report(
                    Diagnostic::error(
                        "unknown block",
                        format!("`{}` of a provider holds no blocks", inner.kind.value),
                    )
                    .at(deeper.span)
                    .help("write an attribute"),
                );
            }
            Ok(ProviderBlock {
                kind: inner.kind.value.clone(),
                labels: inner
                    .labels
                    .iter()
                    .map(|label| label.value.clone())
                    .collect(),
                attributes: self::attributes(&reader.inner(inner), &inner.body)?,
                span: inner.span,
            })
        })
        .collect();
    Ok(ProviderConfig {
        instance: instance.to_owned(),
        provider: block
            .labels
            .first()
            .map(|label| label.value.clone())
            .unwrap_or_default(),
        attributes: attributes?,
        blocks: blocks.into_iter().collect::<Evaluated<_>>()?,
        span: Some(block.span),
    })
}

fn attributes(reader: &Reader<'_, '_>, body: &Body) -> Evaluated<BTreeMap<String, Spanned<Value>>> {
    let mut found = BTreeMap::new();
    let mut result = Ok(());
    for attribute in &body.attributes {
        let name = &attribute.name.value;
        match reader.get(name) {
            Ok(None) => {}
            Ok(Some(written)) if written.value.has_pending() => {
                result = Err(reader.report(
                    Diagnostic::error(
                        "value known only after apply",
                        "a provider is used before anything is applied",
                    )
                    .at(written.span())
                    .help("write the value itself"),
                ));
            }
            Ok(Some(written)) => {
                let span = Some(written.span());
                found.insert(name.clone(), Spanned::new(written.value, span));
            }
            Err(Failed) => result = Err(Failed),
        }
    }
    result.map(|()| found)
}
