//! What `fmt` would change, as a unified diff.
//!
//! In: a file's name, its text and its canonical text. Out: the lines that differ with some
//! around them; empty where nothing does.

use remit_sdk::text;
use similar::{ChangeTag, TextDiff};

use super::Paint;

/// Lines of context around a change.
const CONTEXT: usize = 3;

/// The difference between a file and its canonical layout.
pub fn diff(name: &str, before: &str, after: &str, paint: Paint) -> String {
    if before == after {
        return String::new();
    }
    let name = text::safe(name);
    let mut out = format!(
        "{}\n{}\n",
        paint.removed(&format!("--- {name}")),
        paint.added(&format!("+++ {name}"))
    );
    let diff = TextDiff::from_lines(before, after);
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        out.push_str(&paint.faint(hunk.header().to_string().trim_end()));
        out.push('\n');
        for change in hunk.iter_changes() {
            let line = text::safe_block(change.value().trim_end_matches('\n'));
            let line = match change.tag() {
                ChangeTag::Equal => format!(" {line}"),
                ChangeTag::Delete => paint.removed(&format!("-{line}")),
                ChangeTag::Insert => paint.added(&format!("+{line}")),
            };
            out.push_str(&line);
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs() {
        assert_eq!(
            diff(
                "a.remit.hcl",
                "a=1\nb = 2\n",
                "a = 1\nb = 2\n",
                Paint::PLAIN
            ),
            "--- a.remit.hcl\n+++ a.remit.hcl\n@@ -1,2 +1,2 @@\n-a=1\n+a = 1\n b = 2\n"
        );
        assert_eq!(diff("a", "x", "x", Paint::PLAIN), "");
    }
}
