//! Colour, where it is asked for.
//!
//! In: text that is already safe to show. Out: the same text, between escape sequences or not.
//! The names say what a thing means, not how it looks, so that a reader of the code sees what a
//! person will.

use anstyle::{AnsiColor, Style};

/// Whether and how text is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paint {
    colour: bool,
}

impl Paint {
    /// No colour: the text alone.
    pub const PLAIN: Self = Self { colour: false };
    /// With ANSI escape sequences.
    pub const COLOUR: Self = Self { colour: true };

    /// With colour if `colour`.
    pub const fn new(colour: bool) -> Self {
        Self { colour }
    }

    /// Whether there is colour.
    pub const fn is_colour(self) -> bool {
        self.colour
    }

    /// A heading.
    pub fn heading(self, text: &str) -> String {
        self.with(Style::new().bold(), text)
    }

    /// Of less weight than what stands beside it.
    pub fn faint(self, text: &str) -> String {
        self.with(Style::new().dimmed(), text)
    }

    /// Something comes, or went well.
    pub fn added(self, text: &str) -> String {
        self.with(AnsiColor::Green.on_default(), text)
    }

    /// Something changes, or deserves a look.
    pub fn changed(self, text: &str) -> String {
        self.with(AnsiColor::Yellow.on_default(), text)
    }

    /// Something goes, or went wrong.
    pub fn removed(self, text: &str) -> String {
        self.with(AnsiColor::Red.on_default(), text)
    }

    /// Only the record changes.
    pub fn recorded(self, text: &str) -> String {
        self.with(AnsiColor::Cyan.on_default(), text)
    }

    fn with(self, style: Style, text: &str) -> String {
        if self.colour {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_only_when_asked_for() {
        assert_eq!(Paint::PLAIN.removed("x"), "x");
        assert_eq!(Paint::COLOUR.removed("x"), "\u{1b}[31mx\u{1b}[0m");
    }
}
