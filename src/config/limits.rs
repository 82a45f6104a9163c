//! What is measured before the parser sees a file: size, characters, nesting.
//!
//! Parsers of HCL recurse, and a stack that overflows aborts the process: no message, no
//! clean-up. So the depth is measured first, by a scan that keeps its own stack.

use remit_sdk::{Diagnostic, FileId, Span};

use super::scan::{Scanner, Step, TokenKind};

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
    let measured = scan(text);
    if let Some(index) = measured.too_deep {
        found.push(
            Diagnostic::error(
                "nested too deep",
                format!("more than {NESTING_MAX} blocks, brackets and templates inside each other"),
            )
            .help("take the inner part out into a `locals` value")
            .at(span(file, index, 1)),
        );
    }
    if let Some(index) = measured.too_long {
        found.push(
            Diagnostic::error(
                "reference too long",
                format!("a reference may have {STEPS_MAX} steps"),
            )
            .help("take a part of it out into a `locals` value")
            .at(span(file, index, 1)),
        );
    }
    if let Some(index) = measured.unclosed {
        let line = text.get(index..).unwrap_or_default();
        let line = line.lines().next().unwrap_or_default();
        found.push(
            Diagnostic::error(
                "string is not closed",
                "the string that begins here doesn't end on its line",
            )
            .help("close it with `\"`; a text of several lines is a heredoc: <<-EOT … EOT")
            .at(span(file, index, line.trim_end().len())),
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

/// What the scan of the code found.
#[derive(Default)]
struct Measured {
    /// Where the nesting passes the limit.
    too_deep: Option<usize>,
    /// Where a reference passes the limit.
    too_long: Option<usize>,
    /// Where a quoted string opens that its line doesn't close.
    unclosed: Option<usize>,
}

/// Measures the code; ends at the first thing that is over a limit.
fn scan(text: &str) -> Measured {
    let mut measured = Measured::default();
    // Prefix operators nest too, without a bracket that closes them.
    let mut prefixes = 0_usize;
    let mut frames: Vec<Frame> = Vec::new();
    let mut last = "";
    Scanner::new(text).run(|scanner, step| {
        let at = match step {
            Step::Opened(at) => at,
            Step::Code(kind, start, end) => {
                let token = text.get(start..end).unwrap_or_default();
                frames.resize(scanner.depth() + 1, Frame::default());
                if let Some(frame) = frames.last_mut() {
                    frame.see(kind, token, last);
                }
                prefixes = match token {
                    "!" | "-" => prefixes + 1,
                    _ => 0,
                };
                last = token;
                start
            }
            Step::LineInQuotes(opened) => {
                measured.unclosed = Some(opened);
                return true;
            }
        };
        let frame = frames.last().copied().unwrap_or_default();
        if scanner.depth() + prefixes.max(frame.conditionals) > NESTING_MAX {
            measured.too_deep = Some(at);
        } else if frame.steps > STEPS_MAX {
            measured.too_long = Some(at);
        }
        measured.too_deep.is_some() || measured.too_long.is_some()
    });
    measured
}

/// What is counted between one bracket and the one that closes it.
#[derive(Clone, Copy, Default)]
struct Frame {
    /// Conditionals nest in their last part.
    conditionals: usize,
    /// Steps of the reference that is being read.
    steps: usize,
}

impl Frame {
    fn see(&mut self, kind: TokenKind, token: &str, last: &str) {
        match token {
            "?" => self.conditionals += 1,
            "," | "=" => self.conditionals = 0,
            _ if kind == TokenKind::Newline => self.conditionals = 0,
            _ => {}
        }
        self.steps = match (kind, token) {
            (TokenKind::Mark, ".") | (TokenKind::Close, "]") => self.steps + 1,
            (TokenKind::Close, ")") | (TokenKind::Name | TokenKind::Number, _) => self.steps,
            (TokenKind::Mark, "*") if last == "." => self.steps,
            _ => 0,
        };
    }
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
        for open in ["(", "[", "{", "\"${", "!", "- ", "[for a in "] {
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
