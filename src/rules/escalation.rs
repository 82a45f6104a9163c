//! 202: permissions that add up to more, followed from subject to subject.
//!
//! Subjects are nodes and escalations edges. From everything backwards, breadth first, each
//! subject learns its first step on a shortest way there, so the cost grows with the edges and
//! not with their square. A subject without a way to everything but with one to another's access
//! is shown that: one step, since any longer way begins with it.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use remit_sdk::access::{Gain, Subject};

use super::identity::quoted;
use super::input::{EscalationOf, InEffect};
use super::rule::Report;

/// A subject of a provider instance.
type Node<'a> = (&'a str, &'a str, &'a str);

fn node(edge: &EscalationOf) -> Node<'_> {
    (&edge.instance, &edge.subject.0, &edge.subject.1)
}

/// Where an edge leads, if that is to a subject.
fn target(edge: &EscalationOf) -> Option<Node<'_>> {
    match &edge.escalation.gain {
        Gain::Subject(kind, key) => Some((&edge.instance, kind, key)),
        Gain::Everything | Gain::Foreign(_) => None,
    }
}

pub(super) fn paths(report: &mut Report<'_, '_>) {
    let Some(access) = report.input.access else {
        return;
    };
    let mut edges: BTreeMap<Node<'_>, Vec<&EscalationOf>> = BTreeMap::new();
    for edge in &access.escalations {
        edges.entry(node(edge)).or_default().push(edge);
    }
    for out in edges.values_mut() {
        out.sort_by(|a, b| a.escalation.cmp(&b.escalation));
    }
    let towards = towards_everything(&edges);
    let mut said = BTreeSet::new();
    for (start, out) in &edges {
        let Some(first) = out.first() else {
            continue;
        };
        let path = match towards.get(start) {
            Some(_) => follow(*start, &towards),
            None => match out.iter().find(|edge| leads_elsewhere(access, edge)) {
                Some(edge) => vec![*edge],
                None => continue,
            },
        };
        // An identity may have several subjects, one for each workload.
        if !said.insert((&first.identity, &first.instance, end(access, &path))) {
            continue;
        }
        let (span, tier) = (
            report.span_of(&first.identity),
            report.facts.of(&first.identity),
        );
        let (what, address) = (text(access, &path), first.identity.clone());
        report.found(
            &address,
            span,
            tier,
            what,
            "take away one of the permissions that a step of the path needs",
        );
    }
}

/// For each subject with a way to everything, its first step on a shortest one.
fn towards_everything<'a>(
    edges: &BTreeMap<Node<'a>, Vec<&'a EscalationOf>>,
) -> BTreeMap<Node<'a>, &'a EscalationOf> {
    let mut towards = BTreeMap::new();
    let mut open = VecDeque::new();
    let mut backwards: BTreeMap<Node<'a>, Vec<&'a EscalationOf>> = BTreeMap::new();
    for (from, out) in edges {
        for edge in out {
            if edge.escalation.gain == Gain::Everything
                && let Entry::Vacant(place) = towards.entry(*from)
            {
                place.insert(*edge);
                open.push_back(*from);
            }
            if let Some(to) = target(edge) {
                backwards.entry(to).or_default().push(edge);
            }
        }
    }
    while let Some(reached) = open.pop_front() {
        for edge in backwards.get(&reached).into_iter().flatten() {
            let from = node(edge);
            if let Entry::Vacant(place) = towards.entry(from) {
                place.insert(*edge);
                open.push_back(from);
            }
        }
    }
    towards
}

/// The whole way; each step is nearer to the end than the one before, so it ends.
fn follow<'a>(
    start: Node<'a>,
    towards: &BTreeMap<Node<'a>, &'a EscalationOf>,
) -> Vec<&'a EscalationOf> {
    let mut path = Vec::new();
    let mut at = Some(start);
    while let Some(edge) = at.and_then(|node| towards.get(&node)) {
        path.push(*edge);
        at = target(edge);
    }
    path
}

/// Whether an edge leads to what isn't the identity's own already.
fn leads_elsewhere(access: &InEffect, edge: &EscalationOf) -> bool {
    match &edge.escalation.gain {
        Gain::Everything | Gain::Foreign(_) => true,
        Gain::Subject(kind, key) => {
            owner(access, &edge.instance, kind, key) != Some(&edge.identity)
        }
    }
}

fn owner<'a>(
    access: &'a InEffect,
    instance: &str,
    kind: &str,
    key: &str,
) -> Option<&'a remit_sdk::DeclarationAddress> {
    let subject: Subject = (kind.to_owned(), key.to_owned());
    access.subjects.get(&(instance.to_owned(), subject))
}

/// What the way ends at, in words.
fn end(access: &InEffect, path: &[&EscalationOf]) -> String {
    let Some(last) = path.last() else {
        return String::new();
    };
    match &last.escalation.gain {
        Gain::Everything => format!("everything in {}", last.instance),
        Gain::Foreign(name) => format!("what {} may do", quoted(name)),
        Gain::Subject(kind, key) => match owner(access, &last.instance, kind, key) {
            Some(identity) => format!("what `{identity}` may do"),
            None => format!("what {kind} {} may do", quoted(key)),
        },
    }
}

/// `a → b → everything`, then how each step is done.
fn text(access: &InEffect, path: &[&EscalationOf]) -> String {
    let end = end(access, path);
    let mut way: Vec<String> = path
        .iter()
        .map(|edge| format!("`{}`", edge.identity))
        .collect();
    way.push(end.clone());
    let steps: Vec<String> = path
        .iter()
        .map(|edge| {
            let depends = match edge.escalation.depends.as_slice() {
                [] => String::new(),
                depends => format!(" (depends on {})", depends.join(", ")),
            };
            format!(
                "`{}` {}{}",
                edge.identity,
                remit_sdk::text::safe(&edge.escalation.how),
                remit_sdk::text::safe(&depends)
            )
        })
        .collect();
    format!("{}: {}", way.join(" → "), steps.join("; "))
}
