//! The one integration-test binary.

mod access_order;
