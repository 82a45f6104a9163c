//! Diagnostics at the edge: the source map that spans point into, and rendering for people and
//! machines. The plain data is [`remit_sdk::Diagnostic`].
//!
//! A diagnostic's summary is one fixed lower-case phrase for its kind of mistake; the detail
//! gives the particulars, the help says what to write instead. Nothing is printed here.

mod excerpt;
mod json;
mod nearest;
mod render;
mod source;
#[cfg(test)]
mod tests;

pub use json::to_json;
pub use nearest::nearest;
pub use remit_sdk::{Diagnostic, Label, Severity};
pub use render::{RenderOptions, SHOWN_MAX, render};
pub use source::{SourceFile, SourceMap};
