//! Files to a syntax tree with spans. The parser is hidden here; nothing is evaluated.
//!
//! In: a directory. Out: a [`syntax::Configuration`] and the source map that its spans point
//! into, or every mistake found. Size, number of files and nesting are measured before the
//! parser sees a file, since it recurses.
//!
//! | file | what is in it |
//! |---|---|
//! | `load` | which files, how much of them, and that they are plain files below the root |
//! | `limits` | what is measured before the parser sees a text |
//! | `scan` | tokens, found without recursion |
//! | `tree` | from the parser's tree to our own; the one file that names the parser |
//! | `syntax` | our own tree |
//! | `literals` | the plain texts that are written in it |
//! | `mistakes` | what is wrong with a text that doesn't parse, in words |
//! | `fmt`, `spacing` | the canonical layout |

pub mod fmt;
pub mod limits;
pub mod literals;
mod load;
mod mistakes;
mod scan;
mod spacing;
pub mod syntax;
mod tree;

pub use load::{AUTO_VARIABLES, EXTENSION, auto_variables, load, load_variables};
pub use load::{measured_parse as parse, parse_expression};

#[cfg(test)]
mod tests;
