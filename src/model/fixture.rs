//! For tests: a small provider, and configurations from text to a model or its mistakes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use remit_sdk::provider::{Lowered, Part};
use remit_sdk::schema::{Attribute, Kind, Need, Role, Shape};
use remit_sdk::{Diagnostic, Lower, Value};

use super::{Model, build};
use crate::config;
use crate::diagnostic::SourceMap;
use crate::evaluate::{Given, GivenValue, Inputs, VariableSource};

const KIND: Kind = Kind {
    name: "vault_policy",
    version: 1,
    summary: "",
    key: "{name}",
    container: None,
    role: Role::Grant,
    mark: None,
    attributes: &[
        Attribute {
            name: "name",
            need: Need::Required,
            ..Attribute::PLAIN
        },
        Attribute {
            name: "policy",
            shape: Shape::Policy,
            ..Attribute::PLAIN
        },
        Attribute {
            name: "accessor",
            need: Need::Computed,
            ..Attribute::PLAIN
        },
        Attribute {
            name: "password",
            write_only: true,
            ..Attribute::PLAIN
        },
        Attribute {
            name: "size",
            shape: Shape::Integer,
            default: remit_sdk::schema::Default::Integer(7),
            ..Attribute::PLAIN
        },
    ],
    computed_from: &[],
    requests: "",
};

/// A provider `vault` with one kind; the normal form of a name is lower case.
struct Small;

impl Lower for Small {
    fn name(&self) -> &'static str {
        "vault"
    }

    fn kinds(&self) -> &'static [Kind] {
        const KINDS: &[Kind] = &[KIND];
        KINDS
    }

    fn normalise(&self, _: &Kind, attribute: &str, value: &Value) -> Result<Value, String> {
        Ok(match value {
            Value::String(text) if attribute == "name" => Value::string(text.to_lowercase()),
            other => other.clone(),
        })
    }

    fn lower(&self, _: &Part<'_>) -> Lowered {
        Lowered::default()
    }
}

/// A mistake as tests compare it: its summary and the text it underlines.
pub(crate) type Mistake = (String, String);

/// What building a model gives.
type Built = Result<(Model, Vec<Diagnostic>), Vec<Diagnostic>>;

/// Everything a test may give beside the text.
#[derive(Default)]
pub(crate) struct Case<'a> {
    pub(crate) text: &'a str,
    pub(crate) command_line: &'a [(&'a str, &'a str)],
    pub(crate) file: &'a str,
    pub(crate) environment: &'a [(&'a str, &'a str)],
    pub(crate) root: PathBuf,
}

/// What a configuration gives, its diagnostics whole.
pub(crate) fn run(case: &Case<'_>) -> (Built, SourceMap) {
    let mut sources = SourceMap::default();
    let main = sources.add("main.remit.hcl".into(), case.text.into());
    let configuration = config::parse(case.text, main).expect("the test's text parses");
    let values = sources.add("values.auto.remitvars.hcl".into(), case.file.into());
    let values = config::parse(case.file, values).expect("the test's values parse");
    let mut variables = BTreeMap::new();
    for attribute in values.attributes {
        let value = GivenValue::Expression(attribute.expression);
        let source = VariableSource::AutoFile;
        variables.insert(attribute.name.value, Given { source, value });
    }
    for (name, text) in case.command_line {
        let value = GivenValue::Text((*text).to_owned());
        let source = VariableSource::CommandLine;
        variables.insert((*name).to_owned(), Given { source, value });
    }
    let environment = |name: &str| {
        let found = case.environment.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let inputs = Inputs {
        root: case.root.clone(),
        variables,
        environment: &environment,
    };
    let result = build(&configuration, &inputs, &[&Small], &sources);
    (result, sources)
}

/// The model of a configuration without mistakes.
pub(crate) fn model(text: &str) -> Model {
    let case = Case {
        text,
        ..Case::default()
    };
    let (result, sources) = run(&case);
    match result {
        Ok((model, _)) => model,
        Err(errors) => panic!("{:#?}", mistakes_of(&errors, &sources)),
    }
}

/// The mistakes of a case.
pub(crate) fn mistakes_in(case: &Case<'_>) -> Vec<Mistake> {
    let (result, sources) = run(case);
    mistakes_of(&result.err().unwrap_or_default(), &sources)
}

/// The mistakes of a configuration.
pub(crate) fn mistakes(text: &str) -> Vec<Mistake> {
    mistakes_in(&Case {
        text,
        ..Case::default()
    })
}

fn mistakes_of(errors: &[Diagnostic], sources: &SourceMap) -> Vec<Mistake> {
    for error in errors {
        assert!(error.help.is_some(), "no help: {error:?}");
        assert!(!error.detail.is_empty(), "no detail: {error:?}");
    }
    errors
        .iter()
        .map(|error| {
            let text = error.span.map(|span| sources.text(span).to_owned());
            (error.summary.clone(), text.unwrap_or_default())
        })
        .collect()
}

/// Checks that `text` has exactly one mistake.
pub(crate) fn one_mistake(text: &str, summary: &str, underlined: &str) {
    assert_eq!(
        mistakes(text),
        [(summary.to_owned(), underlined.to_owned())],
        "{text}"
    );
}
