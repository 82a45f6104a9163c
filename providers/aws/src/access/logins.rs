//! Who becomes a role: the ways that its trust policy names.
//!
//! In: a world and subjects. Out: for each role, one way for each principal of each statement that
//! allows, with the statement's conditions, and of a web identity the OIDC provider behind it. A
//! statement that denies is a limit of every way. Who has a user's password or keys isn't known,
//! and that is said.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::Value;
use remit_sdk::access::{Login, Subject, World};
use remit_sdk::text::safe;
use sha2::{Digest as _, Sha256};

use super::condition::{Operator, Test};
use super::sentence;
use super::world::{Holder, text};
use crate::arn::{self, Arn};
use crate::document::{
    Conditions, Effect, PrincipalKind, Principals, Selection, Statement, Version,
};

const PROVIDER: &str = "aws_iam_openid_connect_provider";
const PROFILE: &str = "aws_iam_instance_profile";

/// What stands for a value that only AWS will know.
const PENDING: &str = "(known after apply)";

/// How many characters of a digest tell two unreadable policies apart.
const DIGEST_CHARACTERS: usize = 32;

type Limits = BTreeMap<String, BTreeSet<String>>;

pub(super) fn logins(
    world: &World<'_>,
    subjects: &BTreeSet<Subject>,
) -> BTreeMap<Subject, BTreeSet<Login>> {
    if subjects.is_empty() {
        return BTreeMap::new();
    }
    let around = Around::new(world);
    subjects
        .iter()
        .map(|subject| {
            let holder = Holder::of(world, subject);
            let ways = holder.map(|holder| around.ways(holder)).unwrap_or_default();
            (subject.clone(), ways)
        })
        .collect()
}

/// What is looked up for every role.
struct Around<'w> {
    /// What each OIDC provider accepts, by its URL without the scheme.
    providers: BTreeMap<&'w str, Limits>,
    /// The instance profiles by the role that they hand out, in lower case.
    profiles: BTreeMap<String, BTreeSet<&'w str>>,
}

impl<'w> Around<'w> {
    fn new(world: &'w World<'w>) -> Self {
        let providers = world.of_kind(PROVIDER).map(|provider| {
            let mut limits = Limits::new();
            for (attribute, limit) in [
                ("client_id_list", "the provider's audience"),
                ("thumbprint_list", "the provider's CA"),
            ] {
                let values = provider.attributes.get(attribute).map(words);
                let values = values.filter(|values| !values.is_empty());
                limits.extend(values.map(|values| (limit.to_owned(), values)));
            }
            let url = text(provider, "url").unwrap_or(provider.key);
            (arn::issuer(url), limits)
        });
        let mut profiles: BTreeMap<String, BTreeSet<&'w str>> = BTreeMap::new();
        for profile in world.of_kind(PROFILE) {
            let role = match profile.attributes.get("role") {
                Some(Value::String(role)) if !role.is_empty() => role.to_ascii_lowercase(),
                _ => continue,
            };
            profiles.entry(role).or_default().insert(profile.key);
        }
        Self {
            providers: providers.collect(),
            profiles,
        }
    }

    fn ways(&self, holder: Holder<'_>) -> BTreeSet<Login> {
        let way = |by: String| Login {
            by,
            who: None,
            limits: Limits::new(),
            at: holder.title(),
        };
        if !holder.is_role() {
            let by = "the user's own password or keys, which aren't evaluated";
            return [way(by.to_owned())].into();
        }
        let Some(document) = holder.trust() else {
            let text = holder.text("assume_role_policy").map_or_else(
                || PENDING.to_owned(),
                |text| {
                    let digest = hex::encode(Sha256::digest(text.as_bytes()));
                    let short = digest.get(..DIGEST_CHARACTERS).unwrap_or(&digest);
                    format!("sha256:{short}, which can't be read")
                },
            );
            return [way(format!("whoever its trust policy names: {text}"))].into();
        };
        let denied: Vec<String> = document
            .statements()
            .iter()
            .filter(|statement| statement.effect == Effect::Deny)
            .map(denial)
            .collect();
        let own = holder.arn().and_then(|own| Arn::parse(&own).ok());
        let account = own.as_ref().map(|own| own.account.as_str());
        let mut found = BTreeSet::new();
        for statement in document.statements() {
            if statement.effect != Effect::Allow {
                continue;
            }
            for mut login in self.of_statement(statement, document.version(), account) {
                let denied = denied.iter().cloned();
                login
                    .limits
                    .extend(denied.map(|text| (text, BTreeSet::new())));
                login.at = holder.title();
                found.insert(login);
            }
        }
        let profiles = self.profiles.get(&holder.thing.key.to_ascii_lowercase());
        for profile in profiles.into_iter().flatten() {
            found.insert(way(format!(
                "a machine of EC2 with instance profile {profile}"
            )));
        }
        found
    }

    fn of_statement(
        &self,
        statement: &Statement,
        version: Version,
        account: Option<&str>,
    ) -> Vec<Login> {
        let principals: Vec<(Option<PrincipalKind>, String)> = match &statement.principals {
            None => return Vec::new(),
            Some(Selection::Only(all)) => all
                .iter()
                .flat_map(|(kind, all)| all.iter().map(|one| (Some(*kind), one.clone())))
                .collect(),
            Some(Selection::AllBut(all)) => {
                vec![(None, format!("anybody but {}", listed(all)))]
            }
        };
        principals
            .into_iter()
            .map(|(kind, name)| {
                let issuer = issuer(&name, account);
                let issuer = issuer.filter(|_| kind == Some(PrincipalKind::Federated));
                self.of_principal((kind, &name), issuer, statement, version)
            })
            .collect()
    }

    fn of_principal(
        &self,
        (kind, name): (Option<PrincipalKind>, &str),
        issuer: Option<&str>,
        statement: &Statement,
        version: Version,
    ) -> Login {
        let mut limits = conditions(&statement.conditions, issuer, version);
        let named = statement.actions.named().iter();
        let actions: BTreeSet<String> = named.map(|one| one.as_str().to_owned()).collect();
        match &statement.actions {
            Selection::Only(_) => limits.insert("by".to_owned(), actions),
            Selection::AllBut(_) => {
                let actions: Vec<String> = actions.into_iter().collect();
                let sentence = format!("by anything but {}", actions.join(", "));
                limits.insert(sentence, BTreeSet::new())
            }
        };
        let by = match (kind, issuer) {
            (_, Some(issuer)) => {
                if let Some(accepted) = self.providers.get(issuer) {
                    limits.extend(accepted.clone());
                } else {
                    let unread = "an OIDC provider that isn't managed here";
                    limits.insert(unread.to_owned(), BTreeSet::new());
                }
                format!("a web identity of {issuer}")
            }
            (None, None) => name.to_owned(),
            (Some(PrincipalKind::Federated), None) => {
                format!("whom {name} vouches for, which isn't evaluated")
            }
            (Some(PrincipalKind::Service), None) => format!("the service {name}"),
            (Some(PrincipalKind::CanonicalUser), None) => format!("the canonical user {name}"),
            (Some(PrincipalKind::Aws), None) if name == "*" => "anybody".to_owned(),
            (Some(PrincipalKind::Aws), None) => {
                match arn::root_account(name).or_else(|| arn::is_account(name).then_some(name)) {
                    Some(account) => format!("whom the account {account} lets"),
                    None => name.to_owned(),
                }
            }
        };
        let sub = ["sub", "sub like"].map(str::to_owned);
        Login {
            by,
            who: sub.into_iter().find(|sub| limits.contains_key(sub)),
            limits,
            at: String::new(),
        }
    }
}

/// The issuer behind an OIDC provider of the role's own account; none of another counts.
fn issuer<'n>(name: &'n str, account: Option<&str>) -> Option<&'n str> {
    let (_, url) = name.split_once(":oidc-provider/")?;
    let of = Arn::parse(name).ok()?.account;
    account.is_none_or(|own| own == of).then_some(url)
}

/// Conditions as limits: where any one of the values is enough, fewer are less; of the others each
/// is a sentence. Claims of the issuer are called by their own names.
fn conditions(all: &Conditions, issuer: Option<&str>, version: Version) -> Limits {
    let mut limits = Limits::new();
    let name = |key: &str| -> String {
        let begins = issuer.and_then(|issuer| {
            let head = key.get(..issuer.len())?;
            head.eq_ignore_ascii_case(issuer)
                .then(|| key.get(issuer.len()..)?.strip_prefix(':'))?
        });
        begins.map_or_else(|| key.to_owned(), str::to_owned)
    };
    for (operator, keys) in all {
        for (key, values) in keys {
            let read = Operator::read(operator).filter(|read| {
                let test = matches!(
                    read.test,
                    Test::Equals
                        | Test::EqualsIgnoreCase
                        | Test::Like
                        | Test::Bool
                        | Test::Binary
                        | Test::Ip
                        | Test::Arn
                );
                test && !read.is_negated
            });
            let Some(read) = read else {
                let one = BTreeMap::from([(key.clone(), values.clone())]);
                let one = Conditions::from([(operator.clone(), one)]);
                let sentences = sentence::conditions(&one).into_iter();
                limits.extend(sentences.map(|text| (text, BTreeSet::new())));
                continue;
            };
            let verb = match read.test {
                Test::Equals => "",
                test => sentence::verb(test, false, false),
            };
            let absent = if read.if_exists { " (or absent)" } else { "" };
            let limit = format!(
                "{} {verb}{absent}",
                sentence::subject(read.set, &name(key.as_str()))
            );
            let values = values.iter().map(|value| match version {
                // What is a variable in one version is plain text in the other.
                Version::V2008 if value.contains("${") => format!("{value} (as it stands)"),
                _ => value.clone(),
            });
            limits.insert(limit.trim_end().to_owned(), values.collect());
        }
    }
    limits
}

fn denial(statement: &Statement) -> String {
    let whom = match &statement.principals {
        None => "anybody".to_owned(),
        Some(Selection::Only(all)) => listed(all),
        Some(Selection::AllBut(all)) => format!("anybody but {}", listed(all)),
    };
    let (but, actions) = match &statement.actions {
        Selection::Only(all) => ("", all),
        Selection::AllBut(all) => ("anything but ", all),
    };
    let actions: Vec<&str> = actions
        .iter()
        .map(super::super::document::Folded::as_str)
        .collect();
    let conditions = sentence::conditions(&statement.conditions);
    let conditions: Vec<&str> = conditions.iter().map(String::as_str).collect();
    let given = if conditions.is_empty() {
        String::new()
    } else {
        format!(" where {}", conditions.join(" and "))
    };
    format!("not {whom} by {but}{}{given}", actions.join(", "))
}

fn listed(all: &Principals) -> String {
    let all: Vec<String> = all.values().flatten().map(|one| safe(one)).collect();
    all.join(", ")
}

/// The texts of a value, and that it has others that aren't known yet.
fn words(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Null => BTreeSet::new(),
        Value::Set(all) => all.iter().flat_map(words).collect(),
        Value::List(all) => all.iter().flat_map(words).collect(),
        other => [other.to_text().unwrap_or_else(|| PENDING.to_owned())].into(),
    }
}

#[cfg(test)]
mod tests;
