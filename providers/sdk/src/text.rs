//! Making text that came from elsewhere safe to show.
//!
//! Names and errors from a server, and values from a configuration somebody else wrote, may
//! hold escape sequences that hide lines of a plan. Everything that is shown passes here.

/// `text` with every character that could steer a terminal or reorder a line written as an
/// escape: C0 (newline and tab included), DEL, C1, bidirectional controls, zero-width characters and
/// line separators.
pub fn safe(text: &str) -> String {
    escape(text, false)
}

/// The same, with newlines and tabs kept: for text that is shown as a block.
pub fn safe_block(text: &str) -> String {
    escape(text, true)
}

fn escape(text: &str, keep_layout: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' if keep_layout => out.push(c),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if is_unsafe(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// Whether `c` must never reach a terminal as it is.
pub fn is_unsafe(c: char) -> bool {
    matches!(c,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}'
        // Blanks that look like nothing: fillers of Hangul, the blank of braille.
        | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_written_out() {
        assert_eq!(
            safe("a\u{1b}[31mb\r\n\u{9b}\u{202e}"),
            "a\\u{1b}[31mb\\r\\n\\u{9b}\\u{202e}"
        );
        assert_eq!(safe_block("a\n\tb\u{1b}"), "a\n\tb\\u{1b}");
        assert_eq!(
            safe("a\u{3164}\u{2800}\u{34f}b"),
            "a\\u{3164}\\u{2800}\\u{34f}b"
        );
        assert_eq!(safe("déjà 好"), "déjà 好");
    }
}
