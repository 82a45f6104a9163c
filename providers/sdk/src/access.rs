//! What policies let a holder do: the words that the providers' evaluators share.
//!
//! In: a [`World`], the objects of one provider instance as they are live or as they would be
//! after a plan. Out: permissions in effect, what one world allows beyond another (a ceiling is a
//! world, too), answers to single requests, ways in which permissions add up to more, and
//! ways in which somebody becomes a subject. Pure. What can't be known is said and never guessed.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::address::{DeclarationAddress, ObjectAddress};
use crate::declaration::ProviderConfig;
use crate::schema::Kind;
use crate::value::Value;

/// One object of a world.
#[derive(Clone, Copy, Debug)]
pub struct Thing<'a> {
    /// Its kind.
    pub kind: &'static Kind,
    /// Its key.
    pub key: &'a str,
    /// Its attributes in normal form, computed ones included where they are known.
    pub attributes: &'a BTreeMap<String, Value>,
    /// Its address, where it is declared or recorded; `None` for what somebody else made.
    pub address: Option<&'a ObjectAddress>,
}

/// The objects of one provider instance at one moment.
#[derive(Clone, Debug, Default)]
pub struct World<'a> {
    /// `vault`, or `vault.audit`.
    pub instance: &'a str,
    /// What the server calls itself (`OpenBao 2.7.2, …`); empty where it wasn't asked.
    pub server: &'a str,
    /// The instance's `provider` block.
    pub config: Option<&'a ProviderConfig>,
    /// The objects, by kind name and key.
    pub things: BTreeMap<(&'a str, &'a str), Thing<'a>>,
    /// Kind name and key of what each declaration became.
    pub declared: BTreeMap<&'a DeclarationAddress, BTreeSet<(&'a str, &'a str)>>,
    /// What the server says isn't there, by kind name and key. What is neither here nor among the
    /// objects isn't known.
    pub absent: BTreeSet<(&'a str, &'a str)>,
}

impl<'a> World<'a> {
    /// Adds an object.
    pub fn add(&mut self, thing: Thing<'a>) {
        let place = (thing.kind.name, thing.key);
        if let Some(address) = thing.address {
            let declared = self.declared.entry(&address.declaration).or_default();
            declared.insert(place);
        }
        self.things.insert(place, thing);
    }
}

impl World<'_> {
    /// What a declaration became here.
    pub fn of_declaration<'s>(
        &'s self,
        declaration: &'s DeclarationAddress,
    ) -> impl Iterator<Item = &'s Thing<'s>> {
        let declared: &'s BTreeMap<&'s DeclarationAddress, BTreeSet<(&'s str, &'s str)>> =
            &self.declared;
        let things: &'s BTreeMap<(&'s str, &'s str), Thing<'s>> = &self.things;
        declared
            .get(declaration)
            .into_iter()
            .flatten()
            .filter_map(|place| things.get(place))
    }

    /// The object of this kind and key.
    pub fn thing<'s>(&'s self, kind: &'s str, key: &'s str) -> Option<&'s Thing<'s>> {
        self.things.get(&(kind, key))
    }

    /// All objects of a kind.
    pub fn of_kind<'s>(&'s self, kind: &'s str) -> impl Iterator<Item = &'s Thing<'s>> {
        let things: &'s BTreeMap<(&'s str, &'s str), Thing<'s>> = &self.things;
        things
            .range((kind, "")..)
            .take_while(move |((name, _), _)| *name == kind)
            .map(|(_, thing)| thing)
    }
}

/// Who can do something: an object that carries permissions, by kind name and key. An entity, a
/// role, a user.
pub type Subject = (String, String);

/// What gives a permission.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// An object that is declared or recorded: a policy, or the subject itself.
    Object(ObjectAddress),
    /// What somebody else made, by kind and live name.
    Foreign(String),
}

/// Something a subject may do in effect.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Permission {
    /// Capabilities (`read`), or actions with their wildcards (`s3:Get*`); `all but s3:Delete*`
    /// where it is said that way.
    pub actions: BTreeSet<String>,
    /// Paths or ARNs, with their wildcards.
    pub resources: BTreeSet<String>,
    /// What must hold for it to count, each as a reader understands it; empty is always.
    pub conditions: BTreeSet<String>,
    /// What gives it.
    pub sources: BTreeSet<Source>,
}

/// How sure it is that one side allows more.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// The other doesn't allow it.
    Surely,
    /// The other allows it under limits that this exceeds: how.
    Looser(String),
    /// It couldn't be decided, for this reason. Counts as more.
    Undecided(String),
}

/// Something that one world allows and another doesn't.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Excess {
    /// What is allowed.
    pub permission: Permission,
    /// A path or ARN where it is so, where that isn't the resource itself.
    pub example: Option<String>,
    /// How sure that is.
    pub certainty: Certainty,
}

/// The answer to "can it do this?"
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It can.
    Allowed,
    /// It can't, for this reason.
    Denied(String),
    /// It may be either; on what that depends.
    Depends(Vec<String>),
}

/// An answer with its path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The answer.
    pub verdict: Verdict,
    /// How one comes to it, from the subject on: `entity x`, `policy y`, `path "kv/*"`, each with
    /// what it is.
    pub path: Vec<String>,
    /// What decided.
    pub sources: BTreeSet<Source>,
}

/// Where an escalation leads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gain {
    /// All that anybody may do in this target.
    Everything,
    /// All that this subject may do.
    Subject(String, String),
    /// All that subjects whose names match may do, who aren't declared here.
    Foreign(String),
}

/// A way in which permissions add up to more than they say.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Escalation {
    /// The method's name, lower case with dashes: `create-policy-version`, `write-own-policy`.
    pub method: String,
    /// What one does, as a sentence without its subject: `writes a new version of policy x,
    /// which it holds`.
    pub how: String,
    /// Where it leads.
    pub gain: Gain,
    /// The permissions that it takes.
    pub by: BTreeSet<Permission>,
    /// What it depends on, where it isn't sure.
    pub depends: Vec<String>,
}

/// A way in which somebody becomes a subject: what one comes with, and what decides whether that
/// is taken. Two moments that say the same have equal ways.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Login {
    /// What one comes with: `a token`, `the role-id of auth/hosts/approle/x`, `service
    /// ec2.amazonaws.com`. Ways that differ in it are different ones.
    pub by: String,
    /// Which of the limits says who it is, where one does.
    pub who: Option<String>,
    /// What must hold, by what is asked (`aud`, `iss`), each with the values that are taken. One
    /// without values is a sentence. A value that isn't known is said to be so, and is none of the
    /// others.
    pub limits: BTreeMap<String, BTreeSet<String>>,
    /// Where it is, for people: `role x on auth/hosts`. Says nothing of who comes.
    pub at: String,
}

impl Login {
    /// Whether everybody who comes this way could come the other way, too.
    pub fn is_within(&self, other: &Self) -> bool {
        self.by == other.by
            && other.limits.iter().all(|(limit, wide)| {
                let narrow = self.limits.get(limit);
                narrow.is_some_and(|narrow| narrow.is_subset(wide))
            })
    }

    /// In a line: `a token with sub repo:org/x`.
    pub fn headline(&self) -> String {
        let who = self.who.as_ref().and_then(|who| {
            let values = self.limits.get(who)?;
            Some(format!("{} with {}", self.by, limit(who, values)))
        });
        who.unwrap_or_else(|| self.by.clone())
    }

    /// What else must hold, each in words.
    pub fn conditions(&self) -> Vec<String> {
        let others = self.limits.iter();
        others
            .filter(|(name, _)| Some(*name) != self.who.as_ref())
            .map(|(name, values)| limit(name, values))
            .collect()
    }
}

fn limit(name: &str, values: &BTreeSet<String>) -> String {
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    if values.is_empty() {
        return name.to_owned();
    }
    format!("{name} {}", values.join(" or "))
}

/// What policies allow here. Pure.
pub trait Evaluate: Send + Sync {
    /// The provider's name: `vault`.
    fn provider(&self) -> &'static str;

    /// What else must be read to know what the subjects of `world` can do: policies of others
    /// that they hold. Kind name and key. Asked again once that is read.
    fn missing(&self, world: &World<'_>) -> BTreeSet<(&'static str, String)>;

    /// Kinds that nobody declares, and that `missing` asks for.
    fn held_kinds(&self) -> &'static [Kind] {
        &[]
    }

    /// The objects that carry permissions.
    fn subjects(&self, world: &World<'_>) -> BTreeSet<Subject>;

    /// The ways in which somebody becomes each of `subjects`, as far as the world tells: nobody
    /// comes where a subject isn't there.
    fn logins(
        &self,
        world: &World<'_>,
        subjects: &BTreeSet<Subject>,
    ) -> BTreeMap<Subject, BTreeSet<Login>>;

    /// All that a subject may do in effect, ordered.
    fn permissions(&self, world: &World<'_>, subject: &Subject) -> Vec<Permission>;

    /// What a subject may do in `world` that it may not in `than`, ordered. A subject that isn't
    /// in a world may do nothing there.
    fn beyond(&self, world: &World<'_>, subject: &Subject, than: &World<'_>) -> Vec<Excess>;

    /// Whether a subject can do `request`: `read kv/data/x`, `s3:GetObject arn:aws:s3:::b/k`. The
    /// error says how a request is written here.
    fn can(&self, world: &World<'_>, subject: &Subject, request: &str) -> Result<Answer, String>;

    /// Why a permission is one that only administrators should have, if it is.
    fn is_administrative(&self, permission: &Permission) -> Option<String>;

    /// What a permission stands for, if that is all that something gives which can't be evaluated: no
    /// text is known, or none that is understood.
    fn stands_for(&self, permission: &Permission) -> Option<String>;

    /// Ways in which a subject's permissions add up to more.
    fn escalations(&self, world: &World<'_>, subject: &Subject) -> Vec<Escalation>;
}
