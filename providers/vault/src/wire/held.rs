//! Where the kinds that are only looked at live.

use super::Wire;

/// Kinds that are only looked at, in the order of `schema::held`.
pub(super) static HELD: [Wire; 2] = [
    Wire {
        kind: "vault_group",
        path: "identity/group/id/{id}",
        list: None,
        fields: &[],
        unstable: &[],
        always: &["id", "name", "type"],
        always_or_null: &["policies", "metadata"],
        free: &[],
    },
    Wire {
        kind: "vault_entity_by_id",
        path: "identity/entity/id/{id}",
        list: None,
        fields: &[],
        unstable: &[],
        always: &["id", "name"],
        always_or_null: &[],
        free: &[],
    },
];
