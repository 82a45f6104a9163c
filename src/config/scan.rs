//! Tokens of HCL, found without recursion.
//!
//! In: any text. Out: its tokens, with the depth of brackets and templates at each, and what is
//! left open at the end. Two things need it: measuring how deep a text is nested before a parser
//! that recurses sees it, and laying a text out again without touching its tokens. It judges
//! nothing: on a text that doesn't parse, the tokens are a best guess, and whoever needs them
//! right parses first. A quoted template or a heredoc is one token at the outside; what stands in
//! its interpolations is scanned, counted and reported as inner tokens.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A line ending.
    Newline,
    /// `#` or `//` up to the end of the line, which stays out.
    LineComment,
    /// `/* … */`.
    BlockComment,
    /// A name or a keyword.
    Name,
    /// A number.
    Number,
    /// A quoted template, with its quotes.
    Quoted,
    /// A heredoc, from `<<` up to its end delimiter.
    Heredoc,
    /// `(`, `[`, `{`.
    Open,
    /// `)`, `]`, `}`.
    Close,
    /// An operator or another mark.
    Mark,
}

/// A token at the outside: not inside of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// What it is.
    pub(super) kind: TokenKind,
    /// Its first byte.
    pub(super) start: usize,
    /// The byte after its last one.
    pub(super) end: usize,
}

/// What the scan is inside of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Inside {
    /// A bracket, or the braces of an interpolation or directive.
    Bracket,
    /// A quoted template.
    Quotes,
    /// A heredoc; where its delimiter stands at its start.
    Heredoc(usize, usize),
}

/// A step of the scan: where it is and how deep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Step {
    /// Something opened here; the depth counts it.
    Opened(usize),
    /// A token of code, outside or inside of templates.
    Code(TokenKind, usize, usize),
    /// A line ended inside of a quoted template; the outermost one of that line opened here.
    LineInQuotes(usize),
}

/// Walks over a text.
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    /// What is open, and where it opened.
    open: Vec<(Inside, usize)>,
    /// Where the outermost template that is open began, and what it is.
    template: Option<(TokenKind, usize, usize)>,
    after_dot: bool,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            open: Vec::new(),
            template: None,
            after_dot: false,
        }
    }

    /// How many brackets and templates are open.
    pub(super) fn depth(&self) -> usize {
        self.open.len()
    }

    /// Scans all of it; `see` hears of every step and ends the scan by giving true. Gives the
    /// tokens at the outside.
    pub(super) fn run(mut self, mut see: impl FnMut(&Self, Step) -> bool) -> Vec<Token> {
        let mut tokens = Vec::new();
        while self.at < self.text.len() {
            let before = self.at;
            let step = match self.open.last() {
                Some((Inside::Quotes, _)) => self.quotes(),
                Some((Inside::Heredoc(from, to), _)) => self.heredoc(*from, *to),
                _ => self.code(),
            };
            if self.at == before {
                // Nothing is skipped for ever, whatever the text holds.
                self.at += self.peek(0).map_or(1, char::len_utf8);
            }
            match (self.template, step) {
                (Some((kind, start, depth)), _) if self.open.len() < depth => {
                    let end = self.at;
                    tokens.push(Token { kind, start, end });
                    self.template = None;
                }
                (None, Some(Step::Code(kind, start, end))) => {
                    tokens.push(Token { kind, start, end });
                }
                _ => {}
            }
            if step.is_some_and(|step| see(&self, step)) {
                return tokens;
            }
        }
        if let Some((kind, start, _)) = self.template {
            let end = self.text.len();
            tokens.push(Token { kind, start, end });
        }
        tokens
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.rest().chars().nth(ahead)
    }

    fn push(&mut self, inside: Inside, at: usize) {
        self.open.push((inside, at));
    }

    /// One step inside of quotes.
    fn quotes(&mut self) -> Option<Step> {
        let rest = self.rest();
        let Some(index) = rest.find(['\\', '"', '$', '%', '\n']) else {
            self.at = self.text.len();
            return None;
        };
        self.at += index;
        match self.peek(0) {
            Some('\\') => {
                self.at += 1 + self.peek(1).map_or(0, char::len_utf8);
                None
            }
            Some('"') => {
                self.at += 1;
                self.open.pop();
                None
            }
            Some('\n') => {
                let line = self
                    .text
                    .get(..self.at)
                    .and_then(|before| before.rfind('\n'));
                let line = line.map_or(0, |index| index + 1);
                let outermost = self
                    .open
                    .iter()
                    .find(|(inside, at)| *inside == Inside::Quotes && *at >= line);
                let opened = outermost.map_or(self.at, |(_, at)| *at);
                self.at += 1;
                Some(Step::LineInQuotes(opened))
            }
            _ => self.marker(),
        }
    }

    /// One step inside of a heredoc: to the next interpolation, or over a line.
    fn heredoc(&mut self, from: usize, to: usize) -> Option<Step> {
        if self
            .text
            .get(..self.at)
            .is_some_and(|all| all.ends_with('\n'))
        {
            let delimiter = self.text.get(from..to).unwrap_or_default();
            let line = self.rest().trim_start_matches([' ', '\t']);
            let after = line.strip_prefix(delimiter);
            if after.is_some_and(|after| !after.starts_with(continues_name)) {
                self.at = self.text.len() - line.len() + delimiter.len();
                self.open.pop();
                return None;
            }
        }
        let rest = self.rest();
        let Some(index) = rest.find(['$', '%', '\n']) else {
            self.at = self.text.len();
            return None;
        };
        self.at += index;
        if self.peek(0) == Some('\n') {
            self.at += 1;
            return None;
        }
        self.marker()
    }

    /// `$` or `%` in a template.
    fn marker(&mut self) -> Option<Step> {
        let rest = self.rest();
        if rest.starts_with("$${") || rest.starts_with("%%{") {
            self.at += 3;
            return None;
        }
        if rest.starts_with("${") || rest.starts_with("%{") {
            self.push(Inside::Bracket, self.at);
            self.at += 2;
            return Some(Step::Opened(self.at - 2));
        }
        self.at += 1;
        None
    }

    /// One token of code, or the white space before it.
    fn code(&mut self) -> Option<Step> {
        let start = self.at;
        let rest = self.rest();
        let after_dot = std::mem::take(&mut self.after_dot);
        let first = rest.chars().next()?;
        let (kind, length) = match first {
            '\r' if rest.starts_with("\r\n") => (TokenKind::Newline, 2),
            '\n' => (TokenKind::Newline, 1),
            ' ' | '\t' | '\r' => {
                self.after_dot = after_dot;
                self.at += 1;
                return None;
            }
            '#' => (TokenKind::LineComment, line_length(rest)),
            '/' if rest.starts_with("//") => (TokenKind::LineComment, line_length(rest)),
            '/' if rest.starts_with("/*") => {
                // What opens the comment can't close it: `/*/` is open.
                let length = rest[2..].find("*/").map_or(rest.len(), |index| index + 4);
                (TokenKind::BlockComment, length.max(4).min(rest.len()))
            }
            '"' => {
                self.push(Inside::Quotes, start);
                self.begin_template(TokenKind::Quoted, start);
                self.at += 1;
                return Some(Step::Opened(start));
            }
            '<' => match heredoc_start(rest) {
                Some((name, length)) => {
                    let inside = Inside::Heredoc(start + name.start, start + name.end);
                    self.push(inside, start);
                    self.begin_template(TokenKind::Heredoc, start);
                    self.at += length;
                    return Some(Step::Opened(start));
                }
                None => (TokenKind::Mark, mark_length(rest)),
            },
            '(' | '[' | '{' => {
                self.push(Inside::Bracket, start);
                self.at += 1;
                if self.template.is_none() {
                    return Some(Step::Code(TokenKind::Open, start, start + 1));
                }
                return Some(Step::Opened(start));
            }
            ')' | ']' | '}' => {
                if matches!(self.open.last(), Some((Inside::Bracket, _))) {
                    self.open.pop();
                }
                (TokenKind::Close, 1)
            }
            '0'..='9' => (TokenKind::Number, number_length(rest, after_dot)),
            c if starts_name(c) => {
                let length = rest.find(|c| !continues_name(c)).unwrap_or(rest.len());
                (TokenKind::Name, length)
            }
            _ => (TokenKind::Mark, mark_length(rest)),
        };
        self.at = start + length;
        self.after_dot = kind == TokenKind::Mark && length == 1 && first == '.';
        Some(Step::Code(kind, start, self.at))
    }

    fn begin_template(&mut self, kind: TokenKind, start: usize) {
        if self.template.is_none() {
            self.template = Some((kind, start, self.open.len()));
        }
    }
}

/// The tokens at the outside of a text.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    Scanner::new(text).run(|_, _| false)
}

fn starts_name(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

fn continues_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-')
}

fn line_length(rest: &str) -> usize {
    let line = rest.split('\n').next().unwrap_or_default();
    line.strip_suffix('\r').unwrap_or(line).len()
}

/// The delimiter's place and the whole opening line's length, if a heredoc starts here.
fn heredoc_start(rest: &str) -> Option<(std::ops::Range<usize>, usize)> {
    let after = rest.strip_prefix("<<")?;
    let after = after.strip_prefix('-').unwrap_or(after);
    let from = rest.len() - after.len();
    let line = after.split_inclusive('\n').next()?;
    let name = line.strip_suffix('\n')?;
    let name = name.strip_suffix('\r').unwrap_or(name);
    let named = name.starts_with(starts_name) && name.chars().all(continues_name);
    named.then(|| (from..from + name.len(), from + line.len()))
}

/// After a dot, a number is an index: `x.0.1` has two of them.
fn number_length(rest: &str, after_dot: bool) -> usize {
    let digits = |from: usize| {
        let rest = rest.get(from..).unwrap_or_default();
        let count = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        (count > 0).then_some(from + count)
    };
    let mut end = digits(0).unwrap_or(1);
    let rest_at = |at: usize| rest.get(at..).unwrap_or_default();
    if after_dot {
        return end;
    }
    if rest_at(end).starts_with('.') {
        end = digits(end + 1).unwrap_or(end);
    }
    if rest_at(end).starts_with(['e', 'E']) {
        let sign = usize::from(rest_at(end + 1).starts_with(['+', '-']));
        end = digits(end + 1 + sign).unwrap_or(end);
    }
    end
}

fn mark_length(rest: &str) -> usize {
    const LONG: [&str; 9] = ["...", "==", "!=", "<=", ">=", "&&", "||", "=>", "::"];
    LONG.iter()
        .find(|mark| rest.starts_with(**mark))
        .map_or_else(
            || rest.chars().next().map_or(1, char::len_utf8),
            |mark| mark.len(),
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        tokens(text)
            .iter()
            .map(|token| &text[token.start..token.end])
            .collect()
    }

    #[test]
    fn code_is_cut_into_tokens() {
        for (text, expected) in [
            (
                "a = 1.5e-3 + b.0.1",
                vec!["a", "=", "1.5e-3", "+", "b", ".", "0", ".", "1"],
            ),
            (
                "x[*].y==!z&&-1",
                vec!["x", "[", "*", "]", ".", "y", "==", "!", "z", "&&", "-", "1"],
            ),
            (
                "f(a...) # c\r\n",
                vec!["f", "(", "a", "...", ")", "# c", "\r\n"],
            ),
            ("/* a\n */ b // c", vec!["/* a\n */", "b", "// c"]),
            ("/*/é a */ b", vec!["/*/é a */", "b"]),
            ("/**/ b", vec!["/**/", "b"]),
            ("/*/é", vec!["/*/é"]),
            (
                "\"a ${f(\"}\", { b = 1 })} \\\" $${\" c",
                vec!["\"a ${f(\"}\", { b = 1 })} \\\" $${\"", "c"],
            ),
            (
                "a = <<-EOT\n \" ${x(\n\")\")}\n  EOTX\n  EOT\nb",
                vec![
                    "a",
                    "=",
                    "<<-EOT\n \" ${x(\n\")\")}\n  EOTX\n  EOT",
                    "\n",
                    "b",
                ],
            ),
            ("a < b << c", vec!["a", "<", "b", "<", "<", "c"]),
            ("\"$$${x}\" y", vec!["\"$$${x}\"", "y"]),
        ] {
            assert_eq!(texts(text), expected, "{text}");
        }
    }

    proptest! {
        /// Every byte that isn't white space is in one token, in order.
        #[test]
        fn nothing_is_lost(text in "[ \\n\\r\\t\"$%{}()\\[\\]<>=.!a-c0-9#/*\\\\é-]{0,80}") {
            let mut at = 0;
            for token in tokens(&text) {
                prop_assert!(token.start >= at && token.end > token.start);
                prop_assert!(text[at..token.start].trim_matches([' ', '\t', '\r']).is_empty());
                at = token.end;
            }
            prop_assert!(text[at..].trim_matches([' ', '\t', '\r']).is_empty());
        }
    }
}
