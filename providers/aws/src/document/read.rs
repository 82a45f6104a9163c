//! From JSON to meaning: the elements of the grammar, each once, and nothing else.
//!
//! In comes text; out goes a document in which principals, actions and conditions have their
//! normal form, or what is wrong, with the statement and the element it is in. Whether the values
//! make sense, and fit where the document is used, is for `check` to say: what a server holds is
//! read as it is, so that it can be compared. Account ids are left bare here.

use std::collections::BTreeSet;

use remit_sdk::shape;
use remit_sdk::text::safe;

use super::node::Node;
use super::{
    Conditions, Document, Effect, PrincipalKind, Principals, Selection, Statement, Version,
    add_condition, folded,
};

const DOCUMENT_KEYS: &[&str] = &["Version", "Id", "Statement"];

const STATEMENT_KEYS: &[&str] = &[
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

/// Reads a document.
pub(super) fn document(text: &str) -> Result<Document, String> {
    let Node::Object(entries) = Node::parse(text)? else {
        return Err(
            "a policy document is an object: `{ \"Version\": …, \"Statement\": … }`".into(),
        );
    };
    let mut version = Version::V2008;
    let mut id = None;
    let mut statements = None;
    for (key, node) in &entries {
        match key.as_str() {
            "Version" => version = self::version(node)?,
            "Id" => id = Some(self::text(node, key)?),
            "Statement" => statements = Some(self::statements(node)?),
            other => return Err(unknown(other, DOCUMENT_KEYS)),
        }
    }
    let statements = statements.ok_or("it has no `Statement`")?;
    if statements.is_empty() {
        return Err("`Statement` is empty; a policy says at least one thing".into());
    }
    Ok(Document::new(version, id, statements))
}

fn unknown(key: &str, known: &[&'static str]) -> String {
    match shape::nearest(key, known.iter().copied()) {
        Some(nearest) => format!(
            "unknown key `{}`; did you mean `{nearest}`? Keys count with their case",
            safe(key)
        ),
        None => format!(
            "unknown key `{}`; there are {}",
            safe(key),
            known.join(", ")
        ),
    }
}

fn version(node: &Node) -> Result<Version, String> {
    match node {
        Node::Text(text) if text == Version::V2012.as_str() => Ok(Version::V2012),
        Node::Text(text) if text == Version::V2008.as_str() => Ok(Version::V2008),
        Node::Text(text) => Err(format!(
            "`Version` is the policy language's, not the policy's: `{}` is none; write `2012-10-17`",
            safe(text)
        )),
        other => Err(wrong("Version", "text", other)),
    }
}

fn statements(node: &Node) -> Result<Vec<Statement>, String> {
    let all = match node {
        Node::List(all) => all.as_slice(),
        one => std::slice::from_ref(one),
    };
    all.iter()
        .enumerate()
        .map(|(index, node)| {
            statement(node).map_err(|why| match sid_of(node) {
                Some(sid) => format!("statement {} (`{}`): {why}", index + 1, safe(sid)),
                None => format!("statement {}: {why}", index + 1),
            })
        })
        .collect()
}

fn sid_of(node: &Node) -> Option<&str> {
    match node {
        Node::Object(entries) => entries.iter().find_map(|(key, node)| match node {
            Node::Text(text) if key == "Sid" && !text.is_empty() => Some(text.as_str()),
            _ => None,
        }),
        _ => None,
    }
}

fn statement(node: &Node) -> Result<Statement, String> {
    let Node::Object(entries) = node else {
        return Err(format!(
            "a statement is an object, not {}",
            node.type_name()
        ));
    };
    let mut sid = None;
    let mut effect = None;
    let mut principals = None;
    let mut actions = None;
    let mut resources = None;
    let mut conditions = Conditions::new();
    for (key, node) in entries {
        match key.as_str() {
            "Sid" => sid = Some(text(node, key)?).filter(|sid| !sid.is_empty()),
            "Effect" => effect = Some(self::effect(node)?),
            "Principal" | "NotPrincipal" => {
                select(
                    &mut principals,
                    "Principal",
                    key,
                    self::principals(node, key)?,
                )?;
            }
            "Action" | "NotAction" => {
                select(&mut actions, "Action", key, folded(texts(node, key)?))?;
            }
            "Resource" | "NotResource" => {
                select(&mut resources, "Resource", key, texts(node, key)?)?;
            }
            "Condition" => conditions = self::conditions(node)?,
            other => return Err(unknown(other, STATEMENT_KEYS)),
        }
    }
    Ok(Statement {
        sid,
        effect: effect.ok_or("it has no `Effect`; write `Allow` or `Deny`")?,
        principals,
        actions: actions.ok_or("it has neither `Action` nor `NotAction`")?,
        resources,
        conditions,
    })
}

/// Puts an element where the other of its two forms isn't yet.
fn select<T>(
    slot: &mut Option<Selection<T>>,
    positive: &str,
    key: &str,
    named: T,
) -> Result<(), String> {
    let selection = if key == positive {
        Selection::Only(named)
    } else {
        Selection::AllBut(named)
    };
    match slot.replace(selection) {
        None => Ok(()),
        Some(_) => Err(format!(
            "it has both `{positive}` and `Not{positive}`; one statement takes one of them"
        )),
    }
}

fn effect(node: &Node) -> Result<Effect, String> {
    match node {
        Node::Text(text) if text == "Allow" => Ok(Effect::Allow),
        Node::Text(text) if text == "Deny" => Ok(Effect::Deny),
        Node::Text(text) => Err(format!(
            "`Effect` is `Allow` or `Deny`, not `{}`; case counts",
            safe(text)
        )),
        other => Err(wrong("Effect", "text", other)),
    }
}

/// `"*"` is everybody, as `{"AWS": "*"}` is.
fn principals(node: &Node, key: &str) -> Result<Principals, String> {
    let entries = match node {
        Node::Text(text) if text == "*" => {
            let everybody = BTreeSet::from([text.clone()]);
            return Ok(Principals::from([(PrincipalKind::Aws, everybody)]));
        }
        Node::Object(entries) => entries,
        _ => {
            return Err(format!(
                "`{key}` is `\"*\"` or an object such as `{{ \"AWS\": \"arn:…\" }}`"
            ));
        }
    };
    let mut found = Principals::new();
    for (name, node) in entries {
        let Some(kind) = PrincipalKind::ALL
            .into_iter()
            .find(|kind| kind.as_str() == name)
        else {
            let known = PrincipalKind::ALL.map(PrincipalKind::as_str);
            return Err(format!("`{key}`: {}", unknown(name, &known)));
        };
        found.insert(
            kind,
            texts(node, name).map_err(|why| format!("`{key}`: {why}"))?,
        );
    }
    if found.is_empty() {
        return Err(format!("`{key}` names nobody"));
    }
    Ok(found)
}

/// An operator without keys says nothing and is left out.
fn conditions(node: &Node) -> Result<Conditions, String> {
    let shape = "`Condition` is an object of operators, each an object of keys: \
                 `{ \"StringEquals\": { \"aws:PrincipalTag/domain\": \"billing\" } }`";
    let Node::Object(operators) = node else {
        return Err(shape.into());
    };
    let mut found = Conditions::new();
    for (operator, node) in operators {
        let Node::Object(keys) = node else {
            return Err(shape.into());
        };
        for (key, node) in keys {
            let values = values(node, key).map_err(|why| format!("`Condition`: {why}"))?;
            add_condition(&mut found, operator, key, values)?;
        }
    }
    Ok(found)
}

/// The values of a condition: a number and a bool count as their text.
fn values(node: &Node, key: &str) -> Result<BTreeSet<String>, String> {
    let all = match node {
        Node::List(all) => all.as_slice(),
        one => std::slice::from_ref(one),
    };
    all.iter()
        .map(|node| match node {
            Node::Text(text) | Node::Plain(text) => printable(text, key),
            other => Err(wrong(
                key,
                "text, a number, a bool or a list of them",
                other,
            )),
        })
        .collect()
}

/// One text or a list of them; never none.
fn texts(node: &Node, key: &str) -> Result<BTreeSet<String>, String> {
    let found: BTreeSet<String> = match node {
        Node::List(all) => all
            .iter()
            .map(|node| text(node, key))
            .collect::<Result<_, _>>()?,
        one => BTreeSet::from([text(one, key)?]),
    };
    if found.is_empty() {
        return Err(format!("`{}` is empty", safe(key)));
    }
    Ok(found)
}

fn text(node: &Node, key: &str) -> Result<String, String> {
    match node {
        Node::Text(text) => printable(text, key),
        other => Err(wrong(key, "text", other)),
    }
}

/// Control characters have no meaning in a policy, and hide what one says.
fn printable(text: &str, key: &str) -> Result<String, String> {
    if text.chars().any(char::is_control) {
        return Err(format!(
            "`{}`: `{}` holds a control character",
            safe(key),
            safe(text)
        ));
    }
    Ok(text.to_owned())
}

fn wrong(key: &str, wanted: &str, node: &Node) -> String {
    format!("`{}` must be {wanted}, not {}", safe(key), node.type_name())
}
