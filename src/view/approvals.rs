//! The approvals that a plan takes, as text and as JSON.
//!
//! In: the requirements of a review. Out: what is asked and of whom; requirements that the same
//! people answer stand together.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::text;
use serde_json::{Value as Json, json};

use super::count;
use crate::gate::{self, Requirement};

/// Reasons and people of one group that are named; of more, only the number is said.
const SHOWN: usize = 12;

/// What is asked and of whom, a group of lines for each set of people.
pub(super) fn people(approvals: &[Requirement]) -> Vec<String> {
    let mut groups: BTreeMap<(&[String], u32), Vec<&str>> = BTreeMap::new();
    for one in approvals {
        let people = (one.approvers.as_slice(), one.required);
        groups.entry(people).or_default().push(&one.why);
    }
    let mut lines = Vec::new();
    for ((approvers, required), reasons) in groups {
        let number = usize::try_from(required).unwrap_or(usize::MAX);
        lines.push(match approvers.len() {
            0 => format!("  {}, by nobody who is known:", count(number, "approval")),
            _ => format!(
                "  {} of these {}:",
                count(number, "approval"),
                approvers.len()
            ),
        });
        let keys = approvers
            .iter()
            .map(|key| gate::shown(key, &BTreeMap::new()));
        listed(&mut lines, "    ", keys);
        lines.push("    for".to_owned());
        listed(&mut lines, "      ", reasons.into_iter().map(text::safe));
    }
    lines
}

fn listed(lines: &mut Vec<String>, indent: &str, all: impl ExactSizeIterator<Item = String>) {
    let more = all.len().saturating_sub(SHOWN);
    lines.extend(all.take(SHOWN).map(|line| format!("{indent}{line}")));
    if more > 0 {
        lines.push(format!("{indent}and {more} more"));
    }
}

/// How many approvals a plan needs, and how to give one: the last line. `file` is how the saved
/// plan is written in a command.
pub fn needed(approvals: &[Requirement], file: &str) -> Option<String> {
    let most = approvals.iter().map(|one| one.required).max()?;
    let people: BTreeSet<&[String]> = approvals
        .iter()
        .map(|one| one.approvers.as_slice())
        .collect();
    // Who approves one thing may not approve another: it can take more than the most of them.
    let least = if people.len() > 1 { "at least " } else { "" };
    let number = usize::try_from(most).unwrap_or(usize::MAX);
    let number = count(number, "approval");
    Some(format!("Needs {least}{number}: remit approve {file}"))
}

/// The same for machines.
pub(super) fn json(approvals: &[Requirement]) -> Json {
    let each = approvals.iter().map(|one| {
        let keys: Vec<String> = one
            .approvers
            .iter()
            .map(|key| gate::shown(key, &BTreeMap::new()))
            .collect();
        json!({ "required": one.required, "approvers": keys, "why": one.why })
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB9dG4kjRhQTtWTVzd2t27+t0DEHBPW7iOD23TUiYLio";

    fn requirement(why: &str, required: u32, approvers: &[&str]) -> Requirement {
        Requirement {
            why: why.into(),
            required,
            approvers: approvers.iter().map(|key| (*key).to_owned()).collect(),
        }
    }

    #[test]
    fn people_see_what_is_asked_and_of_whom() {
        let all = [
            requirement("scope.a asks\u{202e}", 2, &[KEY]),
            requirement("scope.b asks", 2, &[KEY]),
            requirement("scope.c asks", 1, &[]),
        ];
        let print = crate::model::ApproverKey::parse(KEY).unwrap().fingerprint;
        let wanted = format!(
            "  1 approval, by nobody who is known:\n    for\n      scope.c asks\n  2 approvals of these \
             1:\n    {print}\n    for\n      scope.a asks\\u{{202e}}\n      scope.b asks"
        );
        assert_eq!(people(&all).join("\n"), wanted);
        assert_eq!(
            needed(&all, "p").unwrap(),
            "Needs at least 2 approvals: remit approve p"
        );
        assert_eq!(
            needed(&all[2..], "p").unwrap(),
            "Needs 1 approval: remit approve p"
        );
        assert_eq!(needed(&[], "p"), None);
        assert_eq!(
            json(&all[1..2]),
            json!([{ "required": 2, "approvers": [print], "why": "scope.b asks" }])
        );
    }
}
