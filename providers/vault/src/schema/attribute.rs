//! Ways to write an attribute of the table in one line.

use remit_sdk::Attribute;
use remit_sdk::schema::{Default, Need, Shape};

pub(super) const fn optional(
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

pub(super) const fn required(name: &'static str, shape: Shape, summary: &'static str) -> Attribute {
    Attribute {
        need: Need::Required,
        ..optional(name, shape, Default::None, summary)
    }
}

pub(super) const fn computed(name: &'static str, shape: Shape, summary: &'static str) -> Attribute {
    Attribute {
        need: Need::Computed,
        ..optional(name, shape, Default::None, summary)
    }
}

/// A part of the key.
pub(super) const fn key(name: &'static str, summary: &'static str) -> Attribute {
    immutable(required(name, Shape::String, summary))
}

pub(super) const fn bool(name: &'static str, default: bool, summary: &'static str) -> Attribute {
    optional(name, Shape::Bool, Default::Bool(default), summary)
}

pub(super) const fn text(name: &'static str, summary: &'static str) -> Attribute {
    optional(name, Shape::String, Default::String(""), summary)
}

pub(super) const fn seconds(name: &'static str, summary: &'static str) -> Attribute {
    optional(name, Shape::Duration, Default::Integer(0), summary)
}

pub(super) const fn integer(name: &'static str, summary: &'static str) -> Attribute {
    optional(name, Shape::Integer, Default::Integer(0), summary)
}

pub(super) const fn set(name: &'static str, summary: &'static str) -> Attribute {
    optional(name, Shape::Set, Default::EmptySet, summary)
}

pub(super) const fn list(name: &'static str, summary: &'static str) -> Attribute {
    optional(name, Shape::List, Default::EmptyList, summary)
}

pub(super) const fn map(name: &'static str, summary: &'static str) -> Attribute {
    optional(name, Shape::Map, Default::EmptyMap, summary)
}

pub(super) const fn one_of(
    name: &'static str,
    all: &'static [&'static str],
    default: &'static str,
    summary: &'static str,
) -> Attribute {
    optional(name, Shape::OneOf(all), Default::String(default), summary)
}

pub(super) const fn immutable(attribute: Attribute) -> Attribute {
    Attribute {
        immutable: true,
        ..attribute
    }
}

pub(super) const fn volatile(attribute: Attribute) -> Attribute {
    Attribute {
        volatile: true,
        ..attribute
    }
}

pub(super) const fn grants(attribute: Attribute) -> Attribute {
    Attribute {
        grants: true,
        ..attribute
    }
}

/// Decides who is let in.
pub(super) const fn admits(attribute: Attribute) -> Attribute {
    Attribute {
        admits: true,
        ..attribute
    }
}

pub(super) const fn untested(attribute: Attribute, why: &'static str) -> Attribute {
    Attribute {
        untested: Some(why),
        ..attribute
    }
}

pub(super) const fn write_only(name: &'static str, summary: &'static str) -> Attribute {
    Attribute {
        write_only: true,
        unverifiable: Some("the server never tells it"),
        ..optional(name, Shape::String, Default::None, summary)
    }
}

/// A parameter of the request that the server acts on and forgets.
pub(super) const fn request_only(
    name: &'static str,
    default: bool,
    summary: &'static str,
) -> Attribute {
    Attribute {
        unverifiable: Some("a parameter of the request; the server does not keep it"),
        ..bool(name, default, summary)
    }
}
