//! The kinds of the memory provider: one of each role, and among them every property that an
//! attribute can have.

use remit_sdk::schema::{Attribute, Container, Default, Kind, Need, Role, Shape};

const NAME: Attribute = Attribute {
    name: "name",
    need: Need::Required,
    immutable: true,
    summary: "Its name.",
    ..Attribute::PLAIN
};

/// All kinds.
pub static KINDS: &[Kind] = &[
    Kind {
        name: "memory_box",
        version: 1,
        summary: "A box, in which items lie.",
        key: "{name}",
        container: None,
        role: Role::Container,
        mark: Some("a note on the box"),
        attributes: &[
            NAME,
            Attribute {
                name: "note",
                default: Default::String(""),
                summary: "Anything.",
                ..Attribute::PLAIN
            },
            Attribute {
                name: "accessor",
                need: Need::Computed,
                summary: "What the server calls it.",
                ..Attribute::PLAIN
            },
        ],
        computed_from: &[],
        requests: "one bulk read for all; one write",
    },
    Kind {
        name: "memory_item",
        version: 1,
        summary: "An item in a box, to which rules are attached.",
        key: "box/{box}/item/{name}",
        container: Some(Container {
            kind: "memory_box",
            attribute: "box",
            takes_along: true,
        }),
        role: Role::Subject,
        mark: Some("a note on the item"),
        attributes: &[
            Attribute {
                name: "box",
                need: Need::Required,
                immutable: true,
                summary: "The box it lies in.",
                ..Attribute::PLAIN
            },
            NAME,
            Attribute {
                name: "id",
                need: Need::Computed,
                summary: "Its id: another for each item that is made.",
                ..Attribute::PLAIN
            },
            Attribute {
                name: "note",
                summary: "Anything; the server has none unless it is set.",
                ..Attribute::PLAIN
            },
            Attribute {
                name: "size",
                shape: Shape::Integer,
                immutable: true,
                summary: "How large it is, for good.",
                ..Attribute::PLAIN
            },
            Attribute {
                name: "enabled",
                shape: Shape::Bool,
                default: Default::Bool(true),
                summary: "Whether it counts.",
                ..Attribute::PLAIN
            },
            Attribute {
                name: "ttl",
                shape: Shape::Duration,
                default: Default::Integer(0),
                summary: "How long it is kept, in seconds; 0 is for ever.",
                ..Attribute::PLAIN
            },
            Attribute {
                name: "labels",
                shape: Shape::Map,
                default: Default::EmptyMap,
                summary: "Labels.",
                ..Attribute::PLAIN
            },
            Attribute {
                name: "rules",
                shape: Shape::Set,
                default: Default::EmptySet,
                grants: true,
                summary: "Names of the rules that are attached.",
                ..Attribute::PLAIN
            },
            Attribute {
                name: "reads",
                shape: Shape::Integer,
                need: Need::Computed,
                volatile: true,
                summary: "How often it was read.",
                ..Attribute::PLAIN
            },
        ],
        computed_from: &[],
        requests: "one bulk read for all; one write",
    },
    Kind {
        name: "memory_pass",
        version: 1,
        summary: "Lets a workload in as an item.",
        key: "pass/{name}",
        container: None,
        role: Role::Binding,
        mark: None,
        attributes: &[
            NAME,
            Attribute {
                name: "item",
                need: Need::Required,
                summary: "The id of the item.",
                ..Attribute::PLAIN
            },
            Attribute {
                name: "audiences",
                shape: Shape::Set,
                need: Need::Required,
                summary: "For whom tokens must be made.",
                ..Attribute::PLAIN
            },
            Attribute {
                name: "claims",
                shape: Shape::MapOfSets,
                default: Default::EmptyMap,
                summary: "Claims that must hold one of the values.",
                ..Attribute::PLAIN
            },
            Attribute {
                name: "order",
                shape: Shape::List,
                default: Default::EmptyList,
                summary: "Texts whose order counts.",
                ..Attribute::PLAIN
            },
            Attribute {
                name: "mode",
                shape: Shape::OneOf(&["closed", "open"]),
                default: Default::String("closed"),
                summary: "Whether unknown claims are let through.",
                ..Attribute::PLAIN
            },
            Attribute {
                name: "password",
                write_only: true,
                summary: "What opens it besides a token.",
                ..Attribute::PLAIN
            },
        ],
        computed_from: &[],
        requests: "one bulk read for all; one write",
    },
    Kind {
        name: "memory_rule",
        version: 1,
        summary: "Says what may be done.",
        key: "rule/{name}",
        container: None,
        role: Role::Grant,
        mark: None,
        attributes: &[
            NAME,
            Attribute {
                name: "text",
                shape: Shape::Policy,
                need: Need::Required,
                summary: "What may be done: one permission on each line, in any order.",
                ..Attribute::PLAIN
            },
        ],
        computed_from: &[],
        requests: "one bulk read for all; one write",
    },
];
