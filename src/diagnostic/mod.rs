//! Diagnostics at the edge: the source map that spans point into, and rendering for people and
//! machines. The plain data is [`remit_sdk::Diagnostic`].

mod source;

pub use remit_sdk::{Diagnostic, Label, Severity};
pub use source::{SourceFile, SourceMap};
