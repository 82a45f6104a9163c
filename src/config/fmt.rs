//! The canonical layout: `remit fmt`.
//!
//! In: the text of a file that parses. Out: the same tokens with other white space between them:
//! two spaces for each level, `=` and trailing comments aligned in runs of lines, spaces around
//! operators, at most one blank line, one line ending at the end. Comments stay where they are;
//! strings, heredocs and the insides of comments stay as they are. Line breaks are the writer's:
//! none is added, and only blank lines are taken away. It never prints a tree, since a tree has
//! lost what people wrote, and before it gives its answer it checks that the tokens are the same.

use std::ops::Range;

use remit_sdk::{Diagnostic, FileId};

use super::scan::{Token, TokenKind, tokens};
use super::spacing::Spacing;

/// Spaces for each level.
const INDENT: usize = 2;
/// The widest name or code that is waited for when aligning: one long line shouldn't push all
/// others to the edge.
const ALIGNED_MAX: usize = 80;

/// Lays out `text`. Refuses what doesn't parse, with spans into `file`; a text that is laid out
/// already comes back as it is.
pub fn format(text: &str, file: FileId) -> Result<String, Vec<Diagnostic>> {
    super::parse(text, file)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let formatted = layout(text);
    if same(text, &formatted) {
        Ok(formatted)
    } else {
        Err(vec![
            Diagnostic::error(
                "layout would change the meaning",
                "this is a mistake in remit: the file is left as it is",
            )
            .help("please report it, with the file"),
        ])
    }
}

/// Whether two texts hold the same tokens, line endings and blank lines aside.
fn same(before: &str, after: &str) -> bool {
    fn seen(text: &str) -> impl Iterator<Item = (TokenKind, String)> {
        tokens(text)
            .into_iter()
            .filter(|token| token.kind != TokenKind::Newline)
            .map(move |token| (token.kind, content(text, token)))
    }
    seen(before).eq(seen(after))
}

/// A token's text as it is laid out: comments without trailing white space, their line endings
/// without carriage returns; all else to the letter.
fn content(text: &str, token: Token) -> String {
    let written = text.get(token.start..token.end).unwrap_or_default();
    match token.kind {
        TokenKind::LineComment => written.trim_end().to_owned(),
        TokenKind::BlockComment => written.replace("\r\n", "\n"),
        _ => written.to_owned(),
    }
}

fn layout(text: &str) -> String {
    let tokens = tokens(text);
    let mut lines = lines(text, &tokens);
    align(&mut lines, Column::Value);
    align(&mut lines, Column::Comment);
    let mut out = String::with_capacity(text.len());
    for line in &lines {
        line.write(&mut out);
    }
    out
}

/// One line as it will be written.
struct Line {
    indent: usize,
    /// An attribute's name, where its value starts on this line and ends on it.
    name: Option<String>,
    /// Columns between the name and its `=`.
    name_padding: usize,
    /// The rest: from the `=` on if there is a name, else all of it.
    code: String,
    /// Columns between the code and the comment.
    comment_padding: usize,
    /// The comment at its end.
    comment: Option<String>,
    /// Whether a token goes over several lines.
    spans_lines: bool,
}

impl Line {
    fn is_blank(&self) -> bool {
        self.name.is_none() && self.code.is_empty() && self.comment.is_none()
    }

    fn code_width(&self) -> usize {
        let name = self
            .name
            .as_ref()
            .map_or(0, |name| width(name) + self.name_padding);
        self.indent * INDENT + name + width(&self.code)
    }

    fn write(&self, out: &mut String) {
        if !self.is_blank() {
            out.push_str(&" ".repeat(self.indent * INDENT));
        }
        if let Some(name) = &self.name {
            out.push_str(name);
            out.push_str(&" ".repeat(self.name_padding));
        }
        out.push_str(&self.code);
        if let Some(comment) = &self.comment {
            if !self.code.is_empty() {
                out.push_str(&" ".repeat(self.comment_padding));
            }
            out.push_str(comment);
        }
        out.push('\n');
    }
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// Cuts tokens into lines, indents them and puts spaces between their tokens.
fn lines(text: &str, tokens: &[Token]) -> Vec<Line> {
    let mut out: Vec<Line> = Vec::new();
    // For each open bracket, whether it indents what is inside: of several that open on one
    // line, only the first does.
    let mut open: Vec<bool> = Vec::new();
    let mut spacing = Spacing::default();
    let mut blank = false;
    for range in split(tokens) {
        let tokens = tokens.get(range).unwrap_or_default();
        if tokens.is_empty() {
            blank = true;
            continue;
        }
        let closers = tokens
            .iter()
            .take_while(|token| token.kind == TokenKind::Close)
            .count();
        let closes = closers > 0;
        // No blank line at the beginning, after an opening or before a closing bracket.
        let opened = out
            .last()
            .is_none_or(|line| line.comment.is_none() && opens(&line.code));
        if std::mem::take(&mut blank) && !opened && !closes {
            out.push(Line::blank());
        }
        let before = open.len();
        let inside = open
            .get(..before.saturating_sub(closers))
            .unwrap_or_default();
        let indent = inside.iter().filter(|indents| **indents).count();
        let mut line = Line {
            indent,
            ..Line::blank()
        };
        let mut lowest = before;
        let mut level = before;
        for token in tokens {
            match token.kind {
                TokenKind::Open => level += 1,
                TokenKind::Close => level = level.saturating_sub(1),
                _ => {}
            }
            lowest = lowest.min(level);
        }
        open.truncate(lowest);
        open.extend((lowest..level).map(|bracket| bracket == lowest));
        fill(
            &mut line,
            text,
            tokens,
            &mut spacing,
            level == before && lowest == before,
        );
        out.push(line);
    }
    out
}

impl Line {
    fn blank() -> Self {
        Self {
            indent: 0,
            name: None,
            name_padding: 1,
            code: String::new(),
            comment_padding: 1,
            comment: None,
            spans_lines: false,
        }
    }
}

fn opens(code: &str) -> bool {
    code.ends_with(['{', '[', '('])
}

/// The ranges of tokens between line endings.
fn split(tokens: &[Token]) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut start = 0;
    for (index, token) in tokens.iter().enumerate() {
        if token.kind == TokenKind::Newline {
            ranges.push(start..index);
            start = index + 1;
        }
    }
    if start < tokens.len() {
        ranges.push(start..tokens.len());
    }
    ranges
}

/// Puts a line's tokens together. `balanced` says that it closes what it opens and no more.
fn fill(line: &mut Line, text: &str, tokens: &[Token], spacing: &mut Spacing, balanced: bool) {
    let is_attribute = balanced && spacing.in_body_or_object();
    let mut depth = 0_usize;
    let mut previous: Option<Token> = None;
    // What stands before the first `=` is a name, if it holds no comment.
    let mut begins = tokens
        .first()
        .is_some_and(|token| !matches!(token.kind, TokenKind::Mark | TokenKind::Close));
    for token in tokens {
        begins &= token.kind != TokenKind::BlockComment;
        let written = content(text, *token);
        line.spans_lines |= written.contains('\n');
        match token.kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        let adjacent = previous.is_some_and(|previous| previous.end == token.start);
        let space = spacing.before(token.kind, &written, adjacent);
        spacing.pass(token.kind, &written);
        if token.kind == TokenKind::LineComment {
            line.comment = Some(written);
        } else if written == "=" && depth == 0 && is_attribute && begins {
            begins = false;
            line.name = Some(std::mem::replace(&mut line.code, written));
        } else {
            if space && previous.is_some() {
                line.code.push(' ');
            }
            line.code.push_str(&written);
        }
        previous = Some(*token);
    }
    spacing.line_ends();
    if line.spans_lines
        && let Some(name) = line.name.take()
    {
        line.code = format!("{name} {}", line.code);
    }
}

/// What is aligned.
#[derive(Clone, Copy)]
enum Column {
    /// The `=` of attributes.
    Value,
    /// The comments at the end of lines of code.
    Comment,
}

impl Column {
    /// How wide what stands before the column is, for a line that takes part.
    fn width(self, line: &Line) -> Option<usize> {
        match self {
            Self::Value => line.name.as_ref().map(|name| width(name)),
            Self::Comment => {
                let code = !line.code.is_empty() && !line.spans_lines && line.comment.is_some();
                code.then(|| line.code_width())
            }
        }
    }
}

/// Aligns a column in each run of lines that have it.
fn align(lines: &mut [Line], column: Column) {
    let runs = lines.chunk_by_mut(|one, other| {
        // Attributes of one run stand in one body; comments need not.
        let same = matches!(column, Column::Comment) || one.indent == other.indent;
        same && column.width(one).is_some() && column.width(other).is_some()
    });
    for run in runs {
        let widest = run
            .iter()
            .filter_map(|line| column.width(line))
            .filter(|width| *width <= ALIGNED_MAX)
            .max()
            .unwrap_or(0);
        for line in run {
            let Some(width) = column.width(line) else {
                continue;
            };
            let padding = widest.saturating_sub(width) + 1;
            match column {
                Column::Value => line.name_padding = padding,
                Column::Comment => line.comment_padding = padding,
            }
        }
    }
}

#[cfg(test)]
#[path = "fmt_tests.rs"]
mod tests;
