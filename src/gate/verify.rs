//! Whether a plan's approvals are there. PURE.
//!
//! In: the requirements, the plan's bytes, the signatures. Out: who approved, or what is missing.
//! Each requirement is looked at on its own: a signature counts for every requirement whose
//! approver made it, and a key counts once however often it signed.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::{DeclarationAddress, Diagnostic};

use super::{People, Requirement, signature};
use crate::model::ApproverKey;

/// What signatures say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signatures {
    /// The keys that signed, by their text.
    pub by: BTreeMap<String, ApproverKey>,
    /// Files that count for nothing, and why.
    pub refused: Vec<(String, String)>,
}

impl Signatures {
    /// Checks signatures over a plan's bytes; each comes with the name of its file.
    pub fn check<'a>(
        bytes: &[u8],
        signatures: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Self {
        let mut found = Self::default();
        for (name, text) in signatures {
            match signature::verify(text, bytes) {
                Ok(key) => {
                    found.by.insert(key.text.clone(), key);
                }
                Err(why) => found.refused.push((name.to_owned(), why)),
            }
        }
        found
    }
}

/// A requirement that isn't met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The requirement.
    pub requirement: Requirement,
    /// The approvers of it that signed.
    pub by: BTreeSet<String>,
}

impl Missing {
    /// How many more it takes.
    pub fn more(&self) -> usize {
        let required = usize::try_from(self.requirement.required).unwrap_or(usize::MAX);
        required.saturating_sub(self.by.len())
    }
}

/// The requirements that the signatures don't meet.
pub fn missing(requirements: &[Requirement], signatures: &Signatures) -> Vec<Missing> {
    requirements
        .iter()
        .map(|requirement| {
            let approvers: BTreeSet<&String> = requirement.approvers.iter().collect();
            let signed = |key: &&&String| signatures.by.contains_key(**key);
            Missing {
                by: approvers
                    .iter()
                    .filter(signed)
                    .map(|key| (*key).clone())
                    .collect(),
                requirement: requirement.clone(),
            }
        })
        .filter(|one| one.more() > 0)
        .collect()
}

/// The fingerprints of those who approved, or what is missing.
pub fn verify(
    requirements: &[Requirement],
    signatures: &Signatures,
) -> Result<BTreeSet<String>, Vec<Missing>> {
    let missing = missing(requirements, signatures);
    if !missing.is_empty() {
        return Err(missing);
    }
    let asked: BTreeSet<&String> = requirements.iter().flat_map(|one| &one.approvers).collect();
    let by = signatures.by.iter();
    Ok(by
        .filter(|(text, _)| asked.contains(text))
        .map(|(_, key)| key.fingerprint.clone())
        .collect())
}

/// The key as people see it: its fingerprint and its comment, where that is known.
pub fn shown(key: &str, people: &People) -> String {
    match ApproverKey::parse(key) {
        Ok(mut parsed) => {
            let comment = people.get(key).map(|person| person.comment.clone());
            parsed.comment = comment.unwrap_or_default();
            parsed.shown()
        }
        Err(_) => "a key that can't be read".to_owned(),
    }
}

/// Whose keys are, in words: `owner.pay ("pay@example.com")`; nothing where nobody is known. A contact
/// is any text, and must not pass for another owner.
fn whose(owners: &BTreeMap<DeclarationAddress, Option<String>>) -> String {
    let owners: Vec<String> = owners
        .iter()
        .map(|(owner, contact)| match contact {
            Some(contact) => format!("{owner} ({})", serde_json::json!(contact)),
            None => owner.to_string(),
        })
        .collect();
    remit_sdk::text::safe(&owners.join(", "))
}

/// The keys as people see them, those of the same owners together: a line for the owners, and
/// below it a line for each key.
pub fn listed<'a>(keys: impl IntoIterator<Item = &'a String>, people: &People) -> Vec<String> {
    let mut groups: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for key in keys {
        let owners = people.get(key).map(|person| person.owners.clone());
        let group = groups.entry(owners.unwrap_or_default()).or_default();
        group.push(shown(key, people));
    }
    let mut lines = Vec::new();
    for (owners, keys) in groups {
        let indent = if owners.is_empty() { "" } else { "  " };
        if !owners.is_empty() {
            lines.push(whose(&owners));
        }
        lines.extend(keys.into_iter().map(|key| format!("{indent}{key}")));
    }
    lines
}

/// Says what is missing: each requirement, who may sign, and how. `plan` is how the file is
/// written in a command; without one the plan isn't saved yet.
pub fn diagnostics(missing: &[Missing], people: &People, plan: Option<&str>) -> Vec<Diagnostic> {
    missing
        .iter()
        .map(|one| {
            let requirement = &one.requirement;
            let approvers = requirement.approvers.iter();
            let may: Vec<&String> = approvers.filter(|key| !one.by.contains(*key)).collect();
            let number = if one.more() == 1 {
                "approval is"
            } else {
                "approvals are"
            };
            let why = remit_sdk::text::safe(&requirement.why);
            let detail = format!("{why}: {} more {number} missing", one.more());
            let diagnostic = Diagnostic::error("plan is not approved", detail);
            if may.len() < one.more() {
                return diagnostic.help(unmeetable(requirement));
            }
            let how = match plan {
                Some(plan) => format!("remit approve {plan}"),
                None => {
                    "save the plan, have it approved, and apply that: remit plan --out FILE, with \
                     the same options as here, remit approve FILE, remit apply FILE"
                        .to_owned()
                }
            };
            let may = listed(may, people).join("\n  ");
            diagnostic.help(format!("{how}\nby one of\n  {may}"))
        })
        .collect()
}

fn unmeetable(requirement: &Requirement) -> String {
    format!(
        "it takes {} and {} could sign: list the SSH public keys of who may as `approvers` of the \
         owner, and apply that first; a plan's own new approvers don't count for it",
        requirement.required,
        requirement.approvers.len(),
    )
}

/// A warning for each requirement that nobody could meet, so that it isn't found out at apply.
pub fn unmeetable_warnings(requirements: &[Requirement]) -> Vec<Diagnostic> {
    requirements
        .iter()
        .filter(|one| {
            let approvers: BTreeSet<&String> = one.approvers.iter().collect();
            approvers.len() < usize::try_from(one.required).unwrap_or(usize::MAX)
        })
        .map(|one| {
            let detail = remit_sdk::text::safe(&one.why);
            Diagnostic::warning("approval that nobody can give", detail).help(unmeetable(one))
        })
        .collect()
}
