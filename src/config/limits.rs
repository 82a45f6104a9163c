//! What is measured before the parser sees a file: size, characters, nesting.
//!
//! Parsers of HCL recurse, and a stack that overflows aborts the process: no message, no
//! clean-up. So the depth is measured first, by a scan that keeps its own stack.

use remit_sdk::{Diagnostic, FileId, Span};

/// The largest file that is read: a thousand agents fit into a tenth of it.
pub const FILE_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// All files together.
pub const TOTAL_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// How many files a directory may hold.
pub const FILES_MAX: usize = 2_000;
/// How deep blocks, brackets and templates may be nested: hcl-edit stops at 64 by itself, and
/// nobody reads deeper.
pub const NESTING_MAX: usize = 48;
/// How many steps one reference may have; each is a frame when it is dropped or evaluated.
pub const STEPS_MAX: usize = 64;

/// Measures `text`. Everything found is an error.
pub(super) fn measure(text: &str, file: FileId) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    if let Some((index, c)) = text.char_indices().find(|(_, c)| hides(*c)) {
        found.push(
            Diagnostic::error(
                "invisible character",
                format!(
                    "U+{:04X} can make this text look like something it isn't",
                    c as u32
                ),
            )
            .help("remove it, or write it as an escape: \\uNNNN")
            .at(span(file, index, c.len_utf8())),
        );
    }
    if let Some(index) = too_deep(text) {
        found.push(
            Diagnostic::error(
                "nested too deep",
                format!("more than {NESTING_MAX} blocks, brackets and templates inside each other"),
            )
            .help("take the inner part out into a `locals` value")
            .at(span(file, index, 1)),
        );
    }
    found
}

fn span(file: FileId, start: usize, length: usize) -> Span {
    let clamp = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Span::new(file, clamp(start), clamp(start + length))
}

/// Controls and characters that reorder or hide text. Tabs and line ends are not among them.
fn hides(c: char) -> bool {
    !matches!(c, '\n' | '\r' | '\t') && remit_sdk::text::is_unsafe(c)
}

/// What the scan is inside of.
#[derive(Clone, Copy, PartialEq)]
enum Inside {
    /// Brackets of code, or an interpolation.
    Code,
    /// A quoted template.
    Quotes,
}

/// The byte at which the nesting passes the limit.
fn too_deep(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut stack: Vec<Inside> = Vec::new();
    let mut index = 0;
    let at = |index: usize| bytes.get(index).copied();
    // Prefix operators and `?` nest too, without a bracket that closes them.
    let mut operators = 0usize;
    while let Some(byte) = at(index) {
        let next = at(index + 1);
        if stack.last() == Some(&Inside::Quotes) {
            match (byte, next) {
                (b'\\', _) => index += 1,
                (b'$', Some(b'$')) | (b'%', Some(b'%')) => index += 1,
                (b'$' | b'%', Some(b'{')) => {
                    stack.push(Inside::Code);
                    index += 1;
                }
                (b'"', _) => drop(stack.pop()),
                // A quoted string ends with its line; the parser will say so.
                (b'\n', _) => drop(stack.pop()),
                _ => {}
            }
        } else {
            match (byte, next) {
                (b'#', _) | (b'/', Some(b'/')) => {
                    index += line_length(bytes, index);
                    continue;
                }
                (b'/', Some(b'*')) => {
                    index += comment_length(bytes, index);
                    continue;
                }
                (b'"', _) => stack.push(Inside::Quotes),
                (b'(' | b'[' | b'{', _) => stack.push(Inside::Code),
                (b')' | b']' | b'}', _) => drop(stack.pop()),
                (b'!' | b'-' | b'?', _) => operators += 1,
                (b'\n' | b',' | b'=', _) => operators = 0,
                _ => {}
            }
        }
        if stack.len() + operators > NESTING_MAX {
            return Some(index.min(text.len().saturating_sub(1)));
        }
        index += 1;
    }
    None
}

fn line_length(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    rest.iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(rest.len())
}

fn comment_length(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from + 2..).unwrap_or_default();
    rest.windows(2)
        .position(|two| two == b"*/")
        .map_or(rest.len() + 2, |length| length + 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summaries(text: &str) -> Vec<String> {
        measure(text, FileId(0))
            .into_iter()
            .map(|one| one.summary)
            .collect()
    }

    #[test]
    fn bombs_are_measured() {
        for open in ["(", "[", "{", "\"${", "!", "-", "a ? b : ", "[for a in "] {
            let text = format!("x = {}", open.repeat(100_000));
            assert_eq!(summaries(&text), ["nested too deep"], "{open}");
        }
    }

    #[test]
    fn what_only_looks_deep_is_fine() {
        let text = format!(
            "x = \"{}\" # {}\n/* {} */\n",
            "(".repeat(200),
            "{".repeat(200),
            "[".repeat(200)
        );
        assert!(summaries(&text).is_empty());
        assert!(
            summaries("// -----------------------------------------------------------\n")
                .is_empty()
        );
    }

    #[test]
    fn hidden_characters_are_found() {
        assert_eq!(summaries("x = \"a\u{202e}b\""), ["invisible character"]);
        assert_eq!(summaries("x = \"a\u{0}b\""), ["invisible character"]);
    }
}
