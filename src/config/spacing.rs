//! Where a space stands between two tokens of one line.
//!
//! In: the tokens of a text, one after the other. Out: for each, whether a space stands before
//! it. It knows which brackets are open, since `:` and `-` mean different things in different
//! places, and it never joins two tokens to a third one. Line breaks, indents and alignment are
//! none of its business.

use super::scan::TokenKind;

/// What an open bracket is.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Frame {
    /// The bracket.
    bracket: Option<char>,
    /// Whether a `for` expression is inside.
    is_for: bool,
    /// `?` that wait for their `:`.
    conditionals: usize,
    /// Whether it is a block's body or an object, where a line may be `name = value`.
    holds_entries: bool,
    /// Whether nothing but comments came since it opened.
    fresh: bool,
}

impl Frame {
    const OUTSIDE: Self = Self {
        bracket: None,
        is_for: false,
        conditionals: 0,
        holds_entries: true,
        fresh: false,
    };
}

/// What the token before was.
#[derive(Clone, Debug, PartialEq)]
struct Last {
    kind: TokenKind,
    text: String,
    /// An operator with one operand, or a bracket or mark that nothing follows at a distance.
    sticks: bool,
    /// Whether a value ends with it, so that a `-` after it subtracts.
    ends_value: bool,
}

/// Reads tokens and says where spaces stand.
#[derive(Clone, Debug, Default)]
pub(super) struct Spacing {
    open: Vec<Frame>,
    last: Option<Last>,
}

impl Spacing {
    fn frame(&self) -> Frame {
        self.open.last().copied().unwrap_or(Frame::OUTSIDE)
    }

    /// Whether lines here may be `name = value`.
    pub(super) fn in_body_or_object(&self) -> bool {
        self.frame().holds_entries
    }

    /// A line ends: what was before doesn't touch what comes.
    pub(super) fn line_ends(&mut self) {
        if let Some(last) = &mut self.last {
            last.sticks = false;
        }
    }

    /// Whether a space stands before a token; `adjacent` says that none did.
    pub(super) fn before(&self, kind: TokenKind, text: &str, adjacent: bool) -> bool {
        let Some(last) = &self.last else {
            return false;
        };
        if kind == TokenKind::BlockComment || last.kind == TokenKind::BlockComment {
            return !adjacent || text == "=";
        }
        if last.sticks {
            return false;
        }
        match (kind, text) {
            (_, "," | ")" | "]" | "..." | "::") => false,
            // `1 .5` would become another number.
            (_, ".") => last.kind == TokenKind::Number && !adjacent,
            (_, "}") => last.text != "{",
            (_, "[") => !last.ends_value || last.is_keyword(),
            (_, "(") => last.kind != TokenKind::Name || last.is_keyword(),
            (_, ":") => self.colon_separates(),
            _ => true,
        }
    }

    /// Whether a `:` here belongs to a conditional or a `for`, not to an object's key.
    fn colon_separates(&self) -> bool {
        let frame = self.frame();
        frame.conditionals > 0 || frame.is_for || frame.bracket != Some('{')
    }

    /// Goes on to the next token.
    pub(super) fn pass(&mut self, kind: TokenKind, text: &str) {
        if kind == TokenKind::LineComment {
            return;
        }
        if kind == TokenKind::BlockComment {
            self.last = Some(Last {
                kind,
                text: String::new(),
                sticks: false,
                ends_value: self.last.as_ref().is_some_and(|last| last.ends_value),
            });
            return;
        }
        let after_value = self
            .last
            .as_ref()
            .is_some_and(|last| last.ends_value && !last.is_keyword());
        let begins = self
            .open
            .last_mut()
            .is_some_and(|frame| std::mem::take(&mut frame.fresh));
        let mut sticks = matches!(text, "(" | "[" | "." | "::");
        match (kind, text) {
            (TokenKind::Open, _) => {
                let bracket = text.chars().next();
                self.open.push(Frame {
                    bracket,
                    is_for: false,
                    conditionals: 0,
                    holds_entries: bracket == Some('{'),
                    fresh: true,
                });
            }
            (TokenKind::Close, _) => drop(self.open.pop()),
            (TokenKind::Mark, "-" | "!") => sticks = !after_value,
            (TokenKind::Mark, "?") => self.count(1),
            (TokenKind::Mark, ":") => self.count(-1),
            (TokenKind::Name, "for") if begins => {
                if let Some(frame) = self.open.last_mut() {
                    frame.is_for = true;
                    frame.holds_entries = false;
                }
            }
            _ => {}
        }
        let ends_value = match kind {
            TokenKind::Name
            | TokenKind::Number
            | TokenKind::Quoted
            | TokenKind::Heredoc
            | TokenKind::Close => true,
            // `x.*` is a value; `x *` is none, but then a `-` follows only as a sign.
            TokenKind::Mark => {
                text == "*" && self.last.as_ref().is_some_and(|last| last.text == ".")
            }
            _ => false,
        };
        self.last = Some(Last {
            kind,
            text: text.to_owned(),
            sticks,
            ends_value,
        });
    }

    fn count(&mut self, change: isize) {
        if let Some(frame) = self.open.last_mut() {
            frame.conditionals = frame.conditionals.saturating_add_signed(change);
        }
    }
}

impl Last {
    /// Names that stand before a value as an operator does.
    fn is_keyword(&self) -> bool {
        self.kind == TokenKind::Name && matches!(self.text.as_str(), "in" | "if")
    }
}
