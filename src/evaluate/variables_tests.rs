//! Variables: where values come from, what fits, what is refused.

use remit_sdk::{Number, SecretRef, Value};

use crate::model::fixture::{Case, mistakes_in, one_mistake, run};

fn given(text: &str, command_line: &[(&str, &str)]) -> Value {
    let case = Case {
        text,
        command_line,
        ..Case::default()
    };
    let (model, _) = run(&case).0.unwrap();
    model.variables["x"].clone()
}

#[test]
fn text_is_read_by_the_type() {
    for (kind, text, wanted) in [
        ("type = string", "[1]", Value::string("[1]")),
        ("", "5", Value::string("5")),
        ("type = number", "5", Value::integer(5)),
        ("type = bool", "true", Value::Bool(true)),
        ("type = any", "[1]", Value::List(vec![Value::integer(1)])),
        (
            "type = set(string)",
            "[\"a\", \"a\"]",
            Value::strings(["a"]),
        ),
        (
            "type = tuple([number, string])",
            "[0.5, 1]",
            Value::List(vec![Value::Number(Number::Float(0.5)), Value::string("1")]),
        ),
    ] {
        let block = format!("variable \"x\" {{ {kind} }}");
        assert_eq!(given(&block, &[("x", text)]), wanted, "{kind}");
    }
    let object = "variable \"x\" { type = object({ a = number, b = optional(string, \"c\") }) }";
    assert_eq!(
        given(object, &[("x", "{ a = 1 }")]).to_json().to_string(),
        r#"{"a":1,"b":"c"}"#
    );
    let reference =
        "variable \"x\" { type = ref(environment) }\nenvironment \"e\" { tier = \"staging\" }";
    assert!(matches!(
        given(reference, &[("x", "environment.e")]),
        Value::Declaration(_)
    ));
}

#[test]
fn later_sources_win() {
    let text = "variable \"x\" { default = \"default\" }";
    let mut case = Case {
        text,
        ..Case::default()
    };
    let value = |case: &Case<'_>| run(case).0.unwrap().0.variables["x"].clone();
    assert_eq!(value(&case), Value::string("default"));
    case.environment = &[("REMIT_VAR_x", "environment")];
    assert_eq!(value(&case), Value::string("environment"));
    case.file = "x = \"file\"";
    assert_eq!(value(&case), Value::string("file"));
    case.command_line = &[("x", "line")];
    assert_eq!(value(&case), Value::string("line"));
}

#[test]
fn mistakes() {
    for (text, summary, underlined) in [
        (
            "variable \"x\" {}",
            "variable without a value",
            "variable \"x\"",
        ),
        ("variable \"x\" { type = strng }", "unknown type", "strng"),
        ("variable \"x\" { type = list }", "unknown type", "list"),
        (
            "variable \"x\" { type = ref(agnt) }",
            "unknown type",
            "agnt",
        ),
        (
            "variable \"x\" {\n defalt = 1\n default = 1\n}",
            "unknown attribute",
            "defalt",
        ),
        (
            "variable \"x\" {\n type = number\n default = \"a\"\n}",
            "value of the wrong type",
            "\"a\"",
        ),
        (
            "variable \"x\" { default = local.y }",
            "reference where none is allowed",
            "local",
        ),
        (
            "variable \"x\" {\n sensitive = true\n default = \"hunter2\"\n}",
            "secret written in configuration",
            "\"hunter2\"",
        ),
        (
            "variable \"x\" {\n nullable = false\n default = null\n}",
            "null for a variable that takes none",
            "null",
        ),
        (
            "variable \"x\" {\n default = 1\n validation {\n  condition = var.x > 1\n  error_message = \"more\"\n }\n}",
            "invalid value for a variable",
            "var.x > 1",
        ),
        (
            "variable \"x\" {\n default = 1\n validation { condition = true }\n}",
            "missing attribute",
            "validation",
        ),
    ] {
        one_mistake(text, summary, underlined);
    }
}

#[test]
fn given_values_that_are_refused() {
    let refused = |case: Case<'_>, summary: &str, underlined: &str| {
        let wanted = (summary.to_owned(), underlined.to_owned());
        assert_eq!(mistakes_in(&case), [wanted], "{}", case.text);
    };
    let secret = "variable \"x\" { sensitive = true }";
    let number = "variable \"x\" { type = number }";
    refused(
        Case {
            text: secret,
            command_line: &[("x", "hunter2")],
            ..Case::default()
        },
        "secret on the command line",
        "variable \"x\"",
    );
    refused(
        Case {
            text: secret,
            file: "x = \"hunter2\"",
            ..Case::default()
        },
        "secret written in configuration",
        "\"hunter2\"",
    );
    refused(
        Case {
            text: "",
            command_line: &[("y", "1")],
            ..Case::default()
        },
        "value for an undeclared variable",
        "",
    );
    refused(
        Case {
            text: number,
            file: "x = \"a\"",
            ..Case::default()
        },
        "value of the wrong type",
        "\"a\"",
    );
    refused(
        Case {
            text: number,
            command_line: &[("x", "local.y")],
            ..Case::default()
        },
        "reference where none is allowed",
        "",
    );
    refused(
        Case {
            text: number,
            command_line: &[("x", "1\ny = 2")],
            ..Case::default()
        },
        "syntax error",
        "",
    );
}

#[test]
fn what_is_only_warned_of_and_what_stays_a_reference() {
    let case = Case {
        text: "",
        file: "y = 1",
        ..Case::default()
    };
    let (_, warnings) = run(&case).0.unwrap();
    assert_eq!(warnings[0].summary, "value for an undeclared variable");
    let case = Case {
        text: "variable \"x\" { sensitive = true }",
        file: "x = vault(\"kv/data/x\", \"f\")",
        ..Case::default()
    };
    let (model, _) = run(&case).0.unwrap();
    assert_eq!(
        model.variables["x"],
        Value::Secret(SecretRef::Vault {
            path: "kv/data/x".into(),
            field: "f".into()
        })
    );
}
