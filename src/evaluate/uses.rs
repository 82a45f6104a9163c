//! Which strings of its holder a scope's grants use, seen from the syntax alone.
//!
//! A scope that uses none becomes one policy for all its holders; that must not depend on what
//! an expression happens to give.

use std::collections::BTreeSet;

use super::scope::Holder;
use crate::config::syntax::{
    Block, Body, Expression, ExpressionKind, ObjectKey, Step, TemplatePart,
};

/// Of `identity.name`, `.agent`, `.environment` and `.domain`, those that a scope's grants use.
pub(crate) fn holder_names(scope: &Block) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    for grant in scope.body.blocks("grant") {
        body(&grant.body, &mut found);
    }
    found
}

fn body(inner: &Body, found: &mut BTreeSet<&'static str>) {
    for attribute in &inner.attributes {
        expression(&attribute.expression, found);
    }
    for block in &inner.blocks {
        body(&block.body, found);
    }
}

fn expression(inner: &Expression, found: &mut BTreeSet<&'static str>) {
    match &inner.kind {
        // `identity` alone is no value; evaluation says so.
        ExpressionKind::Null
        | ExpressionKind::Bool(_)
        | ExpressionKind::Number(_)
        | ExpressionKind::Variable(_) => {}
        ExpressionKind::Template(parts) => template(parts, found),
        ExpressionKind::List(all) => all.iter().for_each(|one| expression(one, found)),
        ExpressionKind::Object(entries) => {
            for (key, value) in entries {
                if let ObjectKey::Expression(key) = key {
                    expression(key, found);
                }
                expression(value, found);
            }
        }
        ExpressionKind::Traversal(operand, steps) => {
            if let (ExpressionKind::Variable(root), Some(Step::Attribute(name))) =
                (&operand.kind, steps.first())
                && root == "identity"
            {
                found.extend(Holder::NAMES.into_iter().find(|known| *known == name.value));
            }
            expression(operand, found);
            for step in steps {
                if let Step::Index(index) = step {
                    expression(index, found);
                }
            }
        }
        ExpressionKind::Call(call) => call.arguments.iter().for_each(|one| expression(one, found)),
        ExpressionKind::Unary(_, operand) | ExpressionKind::Parenthesis(operand) => {
            expression(operand, found);
        }
        ExpressionKind::Binary(left, _, right) => {
            expression(left, found);
            expression(right, found);
        }
        ExpressionKind::Conditional(condition, then, otherwise) => {
            for one in [condition, then, otherwise] {
                expression(one, found);
            }
        }
        ExpressionKind::For(form) => {
            let optional = form.key.iter().chain(form.condition.iter());
            for one in [&form.collection, &form.value].into_iter().chain(optional) {
                expression(one, found);
            }
        }
    }
}

fn template(parts: &[TemplatePart], found: &mut BTreeSet<&'static str>) {
    for part in parts {
        match part {
            TemplatePart::Text(_) => {}
            TemplatePart::Interpolation(inner) => expression(inner, found),
            TemplatePart::If {
                condition,
                then,
                otherwise,
            } => {
                expression(condition, found);
                template(then, found);
                template(otherwise, found);
            }
            TemplatePart::For {
                collection, body, ..
            } => {
                expression(collection, found);
                template(body, found);
            }
        }
    }
}
