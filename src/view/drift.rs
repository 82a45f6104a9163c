//! Drift that a plan leaves as it is, and records that follow what is live.
//!
//! In: a plan. Out: the sections DRIFT and RECORDS. Drift that is put back stands among the
//! changes, marked; what stands here is what nobody declared, what the configuration agrees
//! with by now, and what this plan was not asked about.

use remit_sdk::{Kind, ObjectAddress, Value, text};

use super::Paint;
use super::changes::{self, block_line};
use super::value::{self, Shown};
use crate::diff::{Action, Difference};
use crate::lower::Catalog;
use crate::plan::{Mode, Plan};

/// The lines of the section DRIFT; none if there is nothing to say.
pub(super) fn drift(plan: &Plan, catalog: &Catalog<'_>, paint: Paint) -> Vec<String> {
    let mut out = Vec::new();
    for (address, differences) in &plan.drift {
        let left: Vec<&Difference> = differences
            .iter()
            .filter(|difference| !is_put_back(plan, address, difference))
            .collect();
        if left.is_empty() {
            continue;
        }
        out.push(format!("  {}", text::safe(&address.to_string())));
        let kind = catalog.kind(&address.kind);
        let width = left
            .iter()
            .map(|difference| difference.name.chars().count())
            .max()
            .unwrap_or(0);
        for difference in left {
            lines(plan, address, difference, kind, width, paint, &mut out);
        }
    }
    out
}

/// Whether the plan overwrites this drift.
fn is_put_back(plan: &Plan, address: &ObjectAddress, drift: &Difference) -> bool {
    plan.changes.get(address).is_some_and(|change| {
        matches!(change.action, Action::Create | Action::Delete)
            || change.action != Action::Refresh
                && change
                    .differences
                    .iter()
                    .any(|one| one.managed && one.name == drift.name)
    })
}

/// One attribute: what was recorded, what is there now, and why it stays.
fn lines(
    plan: &Plan,
    address: &ObjectAddress,
    difference: &Difference,
    kind: Option<&Kind>,
    width: usize,
    paint: Paint,
    out: &mut Vec<String>,
) {
    let shape = kind
        .and_then(|kind| kind.attribute(&difference.name))
        .map(|attribute| attribute.shape);
    let name = text::safe(&difference.name);
    let why = if plan.mode == Mode::RefreshOnly {
        "the record follows"
    } else if !difference.managed {
        "nobody declared it: left as it is, the record follows"
    } else if difference.before == difference.after {
        "the configuration says the same: the record follows"
    } else if plan.changes.contains_key(address) {
        "left as it is"
    } else {
        "not part of this plan"
    };
    let why = paint.changed(why);
    let shown = value::change(
        difference.drift.as_ref(),
        difference.before.as_ref(),
        shape,
        difference.document,
    );
    match shown {
        Shown::Inline(_) => {
            let show = |one: Option<&Value>| {
                one.map_or_else(|| "(none)".into(), |one| value::inline(one, shape))
            };
            out.push(format!(
                "          {name:width$}  recorded {}, now {}   {why}",
                show(difference.drift.as_ref()),
                show(difference.before.as_ref()),
            ));
        }
        Shown::Block(lines) => {
            out.push(format!("          {name}   changed outside remit; {why}"));
            out.extend(lines.iter().map(|line| block_line(line, paint)));
        }
    }
}

/// The lines of the section RECORDS: what changes in the state alone.
pub(super) fn records(plan: &Plan, paint: Paint) -> Vec<String> {
    let mut out = Vec::new();
    for (address, change) in &plan.changes {
        // A refresh that follows drift stands under DRIFT already.
        let is_shown = match change.action {
            Action::Forget => true,
            Action::Refresh => !plan.drift.contains_key(address),
            _ => false,
        };
        if !is_shown {
            continue;
        }
        let (_, word) = changes::word(change.action);
        let why = changes::reasons(change, None, &plan.changes);
        let why = if why.is_empty() {
            "what depends on what, or what is set".to_owned()
        } else {
            why.join("; ")
        };
        out.push(format!(
            "    {} {}  {}",
            changes::paint_action(paint, change.action, &format!(". {word:7}")),
            text::safe(&address.to_string()),
            paint.faint(&why),
        ));
    }
    out
}
