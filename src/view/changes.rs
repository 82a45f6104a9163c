//! One change of a plan: its line, why it happens, and the attributes that matter.
//!
//! In: a change and its kind's table. Out: lines. An object that comes shows what was set and
//! isn't the default; one that changes shows only what differs; one that goes shows its name.
//! Policies and other long texts stand in full where they are new, as a line diff where they change.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use remit_sdk::schema::Role;
use remit_sdk::{Attribute, Kind, ObjectAddress, Value, text};

use super::Paint;
use super::value::{self, Shown, Sign};
use crate::diff::{Action, Change, Difference, MARK, Reason};

/// Where the attributes of an object begin.
const INDENT: &str = "          ";

/// Notes are in line behind values up to this wide; behind wider ones they just follow.
const NOTE_COLUMN_MAX: usize = 32;

/// How an action is written: its symbol and its word.
pub(super) const fn word(action: Action) -> (&'static str, &'static str) {
    match action {
        Action::Keep => (" ", "keep"),
        Action::Create => ("+", "create"),
        Action::Update => ("~", "update"),
        Action::Replace => ("-/+", "replace"),
        Action::Delete => ("-", "delete"),
        Action::Adopt => ("<-", "adopt"),
        Action::Refresh => (".", "refresh"),
        Action::Forget => (".", "forget"),
    }
}

/// `text` in the colour of an action.
pub(super) fn paint_action(paint: Paint, action: Action, text: &str) -> String {
    match action {
        Action::Keep => text.to_owned(),
        Action::Create => paint.added(text),
        Action::Update => paint.changed(text),
        Action::Replace | Action::Delete => paint.removed(text),
        Action::Adopt | Action::Refresh | Action::Forget => paint.recorded(text),
    }
}

/// An object's address without its declaration, which stands above: `vault_policy/scope.s`.
pub(super) fn short_address(address: &ObjectAddress) -> String {
    let mut out = String::new();
    if let Some(alias) = &address.alias {
        let _ = write!(out, "@{alias}/");
    }
    out.push_str(&address.kind);
    if let Some(part) = &address.part {
        let _ = write!(out, "/{part}");
    }
    text::safe(&out)
}

/// The first line of a change.
pub(super) fn headline(change: &Change, paint: Paint, name_width: usize) -> String {
    let (symbol, word) = word(change.action);
    let symbol = format!("{symbol:>3}");
    let name = short_address(&change.address);
    let key = text::safe(&change.key);
    format!(
        "  {} {} {name:name_width$}  {key}",
        paint_action(paint, change.action, &symbol),
        paint_action(paint, change.action, &format!("{word:7}")),
    )
}

/// Why it happens, where the action alone doesn't tell; lines to stand below the headline.
pub(super) fn reasons(
    change: &Change,
    kind: Option<&Kind>,
    changes: &BTreeMap<ObjectAddress, Change>,
) -> Vec<String> {
    let safe = |what: &dyn std::fmt::Display| text::safe(&what.to_string());
    let mut lines = Vec::new();
    match (&change.reason, change.action) {
        (Reason::Gone, Action::Create) => {
            lines.push("is recorded, and somebody removed it: it is made again".into());
        }
        (Reason::Gone, _) => lines.push("is gone from the server: only the record goes".into()),
        (Reason::NotOurs, _) => {
            lines.push("is not ours any more: it stays as it is, only the record goes".into());
        }
        (Reason::Container(container), _) => lines.push(format!(
            "lives in {}, which is replaced: it is made again",
            safe(container)
        )),
        (Reason::Requested, _) => lines.push("--replace asks for it".into()),
        (Reason::ReplaceOn(named), _) => {
            lines.push(format!("replace_on names {}, which changes", safe(named)));
        }
        (Reason::Immutable(names), _) => {
            let names: Vec<String> = names.iter().map(|name| text::safe(name)).collect();
            lines.push(format!("{} can't be changed in place", names.join(", ")));
        }
        (Reason::Unrecorded, _) => {
            lines.push(
                "exists and is ours by its mark or by what holds it, but was not recorded".into(),
            );
        }
        (Reason::Drift, Action::Update) => {
            lines.push("was changed outside remit: it is put back".into());
        }
        (
            Reason::Same
            | Reason::New
            | Reason::Configuration
            | Reason::Drift
            | Reason::Undeclared
            | Reason::Moved
            | Reason::Destroy,
            _,
        ) => {}
    }
    if let Some(from) = &change.moved_from {
        lines.push(format!("was {}", safe(from)));
    }
    if let Some(old) = &change.old {
        let what = if old.expected.is_some() {
            "removes the old one"
        } else {
            "the old one is gone already"
        };
        lines.push(format!("{what}: {}", text::safe(&old.key)));
    }
    if change.action == Action::Replace {
        let along: Vec<String> = changes
            .values()
            .filter(
                |other| matches!(&other.reason, Reason::Container(one) if *one == change.address),
            )
            .map(|other| safe(&other.address))
            .collect();
        if !along.is_empty() {
            lines.push(format!(
                "takes along, to be made again: {}",
                along.join(", ")
            ));
        }
    }
    if kind.is_some_and(|kind| kind.role == Role::Container)
        && matches!(change.action, Action::Replace | Action::Delete)
    {
        lines.push(
            "everything in it goes, whoever made it; its tokens and leases are revoked".into(),
        );
    }
    if change.details.prevent_destroy && matches!(change.action, Action::Replace | Action::Delete) {
        lines.push("is declared with prevent_destroy: this plan can't be applied".into());
    }
    lines
}

/// An attribute's line: name, value, note.
struct Row {
    name: String,
    shown: Shown,
    note: Option<String>,
}

/// The attributes that matter, as lines.
pub(super) fn attributes(change: &Change, kind: Option<&Kind>, paint: Paint) -> Vec<String> {
    let key: BTreeSet<&str> = kind.into_iter().flat_map(Kind::key_attributes).collect();
    let fresh = match change.action {
        Action::Create => true,
        Action::Update | Action::Adopt | Action::Replace => false,
        Action::Keep | Action::Delete | Action::Refresh | Action::Forget => return Vec::new(),
    };
    let rows: Vec<Row> = change
        .differences
        .iter()
        .filter(|difference| difference.managed)
        .filter_map(|difference| {
            let attribute = kind.and_then(|kind| kind.attribute(&difference.name));
            // The version of a secret stands beside the reference to it.
            if kind.is_some_and(|kind| kind.versioned(&difference.name).is_some()) {
                return None;
            }
            if fresh && (key.contains(&*difference.name) || is_plain(attribute, difference)) {
                return None;
            }
            Some(row(change, difference, attribute, fresh))
        })
        .collect();
    lines(rows, paint)
}

/// Whether an attribute of a new object says nothing: the default, or nothing at all.
fn is_plain(attribute: Option<&Attribute>, difference: &Difference) -> bool {
    let Some(after) = &difference.after else {
        return true;
    };
    attribute.is_some_and(|attribute| match attribute.default.value() {
        Some(default) => default == *after,
        None => attribute.shape.zero() == *after,
    })
}

fn row(
    change: &Change,
    difference: &Difference,
    attribute: Option<&Attribute>,
    fresh: bool,
) -> Row {
    let name = difference.name.as_str();
    let shape = attribute.map(|attribute| attribute.shape);
    let mut notes = Vec::new();
    let shown = if attribute.is_some_and(|attribute| attribute.write_only) {
        secret(change, difference, fresh)
    } else if name == MARK {
        mark(difference)
    } else if fresh {
        let after = difference.after.as_ref().unwrap_or(&Value::Null);
        value::new(after, shape, difference.document)
    } else {
        value::change(
            difference.before.as_ref(),
            difference.after.as_ref(),
            shape,
            difference.document,
        )
    };
    if let Some(recorded) = &difference.drift {
        notes.push(if matches!(shown, Shown::Block(_)) {
            "drift: changed outside remit".to_owned()
        } else {
            format!(
                "drift: recorded {}, changed outside remit",
                value::inline(recorded, shape)
            )
        });
    }
    if !fresh && change.details.unset.contains(name) {
        notes.push("no longer set: reset".into());
    } else if !fresh
        && name != MARK
        && difference.drift.is_none()
        && !change.details.set.contains(name)
        && difference.after.is_some()
    {
        notes.push("not set: the default".into());
    }
    if let Some(why) = attribute
        .filter(|attribute| !attribute.write_only && !fresh)
        .and_then(|attribute| attribute.unverifiable)
    {
        notes.push(format!("compared with the record: {why}"));
    }
    Row {
        name: text::safe(name),
        shown,
        note: (!notes.is_empty()).then(|| notes.join("; ")),
    }
}

/// A secret shows where it comes from and its version, and never itself.
fn secret(change: &Change, difference: &Difference, fresh: bool) -> Shown {
    let reference = |value: Option<&Value>| match value {
        Some(one @ (Value::Secret(_) | Value::Pending(_))) => value::inline(one, None),
        None | Some(Value::Null) => "(none)".into(),
        // Nothing but a reference should ever get here; what does is not shown.
        Some(_) => "(sensitive)".into(),
    };
    let mut text = reference(difference.after.as_ref());
    if !fresh {
        text = if difference.before == difference.after {
            format!("{text}: written again")
        } else {
            format!("{} -> {text}", reference(difference.before.as_ref()))
        };
    }
    let version = change.after.get(&format!("{}_version", difference.name));
    if let Some(version) = version {
        let _ = write!(text, ", version {}", value::inline(version, None));
    }
    Shown::Inline(text)
}

/// The mark shows whose the object was; afterwards it is ours.
fn mark(difference: &Difference) -> Shown {
    let before = difference.before.as_ref().and_then(Value::as_str);
    let before = before.map_or_else(|| "(none)".into(), text::safe);
    Shown::Inline(format!("{before} -> ours"))
}

/// The rows with their columns in line.
fn lines(rows: Vec<Row>, paint: Paint) -> Vec<String> {
    let name_width = rows
        .iter()
        .map(|row| row.name.chars().count())
        .max()
        .unwrap_or(0);
    let value_width = rows
        .iter()
        .filter(|row| row.note.is_some())
        .filter_map(|row| match &row.shown {
            Shown::Inline(text) => Some(text.chars().count()),
            Shown::Block(_) => None,
        })
        .filter(|width| *width <= NOTE_COLUMN_MAX)
        .max()
        .unwrap_or(0);
    let mut out = Vec::new();
    for row in rows {
        let note = row.note.map(|note| paint.changed(&note));
        match row.shown {
            Shown::Inline(text) => {
                let mut line = format!("{INDENT}{:name_width$}  ", row.name);
                let _ = match note {
                    Some(note) => write!(line, "{text:value_width$}   {note}"),
                    None => write!(line, "{text}"),
                };
                out.push(line);
            }
            Shown::Block(lines) => {
                let note = note.map(|note| format!("   {note}")).unwrap_or_default();
                out.push(format!("{INDENT}{}{note}", row.name));
                out.extend(lines.iter().map(|line| block_line(line, paint)));
            }
        }
    }
    out
}

/// A line of a block, its sign in front.
pub(super) fn block_line(line: &value::Line, paint: Paint) -> String {
    let text = match line.sign {
        Sign::Added => paint.added(&format!("+ {}", line.text)),
        Sign::Removed => paint.removed(&format!("- {}", line.text)),
        Sign::Kept => format!("  {}", line.text),
        Sign::Gap => paint.faint(&format!("  {}", line.text)),
    };
    format!("{INDENT}  {text}").trim_end().to_owned()
}
