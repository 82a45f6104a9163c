//! What is wrong with a text that doesn't parse, in words that help.
//!
//! In: the text, and where and why the parser stopped. Out: one diagnostic for each item (block
//! or attribute at the outside) that is wrong, since the parser itself stops at the first.
//! Brackets are matched first: a bracket that is missing shifts everything after it, so what
//! follows it isn't judged. Nothing is evaluated, and a text that parses never comes here.

use remit_sdk::text::safe;
use remit_sdk::{Diagnostic, FileId, Span};

use super::scan::{Token, TokenKind, tokens};
use super::tree::Failure;

/// How many mistakes of one file are told: nobody reads more at once, and each costs a parse.
const MISTAKES_MAX: usize = 50;

/// The mistakes of `text`, whose first byte is byte `skipped` of `file`. `first` is what stopped
/// the parser, `parse` tries a part of the text.
pub(super) fn explain(
    text: &str,
    file: FileId,
    skipped: usize,
    first: Failure,
    parse: impl Fn(&str) -> Option<Failure>,
) -> Vec<Diagnostic> {
    let reader = Reader {
        text,
        file,
        skipped,
        tokens: tokens(text),
    };
    if let Some(found) = reader.brackets() {
        return vec![found];
    }
    let mut found: Vec<Diagnostic> = Vec::new();
    let mut failed = false;
    for (start, end) in reader.items() {
        let part = text.get(start..end).unwrap_or_default();
        // A bracket alone belongs to the item before it, which is wrong already.
        if failed && part.trim_start().starts_with(['{', '(', '[']) {
            continue;
        }
        let failure = parse(part);
        failed = failure.is_some();
        found.extend(failure.map(|failure| reader.explain(&failure.moved(start), end)));
        if found.len() == MISTAKES_MAX {
            break;
        }
    }
    if found.is_empty() {
        // Each item is fine by itself: it is their being together, as a name given twice.
        found.push(reader.explain(&first, text.len()));
    }
    found
}

struct Reader<'a> {
    text: &'a str,
    file: FileId,
    skipped: usize,
    tokens: Vec<Token>,
}

impl Reader<'_> {
    fn span(&self, start: usize, end: usize) -> Span {
        let clamp = |n: usize| u32::try_from(n + self.skipped).unwrap_or(u32::MAX);
        Span::new(self.file, clamp(start), clamp(end))
    }

    fn at(&self, token: Token) -> Span {
        self.span(token.start, token.end)
    }

    fn read(&self, token: Token) -> &str {
        self.text.get(token.start..token.end).unwrap_or_default()
    }

    /// The first bracket that is not closed, closed by another, or closes nothing.
    fn brackets(&self) -> Option<Diagnostic> {
        let mut open: Vec<Token> = Vec::new();
        for token in &self.tokens {
            match token.kind {
                TokenKind::Open => open.push(*token),
                TokenKind::Close => {
                    let closer = self.read(*token);
                    let Some(opener) = open.pop() else {
                        return Some(
                            Diagnostic::error(
                                "bracket closes nothing",
                                format!("nothing is open here that `{closer}` would close"),
                            )
                            .help("remove it, or add the one that opens")
                            .at(self.at(*token)),
                        );
                    };
                    let wanted = closing(self.read(opener));
                    if wanted != closer {
                        return Some(self.unclosed(opener).label(
                            self.at(*token),
                            format!("`{wanted}` is expected before this"),
                        ));
                    }
                }
                _ => {}
            }
        }
        open.pop().map(|opener| self.unclosed(opener))
    }

    fn unclosed(&self, opener: Token) -> Diagnostic {
        let (bracket, wanted) = (self.read(opener), closing(self.read(opener)));
        Diagnostic::error(
            "bracket is not closed",
            format!("the `{bracket}` that opens here has no `{wanted}`"),
        )
        .help(format!("add the `{wanted}` that is missing"))
        .at(self.at(opener))
    }

    /// Where blocks and attributes at the outside begin and end.
    fn items(&self) -> impl Iterator<Item = (usize, usize)> {
        let mut depth = 0_usize;
        let mut ends = Vec::new();
        for token in &self.tokens {
            match token.kind {
                TokenKind::Open => depth += 1,
                TokenKind::Close => depth = depth.saturating_sub(1),
                TokenKind::Newline if depth == 0 => ends.push(token.end),
                _ => {}
            }
        }
        ends.push(self.text.len());
        let mut start = 0;
        ends.into_iter()
            .map(move |end| (std::mem::replace(&mut start, end), end))
    }

    /// The token at or after a byte.
    fn token(&self, at: usize) -> Option<Token> {
        let index = self.tokens.partition_point(|token| token.end <= at);
        self.tokens.get(index).copied()
    }

    /// The token before a byte.
    fn before(&self, at: usize) -> Option<Token> {
        let index = self.tokens.partition_point(|token| token.end <= at);
        self.tokens.get(index.checked_sub(1)?).copied()
    }

    /// Says what a failure means; its item ends at `end`.
    fn explain(&self, failure: &Failure, end: usize) -> Diagnostic {
        let at = failure.offset.min(end);
        let says = |part: &str| failure.message.contains(part);
        if says("redefined attribute") {
            return self.twice(at);
        }
        let here = self.token(at).filter(|token| token.start < end);
        let ends = here.is_none_or(|token| token.kind == TokenKind::Newline);
        let found = here.map_or("", |token| self.read(token)).trim_end();
        let rest = self.text.get(at..).unwrap_or_default();
        let span = match here {
            Some(token) if !ends => self.span(at.max(token.start), token.end),
            _ => self.span(at, at),
        };
        let before = self
            .before(at)
            .map_or("", |token| self.read(token))
            .trim_end();
        let syntax = |detail: String| Diagnostic::error("syntax error", detail).at(span);
        if says("redefined object key") {
            Diagnostic::error("key given twice", "this key stands in the object twice")
                .help("remove one of the two")
                .at(span)
        } else if says("nested levels") {
            Diagnostic::error("nested too deep", "too many expressions inside each other")
                .help("take the inner part out into a `locals` value")
                .at(span)
        } else if says("chained binary operators") {
            Diagnostic::error("expression too long", "more than 128 operators in a row")
                .help("take a part of it out into a `locals` value")
                .at(span)
        } else if says("escape sequence") || says("hex code") {
            self.escape(at)
        } else if rest.starts_with('\'') {
            syntax("a string can't begin with a single quote".to_owned())
                .help("strings are written in double quotes: \"…\"")
        } else if says("heredoc end delimiter") {
            self.heredoc(at)
        } else if says("invalid structure") {
            structure(here, found, before, span)
        } else if says("invalid expression") {
            value(rest, ends, found, before, span)
        } else if says("`:`") && !says("object value") {
            syntax("`:` is missing".to_owned()).help(
                "a conditional is `condition ? this : that`, a list is built with \
                 `[for value in list : result]`",
            )
        } else if says("`=>`") {
            syntax("`=>` is missing".to_owned())
                .help("an object is built with `{for key, value in map : key => value}`")
        } else if says("object value assignment") {
            // The parser stops after what stands where the `=` should.
            let key = self.before(at).and_then(|after| self.before(after.start));
            Diagnostic::error("value is missing", "this key of an object has no value")
                .help("an entry is written `key = value`")
                .at(key.map_or(span, |key| self.at(key)))
        } else if says("newline") {
            rest_of_line(found, span)
        } else if says("expected `]`") || says("expected `)`") {
            syntax(format!("`{}` can't follow here", safe(found)))
                .help("a comma or an operator is missing before it")
        } else if says("expected `{`") {
            syntax("a block's `{` is missing".to_owned())
                .help("the opening brace stands on the same line as the block's name and labels")
        } else {
            self.unclear(failure, at, end)
        }
    }

    /// A backslash before something that is no escape; the parser stops some bytes after it.
    fn escape(&self, at: usize) -> Diagnostic {
        let before = self.text.get(..at).unwrap_or_default();
        let start = before.rfind('\\').unwrap_or(at);
        let rest = self.text.get(start..).unwrap_or_default();
        let written: String = rest.chars().take(2).collect();
        Diagnostic::error("syntax error", format!("`{}` is no escape", safe(&written)))
            .help(
                r#"escapes are \n, \r, \t, \", \\, \uNNNN and \UNNNNNNNN; a backslash itself is \\"#,
            )
            .at(self.span(start, start + written.len()))
    }

    fn heredoc(&self, at: usize) -> Diagnostic {
        let opener = self.token(at).or_else(|| self.before(at));
        let opener = opener.filter(|token| token.kind == TokenKind::Heredoc);
        let (start, line) = opener.map_or((at, ""), |token| {
            (
                token.start,
                self.read(token).lines().next().unwrap_or_default(),
            )
        });
        let name = safe(line.trim_start_matches(['<', '-']));
        Diagnostic::error(
            "heredoc is not closed",
            format!("no line holds only `{name}`"),
        )
        .help(format!("end the text with `{name}` on a line of its own"))
        .at(self.span(start, start + line.len()))
    }

    /// A name that an attribute before has already, in the same body.
    fn twice(&self, at: usize) -> Diagnostic {
        let index = self.tokens.partition_point(|token| token.end <= at);
        let name = self.tokens.get(index).map_or("", |token| self.read(*token));
        let mut depth = 0_usize;
        let mut first = None;
        let before = self.tokens.get(..index).unwrap_or_default();
        for (position, token) in before.iter().enumerate().rev() {
            match token.kind {
                TokenKind::Close => depth += 1,
                TokenKind::Open if depth == 0 => break,
                TokenKind::Open => depth -= 1,
                TokenKind::Name if depth == 0 && self.read(*token) == name => {
                    let next = self.tokens.get(position + 1);
                    if next.is_some_and(|next| self.read(*next) == "=") {
                        first = Some(self.at(*token));
                    }
                }
                _ => {}
            }
        }
        Diagnostic::error(
            "attribute given twice",
            format!("`{}` has a value already", safe(name)),
        )
        .help("remove one of the two")
        .at(self.span(at, at + name.len()))
        .label(first, "first given here")
    }

    /// The parser gave no reason: it names the item, and some reasons are looked for in it.
    fn unclear(&self, failure: &Failure, at: usize, end: usize) -> Diagnostic {
        let syntax = |detail: &str, span| Diagnostic::error("syntax error", detail).at(span);
        let from = self.tokens.partition_point(|token| token.start < at);
        let to = self.tokens.partition_point(|token| token.start < end);
        let item = self.tokens.get(from..to).unwrap_or_default();
        for pair in item.windows(2) {
            if let [dot, next] = pair
                && self.read(*dot) == "."
                && !matches!(next.kind, TokenKind::Name | TokenKind::Number)
                && self.read(*next) != "*"
            {
                return syntax("the reference ends with a dot", self.at(*dot))
                    .help("name the attribute after it, or remove it");
            }
        }
        let Some(first) = item.first().copied() else {
            return syntax("the text ends too early", self.span(at, at));
        };
        let text = self.read(first);
        if first.kind == TokenKind::BlockComment
            && !text
                .strip_prefix("/*")
                .is_some_and(|rest| rest.ends_with("*/"))
        {
            return syntax(
                "the comment that begins here never ends",
                self.span(first.start, first.start + 2),
            )
            .help("end it with `*/`");
        }
        if let Some(template) = item.iter().find(|token| {
            matches!(token.kind, TokenKind::Quoted | TokenKind::Heredoc)
                && self.read(**token).contains("%{")
        }) {
            let head = self
                .read(*template)
                .lines()
                .next()
                .unwrap_or_default()
                .len();
            return syntax(
                "a directive in this template is not complete",
                self.span(template.start, template.start + head),
            )
            .help("`%{ if … }` ends with `%{ endif }`, `%{ for x in y }` with `%{ endfor }`; a plain `%{` is written `%%{`");
        }
        if matches!(first.kind, TokenKind::Number | TokenKind::Quoted) && at <= first.start {
            return syntax(
                "a name begins with a letter or `_`, without quotes",
                self.at(first),
            )
            .help("an attribute is written `name = value`, a block `name \"label\" { … }`");
        }
        let message = failure.message.replace('\n', "; ");
        let line_end = self.text.get(at..end).and_then(|rest| rest.find('\n'));
        let line_end = line_end.map_or(end, |index| at + index);
        if message.contains("unexpected token") {
            return syntax(
                "this reads as neither block nor attribute",
                self.span(first.start, line_end.max(first.end.min(end))),
            )
            .help("an attribute is written `name = value`, a block `name \"label\" { … }`");
        }
        let words = message
            .replace("eof", "the end of the file")
            .replace("newline", "the end of the line")
            .replace("identifier", "a name");
        syntax(
            &safe(&words),
            self.span(at, first.end.min(line_end).max(at)),
        )
    }
}

/// `name: value`, `name value`, `if (x) {`.
fn structure(here: Option<Token>, found: &str, before: &str, span: Span) -> Diagnostic {
    let value = here.is_some_and(|token| {
        matches!(
            token.kind,
            TokenKind::Number | TokenKind::Open | TokenKind::Heredoc
        ) || (token.kind == TokenKind::Mark && matches!(found, "-" | "!" | ":"))
    });
    let before = safe(before);
    if value {
        Diagnostic::error("syntax error", format!("`=` is missing after `{before}`"))
            .help(format!("an attribute is written `{before} = value`"))
            .at(span)
    } else {
        Diagnostic::error(
            "syntax error",
            format!("`{before}` alone is neither block nor attribute"),
        )
        .help(format!(
            "an attribute is written `{before} = value`, a block `{before} \"label\" {{ … }}`"
        ))
        .at(span)
    }
}

/// Where a value should begin.
fn value(rest: &str, ends: bool, found: &str, before: &str, span: Span) -> Diagnostic {
    if ends || matches!(found, ")" | "]" | "}" | ",") {
        return Diagnostic::error(
            "value is missing",
            format!("a value is expected after `{}`", safe(before)),
        )
        .help("write one, or `null` for none")
        .at(span);
    }
    let found = safe(found);
    let mistake =
        Diagnostic::error("syntax error", format!("no value begins with `{found}`")).at(span);
    if rest.starts_with("${") {
        mistake.help("outside of strings, references are written without `${ }`")
    } else {
        mistake.help("a value is a string, number, list, object, reference or function call")
    }
}

/// Something stands after a value where the line should end.
fn rest_of_line(found: &str, span: Span) -> Diagnostic {
    let help = match found {
        ";" => "lines end without a semicolon",
        "," => "attributes of a block stand on lines of their own, without commas",
        "}" => "the brace that closes a block of several lines stands on a line of its own",
        "=" => "attributes stand on lines of their own; `==` compares",
        _ => {
            "attributes and blocks stand on lines of their own; or is an operator or a `\"` missing?"
        }
    };
    Diagnostic::error(
        "syntax error",
        format!("the line should end before `{}`", safe(found)),
    )
    .help(help)
    .at(span)
}

fn closing(opener: &str) -> &'static str {
    match opener {
        "(" => ")",
        "[" => "]",
        _ => "}",
    }
}
