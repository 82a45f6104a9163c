//! Names of declarations and of the objects they become.
//!
//! A declaration is `module.m.kind.name["key"]`. An object is
//! `DECLARATION[@alias]/KIND[/PART]`: the declaration that caused it, the provider instance when
//! it is not the default one, its kind, and, where one declaration makes several of a kind, the
//! part, which is itself an address or a label. Both have exactly one text form, and that form
//! parses back to the same address.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A block of the configuration, or one instance of it under `for_each`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeclarationAddress {
    /// Labels of the modules around it, outermost first.
    pub module: Vec<String>,
    /// `identity`, `scope`, …; for a `resource` block its kind, such as `vault_policy`.
    pub kind: String,
    /// The block's label.
    pub name: String,
    /// The `for_each` key.
    pub key: Option<String>,
}

impl DeclarationAddress {
    /// A declaration in the root module, without a key.
    pub fn new(kind: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            module: Vec::new(),
            kind: kind.into(),
            name: name.into(),
            key: None,
        }
    }

    /// The same declaration with a `for_each` key.
    #[must_use]
    pub fn with_key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// The block this is an instance of: the same address without its key.
    #[must_use]
    pub fn block(&self) -> Self {
        Self {
            key: None,
            ..self.clone()
        }
    }

    /// An object of this declaration at the default provider instance.
    pub fn object(&self, kind: impl Into<String>) -> ObjectAddress {
        ObjectAddress {
            declaration: self.clone(),
            alias: None,
            kind: kind.into(),
            part: None,
        }
    }
}

impl fmt::Display for DeclarationAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for module in &self.module {
            write!(f, "module.{module}.")?;
        }
        write!(f, "{}.{}", self.kind, self.name)?;
        if let Some(key) = &self.key {
            f.write_str("[\"")?;
            for c in key.chars() {
                match c {
                    '"' | '\\' => write!(f, "\\{c}")?,
                    '\n' => f.write_str("\\n")?,
                    c if c.is_control() => write!(f, "\\u{{{:x}}}", c as u32)?,
                    c => write!(f, "{c}")?,
                }
            }
            f.write_str("\"]")?;
        }
        Ok(())
    }
}

/// A live object that a declaration stands for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectAddress {
    /// The declaration that caused it.
    pub declaration: DeclarationAddress,
    /// The alias of the provider instance; `None` for the default one.
    pub alias: Option<String>,
    /// The kind, such as `vault_policy`.
    pub kind: String,
    /// Which one, where the declaration makes several of the kind.
    pub part: Option<String>,
}

impl ObjectAddress {
    /// The same object at another provider instance.
    #[must_use]
    pub fn with_alias(mut self, alias: Option<String>) -> Self {
        self.alias = alias;
        self
    }

    /// The same declaration and kind, one part of it.
    #[must_use]
    pub fn with_part(mut self, part: impl Into<String>) -> Self {
        self.part = Some(part.into());
        self
    }
}

impl fmt::Display for ObjectAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.declaration)?;
        if let Some(alias) = &self.alias {
            write!(f, "@{alias}")?;
        }
        write!(f, "/{}", self.kind)?;
        if let Some(part) = &self.part {
            write!(f, "/{part}")?;
        }
        Ok(())
    }
}

/// What a person may name on the command line: a declaration, meaning all its objects, or one
/// object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// A block, or one instance of it.
    Declaration(DeclarationAddress),
    /// One live object.
    Object(ObjectAddress),
}

impl Address {
    /// Whether `object` is what this address names: the object itself, an object of the
    /// declaration, or an object of any instance of the block.
    pub fn covers(&self, object: &ObjectAddress) -> bool {
        match self {
            Self::Object(address) => address == object,
            Self::Declaration(address) if address.key.is_some() => *address == object.declaration,
            Self::Declaration(address) => *address == object.declaration.block(),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Declaration(address) => address.fmt(f),
            Self::Object(address) => address.fmt(f),
        }
    }
}

/// Why a text is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no address: {why}")]
pub struct AddressError {
    text: String,
    why: &'static str,
}

/// Whether `text` may be a label: a lower-case letter, then lower-case letters, digits and `_`.
pub fn is_label(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_lowercase())
        && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// Reads one label from the front of `rest`.
fn take_label<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let end = rest
        .find(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'))
        .unwrap_or(rest.len());
    let (label, after) = rest.split_at_checked(end)?;
    is_label(label).then(|| {
        *rest = after;
        label
    })
}

/// Reads `["key"]` from the front of `rest`, if it begins with `[`.
fn take_key(rest: &mut &str) -> Result<Option<String>, &'static str> {
    let Some(inner) = rest.strip_prefix('[') else {
        return Ok(None);
    };
    let inner = inner
        .strip_prefix('"')
        .ok_or("a key is written [\"key\"]")?;
    let mut key = String::new();
    let mut chars = inner.char_indices();
    while let Some((index, c)) = chars.next() {
        match c {
            '"' => {
                let after = inner.get(index + 1..).unwrap_or_default();
                *rest = after.strip_prefix(']').ok_or("the key's `]` is missing")?;
                return Ok(Some(key));
            }
            '\\' => match chars.next().map(|(_, c)| c) {
                Some('n') => key.push('\n'),
                Some('u') => {
                    let hex: String = chars
                        .by_ref()
                        .map(|(_, c)| c)
                        .skip_while(|c| *c == '{')
                        .take_while(|c| *c != '}')
                        .collect();
                    let c = u32::from_str_radix(&hex, 16).ok().and_then(char::from_u32);
                    key.push(c.ok_or("an escape in the key names no character")?);
                }
                Some(c @ ('"' | '\\')) => key.push(c),
                _ => return Err("an unknown escape in the key"),
            },
            c => key.push(c),
        }
    }
    Err("the key's closing quote is missing")
}

/// Reads a declaration address from the front of `rest`.
fn take_declaration(rest: &mut &str) -> Result<DeclarationAddress, &'static str> {
    const SHAPE: &str = "a declaration is written KIND.NAME or KIND.NAME[\"key\"]";
    let mut module = Vec::new();
    loop {
        let kind = take_label(rest).ok_or(SHAPE)?;
        *rest = rest.strip_prefix('.').ok_or(SHAPE)?;
        let name = take_label(rest).ok_or(SHAPE)?;
        if kind == "module" {
            *rest = rest
                .strip_prefix('.')
                .ok_or("a module holds declarations: module.m.KIND.NAME")?;
            module.push(name.to_owned());
            continue;
        }
        let key = take_key(rest)?;
        return Ok(DeclarationAddress {
            module,
            kind: kind.into(),
            name: name.into(),
            key,
        });
    }
}

fn parse(text: &str) -> Result<Address, &'static str> {
    let mut rest = text;
    let declaration = take_declaration(&mut rest)?;
    let mut alias = None;
    if let Some(after) = rest.strip_prefix('@') {
        rest = after;
        alias = Some(
            take_label(&mut rest)
                .ok_or("the alias after `@` is missing")?
                .to_owned(),
        );
    }
    if rest.is_empty() && alias.is_none() {
        return Ok(Address::Declaration(declaration));
    }
    rest = rest
        .strip_prefix('/')
        .ok_or("an object is written DECLARATION/KIND")?;
    let kind = take_label(&mut rest)
        .ok_or("the kind after `/` is missing")?
        .to_owned();
    let part = match rest.strip_prefix('/') {
        Some("") => return Err("the part after the second `/` is missing"),
        Some(part) => Some(part.to_owned()),
        None if rest.is_empty() => None,
        None => return Err("something follows the kind"),
    };
    Ok(Address::Object(ObjectAddress {
        declaration,
        alias,
        kind,
        part,
    }))
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).map_err(|why| AddressError {
            text: crate::text::safe(text),
            why,
        })
    }
}

impl FromStr for DeclarationAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse()? {
            Address::Declaration(address) => Ok(address),
            Address::Object(_) => Err(AddressError {
                text: crate::text::safe(text),
                why: "this is an object, and a declaration is wanted",
            }),
        }
    }
}

impl FromStr for ObjectAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse()? {
            Address::Object(address) => Ok(address),
            Address::Declaration(_) => Err(AddressError {
                text: crate::text::safe(text),
                why: "this is a declaration, and one of its objects is wanted: DECLARATION/KIND",
            }),
        }
    }
}

macro_rules! as_text {
    ($type:ty) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
as_text!(DeclarationAddress);
as_text!(ObjectAddress);
as_text!(Address);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_forms() {
        let identity = DeclarationAddress::new("identity", "x").with_key("prod");
        let object = identity
            .object("vault_policy")
            .with_alias(Some("eu".into()))
            .with_part("scope.s");
        assert_eq!(
            object.to_string(),
            "identity.x[\"prod\"]@eu/vault_policy/scope.s"
        );
        assert_eq!(object.to_string().parse::<ObjectAddress>(), Ok(object));
    }

    #[test]
    fn refused() {
        for text in [
            "",
            "x",
            "x.",
            "X.y",
            "x.y[0]",
            "x.y[\"a\"",
            "x.y@",
            "x.y/",
            "x.y@a",
            "module.m",
            "x.y/k/",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_block_covers_its_instances() {
        let object = DeclarationAddress::new("identity", "x")
            .with_key("prod")
            .object("vault_entity");
        let covers = |text: &str| text.parse::<Address>().unwrap().covers(&object);
        assert!(covers("identity.x"));
        assert!(covers("identity.x[\"prod\"]"));
        assert!(covers("identity.x[\"prod\"]/vault_entity"));
        assert!(!covers("identity.x[\"dev\"]"));
        assert!(!covers("identity.x[\"prod\"]/vault_policy"));
    }

    proptest! {
        #[test]
        fn every_address_reads_back(
            module in prop::collection::vec("[a-z][a-z0-9_]{0,5}", 0..3),
            kind in "[a-z][a-z0-9_]{0,8}", name in "[a-z][a-z0-9_]{0,8}",
            key in prop::option::of(any::<String>()),
            alias in prop::option::of("[a-z][a-z0-9_]{0,5}"),
            part in prop::option::of("[^\u{0}]{1,10}"),
        ) {
            prop_assume!(kind != "module");
            let declaration = DeclarationAddress { module, kind, name, key };
            prop_assert_eq!(declaration.to_string().parse::<DeclarationAddress>(), Ok(declaration.clone()));
            let object = ObjectAddress { declaration, alias, kind: "k".into(), part };
            prop_assert_eq!(object.to_string().parse::<ObjectAddress>(), Ok(object));
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = text.parse::<Address>();
        }
    }
}
