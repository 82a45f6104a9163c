//! Sentences in lines that fit a terminal.

/// Where lines end, at the latest: 80 columns, two of them for a section's indent.
const WIDTH: usize = 78;

/// The text in lines, the first after `first`, the others after `further`. Names and paths stay
/// whole, so that they can be copied and searched for.
pub(super) fn wrap(first: &str, further: &str, text: &str) -> String {
    let options = textwrap::Options::new(WIDTH)
        .initial_indent(first)
        .subsequent_indent(further)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .break_words(false);
    textwrap::fill(text, options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_before_the_edge_and_words_stay_whole() {
        let words = "word ".repeat(40);
        let lines = wrap("  why: ", "    ", words.trim_end());
        assert!(lines.lines().all(|line| line.chars().count() <= WIDTH));
        assert!(lines.starts_with("  why: word") && lines.contains("\n    word"));
        assert_eq!(lines.matches("word").count(), 40);
        let path = "a/".repeat(60);
        assert_eq!(wrap("  ", "  ", &path), format!("  {path}"));
        assert_eq!(wrap("  ", "    ", "a-b c\\u{1b}"), "  a-b c\\u{1b}");
    }
}
