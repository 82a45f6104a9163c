//! An identity's policies, found among the objects of a world.
//!
//! In come the objects of one account; out come the policies of a role or user, in their layers,
//! with what is known of the identity itself. What isn't among the objects, or can't be read, is a
//! policy without a document: nothing is guessed of it.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::Value;
use remit_sdk::access::{Source, Subject, Thing, World};
use sha2::{Digest as _, Sha256};

use super::condition::{Context, Truth};
use super::pattern::{Filled, Match, Pattern};
use super::trust::{self, Admission, Caller, Named, names, sessions};
use super::{Holdings, Policy};
use crate::arn::{self, Arn};
use crate::document::{self, Document, Effect, Selection, Statement};
use crate::settings::Settings;

pub(super) const ROLE: &str = "aws_iam_role";
pub(super) const USER: &str = "aws_iam_user";
const POLICY: &str = "aws_iam_policy";
const INLINE: &str = "aws_iam_role_policy";
const ATTACHMENT: &str = "aws_iam_policy_attachment";

/// What of them a role tells itself.
const INLINE_LIST: &str = "inline_policies";
const ATTACHED_LIST: &str = "attached_policies";

const SECRET: &str = "aws_secretsmanager_secret";

pub(super) const ASSUME: &str = "sts:AssumeRole";

/// The account that AWS's own managed policies are of.
const AWS: &str = "aws";

/// How many characters of a digest tell two unreadable texts apart.
const DIGEST_CHARACTERS: usize = 8;

/// A role or user of a world.
#[derive(Clone, Copy)]
pub(super) struct Holder<'w> {
    pub(super) world: &'w World<'w>,
    pub(super) thing: &'w Thing<'w>,
}

impl<'w> Holder<'w> {
    /// The role or user, if it is there.
    pub(super) fn of(world: &'w World<'w>, subject: &'w Subject) -> Option<Self> {
        let (kind, key) = subject;
        if ![ROLE, USER].contains(&kind.as_str()) {
            return None;
        }
        let thing = world.thing(kind, key)?;
        Some(Self { world, thing })
    }

    pub(super) fn is_role(self) -> bool {
        self.thing.kind.name == ROLE
    }

    pub(super) fn text(self, attribute: &str) -> Option<&'w str> {
        text(self.thing, attribute)
    }

    /// `role x`, `user x`.
    pub(super) fn title(self) -> String {
        let what = if self.is_role() { "role" } else { "user" };
        format!("{what} {}", self.thing.key)
    }

    /// Its ARN, where it is known or follows from the account.
    pub(super) fn arn(self) -> Option<String> {
        if let Some(known) = self.text("arn").filter(|text| !text.is_empty()) {
            return Some(known.to_owned());
        }
        let settings = settings(self.world)?;
        let make = if self.is_role() { arn::role } else { arn::user };
        let path = self.text("path").unwrap_or("/");
        Some(make(
            settings.partition(),
            &settings.account,
            path,
            self.thing.key,
        ))
    }

    pub(super) fn tags(self) -> BTreeMap<&'w str, &'w Value> {
        match self.thing.attributes.get("tags") {
            Some(Value::Map(tags)) => tags
                .iter()
                .map(|(key, value)| (key.as_str(), value))
                .collect(),
            _ => BTreeMap::new(),
        }
    }

    /// Whether a role's trust policy lets a caller in.
    pub(super) fn admits(self, caller: &Caller<'_>, context: &Context) -> Admission {
        if let Some(trust) = self.trust() {
            let action = match caller {
                Caller::Federated(_) => "sts:AssumeRoleWithWebIdentity",
                Caller::Entity(_) | Caller::Service(_) => ASSUME,
            };
            return trust::admits(&trust, caller, action, context);
        }
        let on = format!(
            "what the trust policy of {} says, which isn't known here",
            self.title()
        );
        let unread = Truth::Depends(BTreeSet::from([on]));
        match caller {
            // It may leave it to the account; whom else it names isn't guessed.
            Caller::Entity(_) => Admission {
                by_name: Truth::False,
                by_account: unread,
                named: Named::No,
            },
            Caller::Federated(_) | Caller::Service(_) => Admission {
                by_name: unread,
                by_account: Truth::False,
                named: Named::Itself,
            },
        }
    }

    /// The trust policy of a role, if it can be read.
    pub(super) fn trust(self) -> Option<Document> {
        document::meaning(self.text("assume_role_policy")?)
    }

    /// Its policies.
    pub(super) fn holdings(self) -> Holdings {
        let mut identity = if self.is_role() {
            self.role_policies()
        } else {
            // No kind tells what a user holds.
            let name = format!("a policy of {} or of its groups", self.title());
            vec![unread(self.thing, name)]
        };
        let (direct, given) = self.of_secrets();
        identity.extend(given);
        let boundary = self.thing.attributes.get("permissions_boundary");
        let boundary = match boundary {
            Some(Value::String(arn)) if arn.is_empty() => None,
            Some(Value::String(arn)) => Some(managed(self.world, arn)),
            None | Some(Value::Null) => None,
            Some(_) => Some(unread(
                self.thing,
                format!("the boundary of {}, known after apply,", self.title()),
            )),
        };
        Holdings {
            identity,
            boundary,
            session: None,
            direct,
        }
    }

    fn role_policies(self) -> Vec<Policy> {
        let mut all = Vec::new();
        for thing in self.world.of_kind(INLINE) {
            if self.is_of(thing) {
                let name = text(thing, "name").unwrap_or(thing.key);
                all.push(written(thing, format!("inline policy {name}")));
            }
        }
        for name in self.listed(INLINE) {
            all.push(unread(self.thing, format!("inline policy {name}")));
        }
        for (attribute, what) in [(INLINE_LIST, "inline"), (ATTACHED_LIST, "attached")] {
            if !self.is_list_known(attribute) {
                let name = format!("an {what} policy of {}, known after apply,", self.title());
                all.push(unread(self.thing, name));
            }
        }
        for arn in self.attached() {
            all.push(managed(self.world, arn));
        }
        all
    }

    /// The ARNs of the policies that are attached to it.
    pub(super) fn attached(self) -> BTreeSet<&'w str> {
        let world = self.world;
        world
            .of_kind(ATTACHMENT)
            .filter(|thing| self.is_of(thing))
            .filter_map(|thing| {
                text(thing, "policy_arn").or_else(|| thing.key.split_once('/').map(|(_, arn)| arn))
            })
            .chain(self.listed(ATTACHMENT))
            .collect()
    }

    /// What a role says that it has of a kind, and what isn't among the objects, though nothing
    /// says that it is gone: it couldn't be read.
    fn listed(self, kind: &'static str) -> Vec<&'w str> {
        let attribute = if kind == INLINE {
            INLINE_LIST
        } else {
            ATTACHED_LIST
        };
        let Some(Value::Set(all)) = self.thing.attributes.get(attribute) else {
            return Vec::new();
        };
        let is_own = |key: &str, last: &str| {
            key.split_once('/').is_some_and(|(role, own)| {
                role.eq_ignore_ascii_case(self.thing.key) && own.eq_ignore_ascii_case(last)
            })
        };
        all.iter()
            .filter_map(Value::as_str)
            .filter(|last| {
                let of_kind = self.world.of_kind(kind);
                let known = of_kind.filter(|thing| self.is_of(thing));
                let mut gone = self.world.absent.iter().filter(|(of, _)| *of == kind);
                !known
                    .filter_map(|thing| thing.key.split_once('/'))
                    .any(|(_, own)| own.eq_ignore_ascii_case(last))
                    && !gone.any(|(_, key)| is_own(key, last))
            })
            .collect()
    }

    fn is_list_known(self, attribute: &str) -> bool {
        match self.thing.attributes.get(attribute) {
            Some(Value::Set(all)) => all.iter().all(|one| one.as_str().is_some()),
            None | Some(Value::Null) => true,
            Some(_) => false,
        }
    }

    /// Whether an inline policy or an attachment is of this role; names don't count their case.
    fn is_of(self, thing: &Thing<'_>) -> bool {
        text(thing, "role")
            .or_else(|| thing.key.split_once('/').map(|(role, _)| role))
            .is_some_and(|role| role.eq_ignore_ascii_case(self.thing.key))
    }

    /// What the policies of secrets say of it by its name, each about its secret alone: first what
    /// is granted to it directly ([`Self::is_direct`]).
    pub(super) fn of_secrets(self) -> (Vec<Policy>, Vec<Policy>) {
        let own = self.arn().unwrap_or_default();
        let (mut direct, mut given) = (Vec::new(), Vec::new());
        for thing in self.world.of_kind(SECRET) {
            if matches!(thing.attributes.get("policy"), None | Some(Value::Null))
                || text(thing, "policy") == Some("")
            {
                continue;
            }
            let policy = written(thing, format!("the policy of secret {}", thing.key));
            let Some(document) = &policy.document else {
                given.push(policy);
                continue;
            };
            let about = document
                .statements()
                .iter()
                .filter_map(|statement| on_secret(statement, thing, &own, document));
            let (to_itself, others): (Vec<_>, Vec<_>) = about
                .partition(|(named, one)| one.effect == Effect::Allow && self.is_direct(*named));
            for (statements, all) in [(to_itself, &mut direct), (others, &mut given)] {
                let statements: Vec<Statement> =
                    statements.into_iter().map(|(_, one)| one).collect();
                if !statements.is_empty() {
                    all.push(Policy {
                        document: Some(document.with(statements)),
                        ..policy.clone()
                    });
                }
            }
        }
        (direct, given)
    }

    /// Whether what a resource's policy grants it when it is named so isn't limited by what its
    /// boundary leaves out. IAM User Guide, "Policy evaluation for requests within a single
    /// account": a user's ARN and a role session's ARN aren't, and neither is `*` with
    /// `aws:PrincipalArn`; a role's ARN is.
    pub(super) fn is_direct(self, named: Named) -> bool {
        match named {
            Named::Session | Named::Everybody => true,
            Named::Itself => !self.is_role(),
            Named::Account | Named::No => false,
        }
    }

    /// What is known of its requests.
    pub(super) fn context(self) -> Context {
        let mut context = Context::default();
        if let Some(arn) = self.arn() {
            if let Ok(read) = Arn::parse(&arn) {
                context = context.with("aws:PrincipalAccount", read.account);
            }
            context = context.with("aws:PrincipalArn", arn);
        }
        if self.is_role() {
            // A session's tags come before the role's own, and a session of none has no user.
            context = context
                .with("aws:PrincipalType", "AssumedRole")
                .without("aws:username");
        } else {
            context = context
                .with("aws:PrincipalType", "User")
                .with("aws:username", self.thing.key);
            for (key, value) in self.tags() {
                if let Some(value) = value.as_str() {
                    context = context.with(&format!("aws:PrincipalTag/{key}"), value);
                }
            }
        }
        context
    }

    /// The condition keys, in lower case, that have another value for the same identity in
    /// another world.
    pub(super) fn changed(self, other: Self) -> BTreeSet<String> {
        let (mine, theirs) = (self.tags(), other.tags());
        let keys = mine.keys().chain(theirs.keys());
        let mut changed: BTreeSet<String> = keys
            .filter(|key| mine.get(*key) != theirs.get(*key))
            .map(|key| format!("aws:principaltag/{}", key.to_ascii_lowercase()))
            .collect();
        if self.arn() != other.arn() {
            changed.insert("aws:principalarn".to_owned());
        }
        changed
    }
}

/// The condition keys, in lower case, about tags of resources that have other values in another
/// world.
pub(super) fn retagged(world: &World<'_>, other: &World<'_>) -> BTreeSet<String> {
    let tags = |thing: &Thing<'_>| match thing.attributes.get("tags") {
        Some(Value::Map(tags)) => tags.clone(),
        _ => BTreeMap::new(),
    };
    let mut found = BTreeSet::new();
    for (place, thing) in &world.things {
        let Some(before) = other.things.get(place) else {
            continue;
        };
        let (now, before) = (tags(thing), tags(before));
        let keys = now.keys().chain(before.keys());
        for key in keys.filter(|key| now.get(*key) != before.get(*key)) {
            let key = key.to_ascii_lowercase();
            let services = ["aws", "iam", "secretsmanager"];
            found.extend(services.map(|service| format!("{service}:resourcetag/{key}")));
        }
    }
    found
}

/// A statement of a secret's policy as one of the identity that it names.
fn on_secret(
    statement: &Statement,
    secret: &Thing<'_>,
    own: &str,
    document: &Document,
) -> Option<(Named, Statement)> {
    let caller = Caller::Entity(own);
    let named = names(statement.principals.as_ref(), &caller, statement.effect);
    let counts = match statement.effect {
        Effect::Allow => named >= Named::Session,
        Effect::Deny => named != Named::No,
    };
    // AWS adds six characters to the name.
    let pattern = text(secret, "arn")
        .filter(|arn| !arn.is_empty())
        .map_or_else(
            || format!("arn:*:secretsmanager:*:*:secret:{}-??????", secret.key),
            str::to_owned,
        );
    let names_it = match text(secret, "arn").filter(|arn| !arn.is_empty()) {
        None => true,
        Some(arn) => statement.resources.as_ref().is_none_or(|resources| {
            let matches = |one: &String| {
                let found =
                    Pattern::wild(one, document.version()).matches(arn, &|_| Filled::Unknown);
                found != Match::No
            };
            match resources {
                Selection::Only(all) => all.iter().any(matches),
                Selection::AllBut(all) => !all.iter().any(matches),
            }
        }),
    };
    if !counts || !names_it {
        return None;
    }
    let mut about = Statement {
        principals: None,
        resources: Some(Selection::Only(BTreeSet::from([pattern]))),
        ..statement.clone()
    };
    if named == Named::Session {
        // Its id ends with the session's name.
        let names = sessions(statement.principals.as_ref(), &caller);
        let ids: BTreeSet<String> = names.iter().map(|name| format!("*:{name}")).collect();
        let with = |operator| {
            about
                .clone()
                .with_condition(operator, "aws:userid", ids.clone())
        };
        about = with("StringLike")
            .or_else(|_| with("ForAnyValue:StringLike"))
            .unwrap_or(about);
    }
    Some((named, about))
}

/// What lets an identity assume another role when the role's trust policy names it.
pub(super) fn granted(
    holder: Holder<'_>,
    holdings: &Holdings,
    other: Holder<'_>,
    named: Named,
) -> Holdings {
    let mut all = holdings.clone();
    let layer = if holder.is_direct(named) {
        &mut all.direct
    } else {
        &mut all.identity
    };
    layer.push(Policy {
        source: source(other.thing),
        name: format!("the trust policy of {}", other.title()),
        document: Some(Document::of([Statement::allow([ASSUME], other.arn())])),
    });
    all
}

/// What else must be read to know what everybody holds.
pub(super) fn missing(world: &World<'_>) -> BTreeSet<(&'static str, String)> {
    let mut missing = BTreeSet::new();
    let mut arns: BTreeSet<&str> = BTreeSet::new();
    for role in world.of_kind(ROLE) {
        let holder = Holder { world, thing: role };
        for kind in [INLINE, ATTACHMENT] {
            let listed = holder.listed(kind).into_iter();
            missing.extend(listed.map(|last| (kind, format!("{}/{last}", role.key))));
        }
        arns.extend(holder.listed(ATTACHMENT));
    }
    for thing in world.of_kind(ATTACHMENT) {
        arns.extend(text(thing, "policy_arn"));
    }
    for thing in world.of_kind(ROLE).chain(world.of_kind(USER)) {
        arns.extend(text(thing, "permissions_boundary"));
    }
    for arn in arns {
        if let Ok(read) = Arn::parse(arn)
            && read.account != AWS
            && policy(world, &read).is_none()
        {
            missing.insert((POLICY, read.resource));
        }
    }
    missing
}

/// A managed policy by its ARN.
pub(super) fn managed(world: &World<'_>, arn: &str) -> Policy {
    let read = Arn::parse(arn).ok();
    if let Some(thing) = read.as_ref().and_then(|read| policy(world, read)) {
        let name = text(thing, "name").unwrap_or(thing.key);
        return written(thing, format!("policy {name}"));
    }
    let of_aws = read.filter(|read| read.account == AWS);
    let document = match of_aws.as_ref().map(|read| read.resource.as_str()) {
        Some("policy/AdministratorAccess") => Some(Document::of([Statement::allow(["*"], ["*"])])),
        Some("policy/AWSDenyAll") => Some(Document::of([Statement::deny(["*"], ["*"])])),
        _ => None,
    };
    Policy {
        source: Source::Foreign(format!("{POLICY} {arn}")),
        name: arn.to_owned(),
        document,
    }
}

/// The policy of an ARN; its key is the ARN's last part.
fn policy<'w>(world: &'w World<'w>, arn: &Arn) -> Option<&'w Thing<'w>> {
    if arn.account == AWS {
        return None;
    }
    world
        .of_kind(POLICY)
        .find(|thing| thing.key.eq_ignore_ascii_case(&arn.resource))
}

/// A policy with its text. Two that can't be read are one where they have the same text.
fn written(thing: &Thing<'_>, name: String) -> Policy {
    let source = source(thing);
    match thing.attributes.get("policy") {
        Some(Value::String(text)) => {
            let document = document::meaning(text);
            let name = if document.is_some() {
                name
            } else {
                let digest = hex::encode(Sha256::digest(text.as_bytes()));
                let short = digest.get(..DIGEST_CHARACTERS).unwrap_or(&digest);
                format!("{name} (which can't be read, {short})")
            };
            Policy {
                source,
                name,
                document,
            }
        }
        Some(Value::Null) | None => Policy {
            source,
            name,
            document: None,
        },
        Some(_) => Policy {
            source,
            name: format!("{name} (known after apply)"),
            document: None,
        },
    }
}

fn unread(thing: &Thing<'_>, name: String) -> Policy {
    Policy {
        source: source(thing),
        name,
        document: None,
    }
}

/// What gives what a thing says.
pub(super) fn source(thing: &Thing<'_>) -> Source {
    thing.address.map_or_else(
        || Source::Foreign(format!("{} {}", thing.kind.name, thing.key)),
        |address| Source::Object(address.clone()),
    )
}

/// The block's settings.
pub(super) fn settings(world: &World<'_>) -> Option<Settings> {
    Settings::from_config(world.config?).ok()
}

pub(super) fn text<'w>(thing: &Thing<'w>, attribute: &str) -> Option<&'w str> {
    thing.attributes.get(attribute).and_then(Value::as_str)
}

#[cfg(test)]
mod tests;
