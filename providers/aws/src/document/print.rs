//! From meaning to text: the one order of keys and the one way to write each element.
//!
//! In comes a document; out goes its canonical text, pretty for people and comparisons, compact
//! for sending. A list of one is written as the one, statements always as a list, the version
//! always. Keys have the order of IAM's own examples: who, what, on what, when.

use std::fmt;

use super::node::Node;
use super::{Document, Selection, Statement};

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.node().pretty())
    }
}

impl Document {
    /// The canonical text on one line, without white space: what is sent.
    pub fn compact(&self) -> String {
        self.node().compact()
    }

    pub(super) fn node(&self) -> Node {
        let mut entries = vec![entry("Version", text(self.version.as_str()))];
        if let Some(id) = &self.id {
            entries.push(entry("Id", text(id)));
        }
        let statements = self.statements.iter().map(Statement::node).collect();
        entries.push(entry("Statement", Node::List(statements)));
        Node::Object(entries)
    }
}

impl Statement {
    pub(super) fn compact(&self) -> String {
        self.node().compact()
    }

    fn node(&self) -> Node {
        let mut entries = Vec::new();
        if let Some(sid) = &self.sid {
            entries.push(entry("Sid", text(sid)));
        }
        entries.push(entry("Effect", text(self.effect.as_str())));
        if let Some(selection) = &self.principals {
            let kinds = selection
                .named()
                .iter()
                .map(|(kind, all)| entry(kind.as_str(), one_or_list(all)));
            let node = Node::Object(kinds.collect());
            entries.push(selected(selection, "Principal", "NotPrincipal", node));
        }
        let actions = one_or_list(self.actions.named().iter().map(super::Folded::as_str));
        entries.push(selected(&self.actions, "Action", "NotAction", actions));
        if let Some(selection) = &self.resources {
            let node = one_or_list(selection.named());
            entries.push(selected(selection, "Resource", "NotResource", node));
        }
        if !self.conditions.is_empty() {
            let operators = self.conditions.iter().map(|(operator, keys)| {
                let keys = keys
                    .iter()
                    .map(|(key, values)| entry(key.as_str(), one_or_list(values)));
                entry(operator, Node::Object(keys.collect()))
            });
            entries.push(entry("Condition", Node::Object(operators.collect())));
        }
        Node::Object(entries)
    }
}

fn selected<T>(selection: &Selection<T>, only: &str, all_but: &str, node: Node) -> (String, Node) {
    match selection {
        Selection::Only(_) => entry(only, node),
        Selection::AllBut(_) => entry(all_but, node),
    }
}

fn entry(key: &str, node: Node) -> (String, Node) {
    (key.to_owned(), node)
}

fn text(text: &str) -> Node {
    Node::Text(text.to_owned())
}

fn one_or_list(all: impl IntoIterator<Item = impl AsRef<str>>) -> Node {
    let mut nodes: Vec<Node> = all.into_iter().map(|one| text(one.as_ref())).collect();
    match (nodes.pop(), nodes.is_empty()) {
        (Some(one), true) => one,
        (last, _) => {
            nodes.extend(last);
            Node::List(nodes)
        }
    }
}
