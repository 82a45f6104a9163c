//! The plain texts that are written in a configuration, each with the name it is given to.
//!
//! In: the syntax tree. Out: every piece of text between quotes or in a heredoc, also inside
//! lists, objects, templates and arguments, in the order written. Nothing is evaluated. A text
//! may be a secret that doesn't belong there: whoever takes one must not show it.

use remit_sdk::{DeclarationAddress, Span};

use super::syntax::{
    Attribute, Block, Body, Configuration, Expression, ExpressionKind, ObjectKey, Step,
    TemplatePart,
};

/// One text. It has no `Debug`, so that it isn't shown by accident.
#[derive(Clone)]
pub struct Literal {
    /// The nearest name it is given to: an attribute, or a key of an object.
    pub name: String,
    /// The text.
    pub text: String,
    /// The block it stands in, where that is a declaration.
    pub declaration: Option<DeclarationAddress>,
    /// Whether it says where a secret is, or which file: an argument of `env`, `vault`,
    /// `aws_secret` or a function that reads a file.
    pub is_reference: bool,
    /// The expression it stands in.
    pub span: Span,
}

/// Functions whose arguments say where something is.
const REFERENCES: [&str; 6] = [
    "env",
    "vault",
    "aws_secret",
    "file",
    "filebase64",
    "templatefile",
];

/// Every text of a configuration.
pub fn literals(configuration: &Configuration) -> Vec<Literal> {
    let mut walk = Walk::default();
    for attribute in &configuration.attributes {
        walk.attribute(attribute);
    }
    for block in &configuration.blocks {
        walk.declaration = declaration(block);
        match (block.kind.value.as_str(), block.labels.first()) {
            // What a variable holds is called what the variable is.
            ("variable", Some(label)) => {
                for attribute in &block.body.attributes {
                    let is_default = attribute.name.value == "default";
                    let name = if is_default { label } else { &attribute.name };
                    walk.name.clone_from(&name.value);
                    walk.expression(&attribute.expression);
                }
            }
            _ => walk.body(&block.body),
        }
    }
    walk.found
}

/// The address of a top-level block without its key.
fn declaration(block: &Block) -> Option<DeclarationAddress> {
    match (block.kind.value.as_str(), block.labels.as_slice()) {
        ("resource", [kind, name]) => Some(DeclarationAddress::new(&kind.value, &name.value)),
        ("provider", [name]) => Some(DeclarationAddress::new("provider", &name.value)),
        ("provider", [name, alias]) => {
            Some(DeclarationAddress::new("provider", &name.value).with_key(&alias.value))
        }
        ("variable" | "output" | "resource", _) => None,
        (kind, [name]) => Some(DeclarationAddress::new(kind, &name.value)),
        _ => None,
    }
}

#[derive(Default)]
struct Walk {
    name: String,
    declaration: Option<DeclarationAddress>,
    is_reference: bool,
    found: Vec<Literal>,
}

impl Walk {
    fn body(&mut self, body: &Body) {
        for attribute in &body.attributes {
            self.attribute(attribute);
        }
        for block in &body.blocks {
            self.body(&block.body);
        }
    }

    fn attribute(&mut self, attribute: &Attribute) {
        self.name.clone_from(&attribute.name.value);
        self.expression(&attribute.expression);
    }

    fn text(&mut self, text: &str, span: Span) {
        if !text.is_empty() {
            self.found.push(Literal {
                name: self.name.clone(),
                text: text.to_owned(),
                declaration: self.declaration.clone(),
                is_reference: self.is_reference,
                span,
            });
        }
    }

    fn all<'e>(&mut self, all: impl IntoIterator<Item = &'e Expression>) {
        for one in all {
            self.expression(one);
        }
    }

    fn expression(&mut self, expression: &Expression) {
        match &expression.kind {
            ExpressionKind::Null
            | ExpressionKind::Bool(_)
            | ExpressionKind::Number(_)
            | ExpressionKind::Variable(_) => {}
            ExpressionKind::Template(parts) => self.template(parts, expression.span),
            ExpressionKind::List(all) => self.all(all),
            ExpressionKind::Object(entries) => {
                for (key, value) in entries {
                    self.entry(key, value);
                }
            }
            ExpressionKind::Traversal(operand, steps) => {
                self.expression(operand);
                self.all(steps.iter().filter_map(|step| match step {
                    Step::Index(index) => Some(index),
                    Step::Attribute(_) | Step::Splat(_) => None,
                }));
            }
            ExpressionKind::Call(call) => {
                let outer = self.is_reference;
                self.is_reference |= REFERENCES.contains(&call.name.value.as_str());
                self.all(&call.arguments);
                self.is_reference = outer;
            }
            ExpressionKind::Unary(_, one) | ExpressionKind::Parenthesis(one) => {
                self.expression(one);
            }
            ExpressionKind::Binary(left, _, right) => self.all([&**left, &**right]),
            ExpressionKind::Conditional(condition, then, otherwise) => {
                self.all([&**condition, &**then, &**otherwise]);
            }
            ExpressionKind::For(form) => {
                self.all([&form.collection, &form.value]);
                self.all(form.key.iter().chain(form.condition.iter()));
            }
        }
    }

    /// The texts of a value belong to its key; the key itself is a text too.
    fn entry(&mut self, key: &ObjectKey, value: &Expression) {
        let outer = self.name.clone();
        let name = match key {
            ObjectKey::Name(name) => Some(name.value.clone()),
            ObjectKey::Expression(key) => {
                self.expression(key);
                plain(key)
            }
        };
        if let Some(name) = name {
            self.name = name;
        }
        self.expression(value);
        self.name = outer;
    }

    fn template(&mut self, parts: &[TemplatePart], span: Span) {
        for part in parts {
            match part {
                TemplatePart::Text(text) => self.text(text, span),
                TemplatePart::Interpolation(inner) => self.expression(inner),
                TemplatePart::If {
                    condition,
                    then,
                    otherwise,
                } => {
                    self.expression(condition);
                    self.template(then, span);
                    self.template(otherwise, span);
                }
                TemplatePart::For {
                    collection, body, ..
                } => {
                    self.expression(collection);
                    self.template(body, span);
                }
            }
        }
    }
}

/// A text without anything to be filled in.
fn plain(expression: &Expression) -> Option<String> {
    match &expression.kind {
        ExpressionKind::Template(parts) => match parts.as_slice() {
            [TemplatePart::Text(text)] => Some(text.clone()),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::SourceMap;

    #[test]
    fn every_text_with_its_name() {
        let text = r#"
identity "x" {
  a = ["b", { c = "d", "e" = "f${g("h")}" }, y ? "i" : z["j"]]
  k { l = "m%{ if n == "o" }p%{ endif }" }
}
resource "vault_policy" "q" { r = [for s in t : "u"] }
locals { v = "" }
"#;
        let mut sources = SourceMap::default();
        let file = sources.add("main.remit.hcl".into(), text.into());
        let configuration = crate::config::parse(text, file).unwrap();
        let found: Vec<String> = literals(&configuration)
            .iter()
            .map(|one| {
                let place = one.declaration.as_ref().map(ToString::to_string);
                format!("{} {}={}", place.unwrap_or_default(), one.name, one.text)
            })
            .collect();
        let x = |all: &[&str]| -> Vec<String> {
            all.iter().map(|one| format!("identity.x {one}")).collect()
        };
        let mut expected = x(&[
            "a=b", "c=d", "a=e", "e=f", "e=h", "a=i", "a=j", "l=m", "l=o", "l=p",
        ]);
        expected.push("vault_policy.q r=u".to_owned());
        assert_eq!(found, expected);
    }
}
