//! What a rule found, as plain data.

use remit_sdk::{Address, DeclarationAddress};
use serde::{Deserialize, Serialize};

/// The code of findings by policies of the organisation.
pub const ORGANISATION: &str = "ORG";

/// Whether a finding stops what creates or widens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It is shown.
    Warning,
    /// It stops a plan from being applied.
    Error,
}

/// What a rule found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// `RMT101`; for an organisation's policy `ORG` and the file's name.
    pub rule: String,
    /// `shared-identity`.
    pub name: String,
    /// How bad it is, here.
    pub severity: Severity,
    /// What it is about.
    pub address: Option<Address>,
    /// `agents.remit.hcl:41`.
    pub place: Option<String>,
    /// What is wrong, in a sentence.
    pub what: String,
    /// Why that matters.
    pub why: String,
    /// What to write instead.
    pub help: String,
    /// The exception that waives it.
    pub waived_by: Option<DeclarationAddress>,
    /// The date until which it does.
    pub waived_until: Option<String>,
}

impl Finding {
    /// Whether it stops a plan from being applied.
    pub fn stops(&self) -> bool {
        self.severity == Severity::Error && self.waived_by.is_none()
    }
}
