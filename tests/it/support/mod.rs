//! What tests share: keys, servers, a configuration's folder and the program run in it.

pub(crate) mod canary;
pub(crate) mod guard;
pub(crate) mod keys;
pub(crate) mod postgres;
pub(crate) mod proxy;
mod server_test;
pub(crate) mod workspace;
