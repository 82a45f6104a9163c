//! Files to a syntax tree with spans. The parser is hidden here; nothing is evaluated.
//!
//! In: a directory. Out: a [`syntax::Configuration`] and the source map that its spans point
//! into, or every mistake found. Size, number of files and nesting are measured before the
//! parser sees a file, since it recurses.

pub mod limits;
mod load;
mod mistakes;
mod scan;
pub mod syntax;
mod tree;

pub use load::{AUTO_VARIABLES, EXTENSION, auto_variables, load, load_variables};
pub use load::{measured_parse as parse, parse_expression};

#[cfg(test)]
mod tests;
