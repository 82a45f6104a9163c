//! A plan, for people.
//!
//! In: a review, the tables of the kinds, whether to colour. Out: text. First where it runs, then
//! what it means: what each identity gains and loses. Then what it does, grouped by the
//! declaration that caused it, findings of rules, and the count. A plan that changes nothing is one
//! line. Whoever reads it has perhaps been woken for it: nothing that takes effect is left
//! out, nothing that has no effect is shown.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use remit_sdk::{DeclarationAddress, text};

use super::changes::{attributes, headline, reasons, short_address};
use super::value::{self, Shown};
use super::{Paint, access, approvals, changes, count, drift, findings};
use crate::diff::{Action, Change, Reason};
use crate::gate::Review;
use crate::gate::file::{Header, short};
use crate::lower::Catalog;
use crate::plan::{Counts, Mode, OutputChange, Plan};

/// Where the places of declarations stand, at most: further right, eyes lose the line.
const PLACE_COLUMN_MAX: usize = 72;

/// Objects nobody declared that are named; of more, only the number is said.
const UNMANAGED_SHOWN: usize = 8;

/// How many of them are named where nothing else is said.
const UNMANAGED_NAMED: usize = 3;

/// How a plan is shown.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// The tables of the kinds.
    pub catalog: Catalog<'a>,
    /// Whether to colour.
    pub paint: Paint,
}

/// The plan as text, its last line the count.
pub fn people(review: &Review, look: Look<'_>) -> String {
    let plan = &review.plan;
    let paint = look.paint;
    if plan.is_empty() {
        let mut out = nothing(plan);
        section(
            &mut out,
            "ACCESS",
            &access::section(&review.access, paint),
            paint,
        );
        section(&mut out, "FINDINGS", &found(review, paint), paint);
        return out;
    }
    let mut out = head(plan, paint);
    match plan.mode {
        Mode::Apply => {}
        Mode::Destroy => out.push_str(
            "\nThis plan removes everything that is recorded. There is no way back: names can be \
             made again,\nsessions, leases and accessors can't.\n",
        ),
        Mode::RefreshOnly => {
            out.push_str("\nThis plan changes records only, to what is live.\n");
        }
    }
    if plan.undecided > 0 {
        let _ = write!(
            out,
            "\nA run was cut off: {} it had announced {} decided by what is live. An apply records \
             that.\n",
            count(plan.undecided, "call"),
            if plan.undecided == 1 { "is" } else { "are" }
        );
    }
    section(
        &mut out,
        "ACCESS",
        &access::section(&review.access, paint),
        paint,
    );
    section(&mut out, "CHANGES", &groups(plan, look), paint);
    section(
        &mut out,
        "INTERRUPTED, taken away first and given back last, since who is let in changes",
        &interrupted(plan),
        paint,
    );
    section(
        &mut out,
        "DRIFT, not put back",
        &drift::drift(plan, &look.catalog, paint),
        paint,
    );
    section(
        &mut out,
        "RECORDS, nothing live changes",
        &drift::records(plan, paint),
        paint,
    );
    section(
        &mut out,
        "WHO APPROVES WHAT, for later plans",
        &approvals::changes(review, paint),
        paint,
    );
    section(&mut out, "OUTPUTS", &outputs(&plan.outputs, paint), paint);
    section(
        &mut out,
        "UNDECLARED, under remit's prefix or on what is remit's, and left alone",
        &unmanaged(plan),
        paint,
    );
    section(&mut out, "FINDINGS", &found(review, paint), paint);
    section(
        &mut out,
        "APPROVALS, before this can be applied",
        &approvals::people(&review.approvals, &review.people),
        paint,
    );
    out.push('\n');
    out.push_str(&total(review, paint));
    if let Some(tally) = access::tally(&review.access) {
        out.push_str(&tally);
        out.push('\n');
    }
    out
}

/// What is known of a saved plan beside its content, as one line.
pub fn saved(header: &Header) -> String {
    format!(
        "Plan of {}, digest {}, may be applied until {}.\n",
        text::safe(&header.created_at),
        short(&header.digest),
        text::safe(&header.expires_at)
    )
}

fn found(review: &Review, paint: Paint) -> Vec<String> {
    let mut text = findings::grouped(&review.findings, paint).concat();
    // A plan that says nothing else is one line.
    if !review.plan.changes.is_empty() || !text.is_empty() {
        text.push_str(&findings::skipped(&review.skipped, paint));
    }
    text.lines().map(|line| format!("  {line}")).collect()
}

fn section(out: &mut String, heading: &str, lines: &[String], paint: Paint) {
    if lines.is_empty() {
        return;
    }
    out.push('\n');
    out.push_str(&paint.heading(heading));
    out.push('\n');
    for line in lines {
        out.push_str(line);
        out.push('\n');
    }
}

/// One line that says that nothing is to be done, and about what that is said.
fn nothing(plan: &Plan) -> String {
    let what = match (plan.mode, plan.recorded) {
        (Mode::Destroy, _) => "Nothing to remove: no object is recorded".to_owned(),
        (Mode::RefreshOnly, number) => {
            format!("No changes: the records of {} fit", count(number, "object"))
        }
        (Mode::Apply, 0) => "No changes: nothing is declared and nothing is recorded".to_owned(),
        (Mode::Apply, 1) => "No changes: the 1 object recorded is as declared".to_owned(),
        (Mode::Apply, number) => {
            format!("No changes: all {number} objects recorded are as declared")
        }
    };
    let left = plan.drift.len();
    let drift = match left {
        0 => String::new(),
        number => format!("; {} drifted outside this plan", count(number, "object")),
    };
    let others = match plan.unmanaged.len() {
        0 => String::new(),
        number => format!("; {number} undeclared: {}", undeclared(plan)),
    };
    format!("{what}{drift}{others} ({}).\n", state(plan))
}

/// The first of what nobody declared, in a line.
fn undeclared(plan: &Plan) -> String {
    let mut names: Vec<String> = plan
        .unmanaged
        .iter()
        .take(UNMANAGED_NAMED)
        .map(|(_, kind, key)| format!("{} {}", text::safe(kind), text::safe(key)))
        .collect();
    if plan.unmanaged.len() > UNMANAGED_NAMED {
        names.push("…".to_owned());
    }
    names.join(", ")
}

/// Where it runs.
fn head(plan: &Plan, paint: Paint) -> String {
    let targets: Vec<String> = plan
        .targets
        .iter()
        .map(|(instance, target)| {
            format!(
                "{}  {} ({})",
                paint.heading(&text::safe(instance)),
                text::safe(&target.address),
                text::safe(&target.description)
            )
        })
        .collect();
    match targets.as_slice() {
        [one] => format!("{one}   {}\n", state(plan)),
        all => {
            let mut out = String::new();
            for target in all {
                out.push_str(target);
                out.push('\n');
            }
            out.push_str(&state(plan));
            out.push('\n');
            out
        }
    }
}

/// `state serial 41, lineage 9c1e0a2b`.
fn state(plan: &Plan) -> String {
    match &plan.lineage {
        Some(lineage) => {
            let short: String = lineage.chars().take(8).collect();
            format!(
                "state serial {}, lineage {}",
                plan.serial,
                text::safe(&short)
            )
        }
        None => "no state yet".to_owned(),
    }
}

/// The changes of live objects, grouped by declaration.
fn groups(plan: &Plan, look: Look<'_>) -> Vec<String> {
    let mut groups: BTreeMap<&DeclarationAddress, Vec<&Change>> = BTreeMap::new();
    for change in plan.changes.values() {
        if !matches!(
            change.action,
            Action::Keep | Action::Refresh | Action::Forget
        ) {
            groups
                .entry(&change.address.declaration)
                .or_default()
                .push(change);
        }
    }
    let headings: Vec<(String, String)> = groups
        .iter()
        .map(|(declaration, changes)| (text::safe(&declaration.to_string()), place(changes)))
        .collect();
    let column = headings
        .iter()
        .map(|(heading, _)| heading.chars().count() + 3)
        .max()
        .unwrap_or(0)
        .clamp(40, PLACE_COLUMN_MAX);
    let mut out = Vec::new();
    for ((heading, place), changes) in headings.iter().zip(groups.values()) {
        if !out.is_empty() {
            out.push(String::new());
        }
        let heading_width = heading.chars().count();
        let mut line = format!("  {}", look.paint.heading(heading));
        if !place.is_empty() {
            line.push_str(&" ".repeat(column.saturating_sub(heading_width).max(3)));
            line.push_str(&look.paint.faint(place));
        }
        out.push(line);
        let width = changes
            .iter()
            .map(|change| short_address(&change.address).chars().count())
            .max()
            .unwrap_or(0);
        for change in changes {
            out.push(headline(change, look.paint, width));
            let kind = look.catalog.kind(&change.kind);
            for reason in reasons(change, kind, &plan.changes) {
                out.push(format!(
                    "          {}",
                    look.paint.changed(&format!("# {reason}"))
                ));
            }
            out.extend(attributes(change, kind, look.paint));
        }
    }
    out
}

/// Where a group's declaration stands, or why there is none.
fn place(changes: &[&Change]) -> String {
    let place = changes.iter().find_map(|change| change.place.as_deref());
    let is_left = |change: &&Change| change.reason == Reason::Undeclared;
    match place {
        Some(place) if changes.iter().all(is_left) => {
            format!("{}, no longer needed", text::safe(place))
        }
        Some(place) => text::safe(place),
        None if changes.iter().any(is_left) => "no longer declared".to_owned(),
        None => String::new(),
    }
}

fn outputs(all: &BTreeMap<String, OutputChange>, paint: Paint) -> Vec<String> {
    let width = all
        .keys()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or(0);
    let mut out = Vec::new();
    for (name, change) in all {
        let name = text::safe(name);
        let (action, shown) = match (&change.before, &change.after) {
            (None, Some(after)) => (Action::Create, value::new(after, None, false)),
            (Some(before), Some(after)) => (
                Action::Update,
                value::change(Some(before), Some(after), None, false),
            ),
            (_, None) => (Action::Delete, Shown::Inline("(goes)".into())),
        };
        let shown = if change.sensitive && action != Action::Delete {
            Shown::Inline("(sensitive)".into())
        } else {
            shown
        };
        let (symbol, _) = changes::word(action);
        let symbol = changes::paint_action(paint, action, &format!("{symbol:>3}"));
        match shown {
            Shown::Inline(text) => out.push(format!("  {symbol} {name:width$}  {text}")),
            Shown::Block(lines) => {
                out.push(format!("  {symbol} {name}"));
                out.extend(lines.iter().map(|line| changes::block_line(line, paint)));
            }
        }
    }
    out
}

fn unmanaged(plan: &Plan) -> Vec<String> {
    let mut out: Vec<String> = plan
        .unmanaged
        .iter()
        .take(UNMANAGED_SHOWN)
        .map(|(instance, kind, key)| {
            format!(
                "      {} {}  {}",
                text::safe(instance),
                text::safe(kind),
                text::safe(key)
            )
        })
        .collect();
    let more = plan.unmanaged.len().saturating_sub(UNMANAGED_SHOWN);
    if more > 0 {
        out.push(format!("      and {more} more"));
    }
    out
}

/// What loses its access for a while, changed otherwise or not.
fn interrupted(plan: &Plan) -> Vec<String> {
    let all = plan.interrupted();
    all.iter()
        .map(|address| format!("      {}", text::safe(&address.to_string())))
        .collect()
}

/// The count line.
fn total(review: &Review, paint: Paint) -> String {
    let plan = &review.plan;
    let counts = plan.counts();
    // A replace counts as one of each; people want it named.
    let replaced = plan
        .changes
        .values()
        .filter(|change| change.action == Action::Replace)
        .count();
    let mut out = format!(
        "{} {} to create, {} to update, {}",
        paint.heading("Plan:"),
        counts.create - replaced,
        counts.update,
        alarming(paint, counts.delete - replaced, "to delete"),
    );
    if replaced > 0 {
        let _ = write!(out, ", {}", alarming(paint, replaced, "to replace"));
    }
    if counts.adopt > 0 {
        let _ = write!(out, ", {} to adopt", counts.adopt);
    }
    out.push_str(&clauses(review, counts));
    out.push_str(".\n");
    out
}

/// A number that deserves a look unless it is 0.
fn alarming(paint: Paint, number: usize, what: &str) -> String {
    let text = format!("{number} {what}");
    if number > 0 {
        paint.removed(&text)
    } else {
        text
    }
}

/// What else the count line says, where there is something to say.
fn clauses(review: &Review, counts: Counts) -> String {
    let plan = &review.plan;
    let mut out = String::new();
    for (number, one, several) in [
        (
            counts.drift_put_back,
            "drifted attribute is put back",
            "drifted attributes are put back",
        ),
        (
            counts.refresh + counts.forget,
            "record changes alone",
            "records change alone",
        ),
        (
            plan.interrupted().len(),
            "object loses its access for a while",
            "objects lose their access for a while",
        ),
        (plan.outputs.len(), "output changes", "outputs change"),
        (
            review
                .gate_changes
                .len()
                .max(usize::from(plan.is_gated_alone())),
            "record of who approves what changes",
            "records of who approves what change",
        ),
    ] {
        let _ = match number {
            0 => Ok(()),
            1 => write!(out, "; 1 {one}"),
            number => write!(out, "; {number} {several}"),
        };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    fn look() -> Look<'static> {
        Look {
            catalog: testing::catalog(),
            paint: Paint::PLAIN,
        }
    }

    #[track_caller]
    fn same(found: &str, wanted: &str) {
        assert!(found == wanted, "found:\n{found}\n\nwanted:\n{wanted}");
    }

    #[test]
    fn a_plan_without_changes_is_one_line() {
        let mut plan = testing::plan([]);
        same(
            &people(&Review::of(plan.clone()), look()),
            "No changes: all 41 objects recorded are as declared (state serial 41, lineage 9c1e0a2b).\n",
        );
        plan.recorded = 0;
        plan.lineage = None;
        same(
            &people(&Review::of(plan.clone()), look()),
            "No changes: nothing is declared and nothing is recorded (no state yet).\n",
        );
    }

    #[test]
    fn colour_changes_no_word() {
        let plan = testing::everything();
        let colour = Look {
            paint: Paint::COLOUR,
            ..look()
        };
        let coloured =
            anstream::adapter::strip_str(&people(&Review::of(plan.clone()), colour)).to_string();
        same(&coloured, &people(&Review::of(plan.clone()), look()));
    }

    #[test]
    fn the_whole_screen() {
        same(
            &people(&Review::of(testing::everything()), look()),
            include_str!("testing/everything.txt"),
        );
    }

    #[test]
    fn a_first_plan() {
        same(
            &people(&Review::of(testing::first()), look()),
            include_str!("testing/first.txt"),
        );
    }

    #[test]
    fn names_from_elsewhere_can_not_pass_for_our_lines() {
        let mut change =
            testing::change("scope.x/vault_policy", Action::Delete, Reason::Undeclared);
        change.key = "x\nNo changes: all is well\u{1b}[2J\u{9b}31m\u{202e}".into();
        let shown = people(&Review::of(testing::plan([change])), look());
        assert!(!shown.lines().any(|line| line.starts_with("No changes")));
        assert!(shown.contains("x\\nNo changes: all is well\\u{1b}[2J\\u{9b}31m\\u{202e}"));
    }
}
