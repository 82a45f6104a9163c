//! What subjects of a Vault can do: the face of the evaluator.
//!
//! In: a world of objects. A subject is an entity, which carries policies and those of the login
//! roles that are declared with it, or a login role that is declared without one. Policies and
//! groups of others count as far as the world holds them. What isn't known comes out as undecided
//! and never as nothing; a policy of which the server says that it isn't there is nothing.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::access::{
    self, Answer, Certainty, Escalation, Evaluate, Permission, Source, Subject, Thing, World,
};
use remit_sdk::{Kind, Value, text::safe};

use super::decide::{Operation, Request, Verdict};
use super::issued::{self, Issued};
use super::member::{self, Member, PENDING};
use super::{
    Acl, Broken, Entry, Excess, Finding, Policy, Server, Templates, administrative, escalate, fold,
    logins, namespace, uncertain,
};
use crate::policy::{self, Document};
use crate::schema;

pub(super) const ENTITY: &str = "vault_entity";
pub(super) const POLICY: &str = "vault_policy";
pub(super) const ROLES: [&str; 2] = ["vault_jwt_role", "vault_approle_role"];

/// What a policy lets the values of its templates hold.
const TEMPLATES: [&str; 2] = [
    "allow_slashes_in_identity_templates",
    "allow_wildcards_in_identity_templates",
];

impl Evaluate for crate::Vault {
    fn provider(&self) -> &'static str {
        "vault"
    }

    fn missing(&self, world: &World<'_>) -> BTreeSet<(&'static str, String)> {
        let subjects = self.subjects(world);
        let held = subjects
            .iter()
            .filter_map(|subject| Member::new(world, subject))
            .flat_map(|member| member.policies());
        let mut found: BTreeSet<_> = held
            .filter(|name| name != "root" && name != PENDING && world.thing(POLICY, name).is_none())
            // A name that each login fills in is no policy's.
            .filter(|name| !name.contains("{{") && !world.absent.contains(&(POLICY, name)))
            .map(|name| (POLICY, name))
            .collect();
        found.extend(subjects.iter().flat_map(|one| member::missing(world, one)));
        found
    }

    fn held_kinds(&self) -> &'static [Kind] {
        schema::held()
    }

    fn subjects(&self, world: &World<'_>) -> BTreeSet<Subject> {
        let entities = world
            .of_kind(ENTITY)
            .map(|entity| (ENTITY.to_owned(), entity.key.to_owned()));
        let alone = ROLES.iter().flat_map(|kind| world.of_kind(kind));
        let alone = alone
            .filter(|role| !has_entity(world, role) && !own_policies(role).is_empty())
            .map(|role| (role.kind.name.to_owned(), role.key.to_owned()));
        entities.chain(alone).collect()
    }

    fn logins(
        &self,
        world: &World<'_>,
        subjects: &BTreeSet<Subject>,
    ) -> BTreeMap<Subject, BTreeSet<access::Login>> {
        logins::logins(world, subjects)
    }

    fn permissions(&self, world: &World<'_>, subject: &Subject) -> Vec<Permission> {
        let Some(holding) = Holding::new(world, subject) else {
            return Vec::new();
        };
        let mut found: Vec<Permission> = holding
            .acl
            .entries()
            .filter(|entry| !entry.grant.denies() && !entry.grant.capabilities.is_empty())
            .map(|entry| holding.permission(entry))
            .collect();
        if holding.acl.is_root() {
            found.push(holding.everything());
        }
        found.extend(
            holding
                .unknown
                .values()
                .map(|unknown| unknown.permission.clone()),
        );
        found.sort();
        found
    }

    fn beyond(
        &self,
        world: &World<'_>,
        subject: &Subject,
        than: &World<'_>,
    ) -> Vec<access::Excess> {
        let Some(mut over) = Holding::new(world, subject) else {
            return Vec::new();
        };
        let nothing = Holding::nothing(world);
        let mut under = Holding::new(than, subject).unwrap_or(nothing);
        let mut found: Vec<access::Excess> = over
            .acl
            .beyond(&under.acl)
            .into_iter()
            .map(|excess| over.excess(excess))
            .collect();
        // Nothing is more than everything; and what isn't known is the same where it is written
        // the same.
        let unknown = over.unknown.iter().filter(|(what, unknown)| {
            let same = |other: &Unknown| other.text == unknown.text;
            !under.acl.is_root() && !under.unknown.get(*what).is_some_and(same)
        });
        found.extend(unknown.map(|(_, unknown)| access::Excess {
            permission: unknown.permission.clone(),
            example: None,
            certainty: Certainty::Undecided(unknown.why.clone()),
        }));
        let condition = over.acl.refusing().map(Broken::condition);
        if condition.is_some() {
            over.acl = over.acl.once_taken();
            under.acl = under.acl.once_taken();
        }
        let (given, before) = (over.issued(), under.issued());
        for (path, issued) in given {
            let why = match before.get(&path) {
                Some(before) => issued.more_than(before),
                // A path that wasn't allowed is told as that.
                None => under.may_read(&path).then(Issued::anew),
            };
            found.extend(why.map(|why| access::Excess {
                permission: Permission {
                    actions: names([&"read"].into_iter()),
                    resources: BTreeSet::from([path]),
                    conditions: condition.iter().cloned().collect(),
                    sources: over.sources(issued.policies.iter()),
                },
                example: None,
                certainty: Certainty::Undecided(why),
            }));
        }
        found.sort();
        found
    }

    fn can(&self, world: &World<'_>, subject: &Subject, request: &str) -> Result<Answer, String> {
        let (operation, path) = parse(request)?;
        let Some(holding) = Holding::new(world, subject) else {
            return Ok(Answer {
                verdict: access::Verdict::Denied(format!(
                    "{} `{}` isn't there, or is disabled",
                    safe(&subject.0),
                    safe(&subject.1)
                )),
                path: Vec::new(),
                sources: BTreeSet::new(),
            });
        };
        Ok(holding.answer(subject, operation, path))
    }

    fn is_administrative(&self, permission: &Permission) -> Option<String> {
        administrative::reason(permission)
    }

    fn stands_for(&self, permission: &Permission) -> Option<String> {
        let is_any = permission.actions.contains(ANYTHING);
        let what = permission.resources.iter().next().filter(|_| is_any)?;
        (what != EVERYTHING).then(|| what.clone())
    }

    fn escalations(&self, world: &World<'_>, subject: &Subject) -> Vec<Escalation> {
        let Some(mut holding) = Holding::new(world, subject) else {
            return Vec::new();
        };
        // Where every request is denied, this is what comes of it once none is.
        let condition = holding.acl.refusing().map(Broken::condition);
        holding.acl = holding.acl.once_taken();
        let mut found = escalate::escalations(world, subject, &holding);
        for escalation in &mut found {
            escalation.depends.extend(condition.clone());
        }
        found
    }
}

/// `read kv/data/x`.
fn parse(request: &str) -> Result<(Operation, &str), String> {
    const HOW: &str = "write a capability and a path: `read kv/data/x`, `update auth/token/create`";
    let (capability, path) = request
        .trim()
        .split_once(char::is_whitespace)
        .ok_or_else(|| HOW.to_owned())?;
    let operation = Operation::that_takes(capability).ok_or_else(|| {
        format!(
            "`{}` is no capability that a request takes; {HOW}",
            safe(capability)
        )
    })?;
    let path = path.trim().trim_start_matches('/');
    let path = path.strip_prefix("v1/").unwrap_or(path);
    if path.is_empty() || path.contains(['*', '+']) || path.contains(char::is_whitespace) {
        return Err(format!(
            "the path must be one that a request could have, without wildcards; {HOW}"
        ));
    }
    Ok((operation, path))
}

/// Texts of a list or set attribute.
pub(super) fn texts(thing: &Thing<'_>, attribute: &str) -> BTreeSet<String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    match thing.attributes.get(attribute) {
        Some(Value::Set(all)) => all.iter().filter_map(text).collect(),
        Some(Value::List(all)) => all.iter().filter_map(text).collect(),
        Some(one) => text(one).into_iter().collect(),
        None => BTreeSet::new(),
    }
}

pub(super) fn is_true(thing: &Thing<'_>, attribute: &str) -> bool {
    thing.attributes.get(attribute) == Some(&Value::Bool(true))
}

/// The policies that a login role puts on its tokens.
pub(super) fn own_policies(role: &Thing<'_>) -> BTreeSet<String> {
    let mut found = texts(role, "token_policies");
    if !is_true(role, "token_no_default_policy") {
        found.insert("default".to_owned());
    }
    found
}

/// Whether an entity is declared with a login role.
pub(super) fn has_entity(world: &World<'_>, role: &Thing<'_>) -> bool {
    role.address.is_some_and(|address| {
        world
            .of_declaration(&address.declaration)
            .any(|thing| thing.kind.name == ENTITY)
    })
}

/// The login roles that are declared with a subject, or are it.
pub(super) fn roles_of<'s>(world: &'s World<'_>, subject: &'s Subject) -> Vec<&'s Thing<'s>> {
    let Some(thing) = world.thing(&subject.0, &subject.1) else {
        return Vec::new();
    };
    if thing.kind.name != ENTITY {
        return vec![thing];
    }
    thing
        .address
        .into_iter()
        .flat_map(|address| world.of_declaration(&address.declaration))
        .filter(|thing| ROLES.contains(&thing.kind.name))
        .collect()
}

/// Something that a subject holds and of which it isn't known what it gives.
struct Unknown {
    /// As a permission.
    permission: Permission,
    /// Why it isn't known.
    why: String,
    /// What is known of it: a policy's text.
    text: Option<String>,
}

/// What a subject holds.
pub(super) struct Holding<'a> {
    world: &'a World<'a>,
    /// What its policies allow.
    pub(super) acl: Acl,
    /// The names of its policies.
    pub(super) policies: BTreeSet<String>,
    /// What its rules reach into and may be a namespace.
    pub(super) namespaces: BTreeSet<String>,
    /// What it holds and isn't known, by name.
    unknown: BTreeMap<String, Unknown>,
    /// Whom it is to the server.
    member: Option<Member<'a>>,
}

impl<'a> Holding<'a> {
    /// Nothing, as evaluated by the server of a world.
    fn nothing(world: &'a World<'a>) -> Self {
        Self {
            acl: Acl::new(server(world), std::iter::empty::<(&str, &Document)>(), None),
            policies: BTreeSet::new(),
            namespaces: BTreeSet::new(),
            unknown: BTreeMap::new(),
            world,
            member: None,
        }
    }

    /// `None` where the subject isn't there, or its tokens are refused.
    pub(super) fn new(world: &'a World<'a>, subject: &'a Subject) -> Option<Self> {
        let member = Member::new(world, subject)?;
        let names = member.policies();
        let mut documents: Vec<(String, Document)> = Vec::new();
        let mut unknown = BTreeMap::new();
        for name in &names {
            let text = world
                .thing(POLICY, name)
                .and_then(|policy| policy.attributes.get("policy"))
                .and_then(Value::as_str);
            let why = match text.map(policy::parse) {
                Some(Ok(document)) => {
                    if let Some(why) = unknown_templates(world, name, &document) {
                        why
                    } else {
                        documents.push((name.clone(), document));
                        continue;
                    }
                }
                None if world.absent.contains(&(POLICY, name)) && name != "root" => continue,
                // A policy of this name allows everything, and has no text.
                None if name == "root" => {
                    documents.push((name.clone(), Document::default()));
                    continue;
                }
                Some(Err(why)) => format!("the policy `{}` can't be evaluated: {why}", safe(name)),
                None => format!("the text of the policy `{}` isn't known", safe(name)),
            };
            let permission = whatever(
                format!("all that the policy `{}` allows", safe(name)),
                source(world, name),
            );
            let text = text.map(str::to_owned);
            unknown.insert(
                format!("policy {name}"),
                Unknown {
                    permission,
                    why,
                    text,
                },
            );
        }
        for (what, why) in &member.unknown {
            let source = Source::Foreign(what.replace('`', ""));
            let permission = whatever(format!("all that the {what} gives"), source);
            let unknown_here = Unknown {
                permission,
                why: why.clone(),
                text: None,
            };
            unknown.insert(what.clone(), unknown_here);
        }
        let identity = member.identity();
        let acl = Acl::new(
            server(world),
            documents
                .iter()
                .map(|(name, document)| held(world, name, document)),
            identity.as_ref(),
        );
        Some(Self {
            namespaces: namespace::reached(world, acl.entries()),
            acl,
            policies: names,
            unknown,
            world,
            member: Some(member),
        })
    }

    fn permission(&self, entry: &Entry) -> Permission {
        let grant = &entry.grant;
        let mut conditions = grant.limits.told(self.acl.server);
        conditions.extend(
            entry
                .unknown
                .iter()
                .map(|directive| format!("`{}` being known", safe(directive))),
        );
        conditions.extend(
            self.namespaces
                .iter()
                .filter(|one| namespace::below(one, entry.path()).is_some())
                .map(|one| namespace::condition(one)),
        );
        conditions.extend(self.but_not(entry));
        conditions.extend(self.acl.refusing().map(Broken::condition));
        Permission {
            actions: names(grant.capabilities.keys()),
            resources: BTreeSet::from([entry.path().to_owned()]),
            conditions,
            sources: self.sources(grant.capabilities.values().flatten()),
        }
    }

    /// Rules that deny part of what this one gives.
    fn but_not(&self, entry: &Entry) -> Vec<String> {
        self.acl
            .entries()
            .filter(|other| other.grant.denies())
            .filter(|other| other.pattern.rank() > entry.pattern.rank())
            .filter(|other| uncertain::meet(entry, other))
            .map(|other| format!("not at {}", safe(other.path())))
            .collect()
    }

    fn everything(&self) -> Permission {
        whatever(EVERYTHING.to_owned(), source(self.world, "root"))
    }

    pub(super) fn sources<'n>(&self, names: impl Iterator<Item = &'n String>) -> BTreeSet<Source> {
        names.map(|name| source(self.world, name)).collect()
    }

    fn issued(&self) -> BTreeMap<String, Issued> {
        issued::issued(self.world, &self.acl)
    }

    fn may_read(&self, path: &str) -> bool {
        let verdict = self.acl.decide(&Request::new(Operation::Read, path));
        !matches!(verdict, Verdict::Denied { .. })
    }

    fn excess(&self, excess: Excess) -> access::Excess {
        let entry = self.acl.entries().find(|entry| entry.path() == excess.path);
        let certainty = match excess.finding {
            Finding::Gained => Certainty::Surely,
            Finding::Looser(how) => Certainty::Looser(how),
            Finding::Undecided(why) => Certainty::Undecided(why),
        };
        let sources = self.sources(excess.policies.iter());
        access::Excess {
            // Where no other rule stands in the way, the rule's own path says it all.
            example: excess.within.is_some().then_some(excess.example),
            permission: Permission {
                actions: names(excess.capabilities.iter()),
                resources: BTreeSet::from([excess.path]),
                conditions: entry
                    .map(|entry| self.permission(entry).conditions)
                    .unwrap_or_default(),
                sources,
            },
            certainty,
        }
    }

    fn answer(&self, subject: &Subject, operation: Operation, path: &str) -> Answer {
        let looked_up = match self.acl.server {
            Server::OpenBao => fold::logins(self.world, path),
            Server::Vault => path.into(),
        };
        let verdict = self.acl.decide(&Request::new(operation, &looked_up));
        let mut told = vec![format!("{} `{}`", safe(&subject.0), safe(&subject.1))];
        let (verdict, rules, by) = match verdict {
            Verdict::Allowed { rule, by } => (access::Verdict::Allowed, BTreeSet::from([rule]), by),
            Verdict::Denied { rule, by, why } => (
                access::Verdict::Denied(why.to_string()),
                rule.into_iter().collect(),
                by,
            ),
            Verdict::Depends { on, rules, by } => (
                access::Verdict::Depends(on.iter().map(ToString::to_string).collect()),
                rules,
                by,
            ),
        };
        if let Some(member) = &self.member
            && let (Some(login), Some(entity)) = (member.login, member.name())
        {
            told.push(format!(
                "login `{}` (belongs to the entity `{}`)",
                safe(login),
                safe(entity)
            ));
        }
        for name in &by {
            let from = match source(self.world, name) {
                Source::Object(address) => address.to_string(),
                Source::Foreign(_) => "not declared here".to_owned(),
            };
            let groups = self.member.iter().flat_map(|one| one.groups_of(name));
            let groups: Vec<String> = groups.map(|one| format!("`{}`", safe(one))).collect();
            let through = match groups.as_slice() {
                [] => String::new(),
                groups => format!(", by the group {}", groups.join(" and ")),
            };
            told.push(format!("policy `{}` ({from}){through}", safe(name)));
        }
        told.extend(rules.iter().map(|rule| format!("path \"{}\"", safe(rule))));
        let verdict = self.with_unknown(verdict);
        Answer {
            verdict,
            path: told,
            sources: self.sources(by.iter()),
        }
    }
}

impl Holding<'_> {
    /// What isn't known may allow what is denied, and deny or limit what is allowed, but not what
    /// the policy `root` allows.
    fn with_unknown(&self, verdict: access::Verdict) -> access::Verdict {
        if self.unknown.is_empty() || self.acl.is_root() {
            return verdict;
        }
        let mut on: Vec<String> = match verdict {
            access::Verdict::Depends(on) => on,
            access::Verdict::Allowed | access::Verdict::Denied(_) => Vec::new(),
        };
        on.extend(self.unknown.values().map(|unknown| unknown.why.clone()));
        access::Verdict::Depends(on)
    }
}

/// A policy with what the server keeps beside its text.
fn held<'d>(world: &World<'_>, name: &str, document: &'d Document) -> Policy<'d> {
    let policy = world.thing(POLICY, name);
    let is_set = |attribute| policy.is_some_and(|policy| is_true(policy, attribute));
    let [allow_slashes, allow_wildcards] = TEMPLATES.map(is_set);
    let expiration = policy.and_then(|policy| policy.attributes.get("expiration"));
    Policy {
        name: name.to_owned(),
        document,
        templates: Templates {
            allow_wildcards,
            allow_slashes,
        },
        expiration: expiration.and_then(|time| match time {
            Value::Null => None,
            Value::String(time) => (!time.is_empty()).then(|| time.clone()),
            _ => Some(PENDING.to_owned()),
        }),
    }
}

/// Why it isn't known what may fill the templates of a policy that has some.
fn unknown_templates(world: &World<'_>, name: &str, document: &Document) -> Option<String> {
    let policy = world.thing(POLICY, name)?;
    let is_pending = |attribute: &&str| {
        let value = policy.attributes.get(*attribute);
        value.is_some_and(Value::has_pending)
    };
    let attribute = TEMPLATES.into_iter().find(is_pending)?;
    let mut paths = document.paths.keys();
    paths
        .any(|path| path.contains("{{"))
        .then(|| format!("`{attribute}` of the policy `{}` isn't known", safe(name)))
}

fn names<'n>(all: impl Iterator<Item = &'n &'static str>) -> BTreeSet<String> {
    all.map(ToString::to_string).collect()
}

/// The action of what isn't told by actions.
pub(super) const ANYTHING: &str = "anything";

/// All that there is: what the policy `root` allows.
pub(super) const EVERYTHING: &str = "everything";

fn whatever(what: String, source: Source) -> Permission {
    Permission {
        actions: BTreeSet::from([ANYTHING.to_owned()]),
        resources: BTreeSet::from([what]),
        conditions: BTreeSet::new(),
        sources: BTreeSet::from([source]),
    }
}

fn source(world: &World<'_>, name: &str) -> Source {
    world
        .thing(POLICY, name)
        .and_then(|policy| policy.address)
        .map_or_else(
            || Source::Foreign(format!("policy {}", safe(name))),
            |address| Source::Object(address.clone()),
        )
}

fn server(world: &World<'_>) -> Server {
    if world.server.starts_with("Vault") {
        Server::Vault
    } else {
        Server::OpenBao
    }
}
