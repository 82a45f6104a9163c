//! What tests share: keys, a configuration's folder and the program run in it.

pub(crate) mod keys;
pub(crate) mod workspace;
