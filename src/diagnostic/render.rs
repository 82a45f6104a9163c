//! Diagnostics as people see them, drawn by miette.
//!
//! In: diagnostics and the files their spans point into. Out: text. Warnings come first and
//! errors last, where the eye is when a command ends; each kind in the order of the source, what
//! has no place at the end. Severity is a word, so that nothing is said by colour alone. All
//! text passes [`remit_sdk::text`], since names and values may come from anywhere. Nothing is
//! printed here.

use std::error::Error;
use std::fmt;

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, ThemeCharacters};
use remit_sdk::text::{safe, safe_block};
use remit_sdk::{FileId, Span};

use super::excerpt::{self, Excerpt, Place};
use super::{Diagnostic, Severity, SourceMap};

/// How far apart two places may be to be drawn together; what is further gets a note of its
/// own, so that the place that is wrong always comes first.
const LINES_TOGETHER_MAX: usize = 4;
/// How many diagnostics are drawn. Who has more mistakes than this has made one of them often,
/// and a terminal keeps its scrollback.
pub const SHOWN_MAX: usize = 50;
/// The narrowest width that is drawn for: below it, nothing can be read anyhow.
const WIDTH_MIN: usize = 40;
/// The widest line of prose; source lines may use all of the width.
const PROSE_MAX: usize = 110;
/// How much of a detail or help is shown; what servers answer may be a page.
const TEXT_CHARS_MAX: usize = 4_000;

/// How to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RenderOptions {
    /// With ANSI colours.
    pub color: bool,
    /// Columns of the terminal.
    pub width: usize,
    /// With line-drawing characters; else plain ASCII.
    pub unicode: bool,
}

impl Default for RenderOptions {
    /// No colour, 80 columns, line-drawing characters.
    fn default() -> Self {
        Self {
            color: false,
            width: 80,
            unicode: true,
        }
    }
}

/// Draws diagnostics, one after the other with a blank line between; empty for none.
pub fn render(diagnostics: &[Diagnostic], sources: &SourceMap, options: &RenderOptions) -> String {
    let of = |severity: Severity| {
        let mut found: Vec<&Diagnostic> = diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.severity == severity)
            .collect();
        // Stable, so that what has no place keeps its order.
        found.sort_by_key(|diagnostic| match diagnostic.span {
            Some(span) => (0, span.file, span.start),
            None => (1, FileId(0), 0),
        });
        found
    };
    let (mut errors, mut warnings) = (of(Severity::Error), of(Severity::Warning));
    let hidden_errors = cut(&mut errors, SHOWN_MAX);
    let hidden_warnings = cut(&mut warnings, SHOWN_MAX - errors.len());
    let painter = Painter::new(options);
    let mut parts: Vec<String> = warnings
        .into_iter()
        .chain(errors)
        .map(|diagnostic| painter.diagnostic(diagnostic, sources))
        .collect();
    let hidden: Vec<String> = [(hidden_errors, "error"), (hidden_warnings, "warning")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, noun)| format!("{count} more {noun}{}", if count == 1 { "" } else { "s" }))
        .collect();
    if !hidden.is_empty() {
        parts.push(format!("  and {}\n", hidden.join(" and ")));
    }
    parts.join("\n")
}

/// Keeps the first `keep`; gives how many fell away.
fn cut<T>(all: &mut Vec<T>, keep: usize) -> usize {
    let hidden = all.len().saturating_sub(keep);
    all.truncate(keep);
    hidden
}

struct Painter {
    width: usize,
    theme: GraphicalTheme,
}

impl Painter {
    fn new(options: &RenderOptions) -> Self {
        let mut theme = if options.color {
            GraphicalTheme::unicode()
        } else {
            GraphicalTheme::unicode_nocolor()
        };
        if !options.unicode {
            theme.characters = ThemeCharacters::ascii();
        }
        theme.characters.error = "error:".into();
        theme.characters.warning = "warning:".into();
        theme.characters.advice = "note:".into();
        Self {
            width: options.width.max(WIDTH_MIN),
            theme,
        }
    }

    /// A diagnostic with its places, then one note for each place that is far from it or in another file.
    fn diagnostic(&self, diagnostic: &Diagnostic, sources: &SourceMap) -> String {
        let main = diagnostic
            .span
            .or_else(|| diagnostic.labels.first().map(|label| label.span));
        let near = |span: Span| {
            main.is_some_and(|main| {
                main.file == span.file
                    && sources.line(main).abs_diff(sources.line(span)) <= LINES_TOGETHER_MAX
            })
        };
        let mut marks: Vec<(Span, Option<&str>)> =
            diagnostic.span.iter().map(|span| (*span, None)).collect();
        let (here, elsewhere): (Vec<_>, Vec<_>) =
            diagnostic.labels.iter().partition(|label| near(label.span));
        marks.extend(
            here.into_iter()
                .map(|label| (label.span, Some(label.text.as_str()))),
        );
        let address = diagnostic.address.as_ref().map(ToString::to_string);
        let address = address.filter(|address| !diagnostic.detail.contains(address.as_str()));
        let mut out = self.draw(
            Drawing {
                severity: match diagnostic.severity {
                    Severity::Error => miette::Severity::Error,
                    Severity::Warning => miette::Severity::Warning,
                },
                summary: shown(&diagnostic.summary),
                cause: Cause::chain([address.as_deref(), Some(diagnostic.detail.as_str())]),
                help: diagnostic.help.as_deref().map(shown),
                source: None,
                labels: Vec::new(),
            },
            &marks,
            sources,
        );
        for label in elsewhere {
            let note = Drawing {
                severity: miette::Severity::Advice,
                summary: shown(&label.text),
                cause: None,
                help: None,
                source: None,
                labels: Vec::new(),
            };
            out.push_str(&self.draw(note, &[(label.span, None)], sources));
        }
        out
    }

    /// Draws one, with the places that `marks` name; all are in the same file.
    fn draw(
        &self,
        mut drawing: Drawing,
        marks: &[(Span, Option<&str>)],
        sources: &SourceMap,
    ) -> String {
        let file = marks.first().and_then(|(span, _)| sources.get(span.file));
        if let Some(file) = file {
            let places: Vec<Place> = marks
                .iter()
                .map(|(span, _)| excerpt::place(&file.text, *span))
                .collect();
            let last = places.iter().map(|place| place.line + 2).max();
            // ` 12 │ ` stands before each line.
            let gutter = last.unwrap_or_default().to_string().len() + 4;
            let (excerpt, found) = Excerpt::new(
                safe(&file.path.display().to_string()),
                &file.text,
                &places,
                self.width.saturating_sub(gutter),
            );
            drawing.labels = found
                .iter()
                .zip(marks)
                .enumerate()
                .map(|(index, (mark, (_, text)))| {
                    let text = text.map(shown);
                    let range = (mark.offset, mark.length);
                    if index == 0 {
                        LabeledSpan::new_primary_with_span(text, range)
                    } else {
                        LabeledSpan::new_with_span(text, range)
                    }
                })
                .collect();
            drawing.source = Some(excerpt);
        }
        let handler = GraphicalReportHandler::new_themed(self.theme.clone())
            .with_width(self.width.min(PROSE_MAX))
            // Names and paths stay whole, so that they can be copied and searched for.
            .with_word_separator(textwrap::WordSeparator::AsciiSpace)
            .with_word_splitter(textwrap::WordSplitter::NoHyphenation)
            .with_break_words(false)
            .with_links(false)
            .without_syntax_highlighting();
        let mut out = String::new();
        if handler.render_report(&mut out, &drawing).is_err() {
            // Never lose a mistake because it can't be drawn.
            out = format!("  {}\n", drawing.summary);
        }
        trim_line_ends(&out)
    }
}

/// Text of a diagnostic as it is shown: safe, and not endless.
fn shown(text: &str) -> String {
    let text = text.trim();
    match text.char_indices().nth(TEXT_CHARS_MAX) {
        Some((end, _)) => format!("{}…", safe_block(text.get(..end).unwrap_or_default())),
        None => safe_block(text),
    }
}

fn trim_line_ends(text: &str) -> String {
    text.lines().fold(String::new(), |mut out, line| {
        out.push_str(line.trim_end());
        out.push('\n');
        out
    })
}

/// What miette draws.
#[derive(Debug)]
struct Drawing {
    severity: miette::Severity,
    summary: String,
    cause: Option<Cause>,
    help: Option<String>,
    source: Option<Excerpt>,
    labels: Vec<LabeledSpan>,
}

impl fmt::Display for Drawing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary)
    }
}

impl Error for Drawing {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause
            .as_ref()
            .map(|cause| cause as &(dyn Error + 'static))
    }
}

impl miette::Diagnostic for Drawing {
    fn severity(&self) -> Option<miette::Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help
            .as_ref()
            .map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.source
            .as_ref()
            .map(|source| source as &dyn miette::SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

/// A line below the summary: what it is about, or the detail.
#[derive(Debug)]
struct Cause {
    text: String,
    next: Option<Box<Cause>>,
}

impl Cause {
    /// The non-empty texts, each the cause of the one before.
    fn chain<const N: usize>(texts: [Option<&str>; N]) -> Option<Self> {
        texts
            .into_iter()
            .rev()
            .flatten()
            .map(shown)
            .filter(|text| !text.is_empty())
            .fold(None, |next, text| {
                Some(Self {
                    text,
                    next: next.map(Box::new),
                })
            })
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.next
            .as_deref()
            .map(|next| next as &(dyn Error + 'static))
    }
}
