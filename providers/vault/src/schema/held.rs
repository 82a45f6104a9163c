//! Kinds that nobody declares: what is read of others to know what somebody can do.

use remit_sdk::Kind;
use remit_sdk::attribute::{computed, key};
use remit_sdk::schema::{Role, Shape};

/// Read under an entity's id, and told as the entity that it is.
pub(crate) const ENTITY_BY_ID: &str = "vault_entity_by_id";

/// The kinds that are only looked at.
pub fn held() -> &'static [Kind] {
    &HELD
}

static HELD: [Kind; 2] = [
    Kind {
        name: "vault_group",
        version: 1,
        summary: "A group of entities, with policies of its members",
        key: "{id}",
        container: None,
        role: Role::Subject,
        mark: None,
        attributes: &[
            key("id", "Its id"),
            computed("name", Shape::String, "Its name"),
            computed("type", Shape::String, "`internal` or `external`"),
            computed("policies", Shape::Set, "Policies of its members"),
            computed("metadata", Shape::Map, "What is known about it"),
        ],
        computed_from: &[],
        requests: "One GET for each group that an entity is in.",
    },
    Kind {
        name: ENTITY_BY_ID,
        version: 1,
        summary: "An entity of which only the id is known",
        key: "{id}",
        container: None,
        role: Role::Subject,
        mark: None,
        attributes: &[
            key("id", "Its id"),
            computed("name", Shape::String, "Its name"),
        ],
        computed_from: &[],
        requests: "One GET for each.",
    },
];
