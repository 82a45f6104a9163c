//! What tests share: keys, servers, a configuration's folder and the program run in it.

pub(crate) mod canary;
pub(crate) mod guard;
pub(crate) mod keys;
pub(crate) mod postgres;
pub(crate) mod proxy;
mod server_test;
pub(crate) mod workspace;

/// A text with its words one space apart: where lines end says nothing.
pub(crate) fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
