//! Reading all of a plan's objects at once.
//!
//! In come queries, out goes a reading for each, and the names of what nobody asked for that stands
//! under the prefix or is held by a role that was asked for. Of kinds that nobody asks for nothing
//! is read. Lists come first, all at once; then what they don't tell, object by object. A list
//! that can't be read makes the objects unreadable that it would have told of, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::types as iam;
use aws_sdk_iam::types::EntityType;
use futures_util::StreamExt as _;
use futures_util::stream;
use remit_sdk::provider::{BoxFuture, Observation, Query, Reading};
use remit_sdk::{ErrorKind, Kind, Object, ProviderError, Value};

use super::decode::{self, Held, SecretFacts};
use super::listing::Account;
use super::single::{Found, taken};
use super::{Shared, broken, malformed, reading};
use crate::client::Failure;
use crate::{normal, schema};

const ROLE: &str = "aws_iam_role";
const ROLE_POLICY: &str = "aws_iam_role_policy";
const POLICY: &str = "aws_iam_policy";
const ATTACHMENT: &str = "aws_iam_policy_attachment";
const PROVIDER: &str = "aws_iam_openid_connect_provider";
const USER: &str = "aws_iam_user";
const GROUP: &str = "aws_iam_group";
const PROFILE: &str = "aws_iam_instance_profile";
const SECRET: &str = "aws_secretsmanager_secret";

/// One list, read whole, or why it couldn't be.
enum Listing {
    Account(Result<Account, Failure>),
    Roles(Result<BTreeMap<String, iam::Role>, Failure>),
    Providers(Result<Vec<String>, Failure>),
    Secrets(Result<BTreeMap<String, SecretFacts>, Failure>),
}

impl Listing {
    const fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Account(Err(failure))
            | Self::Roles(Err(failure))
            | Self::Providers(Err(failure))
            | Self::Secrets(Err(failure)) => Some(failure),
            _ => None,
        }
    }
}

/// What the lists told; `None` for those that weren't needed.
#[derive(Default)]
struct Lists {
    account: Option<Result<Account, Failure>>,
    roles: Option<Result<BTreeMap<String, iam::Role>, Failure>>,
    providers: Option<Result<Vec<String>, Failure>>,
    secrets: Option<Result<BTreeMap<String, SecretFacts>, Failure>>,
}

/// What is known of one object after the lists.
enum Known {
    /// All there is to know.
    All(Found),
    /// A managed policy with its text, but for its tags: default version and document.
    Tags(String, String),
    /// A secret, but for its policy.
    Policy(SecretFacts),
    /// That it isn't ruled out.
    Nothing,
}

/// One object to be asked for: kind, key, what is known of it.
type Open = (&'static Kind, String, Known);

struct Bulk<'a> {
    shared: &'a Shared,
    parallelism: usize,
    queries: BTreeMap<&'static str, BTreeSet<&'a str>>,
    /// Those that are recorded with an id: that one is gone is believed when it says so itself.
    recorded: BTreeSet<(&'static str, &'a str)>,
    lists: Lists,
    out: Observation,
}

pub(super) async fn observe(
    shared: &Shared,
    queries: &[Query],
    parallelism: usize,
) -> Result<Observation, ProviderError> {
    let mut by_kind: BTreeMap<&'static str, BTreeSet<&str>> = BTreeMap::new();
    let mut recorded = BTreeSet::new();
    for query in queries {
        if query.id.is_some() {
            recorded.insert((query.kind.name, query.key.as_str()));
        }
        by_kind
            .entry(query.kind.name)
            .or_default()
            .insert(&query.key);
    }
    let mut bulk = Bulk {
        shared,
        parallelism,
        queries: by_kind,
        recorded,
        lists: Lists::default(),
        out: Observation::default(),
    };
    bulk.list().await?;
    let mut open = Vec::new();
    for (name, keys) in bulk.queries.clone() {
        let kind = schema::kind(name).ok_or_else(|| {
            ProviderError::new(ErrorKind::Bug, format!("{name} is no kind of AWS's"))
        })?;
        for key in keys {
            match bulk.known(kind, key) {
                Known::All(Ok(None)) if bulk.recorded.contains(&(name, key)) => {
                    open.push((kind, key.to_owned(), Known::Nothing));
                }
                Known::All(found) => bulk.note(kind, key, found),
                known => open.push((kind, key.to_owned(), known)),
            }
        }
    }
    bulk.singles(open).await?;
    bulk.others();
    bulk.keep_notes();
    Ok(bulk.out)
}

impl Bulk<'_> {
    fn asks_for(&self, kinds: &[&str]) -> bool {
        kinds.iter().any(|kind| self.queries.contains_key(kind))
    }

    fn is_asked(&self, kind: &str, key: &str) -> bool {
        self.queries
            .get(kind)
            .is_some_and(|keys| keys.contains(key))
    }

    fn note(&mut self, kind: &Kind, key: &str, found: Found) {
        self.out
            .readings
            .insert((kind.name.to_owned(), key.to_owned()), reading(found));
    }

    /// The lists that any of the queries needs.
    async fn list(&mut self) -> Result<(), ProviderError> {
        let shared = self.shared;
        let mut types = Vec::new();
        for (kinds, entity) in [
            (&[ROLE, ROLE_POLICY, ATTACHMENT][..], EntityType::Role),
            (&[USER], EntityType::User),
            (&[GROUP], EntityType::Group),
            (&[POLICY], EntityType::LocalManagedPolicy),
        ] {
            if self.asks_for(kinds) {
                types.push(entity);
            }
        }
        let mut calls: Vec<BoxFuture<'_, Listing>> = Vec::new();
        if !types.is_empty() {
            calls.push(Box::pin(async move {
                Listing::Account(shared.list_account(&types).await)
            }));
        }
        if self.asks_for(&[ROLE]) {
            calls.push(Box::pin(async {
                Listing::Roles(shared.list_roles().await)
            }));
        }
        if self.asks_for(&[PROVIDER]) {
            calls.push(Box::pin(async {
                Listing::Providers(shared.list_providers().await)
            }));
        }
        if self.asks_for(&[SECRET]) {
            calls.push(Box::pin(async {
                Listing::Secrets(shared.list_secrets().await)
            }));
        }
        let mut found = stream::iter(calls).buffer_unordered(self.parallelism);
        while let Some(listing) = found.next().await {
            if let Some(failure) = listing.failure()
                && failure.is_fatal()
            {
                return Err(failure.error.clone());
            }
            match listing {
                Listing::Account(found) => self.lists.account = Some(found),
                Listing::Roles(found) => self.lists.roles = Some(found),
                Listing::Providers(found) => self.lists.providers = Some(found),
                Listing::Secrets(found) => self.lists.secrets = Some(found),
            }
        }
        Ok(())
    }

    /// What the lists tell of one object.
    fn known(&self, kind: &Kind, key: &str) -> Known {
        match self.told(kind, key) {
            Ok(known) => known,
            Err(failure) => Known::All(Err(failure)),
        }
    }

    fn told(&self, kind: &Kind, key: &str) -> Result<Known, Failure> {
        match kind.name {
            ROLE => self.role(kind, key),
            ROLE_POLICY | ATTACHMENT => self.held(kind, key).map(|found| Known::All(Ok(found))),
            POLICY => self.policy(kind, key),
            USER => {
                let users = &self.account()?.users;
                let user = self.named(kind, key, key, users)?;
                let decode = |user| decode::user_detail(kind, key, user);
                user.map(decode).map_or(Ok(Known::All(Ok(None))), whole)
            }
            GROUP => {
                let groups = &self.account()?.groups;
                let Some(group) = self.named(kind, key, key, groups)? else {
                    return Ok(Known::All(Ok(None)));
                };
                let told = (|| {
                    let (path, id) = (group.path.as_deref()?, group.group_id.as_deref()?);
                    decode::group(kind, key, (path, id, group.arn.as_deref()?))
                })();
                whole(told)
            }
            PROVIDER => {
                let all = of(self.lists.providers.as_ref())?;
                let is_there = all.contains(&self.shared.provider_arn(key));
                Ok(if is_there {
                    Known::Nothing
                } else {
                    Known::All(Ok(None))
                })
            }
            SECRET => {
                let all = of(self.lists.secrets.as_ref())?;
                Ok(match all.get(key) {
                    Some(facts) if !facts.is_deleted => Known::Policy(facts.clone()),
                    _ => Known::All(Ok(None)),
                })
            }
            _ => Ok(Known::Nothing),
        }
    }

    fn account(&self) -> Result<&Account, Failure> {
        of(self.lists.account.as_ref())
    }

    /// What AWS has of this name. Under another spelling it is in the way, unless that one is
    /// asked for too: then it is about to go.
    fn named<'m, T>(
        &self,
        kind: &Kind,
        key: &str,
        name: &str,
        all: &'m BTreeMap<String, T>,
    ) -> Result<Option<&'m T>, Failure> {
        if let Some(found) = all.get(name) {
            return Ok(Some(found));
        }
        let other = all.keys().find(|other| other.eq_ignore_ascii_case(name));
        match other {
            Some(other) if !self.is_asked(kind.name, other) => Err(taken(kind, key, other)),
            _ => Ok(None),
        }
    }

    fn role(&self, kind: &Kind, key: &str) -> Result<Known, Failure> {
        let account = self.account()?;
        let listed = of(self.lists.roles.as_ref())?;
        let detail = self.named(kind, key, key, &account.roles)?;
        let (detail, listed) = match (detail, self.named(kind, key, key, listed)?) {
            (Some(detail), Some(listed)) => (detail, listed),
            (None, None) => return Ok(Known::All(Ok(None))),
            // Made or deleted while the lists were read.
            _ => return Ok(Known::Nothing),
        };
        if detail.role_id.as_deref() != Some(listed.role_id.as_str()) {
            return Ok(Known::Nothing);
        }
        let held = Held::of(detail).ok_or_else(|| malformed("GetAccountAuthorizationDetails"))?;
        whole(decode::role(kind, key, listed, Some(detail), held))
    }

    /// What a role holds: an inline policy, or an attachment.
    fn held(&self, kind: &Kind, key: &str) -> Found {
        let role = super::part(kind, key, "role")?;
        let role_kind = schema::kind(ROLE).unwrap_or(kind);
        let Some(detail) = self.named(role_kind, &role, &role, &self.account()?.roles)? else {
            let listed = self.lists.roles.as_ref();
            return match listed.map(|listed| of(Some(listed))).transpose()? {
                Some(listed) if listed.contains_key(&role) => Err(Failure::own(
                    ProviderError::new(
                        ErrorKind::Transient,
                        format!(
                            "ListRoles has `{role}` and GetAccountAuthorizationDetails has not, so what the role holds is unknown"
                        ),
                    )
                    .help("it was made or removed just now: plan again"),
                )),
                _ => Ok(None),
            };
        };
        if kind.name == ATTACHMENT {
            let arn = super::part(kind, key, "policy_arn")?;
            let is_there = detail
                .attached_managed_policies()
                .iter()
                .any(|one| one.policy_arn.as_deref() == Some(arn.as_str()));
            return Ok(if is_there {
                decode::attachment(kind, key)
            } else {
                None
            });
        }
        let name = super::part(kind, key, "name")?;
        let inline: BTreeMap<String, Option<&String>> = detail
            .role_policy_list()
            .iter()
            .filter_map(|one| Some((one.policy_name.clone()?, one.policy_document.as_ref())))
            .collect();
        match inline.get(&name) {
            Some(Some(document)) => Ok(decode::role_policy(kind, key, document)),
            Some(None) => Err(malformed("GetAccountAuthorizationDetails")),
            None => {
                let other = inline.keys().find(|one| one.eq_ignore_ascii_case(&name));
                let other = other.map(|other| format!("{role}/{other}"));
                match other {
                    Some(other) if !self.is_asked(kind.name, &other) => {
                        Err(taken(kind, key, &other))
                    }
                    _ => Ok(None),
                }
            }
        }
    }

    fn policy(&self, kind: &Kind, key: &str) -> Result<Known, Failure> {
        let all = &self.account()?.policies;
        let Some(detail) = all.get(&self.shared.policy_arn(kind, key)?) else {
            let folded = normal::folded_key(kind, key);
            let other = all
                .values()
                .filter_map(policy_key)
                .find(|other| normal::folded_key(kind, other) == folded);
            return match other {
                Some(other) if !self.is_asked(kind.name, &other) => Err(taken(kind, key, &other)),
                _ => Ok(Known::All(Ok(None))),
            };
        };
        let version = detail.default_version_id.clone();
        let document = detail
            .policy_version_list()
            .iter()
            .find(|one| one.version_id == version)
            .and_then(|one| one.document.clone());
        Ok(match (version, document) {
            (Some(version), Some(document)) => Known::Tags(version, document),
            _ => Known::Nothing,
        })
    }

    /// Everything that no list told, many at once.
    async fn singles(&mut self, open: Vec<Open>) -> Result<(), ProviderError> {
        let shared = self.shared;
        let calls: Vec<BoxFuture<'_, (&'static Kind, String, Found)>> = open
            .into_iter()
            .map(|(kind, key, known)| -> BoxFuture<'_, _> {
                Box::pin(async move {
                    let found = shared.complete(kind, &key, known).await;
                    (kind, key, found)
                })
            })
            .collect();
        let mut found = stream::iter(calls).buffer_unordered(self.parallelism);
        let mut all = Vec::new();
        while let Some((kind, key, found)) = found.next().await {
            match found {
                // One object that AWS itself stumbles over is no reason to read no other.
                Err(failure) if failure.is_fatal() && !failure.is_stumble() => {
                    return Err(failure.error);
                }
                found => all.push((kind, key, found)),
            }
        }
        drop(found);
        for (kind, key, found) in all {
            self.note(kind, &key, found);
        }
        Ok(())
    }

    // ---- what nobody asked for

    fn others(&mut self) {
        let mut found: Vec<(&str, String)> = Vec::new();
        if let Some(Ok(account)) = &self.lists.account {
            found.extend(account.roles.keys().map(|name| (ROLE, name.clone())));
            found.extend(account.users.keys().map(|name| (USER, name.clone())));
            found.extend(account.groups.keys().map(|name| (GROUP, name.clone())));
            let policies = account.policies.values().filter_map(policy_key);
            found.extend(policies.map(|key| (POLICY, key)));
            let profiles = account.roles.values().flat_map(|role| {
                let all = role.instance_profile_list().iter();
                all.map(|profile| (PROFILE, profile.instance_profile_name.clone()))
            });
            found.extend(profiles);
        }
        if let Some(Ok(secrets)) = &self.lists.secrets {
            let live = secrets.values().filter(|facts| !facts.is_deleted);
            found.extend(live.map(|facts| (SECRET, facts.name.clone())));
        }
        found.retain(|(kind, key)| self.is_under_prefix(kind, key));
        found.extend(self.held_by_asked());
        found.retain(|(kind, key)| !self.is_asked_folded(kind, key));
        self.out
            .others
            .extend(found.into_iter().map(|(kind, key)| (kind.to_owned(), key)));
    }

    fn is_under_prefix(&self, kind: &str, key: &str) -> bool {
        let prefix = self.shared.client.prefix();
        let name = if kind == POLICY {
            key.rsplit_once('/').map_or(key, |(_, name)| name)
        } else {
            key
        };
        // Without a prefix the whole account would be ours.
        !prefix.is_empty()
            && name
                .get(..prefix.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    }

    fn is_asked_folded(&self, kind: &str, key: &str) -> bool {
        let Some(kind) = schema::kind(kind) else {
            return false;
        };
        let folded = normal::folded_key(kind, key);
        self.queries.get(kind.name).is_some_and(|keys| {
            keys.contains(key)
                || keys
                    .iter()
                    .any(|one| normal::folded_key(kind, one) == folded)
        })
    }

    /// Inline policies and attachments of roles that were asked for.
    fn held_by_asked(&self) -> Vec<(&'static str, String)> {
        let Some(Ok(account)) = &self.lists.account else {
            return Vec::new();
        };
        let roles = self.queries.get(ROLE).into_iter().flatten();
        let details = roles.filter_map(|name| Some((name, account.roles.get(*name)?)));
        details
            .flat_map(|(name, detail)| {
                let inline = detail.role_policy_list().iter();
                let inline = inline
                    .filter_map(|one| one.policy_name.as_ref())
                    .map(move |policy| (ROLE_POLICY, format!("{name}/{policy}")));
                let attached = detail.attached_managed_policies().iter();
                let attached = attached
                    .filter_map(|one| one.policy_arn.as_ref())
                    .map(move |arn| (ATTACHMENT, format!("{name}/{arn}")));
                inline.chain(attached)
            })
            .collect()
    }

    /// What [`remit_sdk::Read::check`] tells of later.
    fn keep_notes(&self) {
        let Ok(mut notes) = self.shared.notes.lock() else {
            return;
        };
        notes.broken = self
            .out
            .readings
            .iter()
            .filter_map(|(name, reading)| match reading {
                Reading::Present(object) => {
                    let ids = broken(schema::kind(&name.0)?, &object.attributes);
                    (!ids.is_empty()).then(|| (name.clone(), ids))
                }
                _ => None,
            })
            .collect();
        if let Some(Ok(secrets)) = &self.lists.secrets {
            let deleted = secrets.values().filter(|facts| facts.is_deleted);
            notes.deleted_secrets = deleted.map(|facts| facts.name.clone()).collect();
        }
    }
}

impl Shared {
    /// Asks for what is missing of one object.
    async fn complete(&self, kind: &Kind, key: &str, known: Known) -> Found {
        match known {
            Known::All(found) => found,
            Known::Nothing => self.fetch(kind, key).await,
            Known::Policy(facts) => self.with_policy(kind, key, facts).await,
            Known::Tags(version, document) => {
                let arn = self.policy_arn(kind, key)?;
                let Some(policy) = self.get_policy(&arn).await? else {
                    return Ok(None);
                };
                // Another version became the default since.
                if policy.default_version_id.as_deref() != Some(version.as_str()) {
                    return self.fetch(kind, key).await;
                }
                decode::policy(kind, key, &policy, &document)
                    .map(Some)
                    .ok_or_else(|| malformed("GetPolicy"))
            }
        }
    }
}

/// A list's content, or why it couldn't be read.
fn of<T>(list: Option<&Result<T, Failure>>) -> Result<&T, Failure> {
    match list {
        Some(Ok(found)) => Ok(found),
        Some(Err(failure)) => Err(failure.clone()),
        None => Err(Failure::own(ProviderError::new(
            ErrorKind::Bug,
            "a list that is needed was not read",
        ))),
    }
}

/// A listed object that should be whole.
fn whole(object: Option<Object>) -> Result<Known, Failure> {
    object
        .map(|object| Known::All(Ok(Some(object))))
        .ok_or_else(|| malformed("GetAccountAuthorizationDetails"))
}

/// The key of a managed policy.
fn policy_key(policy: &iam::ManagedPolicyDetail) -> Option<String> {
    let kind = schema::kind(POLICY)?;
    let attributes = BTreeMap::from([
        ("path".to_owned(), Value::string(policy.path.as_deref()?)),
        (
            "name".to_owned(),
            Value::string(policy.policy_name.as_deref()?),
        ),
    ]);
    kind.key_of(&attributes)
}
