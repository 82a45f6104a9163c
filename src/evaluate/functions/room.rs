//! What one call may build, counted before it is built.
//!
//! Arguments are small, but `setproduct`, `format("%999999999d", 1)` or `join` with a long
//! separator make much of little. Every function whose result isn't bounded by the size of its
//! arguments takes room for each part first.

use remit_sdk::Value;

use super::FunctionError;

/// Bytes one call may build: what a value may have in the language, since more couldn't be used.
pub(super) const RESULT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// What is left of it.
pub(super) struct Room {
    left: usize,
}

impl Room {
    pub(super) const fn new() -> Self {
        Self {
            left: RESULT_BYTES_MAX,
        }
    }

    /// Takes room for `bytes` bytes.
    pub(super) fn take(&mut self, bytes: usize) -> Result<(), FunctionError> {
        self.left = self.left.checked_sub(bytes).ok_or_else(|| {
            FunctionError::new(format!(
                "the result would be larger than {RESULT_BYTES_MAX} bytes"
            ))
        })?;
        Ok(())
    }

    /// Takes room for a copy of `value`.
    pub(super) fn take_value(&mut self, value: &Value) -> Result<(), FunctionError> {
        self.take(size(value))
    }

    /// Takes room for `text` as a value of its own.
    pub(super) fn take_text(&mut self, text: &str) -> Result<(), FunctionError> {
        self.take(size_of::<Value>().saturating_add(text.len()))
    }

    /// `text` as a value, if there is room for it.
    pub(super) fn text(&mut self, text: &str) -> Result<Value, FunctionError> {
        self.take_text(text)?;
        Ok(Value::string(text))
    }
}

/// The bytes a value takes, roughly.
pub(super) fn size(value: &Value) -> usize {
    let mut bytes = 0_usize;
    value.walk(&mut |value| {
        let own = match value {
            Value::String(text) => text.len(),
            Value::Map(all) => all.keys().map(String::len).sum(),
            _ => 0,
        };
        bytes = bytes.saturating_add(own).saturating_add(size_of::<Value>());
    });
    bytes
}
