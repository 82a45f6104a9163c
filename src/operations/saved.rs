//! A saved plan, held against what is recorded and against the same plan made again.
//!
//! In: the saved plan, the state, the new plan. Out: what of the new plan was agreed to, or why
//! the saved one is stale.

use remit_sdk::Diagnostic;
use remit_sdk::provider::Target;

use crate::gate::Review;
use crate::plan::Plan;
use crate::state::Recorded;

/// The most objects that a message names.
const NAMED_MAX: usize = 10;

/// Of a plan that was made again, what was agreed to.
pub(super) fn held_to(
    plan: Plan,
    agreed: &Plan,
    said: &[Diagnostic],
) -> Result<Plan, Vec<Diagnostic>> {
    let others = other_targets(&plan, agreed);
    if !others.is_empty() {
        return Err(others);
    }
    let outputs_differ = plan.outputs != agreed.outputs;
    let why = match plan.held_to(agreed) {
        Ok(plan) if !outputs_differ => return Ok(plan),
        Ok(_) => "outputs would be others than it says".to_owned(),
        Err(objects) => {
            let named = objects.iter().take(NAMED_MAX);
            let named: Vec<String> = named.map(|one| format!("\n  {one}")).collect();
            let more = objects.len().saturating_sub(NAMED_MAX);
            let more = match more {
                0 => String::new(),
                more => format!("\n  and {more} more"),
            };
            format!(
                "a plan made now would not do the same with{}{more}",
                named.concat()
            )
        }
    };
    // What can't be read now is often why.
    let errors = said.iter().filter(|one| one.is_error()).cloned();
    Err(errors.chain([refused(why)]).collect())
}

/// Refuses a plan that was made for other targets.
fn other_targets(plan: &Plan, agreed: &Plan) -> Vec<Diagnostic> {
    let others = agreed.targets.iter().filter_map(|(instance, expected)| {
        let found = plan.targets.get(instance)?;
        (found.id != expected.id).then(|| another_target(instance, expected, found))
    });
    others.collect()
}

/// Says that a plan was made for another target.
pub(super) fn another_target(instance: &str, expected: &Target, found: &Target) -> Diagnostic {
    Diagnostic::error(
        "another target than planned",
        remit_sdk::text::safe(&format!(
            "{instance} talks to {} (`{}`), and the plan was made for {} (`{}`)",
            found.description, found.id, expected.description, expected.id
        )),
    )
    .help("check the provider's address and namespace, or plan again for this target")
}

/// Refuses a plan whose meaning is not what those who approve were shown.
pub(super) fn means_the_same(now: &Review, agreed: &Review) -> Result<(), Vec<Diagnostic>> {
    let why = if now.plan.gate != agreed.plan.gate {
        "what it says of approvers, risks and tiers is not what the configuration says"
    } else if !now.approvals.is_empty() && now.plan.targets != agreed.plan.targets {
        "what it says of the targets is not what they say themselves"
    } else if !now.approvals.is_empty() && now.access != agreed.access {
        "what identities gain and lose by it is not what it says"
    } else if !now.approvals.is_empty() && now.approvals != agreed.approvals {
        "whose approvals it says it takes, and for what, is not what it takes"
    } else if now.gate_changes != agreed.gate_changes || now.people != agreed.people {
        "what it says of approvers and whose keys they are is not what is recorded and declared"
    } else {
        return Ok(());
    };
    Err(vec![refused(why)])
}

/// Why a plan can't be applied to a state or a target.
fn refused(detail: impl Into<String>) -> Diagnostic {
    Diagnostic::error("plan is stale", detail).help("plan again and look at what changed")
}

/// Refuses a plan that was made for another state, or before another run.
pub fn fits(plan: &Plan, recorded: &Recorded) -> Result<(), Diagnostic> {
    if plan.lineage != recorded.lineage {
        return Err(refused(match (&plan.lineage, &recorded.lineage) {
            (None, _) => "it was made when nothing was recorded, and something is recorded now",
            (_, None) => "it was made for a state that isn't there: nothing is recorded here",
            _ => "it was made for another state",
        }));
    }
    if plan.serial != recorded.serial {
        return Err(refused(format!(
            "it was made at serial {}, and the state is at {}: something was applied since; a plan is \
             applied once",
            plan.serial, recorded.serial
        )));
    }
    Ok(())
}
