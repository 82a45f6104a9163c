//! Policy documents.

use remit_sdk::Value;

/// Whether two documents mean the same.
pub fn same(wanted: &Value, live: &Value) -> bool {
    wanted == live
}
