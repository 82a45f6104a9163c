//! 103 and 104: who answers for an agent, and what it is for.

use std::collections::BTreeSet;

use remit_sdk::declaration::{Owner, Tier};

use super::identity::quoted;
use super::rule::{Need, Part, Report, Rule, Weight};
use super::when::is_past;

pub(super) const RULES: &[Rule] = &[
    Rule {
        code: "RMT103",
        name: "ownerless",
        weight: Weight::Error,
        finds: "An owner whom nobody can reach, an owner that is itself an agent, or an approval \
                that fewer people may give than it takes.",
        why: "When an agent does harm somebody must be found who can say what it may do, and stop it.",
        blind: "Whether somebody answers at a contact is not tried.",
        wrong: include_str!("examples/rmt103.wrong.remit.hcl"),
        right: include_str!("examples/rmt103.right.remit.hcl"),
        controls: &["NHI1", "GOVERN 2.1"],
        parts: &[
            Part {
                needs: Need::Model,
                run: contacts,
            },
            Part {
                needs: Need::Model,
                run: approvers,
            },
        ],
    },
    Rule {
        code: "RMT104",
        name: "purposeless",
        weight: Weight::Error,
        finds: "An agent whose purpose says nothing, or whose `review_by` is past.",
        why: "An agent nobody can say the use of keeps its access for ever, since nobody dares take \
              it away.",
        blind: "",
        wrong: include_str!("examples/rmt104.wrong.remit.hcl"),
        right: include_str!("examples/rmt104.right.remit.hcl"),
        controls: &["GOVERN 1.5", "GOVERN 1.7"],
        parts: &[
            Part {
                needs: Need::Model,
                run: purposes,
            },
            Part {
                needs: Need::Model,
                run: reviews,
            },
        ],
    },
];

/// What people write to satisfy a required attribute: small letters and digits only.
const NOTHING: [&str; 14] = [
    "",
    "tbd",
    "todo",
    "fixme",
    "na",
    "none",
    "nobody",
    "unknown",
    "test",
    "temp",
    "xxx",
    "agent",
    "bot",
    "placeholder",
];

/// Small letters and digits alone.
fn bare(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

fn contacts(report: &mut Report<'_, '_>) {
    let model = report.model();
    let mut agents: BTreeSet<String> = BTreeSet::new();
    for identity in model.identities.values() {
        agents.insert(bare(&identity.name));
        agents.insert(bare(&identity.agent_name));
    }
    agents.extend(model.agents.keys().map(|agent| bare(&agent.name)));
    agents.extend(model.agents.keys().map(|agent| bare(&agent.to_string())));
    for owner in model.owners.values() {
        let Some(what) = unreachable(owner, &agents) else {
            continue;
        };
        report.found(
            &owner.address,
            owner.span,
            Tier::Production,
            format!("the contact of `{}` {what}", owner.address),
            "write where people who answer for the agent can be reached, such as a team's address",
        );
    }
}

/// Why nobody can be reached at an owner's contact.
fn unreachable(owner: &Owner, agents: &BTreeSet<String>) -> Option<String> {
    let contact = owner.contact.trim();
    let (local, host) = contact.split_once('@').unwrap_or((contact, ""));
    let local = bare(local.rsplit(':').next().unwrap_or(local));
    if NOTHING.contains(&bare(contact).as_str()) || (host.is_empty() && contact.contains('@')) {
        return Some(format!("says nothing: {}", quoted(contact)));
    }
    if ["noreply", "donotreply"].contains(&local.as_str()) {
        return Some(format!("takes no answers: {}", quoted(contact)));
    }
    let is_workload = ["spiffe://", "arn:aws:", "system:serviceaccount:"]
        .iter()
        .any(|beginning| contact.starts_with(beginning));
    if is_workload || agents.contains(&local) || agents.contains(&bare(contact)) {
        return Some(format!("is itself an agent: {}", quoted(contact)));
    }
    None
}

/// `1 approval`, `2 approvals`.
pub(super) fn approvals(number: u32) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} approval{plural}")
}

fn approvers(report: &mut Report<'_, '_>) {
    let model = report.model();
    for scope in model.scopes.values() {
        let Some(approval) = &scope.approval else {
            continue;
        };
        // A key counts by its type and body; the comment is no part of it.
        let keys: BTreeSet<(&str, &str)> = approval
            .from
            .iter()
            .filter_map(|owner| model.owners.get(owner))
            .flat_map(|owner| &owner.approvers)
            .filter_map(|key| {
                let mut words = key.split(' ');
                Some((words.next()?, words.next()?))
            })
            .collect();
        if keys.len() >= approval.required as usize {
            continue;
        }
        let owners: Vec<String> = approval.from.iter().map(|one| format!("`{one}`")).collect();
        let who = match owners.as_slice() {
            [] => "nobody is named who may give one".to_owned(),
            owners => format!("keys of {}: {}", owners.join(", "), keys.len()),
        };
        report.found(
            &scope.address,
            scope.span,
            Tier::Production,
            format!(
                "`{}` asks for {}, and {who}",
                scope.address,
                approvals(approval.required)
            ),
            "write the SSH public keys of those who may approve as `approvers` of the owners",
        );
    }
}

fn purposes(report: &mut Report<'_, '_>) {
    for agent in report.model().agents.values() {
        let purpose = bare(&agent.purpose);
        if !NOTHING.contains(&purpose.as_str()) && purpose != bare(&agent.address.name) {
            continue;
        }
        report.found(
            &agent.address,
            agent.span,
            Tier::Production,
            format!(
                "the purpose of `{}` says nothing: {}",
                agent.address,
                quoted(&agent.purpose)
            ),
            "write in a sentence what it does, and for whom",
        );
    }
}

fn reviews(report: &mut Report<'_, '_>) {
    for agent in report.model().agents.values() {
        let Some(date) = &agent.review_by else {
            continue;
        };
        if !is_past(date, report.input.now) {
            continue;
        }
        report.found(
            &agent.address,
            agent.span,
            Tier::Production,
            format!("`{}` was to be looked at by {date}", agent.address),
            "find out whether it is still needed: write the next date, or remove it",
        );
    }
}
