//! IAM policy documents: parsed to a typed [`Document`], checked, and printed in one canonical
//! text, which is what is compared and sent.
//!
//! In comes JSON, from a configuration or from AWS; out goes a document or the reason why there
//! is none. Two documents are equal exactly when they say the same: whether one value stands in a
//! list, in which order, how often, and the case of actions and condition keys make no
//! difference; everything else does. The case that was written is kept in the text, since people
//! read it.
//!
//! What IAM takes: IAM User Guide, "Grammar of the IAM JSON policy language" and the pages of the
//! elements. Keys, effects and condition operators count with their case there (`stringEquals` is
//! refused as an invalid condition type), so a slip is an error here that names the right one.
//! Nothing here knows which principals or resources exist.

mod check;
mod compare;
mod narrow;
mod node;
mod print;
mod read;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::arn;

pub use check::{check_action, check_characters, check_condition_key, check_operator};
pub(crate) use compare::meaning;
pub use compare::{decode, live, same};
pub use narrow::narrows;

/// How deep brackets may nest. The deepest a policy has is six: the document, its statements, one
/// statement, its conditions, one operator, one list of values.
pub const DEPTH_MAX: usize = 8;

/// How long a text is read. The largest policy AWS keeps has 20,480 characters, for a secret; the
/// rest is room for white space, which IAM does not count.
pub const DOCUMENT_BYTES_MAX: usize = 128 * 1024;

/// IAM's limit for one managed policy, in characters as [`size`] counts them. It can't be raised.
pub const MANAGED_SIZE_MAX: usize = 6144;
/// IAM's limit for all inline policies of one role together. It can't be raised.
pub const ROLE_INLINE_SIZE_MAX: usize = 10_240;
/// IAM's limit for all inline policies of one user together. It can't be raised.
pub const USER_INLINE_SIZE_MAX: usize = 2048;
/// IAM's limit for all inline policies of one group together. It can't be raised.
pub const GROUP_INLINE_SIZE_MAX: usize = 5120;
/// IAM's limit for a trust policy, unless the account has asked for more.
pub const TRUST_SIZE_MAX: usize = 2048;
/// Secrets Manager's limit for a secret's resource policy, white space included
/// (`PutResourcePolicy`).
pub const RESOURCE_SIZE_MAX: usize = 20_480;

/// Where a document is used, which decides what its statements must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// Attached to a role, user or group: no principal, always resources.
    Identity,
    /// Says who may assume a role: always principals, no resources.
    Trust,
    /// Attached to a secret: both.
    Resource,
}

/// The policy language's version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// `2008-10-17`, which is also what a document without one has; `${…}` is plain text in it.
    V2008,
    /// `2012-10-17`.
    V2012,
}

/// Whether a statement allows or denies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// `Allow`.
    Allow,
    /// `Deny`, which wins over every `Allow`.
    Deny,
}

/// What an element and its `Not…` form have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Selection<T> {
    /// `Action`, `Resource`, `Principal`: these.
    Only(T),
    /// `NotAction`, `NotResource`, `NotPrincipal`: all others.
    AllBut(T),
}

/// The kinds of principals, by their key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PrincipalKind {
    /// `AWS`: accounts, roles, users, sessions, or `*`.
    Aws,
    /// `CanonicalUser`: accounts as S3 names them.
    CanonicalUser,
    /// `Federated`: identity providers.
    Federated,
    /// `Service`: services of AWS.
    Service,
}

/// Principals by kind.
pub type Principals = BTreeMap<PrincipalKind, BTreeSet<String>>;

/// All of which must hold: by operator, by condition key, any one of the values.
pub type Conditions = BTreeMap<String, BTreeMap<Folded, BTreeSet<String>>>;

/// Text that compares without regard to ASCII case and keeps the case it was written in.
#[derive(Clone, Debug)]
pub struct Folded(String);

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Statement {
    /// Its id; an empty one is none.
    pub sid: Option<String>,
    /// Whether it allows or denies.
    pub effect: Effect,
    /// Who; `None` in a policy that is attached to who it counts for.
    pub principals: Option<Selection<Principals>>,
    /// What.
    pub actions: Selection<BTreeSet<Folded>>,
    /// On what; `None` in a trust policy.
    pub resources: Option<Selection<BTreeSet<String>>>,
    /// When.
    pub conditions: Conditions,
}

/// A policy document's meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    version: Version,
    id: Option<String>,
    /// Sorted, each once.
    statements: Vec<Statement>,
}

/// Parses and checks a document. An account id among its principals becomes the root ARN of the
/// partition that the other principals are of, or of `aws` where they don't say; [`parse_in`] is
/// told.
pub fn parse(text: &str, usage: Use) -> Result<Document, String> {
    checked(text, usage, None)
}

/// The same, in a known partition: `aws`, `aws-cn`, ….
pub fn parse_in(text: &str, usage: Use, partition: &str) -> Result<Document, String> {
    checked(text, usage, Some(partition))
}

/// The canonical text of a document, if it can be used.
pub fn canonical(text: &str, usage: Use) -> Result<String, String> {
    parse(text, usage).map(|document| document.to_string())
}

fn checked(text: &str, usage: Use, partition: Option<&str>) -> Result<Document, String> {
    let mut document = read::document(text)?;
    let found = document.partition();
    document.resolve(partition.or(found.as_deref()).unwrap_or("aws"));
    document.check(usage)?;
    Ok(document)
}

/// How many characters IAM counts of a document: all but white space.
pub fn size(text: &str) -> usize {
    text.chars()
        .filter(|c| !matches!(c, ' ' | '\t' | '\n' | '\r'))
        .count()
}

/// Principals that are the unique id of a role or user. AWS shows one in place of the ARN once
/// the principal is deleted; whoever takes the name later is somebody else, so the trust is
/// broken.
pub fn broken_principals(document: &Document) -> Vec<String> {
    let mut found = BTreeSet::new();
    for principals in document.principals() {
        let aws = principals.get(&PrincipalKind::Aws);
        found.extend(aws.into_iter().flatten().filter(|id| is_unique_id(id)));
    }
    found.into_iter().cloned().collect()
}

/// Whether `text` is the unique id of a role (`AROA…`) or a user (`AIDA…`). They have 20 or 21
/// characters today; the API allows 16 to 128.
fn is_unique_id(text: &str) -> bool {
    (text.starts_with("AROA") || text.starts_with("AIDA"))
        && (16..=128).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

// ---- building

impl Document {
    /// A document of these statements, in version 2012-10-17.
    pub fn of(statements: impl IntoIterator<Item = Statement>) -> Self {
        Self::new(Version::V2012, None, statements.into_iter().collect())
    }

    fn new(version: Version, id: Option<String>, statements: Vec<Statement>) -> Self {
        let mut document = Self {
            version,
            id,
            statements,
        };
        document.sort();
        document
    }

    /// Other statements in the same version of the language.
    pub(crate) fn with(&self, statements: Vec<Statement>) -> Self {
        Self::new(self.version, None, statements)
    }

    /// Its statements, sorted.
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// The version of its language.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// Sorts, and keeps each statement once. Of two that differ in case alone it is always the
    /// same one, so that the text doesn't depend on the order they came in.
    fn sort(&mut self) {
        self.statements
            .sort_by_cached_key(|statement| (statement.clone(), statement.compact()));
        self.statements.dedup();
    }

    fn principals(&self) -> impl Iterator<Item = &Principals> {
        self.statements
            .iter()
            .filter_map(|statement| statement.principals.as_ref().map(Selection::named))
    }

    /// The partition of the principals that are ARNs, if they are of one.
    fn partition(&self) -> Option<String> {
        let mut found = BTreeSet::new();
        for principals in self.principals() {
            for text in principals.values().flatten() {
                let rest = text.strip_prefix("arn:");
                found.extend(rest.and_then(|rest| rest.split(':').next()));
            }
        }
        match (found.pop_first(), found.pop_first()) {
            (Some(one), None) => Some(one.to_owned()),
            _ => None,
        }
    }

    /// Writes bare account ids among the principals as the root ARNs they stand for.
    fn resolve(&mut self, partition: &str) {
        for statement in &mut self.statements {
            let Some(selection) = &mut statement.principals else {
                continue;
            };
            if let Some(all) = selection.named_mut().get_mut(&PrincipalKind::Aws) {
                *all = std::mem::take(all)
                    .into_iter()
                    .map(|text| {
                        if arn::is_account(&text) {
                            arn::root(partition, &text)
                        } else {
                            text
                        }
                    })
                    .collect();
            }
        }
        self.sort();
    }
}

impl Statement {
    /// Allows these actions on these resources.
    pub fn allow<A: Into<String>, R: Into<String>>(
        actions: impl IntoIterator<Item = A>,
        resources: impl IntoIterator<Item = R>,
    ) -> Self {
        Self {
            sid: None,
            effect: Effect::Allow,
            principals: None,
            actions: Selection::Only(folded(actions)),
            resources: Some(Selection::Only(
                resources.into_iter().map(Into::into).collect(),
            )),
            conditions: Conditions::new(),
        }
    }

    /// Denies these actions on these resources.
    pub fn deny<A: Into<String>, R: Into<String>>(
        actions: impl IntoIterator<Item = A>,
        resources: impl IntoIterator<Item = R>,
    ) -> Self {
        Self {
            effect: Effect::Deny,
            ..Self::allow(actions, resources)
        }
    }

    /// Lets those whom the identity provider `federated_arn` vouches for do `action`, such as
    /// `sts:AssumeRoleWithWebIdentity`: anybody of them, until conditions are added.
    pub fn trust(federated_arn: impl Into<String>, action: impl Into<String>) -> Self {
        let federated = BTreeSet::from([federated_arn.into()]);
        Self {
            principals: Some(Selection::Only(Principals::from([(
                PrincipalKind::Federated,
                federated,
            )]))),
            resources: None,
            ..Self::allow([action], [""; 0])
        }
    }

    /// With an id, of letters and digits.
    #[must_use]
    pub fn with_sid(self, sid: impl Into<String>) -> Self {
        Self {
            sid: Some(sid.into()).filter(|sid| !sid.is_empty()),
            ..self
        }
    }

    /// With one more condition that must hold. Its values are alternatives, so a second condition
    /// with the same operator and key is an error: it could only be merged into the first, which
    /// would widen it.
    pub fn with_condition<V: Into<String>>(
        mut self,
        operator: &str,
        key: &str,
        values: impl IntoIterator<Item = V>,
    ) -> Result<Self, String> {
        check_operator(operator)?;
        check_condition_key(key)?;
        let values: BTreeSet<String> = values.into_iter().map(Into::into).collect();
        add_condition(&mut self.conditions, operator, key, values)?;
        Ok(self)
    }
}

/// Adds a condition in its normal form.
fn add_condition(
    conditions: &mut Conditions,
    operator: &str,
    key: &str,
    values: BTreeSet<String>,
) -> Result<(), String> {
    let shown = remit_sdk::text::safe(key);
    if values.is_empty() {
        return Err(format!(
            "the condition `{shown}` has no values, so it never holds; give it one or leave it out"
        ));
    }
    let mut values = values;
    if check::base_operator(operator) == "Bool" {
        // What a variable names keeps its case.
        let lower = |value: String| {
            if value.contains("${") {
                value
            } else {
                value.to_ascii_lowercase()
            }
        };
        values = values.into_iter().map(lower).collect();
    }
    let keys = conditions.entry(operator.to_owned()).or_default();
    if keys.insert(Folded::from(key), values).is_some() {
        return Err(format!(
            "the condition `{shown}` stands twice under one operator, case aside; write it once, with the values of which one must match"
        ));
    }
    Ok(())
}

fn folded<T: Into<String>>(all: impl IntoIterator<Item = T>) -> BTreeSet<Folded> {
    let mut set: BTreeSet<Folded> = BTreeSet::new();
    for text in all {
        let new = Folded(text.into());
        // Of two that differ in case alone, the same one whatever the order.
        let kept = match set.take(&new) {
            Some(old) if old.as_str() <= new.as_str() => old,
            _ => new,
        };
        set.insert(kept);
    }
    set
}

impl<T> Selection<T> {
    /// What is named, whether it is meant or left out.
    pub const fn named(&self) -> &T {
        match self {
            Self::Only(named) | Self::AllBut(named) => named,
        }
    }

    pub(crate) const fn named_mut(&mut self) -> &mut T {
        match self {
            Self::Only(named) | Self::AllBut(named) => named,
        }
    }
}

impl Version {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2008 => "2008-10-17",
            Self::V2012 => "2012-10-17",
        }
    }
}

impl Effect {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "Allow",
            Self::Deny => "Deny",
        }
    }
}

impl PrincipalKind {
    const ALL: [Self; 4] = [
        Self::Aws,
        Self::CanonicalUser,
        Self::Federated,
        Self::Service,
    ];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "AWS",
            Self::CanonicalUser => "CanonicalUser",
            Self::Federated => "Federated",
            Self::Service => "Service",
        }
    }
}

// ---- text without regard to case

impl Folded {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Folded {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for Folded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Ord for Folded {
    fn cmp(&self, other: &Self) -> Ordering {
        let one = self.0.bytes().map(|b| b.to_ascii_lowercase());
        one.cmp(other.0.bytes().map(|b| b.to_ascii_lowercase()))
    }
}

impl PartialOrd for Folded {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Folded {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Folded {}

#[cfg(test)]
mod tests;
