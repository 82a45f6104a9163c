//! The approvals that a plan takes, and what it changes of who approves what, as text and as JSON.
//!
//! In: a review. Out: what is asked and of whom; requirements that the same people answer stand
//! together. Keys come with whose they are: who signs must see whose key comes in.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::text;
use serde_json::{Value as Json, json};

use super::prose::wrap;
use super::{Paint, count};
use crate::gate::{self, Fact, GateChange, People, Requirement, Review};

/// Reasons and people of one group that are named; of more, only the number is said.
const SHOWN: usize = 12;

/// What is asked and of whom, a group of lines for each set of people.
pub(super) fn people(approvals: &[Requirement], people: &People) -> Vec<String> {
    let mut groups: BTreeMap<(&[String], u32), [Vec<&str>; 2]> = BTreeMap::new();
    for one in approvals {
        let asked = (one.approvers.as_slice(), one.required);
        let [loosens, gives] = groups.entry(asked).or_default();
        let reasons = if one.loosens { loosens } else { gives };
        reasons.push(&one.why);
    }
    let mut lines = Vec::new();
    for ((approvers, required), [loosens, gives]) in groups {
        let number = usize::try_from(required).unwrap_or(usize::MAX);
        lines.push(match approvers.len() {
            0 => format!("  {}, by nobody who is known:", count(number, "approval")),
            _ => format!(
                "  {} of these {}:",
                count(number, "approval"),
                approvers.len()
            ),
        });
        let keys = gate::listed(approvers, people).into_iter();
        listed(&mut lines, "    ", keys);
        lines.push("    for".to_owned());
        let reason = |why| wrap("", "        ", &text::safe(why));
        // What changes who is asked is shown nowhere else, and so never left out.
        lines.extend(
            loosens
                .into_iter()
                .map(|why| format!("      {}", reason(why))),
        );
        listed(&mut lines, "      ", gives.into_iter().map(reason));
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

/// How many approvals a plan needs, and how to give one: the last line.
pub fn needed(approvals: &[Requirement], how: &str) -> Option<String> {
    let most = approvals.iter().map(|one| one.required).max()?;
    let people: BTreeSet<&[String]> = approvals
        .iter()
        .map(|one| one.approvers.as_slice())
        .collect();
    // Who approves one thing may not approve another: it can take more than the most of them.
    let least = if people.len() > 1 { "at least " } else { "" };
    let number = usize::try_from(most).unwrap_or(usize::MAX);
    let number = count(number, "approval");
    Some(format!("Needs {least}{number}: {how}"))
}

/// What becomes of who approves what, by declaration.
pub(super) fn changes(review: &Review, paint: Paint) -> Vec<String> {
    let all = &review.gate_changes;
    let mut lines = Vec::new();
    let mut last = None;
    let width = all.iter().map(|one| one.what.word().len()).max();
    let width = width.unwrap_or_default();
    for one in all {
        if last != Some(&one.address) {
            lines.push(format!(
                "  {}",
                paint.heading(&text::safe(&one.address.to_string()))
            ));
            last = Some(&one.address);
        }
        let value = |value: &String| match one.what {
            Fact::Approver => gate::shown(value, &review.people),
            _ => text::safe(value),
        };
        let what = format!("{:width$}", one.what.word());
        lines.push(match (&one.before, &one.after) {
            (None, Some(after)) => paint.added(&format!("    + {what}  {}", value(after))),
            (Some(before), None) => paint.removed(&format!("    - {what}  {}", value(before))),
            (before, after) => {
                let [before, after] = [before, after].map(|one| one.as_ref().map(value));
                let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
                paint.changed(&format!("    ~ {what}  {before} -> {after}"))
            }
        });
    }
    if all.is_empty() && review.plan.is_gated_alone() {
        lines.push("  which identities there are, where they live and what they hold".to_owned());
    }
    lines
}

/// The same for machines.
pub(super) fn changes_json(changes: &[GateChange]) -> Json {
    let each = changes.iter().map(|one| {
        let value = |value: &Option<String>| match one.what {
            Fact::Approver => value.as_ref().map(|key| fingerprint(key)),
            _ => value.clone(),
        };
        json!({
            "address": one.address,
            "what": one.what,
            "before": value(&one.before),
            "after": value(&one.after),
        })
    });
    each.collect()
}

/// Whose the keys are, by fingerprint, for machines.
pub(super) fn people_json(people: &People) -> Json {
    let each = people.iter().map(|(key, person)| {
        let person = json!({ "comment": person.comment, "owners": person.owners });
        (fingerprint(key), person)
    });
    Json::Object(each.collect())
}

fn fingerprint(key: &str) -> String {
    gate::shown(key, &People::new())
}

/// What is asked, for machines.
pub(super) fn json(approvals: &[Requirement]) -> Json {
    let each = approvals.iter().map(|one| {
        let keys: Vec<String> = one.approvers.iter().map(|key| fingerprint(key)).collect();
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
            loosens: false,
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
        assert_eq!(people(&all, &People::new()).join("\n"), wanted);
        assert_eq!(
            needed(&all, "remit approve p").unwrap(),
            "Needs at least 2 approvals: remit approve p"
        );
        assert_eq!(
            needed(&all[2..], "remit approve p").unwrap(),
            "Needs 1 approval: remit approve p"
        );
        assert_eq!(needed(&[], "p"), None);
        // Of many reasons, those are shown that nothing else shows.
        let many = (0..20).map(|number| requirement(&format!("a{number}"), 1, &[]));
        let mut many: Vec<Requirement> = many.collect();
        many.push(Requirement {
            loosens: true,
            ..requirement("z loosens", 1, &[])
        });
        let lines = people(&many, &People::new());
        assert!(lines.contains(&"      z loosens".to_owned()), "{lines:?}");
        assert_eq!(lines.last().unwrap().trim(), "and 8 more");
        assert_eq!(
            json(&all[1..2]),
            json!([{ "required": 2, "approvers": [print], "why": "scope.b asks" }])
        );
    }

    fn change(name: &str, what: Fact, before: Option<&str>, after: Option<&str>) -> GateChange {
        GateChange {
            address: remit_sdk::DeclarationAddress::new("owner", name),
            what,
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
        }
    }

    /// Whoever signs sees whose key comes and whose goes.
    #[test]
    fn what_changes_of_who_approves_is_told() {
        let mut review = Review::of(crate::plan::Plan::nothing());
        assert!(changes(&review, Paint::PLAIN).is_empty());
        let person = gate::Person {
            comment: "somebody\u{202e}".into(),
            owners: [(remit_sdk::DeclarationAddress::new("owner", "a"), None)].into(),
        };
        review.people.insert(KEY.to_owned(), person);
        review.gate_changes = vec![
            change("a", Fact::Approver, None, Some(KEY)),
            change("a", Fact::Approver, Some(KEY), None),
            change("b", Fact::Risk, Some("high"), Some("low")),
        ];
        let print = crate::model::ApproverKey::parse(KEY).unwrap().fingerprint;
        let wanted = format!(
            "  owner.a\n    + approver  {print} somebody\\u{{202e}}\n    - approver  {print} \
             somebody\\u{{202e}}\n  owner.b\n    ~ risk      high -> low"
        );
        assert_eq!(changes(&review, Paint::PLAIN).join("\n"), wanted);
        assert_eq!(
            changes_json(&review.gate_changes[1..]),
            json!([
                { "address": "owner.a", "what": "approver", "before": print, "after": null },
                { "address": "owner.b", "what": "risk", "before": "high", "after": "low" },
            ])
        );
        assert_eq!(
            people_json(&review.people),
            json!({ &print: { "comment": "somebody\u{202e}", "owners": { "owner.a": null } } })
        );
        // What else is recorded of identities is said where nothing else is.
        review.gate_changes.clear();
        let facts = crate::state::Facts {
            owners: [(
                remit_sdk::DeclarationAddress::new("owner", "a"),
                [KEY.to_owned()].into(),
            )]
            .into(),
            ..crate::state::Facts::default()
        };
        review.plan.gate = Some(facts);
        assert_eq!(changes(&review, Paint::PLAIN).len(), 1);
        review.plan.undecided = 1;
        assert!(changes(&review, Paint::PLAIN).is_empty());
    }
}
