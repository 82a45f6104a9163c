//! The one integration-test binary.

#![cfg(test)] // so that the lints know helpers of tests from other code

mod structure;
