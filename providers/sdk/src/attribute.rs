//! Ways to write an attribute of a table of kinds in one line.

use crate::schema::{Attribute, Default, Need, Shape};

/// An attribute the configuration may set, with what the server has otherwise.
pub const fn optional(
    name: &'static str,
    shape: Shape,
    default: Default,
    summary: &'static str,
) -> Attribute {
    Attribute {
        name,
        shape,
        default,
        summary,
        ..Attribute::PLAIN
    }
}

/// One the configuration must set.
pub const fn required(name: &'static str, shape: Shape, summary: &'static str) -> Attribute {
    Attribute {
        need: Need::Required,
        ..optional(name, shape, Default::None, summary)
    }
}

/// One that only the server sets.
pub const fn computed(name: &'static str, shape: Shape, summary: &'static str) -> Attribute {
    Attribute {
        need: Need::Computed,
        ..optional(name, shape, Default::None, summary)
    }
}

/// A part of the key.
pub const fn key(name: &'static str, summary: &'static str) -> Attribute {
    immutable(required(name, Shape::String, summary))
}

/// A bool with a default.
pub const fn bool(name: &'static str, default: bool, summary: &'static str) -> Attribute {
    optional(name, Shape::Bool, Default::Bool(default), summary)
}

/// Text; empty unless set.
pub const fn text(name: &'static str, summary: &'static str) -> Attribute {
    optional(name, Shape::String, Default::String(""), summary)
}

/// A duration in seconds; 0 unless set.
pub const fn seconds(name: &'static str, summary: &'static str) -> Attribute {
    optional(name, Shape::Duration, Default::Integer(0), summary)
}

/// A whole number; 0 unless set.
pub const fn integer(name: &'static str, summary: &'static str) -> Attribute {
    optional(name, Shape::Integer, Default::Integer(0), summary)
}

/// Texts without order; empty unless set.
pub const fn set(name: &'static str, summary: &'static str) -> Attribute {
    optional(name, Shape::Set, Default::EmptySet, summary)
}

/// Texts in order; empty unless set.
pub const fn list(name: &'static str, summary: &'static str) -> Attribute {
    optional(name, Shape::List, Default::EmptyList, summary)
}

/// Texts by name; empty unless set.
pub const fn map(name: &'static str, summary: &'static str) -> Attribute {
    optional(name, Shape::Map, Default::EmptyMap, summary)
}

/// One of these texts.
pub const fn one_of(
    name: &'static str,
    all: &'static [&'static str],
    default: &'static str,
    summary: &'static str,
) -> Attribute {
    optional(name, Shape::OneOf(all), Default::String(default), summary)
}

/// A change of it is a replace.
pub const fn immutable(attribute: Attribute) -> Attribute {
    Attribute {
        immutable: true,
        ..attribute
    }
}

/// Changes without anybody writing it.
pub const fn volatile(attribute: Attribute) -> Attribute {
    Attribute {
        volatile: true,
        ..attribute
    }
}

/// Holds the names of grants.
pub const fn grants(attribute: Attribute) -> Attribute {
    Attribute {
        grants: true,
        ..attribute
    }
}

/// Decides who is let in.
pub const fn admits(attribute: Attribute) -> Attribute {
    Attribute {
        admits: true,
        ..attribute
    }
}

/// Refers to what takes the object along when it is removed.
pub const fn lives_with(attribute: Attribute) -> Attribute {
    Attribute {
        lives_with: true,
        ..attribute
    }
}

/// Refers to an object of this kind, which can't be removed while this one refers to it; `anew`:
/// this one is made anew with it.
pub const fn holds(kind: &'static str, anew: bool, attribute: Attribute) -> Attribute {
    Attribute {
        holds: Some(crate::schema::Holds { kind, anew }),
        ..attribute
    }
}

/// Its drift can't be made or seen in a test, and why.
pub const fn untested(attribute: Attribute, why: &'static str) -> Attribute {
    Attribute {
        untested: Some(why),
        ..attribute
    }
}

/// Takes a secret.
pub const fn write_only(name: &'static str, summary: &'static str) -> Attribute {
    Attribute {
        write_only: true,
        unverifiable: Some("the server never tells it"),
        ..optional(name, Shape::String, Default::None, summary)
    }
}

/// A parameter of the request that the server acts on and forgets.
pub const fn request_only(name: &'static str, default: bool, summary: &'static str) -> Attribute {
    Attribute {
        unverifiable: Some("a parameter of the request; the server does not keep it"),
        ..bool(name, default, summary)
    }
}
