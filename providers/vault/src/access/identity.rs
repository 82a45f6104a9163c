//! Templates in the paths of policies: `{{identity.entity.name}}` and its like.
//!
//! In comes a path and what is known of the entity behind the token; out goes the path filled
//! in, or that the server drops the rule, or that it refuses the whole token. A value that isn't
//! known leaves its directive in the path, and the directive is told. Nothing is looked up here.
//!
//! Directives: page `concepts/policies` of OpenBao. What a value may hold was tried on OpenBao
//! 2.7.2: `*`, `+` and `/` where the policy says so, each a wildcard or a slash like any other;
//! else the server refuses the token (GHSA-59w7-v8rr-pr4p). Vault takes no `*` and `+`, and leaves
//! `/` to `deny_slash_in_templated_paths`, which is off unless it is set.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use remit_sdk::text::safe;

/// What is known of an entity and its groups: values by directive, the beginnings of directives
/// that have no other value than those, and directives below these whose value isn't known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    values: BTreeMap<String, String>,
    closed: BTreeSet<String>,
    open: BTreeSet<String>,
}

/// What the value of a template may hold besides plain text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Templates {
    /// `*` and `+`.
    pub allow_wildcards: bool,
    /// `/`.
    pub allow_slashes: bool,
}

impl Templates {
    /// As Vault has it for every policy.
    pub(super) const VAULT: Self = Self {
        allow_wildcards: false,
        allow_slashes: true,
    };

    /// What both allow.
    pub(super) fn of_both(self, other: Self) -> Self {
        Self {
            allow_wildcards: self.allow_wildcards && other.allow_wildcards,
            allow_slashes: self.allow_slashes && other.allow_slashes,
        }
    }

    /// The first character of a value that the server refuses.
    fn refused(self, value: &str) -> Option<char> {
        [
            ('*', self.allow_wildcards),
            ('+', self.allow_wildcards),
            ('/', self.allow_slashes),
        ]
        .into_iter()
        .find_map(|(c, allowed)| (!allowed && value.contains(c)).then_some(c))
    }
}

/// What is known of one of an entity's aliases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alias {
    /// Its id, if it is known.
    pub id: Option<String>,
    /// Its name, if it is known.
    pub name: Option<String>,
    /// Its metadata, if they are known; a login writes them.
    pub metadata: Option<BTreeMap<String, String>>,
    /// Its custom metadata, if they are known.
    pub custom_metadata: Option<BTreeMap<String, String>>,
}

const ENTITY: &str = "identity.entity.";
const GROUPS: &str = "identity.groups.";

impl Identity {
    /// The entity's id.
    #[must_use]
    pub fn with_id(mut self, id: &str) -> Self {
        self.set(format!("{ENTITY}id"), id);
        self
    }

    /// The entity's name.
    #[must_use]
    pub fn with_name(mut self, name: &str) -> Self {
        self.set(format!("{ENTITY}name"), name);
        self
    }

    /// All of the entity's metadata.
    #[must_use]
    pub fn with_metadata(mut self, all: &BTreeMap<String, String>) -> Self {
        self.set_all(&format!("{ENTITY}metadata."), all);
        self
    }

    /// A key of the entity's metadata whose value isn't known.
    #[must_use]
    pub fn with_unknown_metadata(mut self, key: &str) -> Self {
        self.open.insert(format!("{ENTITY}metadata.{key}"));
        self
    }

    /// The alias on the mount with this accessor.
    #[must_use]
    pub fn with_alias(mut self, accessor: &str, alias: &Alias) -> Self {
        let at = format!("{ENTITY}aliases.{accessor}.");
        for (name, value) in [("id", &alias.id), ("name", &alias.name)] {
            if let Some(value) = value {
                self.set(format!("{at}{name}"), value);
            }
        }
        for (name, all) in [
            ("metadata", &alias.metadata),
            ("custom_metadata", &alias.custom_metadata),
        ] {
            if let Some(all) = all {
                self.set_all(&format!("{at}{name}."), all);
            }
        }
        self
    }

    /// The entity has no aliases but those given.
    #[must_use]
    pub fn without_other_aliases(mut self) -> Self {
        self.closed.insert(format!("{ENTITY}aliases."));
        self
    }

    /// A group the entity is in, by inheritance too, with all of its metadata.
    #[must_use]
    pub fn with_group(
        mut self,
        id: Option<&str>,
        name: &str,
        metadata: &BTreeMap<String, String>,
    ) -> Self {
        let mut places = Vec::new();
        // The server reads a name or an id up to the first dot, so one with a dot is never found:
        // no group of a namespace by its id, which ends in a dot and the namespace's own id.
        if !name.contains('.') {
            places.push(format!("{GROUPS}names.{name}."));
        }
        if let Some(id) = id.filter(|id| !id.contains('.')) {
            places.push(format!("{GROUPS}ids.{id}."));
        }
        for place in places {
            self.set(format!("{place}name"), name);
            if let Some(id) = id {
                self.set(format!("{place}id"), id);
            }
            self.set_all(&format!("{place}metadata."), metadata);
        }
        self
    }

    /// The entity is in no groups but those given.
    #[must_use]
    pub fn without_other_groups(mut self) -> Self {
        self.closed.insert(GROUPS.to_owned());
        self
    }

    fn set(&mut self, directive: String, value: &str) {
        // An empty id or name is none.
        if value.is_empty() {
            self.closed.insert(directive);
        } else {
            self.values.insert(directive, value.to_owned());
        }
    }

    fn set_all(&mut self, place: &str, all: &BTreeMap<String, String>) {
        for (key, value) in all {
            self.values.insert(format!("{place}{key}"), value.clone());
        }
        self.closed.insert(place.to_owned());
    }

    fn value(&self, directive: &str) -> Given<'_> {
        if let Some(value) = self.values.get(directive) {
            return Given::Known(value);
        }
        let mut closed = self.closed.iter();
        let closed = closed.any(|place| directive.starts_with(place));
        if closed && !self.open.contains(directive) || !is_directive(directive) {
            Given::Absent
        } else {
            Given::Unknown
        }
    }
}

enum Given<'a> {
    Known(&'a str),
    Absent,
    Unknown,
}

/// Whether a directive can have a value at all.
fn is_directive(directive: &str) -> bool {
    let named = |rest: &str, plain: &[&str], maps: &[&str]| {
        plain.contains(&rest)
            || rest
                .split_once('.')
                .is_some_and(|(map, _)| maps.contains(&map))
    };
    if let Some(rest) = directive.strip_prefix(ENTITY) {
        return match rest.strip_prefix("aliases.") {
            Some(alias) => alias.split_once('.').is_some_and(|(_, rest)| {
                named(rest, &["id", "name"], &["metadata", "custom_metadata"])
            }),
            None => named(rest, &["id", "name"], &["metadata"]),
        };
    }
    if let Some(rest) = directive.strip_prefix(GROUPS) {
        let group = rest
            .strip_prefix("names.")
            .or_else(|| rest.strip_prefix("ids."));
        return group
            .and_then(|group| group.split_once('.'))
            .is_some_and(|(_, rest)| named(rest, &["id", "name"], &["metadata"]));
    }
    directive.starts_with("time.now")
}

/// Whether only the server can make the value up, as a UUID that nobody can have written before.
pub(super) fn is_minted(directive: &str) -> bool {
    // A dot more would be a key of metadata that is called `id`.
    let id_of = |owner: &str| {
        directive
            .strip_prefix(owner)
            .and_then(|rest| rest.strip_suffix(".id"))
            .is_some_and(|name| !name.contains('.'))
    };
    directive == "identity.entity.id"
        || id_of("identity.entity.aliases.")
        || id_of("identity.groups.names.")
}

/// A path with its templates filled in.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Expanded {
    /// What it became. Directives in `unknown` stand in it as they are written.
    Path {
        text: String,
        unknown: BTreeSet<String>,
    },
    /// A value isn't there, so the rule counts for nothing.
    Dropped,
}

/// Fills a path in, from left to right, as the server does; the error says why the server
/// refuses the policy.
pub(super) fn expand(
    path: &str,
    identity: Option<&Identity>,
    templates: Templates,
) -> Result<Expanded, String> {
    let unbalanced = || {
        format!(
            "the path `{}` has a `{{{{` or `}}}}` without its counterpart, which the server refuses",
            safe(path)
        )
    };
    let mut pieces = path.split("{{");
    let mut text = pieces.next().unwrap_or_default().to_owned();
    if text.contains("}}") {
        return Err(unbalanced());
    }
    let mut found = Vec::new();
    for piece in pieces {
        match piece.split("}}").collect::<Vec<_>>().as_slice() {
            [directive, rest] => found.push((directive.trim(), *rest)),
            _ => return Err(unbalanced()),
        }
    }
    let mut unknown = BTreeSet::new();
    for (directive, rest) in found {
        let value = identity.map_or(Given::Absent, |identity| identity.value(directive));
        match value {
            Given::Absent => return Ok(Expanded::Dropped),
            Given::Unknown => {
                let _ = write!(text, "{{{{{directive}}}}}");
                unknown.insert(directive.to_owned());
            }
            Given::Known(value) => {
                if let Some(refused) = templates.refused(value) {
                    return Err(format!(
                        "`{}` is `{}` here, and the server refuses a `{refused}` in the value of a template: every request of the token is denied",
                        safe(directive),
                        safe(value)
                    ));
                }
                text.push_str(value);
            }
        }
        text.push_str(rest);
    }
    Ok(Expanded::Path { text, unknown })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(all: &[(&str, &str)]) -> BTreeMap<String, String> {
        all.iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn known() -> Identity {
        Identity::default()
            .with_id("e-1")
            .with_name("agent.x")
            .with_metadata(&pairs(&[("team", "blue"), ("a.b", "dotted"), ("none", "")]))
            .with_alias(
                "auth_jwt_1",
                &Alias {
                    id: Some("a-1".into()),
                    name: Some("sub".into()),
                    metadata: Some(pairs(&[("role", "r")])),
                    custom_metadata: Some(pairs(&[("cm", "v")])),
                },
            )
            .without_other_aliases()
            .with_group(Some("g-1"), "ops", &pairs(&[("tier", "1")]))
            .with_group(Some("g-2.ns"), "dotted.name", &pairs(&[]))
            .without_other_groups()
    }

    fn path(text: &str, unknown: &[&str]) -> Expanded {
        Expanded::Path {
            text: text.to_owned(),
            unknown: unknown.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn values_that_are_known_are_filled_in() {
        for (template, filled) in [
            ("kv/x", "kv/x"),
            ("kv/{{identity.entity.id}}/*", "kv/e-1/*"),
            ("kv/{{ identity.entity.name }}", "kv/agent.x"),
            ("{{identity.entity.metadata.team}}", "blue"),
            ("{{identity.entity.metadata.a.b}}", "dotted"),
            ("x{{identity.entity.metadata.none}}y", "xy"),
            ("{{identity.entity.aliases.auth_jwt_1.id}}", "a-1"),
            ("{{identity.entity.aliases.auth_jwt_1.name}}", "sub"),
            ("{{identity.entity.aliases.auth_jwt_1.metadata.role}}", "r"),
            (
                "{{identity.entity.aliases.auth_jwt_1.custom_metadata.cm}}",
                "v",
            ),
            ("{{identity.groups.ids.g-1.name}}", "ops"),
            ("{{identity.groups.ids.g-1.id}}", "g-1"),
            ("{{identity.groups.names.ops.id}}", "g-1"),
            ("{{identity.groups.names.ops.name}}", "ops"),
            ("{{identity.groups.names.ops.metadata.tier}}", "1"),
            ("{{identity.groups.ids.g-1.metadata.tier}}", "1"),
            (
                "{{identity.entity.id}}/{{identity.entity.name}}",
                "e-1/agent.x",
            ),
        ] {
            let found = expand(template, Some(&known()), Templates::default());
            assert_eq!(found, Ok(path(filled, &[])), "{template}");
        }
    }

    #[test]
    fn a_value_that_isn_t_there_drops_the_rule() {
        for template in [
            "{{identity.entity.metadata.other}}",
            "{{identity.entity.metadata}}",
            "{{identity.entity.aliases.auth_jwt_2.name}}",
            "{{identity.entity.aliases.auth_jwt_1.metadata.x}}",
            "{{identity.entity.aliases.auth_jwt_1}}",
            "{{identity.entity.groups.names}}",
            "{{identity.groups.names.dotted.name.name}}",
            "{{identity.groups.ids.g-2.ns.name}}",
            "{{identity.groups.names.other.id}}",
            "{{identity.groups.ops.id}}",
            "{{bogus}}",
            "{{}}",
        ] {
            let found = expand(template, Some(&known()), Templates::default());
            assert_eq!(found, Ok(Expanded::Dropped), "{template}");
            assert_eq!(
                expand(template, None, Templates::default()),
                Ok(Expanded::Dropped)
            );
        }
        let nameless = Identity::default().with_name("");
        assert_eq!(
            expand(
                "{{identity.entity.name}}",
                Some(&nameless),
                Templates::default()
            ),
            Ok(Expanded::Dropped)
        );
        // Nonsense is dropped even where nothing is known.
        for template in [
            "{{identity.entity.aliases.x.other}}",
            "{{identity.entity.aliases.x}}",
            "{{identity.entity.other}}",
            "{{identity.entity.metadata}}",
            "{{identity.groups.names.x.other}}",
            "{{identity.groups.x.name}}",
            "{{other}}",
        ] {
            let found = expand(template, Some(&Identity::default()), Templates::default());
            assert_eq!(found, Ok(Expanded::Dropped), "{template}");
        }
    }

    #[test]
    fn a_value_that_isn_t_known_is_told() {
        for directive in [
            "identity.entity.id",
            "identity.entity.name",
            "identity.entity.metadata.x",
            "identity.entity.aliases.acc.id",
            "identity.entity.aliases.acc.metadata.x",
            "identity.entity.aliases.acc.custom_metadata.x",
            "identity.groups.names.n.id",
            "identity.groups.ids.i.name",
            "identity.groups.ids.i.metadata.x",
            "time.now",
        ] {
            let template = format!("kv/{{{{ {directive} }}}}/*");
            let found = expand(&template, Some(&Identity::default()), Templates::default());
            let text = format!("kv/{{{{{directive}}}}}/*");
            assert_eq!(found, Ok(path(&text, &[directive])));
            assert_eq!(
                expand(&template, None, Templates::default()),
                Ok(Expanded::Dropped)
            );
        }
    }

    #[test]
    fn ids_are_minted_and_names_are_chosen() {
        for minted in [
            "identity.entity.id",
            "identity.entity.aliases.acc.id",
            "identity.groups.names.n.id",
        ] {
            assert!(is_minted(minted), "{minted}");
        }
        for chosen in [
            "identity.entity.name",
            "identity.entity.metadata.id",
            "identity.entity.metadata.x.id",
            "identity.entity.aliases.acc.name",
            "identity.entity.aliases.acc.metadata.id",
            "identity.groups.names.n.metadata.id",
            "identity.groups.ids.i.name",
            "time.now",
        ] {
            assert!(!is_minted(chosen), "{chosen}");
        }
    }

    #[test]
    fn what_could_widen_a_path_is_refused() {
        let with = |value: &str| Identity::default().with_metadata(&pairs(&[("v", value)]));
        for value in ["*", "a*", "+", "a+b", "a/*"] {
            for templates in [Templates::default(), Templates::VAULT] {
                let why = expand(
                    "{{identity.entity.metadata.v}}",
                    Some(&with(value)),
                    templates,
                );
                assert!(why.unwrap_err().contains("denied"), "{value}");
            }
        }
        let slash = with("org/repo");
        let template = "kv/{{identity.entity.metadata.v}}";
        assert!(expand(template, Some(&slash), Templates::default()).is_err());
        assert_eq!(
            expand(template, Some(&slash), Templates::VAULT),
            Ok(path("kv/org/repo", &[]))
        );
        for value in ["a b", "..", "é", "{{x}}", "a}}", "%2f"] {
            let found = expand(template, Some(&with(value)), Templates::default());
            assert_eq!(found, Ok(path(&format!("kv/{value}"), &[])), "{value}");
        }
    }

    #[test]
    fn brackets_come_in_pairs() {
        for template in ["{{a", "a}}", "{{a}}b}}", "{{{{a}}", "}}{{", "a}}b{{c}}"] {
            let why = expand(template, Some(&known()), Templates::default()).unwrap_err();
            assert!(why.contains("counterpart"), "{template}: {why}");
        }
    }
}
