//! Who becomes a role: the ways that its trust policy names.
//!
//! In: a world and subjects. Out: for each role, one way for each principal of each statement that
//! allows, with the statement's conditions, and of a web identity the OIDC provider behind it. A
//! statement that denies is a limit of every way. Who has a user's password or keys isn't known,
//! and that is said.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::Value;
use remit_sdk::access::{Login, Subject, World};
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};

use super::condition::{Operator, Test};
use super::sentence;
use super::world::{Holder, text};
use crate::arn::{self, Arn};
use crate::document::{
    Conditions, Effect, Folded, PrincipalKind, Principals, Selection, Statement, Version,
};

const PROVIDER: &str = "aws_iam_openid_connect_provider";
/// The limit that is about actions.
const BY: &str = "by";

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
            .map(|statement| denial(statement, document.version()))
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
        let all: Vec<(Option<PrincipalKind>, String)> = match &statement.principals {
            None => return Vec::new(),
            Some(Selection::Only(all)) => all
                .iter()
                .flat_map(|(kind, all)| all.iter().map(|one| (Some(*kind), one.clone())))
                .collect(),
            Some(Selection::AllBut(all)) => {
                vec![(None, format!("anybody but {}", principals(all)))]
            }
        };
        all.into_iter()
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
        let actions: BTreeSet<String> = named.map(|one| sentence::exact(one.as_str())).collect();
        match &statement.actions {
            Selection::Only(_) => limits.insert(BY.to_owned(), actions),
            Selection::AllBut(_) => {
                let sentence = format!("{BY} {}", named_actions(&statement.actions));
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
            (Some(kind), None) => principal(kind, name),
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
    for (operator, keys) in all {
        for (key, values) in keys {
            let read = Operator::read(operator).filter(|read| !read.is_negated);
            let verb = read.and_then(|read| {
                Some(match read.test {
                    Test::Equals => "",
                    Test::EqualsIgnoreCase
                    | Test::Like
                    | Test::Bool
                    | Test::Binary
                    | Test::Ip
                    | Test::Arn => sentence::verb(read.test, false, false),
                    Test::Number(_) | Test::Date(_) | Test::Null => return None,
                })
            });
            let (Some(read), Some(verb)) = (read, verb) else {
                let one = BTreeMap::from([(key.clone(), values.clone())]);
                let one = Conditions::from([(operator.clone(), one)]);
                let sentences = sentence::conditions(&one, version).into_iter();
                limits.extend(sentences.map(|text| (text, BTreeSet::new())));
                continue;
            };
            let absent = if read.if_exists { "(or absent)" } else { "" };
            let subject = sentence::subject(read.set, &claim(key.as_str(), issuer));
            let words = [subject.as_str(), verb, absent];
            let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
            let mut limit = words.join(" ");
            // Two operators may ask the same, and then both must hold.
            if limits.contains_key(&limit) {
                limit = format!("{limit} ({operator})");
            }
            let values = values.iter().map(|value| sentence::value(value, version));
            limits.insert(limit, values.collect());
        }
    }
    limits
}

/// How a condition key is called: a claim of the issuer by its own name, where that is no other
/// key's name and none of another limit.
fn claim(key: &str, issuer: Option<&str>) -> String {
    let own = issuer.and_then(|issuer| {
        let head = key.get(..issuer.len())?;
        head.eq_ignore_ascii_case(issuer)
            .then(|| key.get(issuer.len()..)?.strip_prefix(':'))?
    });
    let own = own.filter(|own| !own.contains(':') && *own != BY);
    match own {
        Some(own) => sentence::exact(own),
        None if key.contains(':') => sentence::exact(key),
        None => Json::from(key).to_string(),
    }
}

fn denial(statement: &Statement, version: Version) -> String {
    let whom = match &statement.principals {
        None => "anybody".to_owned(),
        Some(Selection::Only(all)) => principals(all),
        Some(Selection::AllBut(all)) => format!("anybody but {}", principals(all)),
    };
    let conditions = sentence::conditions(&statement.conditions, version);
    let conditions: Vec<&str> = conditions.iter().map(String::as_str).collect();
    let given = if conditions.is_empty() {
        String::new()
    } else {
        format!(" where {}", conditions.join(" and "))
    };
    format!(
        "not {whom} {BY} {}{given}",
        named_actions(&statement.actions)
    )
}

fn named_actions(actions: &Selection<BTreeSet<Folded>>) -> String {
    let all = actions.named().iter();
    let all: Vec<String> = all.map(|one| sentence::exact(one.as_str())).collect();
    let but = match actions {
        Selection::Only(_) => "",
        Selection::AllBut(_) => "anything but ",
    };
    format!("{but}{}", all.join(", "))
}

/// A principal in words.
fn principal(kind: PrincipalKind, name: &str) -> String {
    let exact = sentence::exact(name);
    match kind {
        PrincipalKind::Federated => format!("whom {exact} vouches for, which isn't evaluated"),
        PrincipalKind::Service => format!("the service {exact}"),
        PrincipalKind::CanonicalUser => format!("the canonical user {exact}"),
        PrincipalKind::Aws if name == "*" => "anybody".to_owned(),
        PrincipalKind::Aws => {
            match arn::root_account(name).or_else(|| arn::is_account(name).then_some(name)) {
                Some(account) => format!("whom the account {account} lets"),
                None => exact,
            }
        }
    }
}

/// Principals in words, for a list: a federated one by its name alone.
fn principals(all: &Principals) -> String {
    let all = all.iter().flat_map(|(kind, all)| {
        all.iter().map(move |name| match kind {
            PrincipalKind::Federated => format!("whom {} vouches for", sentence::exact(name)),
            PrincipalKind::Aws if name != "*" => sentence::exact(name),
            kind => principal(*kind, name),
        })
    });
    all.collect::<Vec<_>>().join(", ")
}

/// The texts of a value, and that it has others that aren't known yet.
fn words(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Null => BTreeSet::new(),
        Value::Set(all) => all.iter().flat_map(words).collect(),
        Value::List(all) => all.iter().flat_map(words).collect(),
        other => {
            let text = other.to_text().map(|text| sentence::exact(&text));
            [text.unwrap_or_else(|| PENDING.to_owned())].into()
        }
    }
}

#[cfg(test)]
mod tests;
