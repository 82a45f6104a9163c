//! A provider's kinds as tables: from them come validation, reading, diffing, writing and the
//! reference pages, so that a new kind is a table entry.

use std::collections::BTreeMap;

use crate::value::Value;

/// One kind of live object.
#[derive(Debug)]
pub struct Kind {
    /// `vault_policy`.
    pub name: &'static str,
    /// Raised when attributes change meaning: recorded attributes of another version count as
    /// missing.
    pub version: u32,
    /// What it is, in one sentence.
    pub summary: &'static str,
    /// What tells one object from another and what `import` takes, with the attributes that
    /// make it up in braces: `auth/{mount}/role/{name}`. Those attributes are immutable.
    pub key: &'static str,
    /// The object it lives and dies with.
    pub container: Option<Container>,
    /// What it does to access; decides when its steps run.
    pub role: Role,
    /// Where the ownership mark is held; `None` where the kind has no place for one.
    pub mark: Option<&'static str>,
    /// All attributes, those of the key included.
    pub attributes: &'static [Attribute],
    /// The attributes that computed ones follow from, where [`crate::Lower::computed`] knows any
    /// without a server.
    pub computed_from: &'static [&'static str],
    /// What reading and writing it costs, for the reference page.
    pub requests: &'static str,
}

/// The object that another lives in.
#[derive(Debug)]
pub struct Container {
    /// Its kind; that kind's key is one attribute alone.
    pub kind: &'static str,
    /// The attribute of the contained kind that holds the container's key.
    pub attribute: &'static str,
    /// Whether deleting the container deletes what it holds. Otherwise what it holds must go
    /// first.
    pub takes_along: bool,
}

/// What an object does to access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Holds other objects (a mount).
    Container,
    /// Configuration that lets nobody in by itself.
    Config,
    /// Who is given access (an entity).
    Subject,
    /// Lets a workload in (a login role, an alias, a trust policy).
    Binding,
    /// Says what may be done (a policy).
    Grant,
}

/// What an object that another one refers to can't be removed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holds {
    /// The kind of the object referred to.
    pub kind: &'static str,
    /// Whether this one is made anew with it; otherwise making that one anew is refused.
    pub anew: bool,
}

/// One attribute of a kind.
#[derive(Clone, Copy, Debug)]
pub struct Attribute {
    /// Its name, in the configuration, in plans and in the state.
    pub name: &'static str,
    /// The shape of its value.
    pub shape: Shape,
    /// Who gives it.
    pub need: Need,
    /// What the server has when nobody sets it.
    pub default: Default,
    /// A change of it is a replace.
    pub immutable: bool,
    /// Takes a secret: sent, never read back, never recorded; `NAME_version` stands beside it.
    pub write_only: bool,
    /// Can't be compared with what is live, and why.
    pub unverifiable: Option<&'static str>,
    /// Its drift can't be made or seen in a test on a real server, and why.
    pub untested: Option<&'static str>,
    /// Changes without anybody writing it (a counter, a time): not part of the fingerprint.
    pub volatile: bool,
    /// Holds the names of grants: taking one away narrows, adding one widens. Of a binding: says
    /// what its grants can give at most.
    pub grants: bool,
    /// Decides who is let in: while it changes, grants that change too are detached.
    pub admits: bool,
    /// Refers to an object that takes this one along when it is removed, as an entity takes its
    /// aliases.
    pub lives_with: bool,
    /// Refers to an object that can't be removed while this one refers to it.
    pub holds: Option<Holds>,
    /// Whether two normal forms mean the same, where being equal says too little: what is wanted
    /// or recorded, then what is live.
    pub same: Option<fn(&Value, &Value) -> bool>,
    /// Once it is no longer set it is left alone, where others are reset: setting it asked for
    /// others' things to be removed.
    pub lets_go: bool,
    /// What it is, in one sentence, with its unit.
    pub summary: &'static str,
}

/// An optional string without default: what the others are written as a variation of.
impl Attribute {
    /// The plainest attribute, to be changed with struct update syntax.
    pub const PLAIN: Self = Self {
        name: "",
        shape: Shape::String,
        need: Need::Optional,
        default: Default::None,
        immutable: false,
        write_only: false,
        unverifiable: None,
        untested: None,
        volatile: false,
        grants: false,
        admits: false,
        lives_with: false,
        holds: None,
        same: None,
        lets_go: false,
        summary: "",
    };
}

/// The shape of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// True or false.
    Bool,
    /// A whole number.
    Integer,
    /// Seconds; written as a number or as `15m`, `1h30m`, `30d`.
    Duration,
    /// Text.
    String,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// Texts in order.
    List,
    /// Texts without order.
    Set,
    /// Texts by name.
    Map,
    /// Sets of texts by name; a single text stands for a set of one.
    MapOfSets,
    /// A policy document, compared in meaning.
    Policy,
}

/// Who gives an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// The configuration must.
    Required,
    /// The configuration may.
    Optional,
    /// The server alone.
    Computed,
}

/// A value a server has when nobody sets one, as a constant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Default {
    /// The server picks; an omitted attribute is left alone unless remit set it before.
    None,
    /// A bool.
    Bool(bool),
    /// An integer, or seconds.
    Integer(i64),
    /// A string.
    String(&'static str),
    /// An empty list.
    EmptyList,
    /// An empty set.
    EmptySet,
    /// A set of one text.
    SetOf(&'static [&'static str]),
    /// An empty map.
    EmptyMap,
}

impl Default {
    /// The value, if there is one.
    pub fn value(self) -> Option<Value> {
        Some(match self {
            Self::None => return None,
            Self::Bool(b) => Value::Bool(b),
            Self::Integer(n) => Value::integer(n),
            Self::String(text) => Value::string(text),
            Self::EmptyList => Value::List(Vec::new()),
            Self::EmptySet => Value::strings::<_, &str>([]),
            Self::SetOf(all) => Value::strings(all.iter().copied()),
            Self::EmptyMap => Value::Map(BTreeMap::new()),
        })
    }
}

impl Shape {
    /// What unsets an attribute of this shape that has no default.
    pub fn zero(self) -> Value {
        match self {
            Self::Bool => Value::Bool(false),
            Self::Integer | Self::Duration => Value::integer(0),
            Self::String | Self::OneOf(_) | Self::Policy => Value::string(""),
            Self::List => Value::List(Vec::new()),
            Self::Set => Value::strings::<_, &str>([]),
            Self::Map | Self::MapOfSets => Value::Map(BTreeMap::new()),
        }
    }

    /// What a message or a reference page calls it.
    pub fn describe(self) -> String {
        match self {
            Self::Bool => "bool".into(),
            Self::Integer => "integer".into(),
            Self::Duration => "duration (`15m`, or seconds)".into(),
            Self::String => "string".into(),
            Self::OneOf(all) => all
                .iter()
                .map(|text| format!("`\"{text}\"`"))
                .collect::<Vec<_>>()
                .join(" or "),
            Self::List => "list of strings".into(),
            Self::Set => "set of strings".into(),
            Self::Map => "map of strings".into(),
            Self::MapOfSets => "map of sets of strings".into(),
            Self::Policy => "policy document".into(),
        }
    }
}

impl Kind {
    /// The attribute of this name.
    pub fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        self.attributes
            .iter()
            .find(|attribute| attribute.name == name)
    }

    /// The write-only attribute that `name` is the version of: `password` for `password_version`.
    pub fn versioned(&self, name: &str) -> Option<&'static Attribute> {
        self.attribute(name.strip_suffix("_version")?)
            .filter(|attribute| attribute.write_only)
    }

    /// Names of the attributes that make up the key, in its order.
    pub fn key_attributes(&self) -> impl Iterator<Item = &'static str> {
        self.key
            .split('{')
            .skip(1)
            .filter_map(|piece| piece.split_once('}').map(|(name, _)| name))
    }

    /// The key of an object with these attributes; `None` where one of the key's is missing or
    /// is no known text.
    pub fn key_of(&self, attributes: &BTreeMap<String, Value>) -> Option<String> {
        let mut key = String::new();
        for piece in self.key.split_inclusive('}') {
            match piece.split_once('{') {
                Some((literal, name)) => {
                    key.push_str(literal);
                    key.push_str(attributes.get(name.trim_end_matches('}'))?.as_str()?);
                }
                None => key.push_str(piece),
            }
        }
        Some(key)
    }

    /// The attributes that a key is made of: the inverse of [`Kind::key_of`]. Every attribute
    /// but the last takes as little as it can, the last takes the rest; one directly before
    /// another takes everything up to the last slash.
    pub fn parse_key(&self, key: &str) -> Option<BTreeMap<String, Value>> {
        let mut found = BTreeMap::new();
        let (literal, mut template) = self.key.split_once('{').unwrap_or((self.key, ""));
        let mut rest = key.strip_prefix(literal)?;
        while let Some((name, after)) = template.split_once('}') {
            let (literal, next) = after.split_once('{').unwrap_or((after, ""));
            let value = if literal.is_empty() && !next.is_empty() {
                // Directly before another: a path, up to its last slash.
                let (value, after) = rest.split_at_checked(rest.rfind('/')? + 1)?;
                rest = after;
                value
            } else if literal.is_empty() {
                std::mem::take(&mut rest)
            } else {
                let (value, after) = rest.split_once(literal)?;
                rest = after;
                value
            };
            if value.is_empty() {
                return None;
            }
            found.insert(name.to_owned(), Value::string(value));
            template = next;
        }
        rest.is_empty().then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: Kind = Kind {
        name: "role",
        version: 1,
        summary: "",
        key: "auth/{mount}/role/{name}",
        container: None,
        role: Role::Binding,
        mark: None,
        attributes: &[],
        computed_from: &[],
        requests: "",
    };

    const POLICY: Kind = Kind {
        key: "policy{path}{name}",
        ..ROLE
    };

    #[test]
    fn keys_are_made_and_read() {
        let parts = ROLE.parse_key("auth/eu/prod/role/x").unwrap();
        assert_eq!(parts["mount"], Value::string("eu/prod"));
        assert_eq!(parts["name"], Value::string("x"));
        assert_eq!(ROLE.key_of(&parts).as_deref(), Some("auth/eu/prod/role/x"));
        assert_eq!(ROLE.key_attributes().collect::<Vec<_>>(), ["mount", "name"]);
        let parts = POLICY.parse_key("policy/a/b/x").unwrap();
        assert_eq!(parts["path"], Value::string("/a/b/"));
        assert_eq!(parts["name"], Value::string("x"));
        assert_eq!(POLICY.key_of(&parts).as_deref(), Some("policy/a/b/x"));
        assert!(POLICY.parse_key("policyx").is_none());
        for wrong in ["", "auth/", "auth/x/role/", "auth//role/y", "kv/x/role/y"] {
            assert!(ROLE.parse_key(wrong).is_none(), "{wrong}");
        }
    }
}
