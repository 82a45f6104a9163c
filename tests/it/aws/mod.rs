//! Against a strict AWS: moto behind a proxy that refuses what AWS refuses.

mod moto;
pub(crate) mod shim;
mod shim_test;
