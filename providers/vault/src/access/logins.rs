//! Who logs in: the ways in which somebody becomes an entity, or gets a token of a login role.
//!
//! In: a world and subjects. Out: for each, what a login must present, with everything that
//! decides whether it is believed: the alias, the role that yields it, and the config of their
//! mount. A login becomes the entity that has an alias of the name that the login's role makes of
//! it; so a role counts for an entity unless it can't yield the name of any alias. Methods other
//! than `jwt` and `approle` aren't evaluated, and that is said.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::access::{Login, Subject, Thing, World};
use remit_sdk::value::PendingPart;
use remit_sdk::{ObjectAddress, Value};
use sha2::{Digest as _, Sha256};

use super::evaluate::{ENTITY, ROLES, is_true};

const ALIAS: &str = "vault_entity_alias";
const MOUNT: &str = "vault_auth_mount";
const CONFIG: &str = "vault_jwt_config";
const JWT: &str = "vault_jwt_role";
const APPROLE: &str = "vault_approle_role";

/// What stands for a value that only the server will know.
const PENDING: &str = "(known after apply)";
/// What stands for a value that wasn't read.
const UNREAD: &str = "(not read)";

/// How many characters of a digest tell two keys apart, for people and against those who make one
/// to look like another.
const DIGEST_CHARACTERS: usize = 32;

type Limits = BTreeMap<String, BTreeSet<String>>;

pub(super) fn logins(
    world: &World<'_>,
    subjects: &BTreeSet<Subject>,
) -> BTreeMap<Subject, BTreeSet<Login>> {
    if subjects.is_empty() {
        return BTreeMap::new();
    }
    let index = Index::new(world);
    subjects
        .iter()
        .map(|subject| (subject.clone(), index.of(subject)))
        .collect()
}

/// Whose an alias is.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Whose<'w> {
    /// The entity of this id.
    Id(&'w str),
    /// The entity that this object is.
    Object(&'w ObjectAddress),
    /// It isn't known: it may be anybody's.
    Unknown,
}

impl<'w> Whose<'w> {
    fn of(alias: &Thing<'w>) -> Self {
        match alias.attributes.get("canonical_id") {
            Some(Value::String(id)) => Self::Id(id),
            Some(Value::Pending(pending)) => match pending.parts.as_slice() {
                [PendingPart::Attribute { address, attribute }] if attribute == "id" => {
                    Self::Object(address)
                }
                _ => Self::Unknown,
            },
            _ => Self::Unknown,
        }
    }
}

/// The login roles of one mount.
#[derive(Default)]
struct Roles<'w> {
    /// Those that yield one name, by that name.
    exact: BTreeMap<String, Vec<&'w Thing<'w>>>,
    /// The others.
    any: Vec<&'w Thing<'w>>,
}

/// Aliases by entity and roles by mount: looking at each for each subject would take the square.
struct Index<'w> {
    world: &'w World<'w>,
    aliases: BTreeMap<Whose<'w>, Vec<&'w Thing<'w>>>,
    roles: BTreeMap<String, Roles<'w>>,
    /// What each mount believes.
    beliefs: BTreeMap<String, Limits>,
}

impl<'w> Index<'w> {
    fn new(world: &'w World<'w>) -> Self {
        let mut aliases: BTreeMap<Whose<'w>, Vec<&'w Thing<'w>>> = BTreeMap::new();
        for alias in world.of_kind(ALIAS) {
            aliases.entry(Whose::of(alias)).or_default().push(alias);
        }
        let mut roles: BTreeMap<String, Roles<'w>> = BTreeMap::new();
        for role in ROLES.iter().flat_map(|kind| world.of_kind(kind)) {
            let here = roles.entry(mount_of(role)).or_default();
            match only_name(role) {
                Some(name) => here
                    .exact
                    .entry(name.to_lowercase())
                    .or_default()
                    .push(role),
                None => here.any.push(role),
            }
        }
        let beliefs = roles
            .keys()
            .map(|mount| (mount.clone(), beliefs(world, mount)))
            .collect();
        Self {
            world,
            aliases,
            roles,
            beliefs,
        }
    }

    fn of(&self, subject: &Subject) -> BTreeSet<Login> {
        let Some(thing) = self.world.thing(&subject.0, &subject.1) else {
            return BTreeSet::new();
        };
        if is_true(thing, "disabled") {
            return BTreeSet::new();
        }
        if thing.kind.name != ENTITY {
            return BTreeSet::from([self.login(thing, None, Vec::new())]);
        }
        self.aliases_of(thing)
            .into_iter()
            .flat_map(|alias| self.by_alias(alias))
            .collect()
    }

    fn aliases_of(&self, entity: &'w Thing<'w>) -> Vec<&'w Thing<'w>> {
        let id = entity.attributes.get("id").and_then(Value::as_str);
        let of = |whose: Whose<'w>| -> Vec<&'w Thing<'w>> {
            self.aliases.get(&whose).cloned().unwrap_or_default()
        };
        let mut found = of(Whose::Unknown);
        found.extend(id.into_iter().flat_map(|id| of(Whose::Id(id))));
        if let Some(address) = entity.address {
            found.extend(of(Whose::Object(address)));
            // An entity whose id isn't known is that of the aliases that are declared with it.
            let own = self.world.of_declaration(&address.declaration);
            let own = own.filter(|thing| thing.kind.name == ALIAS && id.is_none());
            found.extend(own.filter(|alias| matches!(Whose::of(alias), Whose::Id(_))));
        }
        found
    }

    /// Logins that are given the name of an alias.
    fn by_alias(&self, alias: &Thing<'_>) -> Vec<Login> {
        let mount = mount_of(alias);
        let name = alias.attributes.get("name").map_or(UNREAD, known);
        let carried = pairs(alias, "custom_metadata", |key, value| {
            format!("custom metadata {key} is {value}")
        });
        let roles = self.roles.get(&mount);
        let exact = roles.and_then(|roles| roles.exact.get(&name.to_lowercase()));
        let any = roles.map(|roles| roles.any.as_slice()).unwrap_or_default();
        let any = any.iter().filter(|role| may_yield(role, name));
        let mut found: Vec<Login> = exact
            .into_iter()
            .flatten()
            .chain(any)
            .map(|role| self.login(role, Some(name), carried.clone()))
            .collect();
        let method = self
            .world
            .thing(MOUNT, &mount)
            .map(|mount| text(mount, "type"));
        let is_evaluated = match method {
            Some(method) => ["jwt", "oidc", "approle"].contains(&method),
            // Somebody else's mount has roles that aren't known here.
            None => !found.is_empty(),
        };
        if !is_evaluated {
            let method = method.map_or_else(String::new, |method| format!(" ({method})"));
            let by = format!("a login at auth/{mount}{method} that isn't evaluated");
            found.push(Login {
                by: with(by, &carried),
                who: Some("the name".to_owned()),
                limits: [("the name".to_owned(), [name.to_owned()].into())].into(),
                at: format!("auth/{mount}"),
            });
        }
        if Whose::of(alias) == Whose::Unknown {
            for login in &mut found {
                let limit = "an alias whose entity isn't known yet".to_owned();
                login.limits.insert(limit, BTreeSet::new());
            }
        }
        found
    }

    /// A login by a role, of this name, that carries this.
    fn login(&self, role: &Thing<'_>, name: Option<&str>, mut carried: Vec<String>) -> Login {
        let mount = mount_of(role);
        let mut login = if role.kind.name == APPROLE {
            approle(role, &mount)
        } else {
            let beliefs = self.beliefs.get(&mount).cloned().unwrap_or_default();
            carried.extend(told_by_claims(role));
            token(role, name, beliefs)
        };
        login.by = with(login.by, &carried);
        let from = texts(role, "token_bound_cidrs");
        add(&mut login.limits, "from", from);
        login.at = format!("role {} on auth/{mount}", role_name(role));
        login
    }
}

/// The name of the only alias that a role yields, where there is one.
fn only_name<'w>(role: &Thing<'w>) -> Option<&'w str> {
    let attribute = if role.kind.name == APPROLE {
        "role_id"
    } else if text(role, "user_claim") == "sub" {
        "bound_subject"
    } else {
        return None;
    };
    let name = role.attributes.get(attribute)?.as_str()?;
    (!name.is_empty()).then_some(name)
}

/// Whether a role that yields several names may yield this one.
fn may_yield(role: &Thing<'_>, name: &str) -> bool {
    if role.kind.name == APPROLE || is_true(role, "user_claim_json_pointer") {
        return true;
    }
    let Some(Value::Map(bound)) = role.attributes.get("bound_claims") else {
        return true;
    };
    let is_glob = text(role, "bound_claims_type") == "glob";
    let fits = |one: &String| match one.split_once('*').filter(|_| is_glob) {
        Some((begin, rest)) => {
            let end = rest.rsplit_once('*').map_or(rest, |(_, end)| end);
            let (name, begin) = (name.to_lowercase(), begin.to_lowercase());
            name.starts_with(&begin) && name.ends_with(&end.to_lowercase())
        }
        None => one == PENDING || one.to_lowercase() == name.to_lowercase(),
    };
    match bound.get(text(role, "user_claim")) {
        Some(values) => words(values).iter().any(fits),
        None => true,
    }
}

/// A login with a token of the issuer, or in a browser at it.
fn token(role: &Thing<'_>, name: Option<&str>, beliefs: Limits) -> Login {
    let mut limits = beliefs;
    let is_oidc = text(role, "role_type") == "oidc";
    let by = if is_oidc { "an OIDC login" } else { "a token" }.to_owned();
    let claim = role.attributes.get("user_claim").map_or(UNREAD, known);
    let subject = texts(role, "bound_subject");
    let mut who = (!subject.is_empty()).then(|| "sub".to_owned());
    if let Some(name) = name {
        let is_said = claim == "sub" && subject.iter().any(|one| one != PENDING);
        if !is_said {
            let path = if is_true(role, "user_claim_json_pointer") {
                " (a path)"
            } else {
                ""
            };
            let named = format!("{claim}{path}, case aside,");
            limits.insert(named.clone(), [name.to_owned()].into());
            who = Some(named);
        }
    }
    add(&mut limits, "sub", subject);
    add(&mut limits, "aud", texts(role, "bound_audiences"));
    if is_oidc {
        let uris = texts(role, "allowed_redirect_uris");
        add(&mut limits, "coming back to", uris);
    }
    let like = if text(role, "bound_claims_type") == "glob" {
        " like"
    } else {
        ""
    };
    match role.attributes.get("bound_claims") {
        Some(Value::Map(claims)) => {
            for (claim, values) in claims {
                add(&mut limits, &format!("claim {claim}{like}"), words(values));
            }
        }
        None | Some(Value::Null) => {}
        Some(_) => add(&mut limits, "claims", [PENDING.to_owned()].into()),
    }
    Login {
        by,
        who,
        limits,
        at: String::new(),
    }
}

/// What a role tolerates, and what it makes of claims beside the name: policies of the groups
/// that they name, metadata that templates read. More of one may allow less, so no limit says it:
/// a login that differs in it is another.
fn told_by_claims(role: &Thing<'_>) -> Vec<String> {
    let mut told = Vec::new();
    for leeway in [
        "clock_skew_leeway",
        "expiration_leeway",
        "not_before_leeway",
    ] {
        let seconds = role.attributes.get(leeway).and_then(Value::as_i64);
        told.extend(
            seconds
                .filter(|seconds| *seconds != 0)
                .map(|seconds| format!("{leeway} {seconds}s")),
        );
    }
    let groups = texts(role, "groups_claim").into_iter();
    told.extend(groups.map(|claim| format!("groups by the claim {claim:?}")));
    told.extend(pairs(role, "claim_mappings", |claim, key| {
        format!("metadata {key} by the claim {claim}")
    }));
    if is_true(role, "token_policies_template_claims") {
        told.push("policies named by claims".to_owned());
    }
    if text(role, "role_type") == "oidc" {
        let mode = text(role, "callback_mode");
        if !["", "client"].contains(&mode) {
            told.push(format!("callback_mode {mode}"));
        }
        if is_true(role, "oidc_disable_confirmation") {
            told.push("without confirmation".to_owned());
        }
    }
    told
}

/// What comes, with what it carries.
fn with(by: String, carried: &[String]) -> String {
    if carried.is_empty() {
        by
    } else {
        format!("{by} ({})", carried.join("; "))
    }
}

/// Each pair of a map in words, in quotes, so that no text passes for several; that a map isn't
/// known yet is one.
fn pairs(thing: &Thing<'_>, attribute: &str, say: impl Fn(&str, &str) -> String) -> Vec<String> {
    match thing.attributes.get(attribute) {
        Some(Value::Map(all)) => all
            .iter()
            .map(|(key, value)| {
                let value = value.to_text().map(|text| format!("{text:?}"));
                say(&format!("{key:?}"), value.as_deref().unwrap_or(PENDING))
            })
            .collect(),
        None | Some(Value::Null) => Vec::new(),
        Some(_) => vec![format!("{attribute} {PENDING}")],
    }
}

/// A login with what an AppRole asks for. Who was given its secret-ids isn't known to anybody.
fn approle(role: &Thing<'_>, mount: &str) -> Login {
    let name = role_name(role);
    let mut limits = Limits::new();
    let mut who = None;
    if role.attributes.get("bind_secret_id") != Some(&Value::Bool(false)) {
        who = Some("a secret-id of it".to_owned());
        limits.insert("a secret-id of it".to_owned(), BTreeSet::new());
    }
    // Where no secret-id is asked for it is all that one must know, so only that it is another is
    // shown; one that is the role's name is no secret.
    let role_id = match role.attributes.get("role_id").map_or(UNREAD, known) {
        id if id == name || [PENDING, UNREAD].contains(&id) => id.to_owned(),
        id => print(id),
    };
    limits.insert("role-id".to_owned(), [role_id].into());
    let from = texts(role, "secret_id_bound_cidrs");
    add(&mut limits, "its secret-id used from", from);
    Login {
        by: format!("the role-id of auth/{mount}/approle/{name}"),
        who,
        limits,
        at: String::new(),
    }
}

/// Whose tokens a mount believes.
fn beliefs(world: &World<'_>, mount: &str) -> Limits {
    let mut limits = Limits::new();
    let plugin = world.thing(MOUNT, mount).map(|mount| {
        let method = text(mount, "type");
        let version = text(mount, "plugin_version");
        (method, version)
    });
    if let Some((method, version)) = plugin
        && (!["jwt", "oidc", ""].contains(&method) || !version.is_empty())
    {
        let plugin = format!("{method} {version}");
        add(&mut limits, "checked by", [plugin.trim().to_owned()].into());
    }
    let place = format!("auth/{mount}/config");
    let Some(config) = world.thing(CONFIG, &place) else {
        let unread = format!("{place} {UNREAD}");
        add(&mut limits, "by what is in", [unread].into());
        return limits;
    };
    add(&mut limits, "iss", texts(config, "bound_issuer"));
    let at = |url: &str, ca: &str| -> BTreeSet<String> {
        let names = texts(config, "override_allowed_server_names");
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut by = Vec::new();
        by.extend(
            texts(config, ca)
                .iter()
                .map(|ca| format!("CA {}", print(ca))),
        );
        if !names.is_empty() {
            by.push(format!("server name {}", names.join(" or ")));
        }
        let by = if by.is_empty() {
            String::new()
        } else {
            format!(" (by {})", by.join(", "))
        };
        let urls = texts(config, url).into_iter();
        urls.map(|url| format!("{url}{by}")).collect()
    };
    let mut keys: BTreeSet<String> = at("oidc_discovery_url", "oidc_discovery_ca_pem")
        .iter()
        .map(|url| format!("keys discovered at {url}"))
        .collect();
    keys.extend(
        at("jwks_url", "jwks_ca_pem")
            .iter()
            .map(|url| format!("keys at {url}")),
    );
    let own = texts(config, "jwt_validation_pubkeys");
    keys.extend(own.iter().map(|key| format!("key {}", print(key))));
    if keys.is_empty() {
        keys.insert("no key".to_owned());
    }
    limits.insert("signed by".to_owned(), keys);
    let mut algorithms = texts(config, "jwt_supported_algs");
    if algorithms.is_empty() {
        algorithms.insert("RS256".to_owned());
    }
    limits.insert("alg".to_owned(), algorithms);
    add(&mut limits, "client", texts(config, "oidc_client_id"));
    limits
}

/// A key or certificate, so that another is seen to be another.
fn print(pem: &str) -> String {
    if pem == PENDING {
        return pem.to_owned();
    }
    // How its lines are broken makes no other key.
    let text: String = pem.split_whitespace().collect();
    let digest = hex::encode(Sha256::digest(text.as_bytes()));
    let short = digest.get(..DIGEST_CHARACTERS).unwrap_or(&digest);
    format!("sha256:{short}")
}

/// Adds a limit; one that names nothing is none.
fn add(limits: &mut Limits, name: &str, values: BTreeSet<String>) {
    if !values.is_empty() {
        limits.insert(name.to_owned(), values);
    }
}

/// The texts of a value, and that it has others that aren't known yet.
fn words(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Null => BTreeSet::new(),
        Value::String(text) if text.is_empty() => BTreeSet::new(),
        Value::Set(all) => all.iter().flat_map(words).collect(),
        Value::List(all) => all.iter().flat_map(words).collect(),
        other => [other.to_text().unwrap_or_else(|| PENDING.to_owned())].into(),
    }
}

fn texts(thing: &Thing<'_>, attribute: &str) -> BTreeSet<String> {
    thing
        .attributes
        .get(attribute)
        .map(words)
        .unwrap_or_default()
}

fn known(value: &Value) -> &str {
    value.as_str().unwrap_or(PENDING)
}

fn text<'w>(thing: &Thing<'w>, attribute: &str) -> &'w str {
    let value = thing.attributes.get(attribute);
    value.and_then(Value::as_str).unwrap_or_default()
}

/// The mount of an alias or a login role, also where only its key is known.
pub(super) fn mount_of(thing: &Thing<'_>) -> String {
    let written = text(thing, "mount");
    let (place, _) = [JWT, APPROLE, ALIAS]
        .iter()
        .zip(["/role/", "/approle/", "/alias/"])
        .find(|(kind, _)| **kind == thing.kind.name)
        .and_then(|(_, between)| thing.key.strip_prefix("auth/")?.split_once(between))
        .unwrap_or_default();
    let mount = if written.is_empty() { place } else { written };
    mount.trim_matches('/').to_owned()
}

fn role_name<'w>(role: &Thing<'w>) -> &'w str {
    match text(role, "name") {
        "" => role.key.rsplit('/').next().unwrap_or(role.key),
        name => name,
    }
}
