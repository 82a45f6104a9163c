//! The path of a rule: what it matches, and which of two rules goes first.
//!
//! In comes the text of a path with templates filled in; out goes a [`Pattern`], or why the
//! server refuses it. A path is matched segment by segment: `+` alone is any segment, an empty
//! one too; a `*` at the end lets the last segment go on, and any segments follow. The order of
//! rules depends on the patterns alone, never on the path that is asked for.

use std::cmp::Reverse;

use remit_sdk::text::safe;

/// One segment of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    /// `+`.
    Any,
    /// This text.
    Literal(String),
}

impl Segment {
    pub(super) fn matches(&self, segment: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Literal(text) => text == segment,
        }
    }
}

/// Which of the server's three tables a path is kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Table {
    Exact,
    Prefix,
    Segments,
}

/// A rule's path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    /// As it is written, without a slash at its beginning.
    pub(super) text: String,
    /// The segments that must match one by one.
    pub(super) segments: Vec<Segment>,
    /// With a `*` at the end: what the segment after those begins with.
    pub(super) tail: Option<String>,
    table: Table,
}

/// The order of rules; the greatest decides. First an exact path, then the one whose first
/// wildcard stands later, one without `*` at its end, one with fewer `+`, a longer one, one later
/// in the alphabet.
pub(super) type Rank<'a> = (bool, usize, bool, Reverse<usize>, usize, &'a str);

impl Pattern {
    pub(super) fn parse(path: &str) -> Result<Self, String> {
        let text = path.strip_prefix('/').unwrap_or(path);
        if text.contains("+*") {
            return Err(format!(
                "the path `{}` has `+*`, which the server refuses; write `+/*`, or `*` alone",
                safe(text)
            ));
        }
        let table = if text == "+" || text.contains("/+") || text.starts_with("+/") {
            Table::Segments
        } else if text.ends_with('*') {
            Table::Prefix
        } else {
            Table::Exact
        };
        let (body, open) = match text.strip_suffix('*') {
            Some(body) => (body, true),
            None => (text, false),
        };
        let mut segments: Vec<Segment> = body
            .split('/')
            .map(|segment| match segment {
                "+" => Segment::Any,
                text => Segment::Literal(text.to_owned()),
            })
            .collect();
        let tail = if open {
            match segments.pop() {
                Some(Segment::Literal(tail)) => Some(tail),
                _ => Some(String::new()),
            }
        } else {
            None
        };
        Ok(Self {
            text: text.to_owned(),
            segments,
            tail,
            table,
        })
    }

    pub(super) fn is_exact(&self) -> bool {
        self.table == Table::Exact
    }

    pub(super) fn matches(&self, path: &[&str]) -> bool {
        let enough = match &self.tail {
            None => path.len() == self.segments.len(),
            Some(tail) => path
                .get(self.segments.len())
                .is_some_and(|segment| segment.starts_with(tail)),
        };
        enough
            && self
                .segments
                .iter()
                .zip(path)
                .all(|(wanted, segment)| wanted.matches(segment))
    }

    pub(super) fn rank(&self) -> Rank<'_> {
        let body = self.text.strip_suffix('*').unwrap_or(&self.text);
        let first = match self.table {
            Table::Segments => self.text.find('+').unwrap_or(0),
            Table::Exact | Table::Prefix => body.len(),
        };
        let any = self
            .segments
            .iter()
            .filter(|segment| **segment == Segment::Any)
            .count();
        (
            self.is_exact(),
            first,
            self.tail.is_none(),
            Reverse(any),
            body.len(),
            body,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        let segments: Vec<&str> = path.split('/').collect();
        Pattern::parse(pattern).unwrap().matches(&segments)
    }

    #[test]
    fn the_documentation_s_own_examples() {
        for (pattern, yes, no) in [
            (
                "secret/foo",
                &["secret/foo"][..],
                &["secret/food", "secret/foo/bar", "secret/foo/"][..],
            ),
            (
                "secret/bar/*",
                &["secret/bar/zip", "secret/bar/zip/zap", "secret/bar/"],
                &["secret/bars/zip", "secret/bar"],
            ),
            (
                "secret/zip-*",
                &["secret/zip-zap", "secret/zip-zap/zong", "secret/zip-"],
                &["secret/zip/zap", "secret/zip"],
            ),
            (
                "secret/+/teamb",
                &["secret/foo/teamb", "secret//teamb"],
                &["secret/teamb", "secret/a/b/teamb", "secret/foo/teamb/x"],
            ),
            (
                "secret/+/+/teamb",
                &["secret/foo/bar/teamb", "secret/bar/foo/teamb"],
                &["secret/foo/teamb"],
            ),
            (
                "secret/+/ba*",
                &["secret/x/ba", "secret/x/bar", "secret/x/bar/y"],
                &["secret/x/b", "secret/ba", "secret/x/y/bar"],
            ),
            (
                "secret/+",
                &["secret/x", "secret/"],
                &["secret", "secret/x/y"],
            ),
            ("*", &["a", "a/b", ""], &[]),
            ("+", &["a"], &["a/b"]),
            ("+/+", &["a/b", "a/"], &["a"]),
            // A wildcard elsewhere stands for itself.
            ("a/*/b", &["a/*/b"], &["a/x/b"]),
            ("a/+b", &["a/+b"], &["a/xb"]),
            ("a/b**", &["a/b*", "a/b*c"], &["a/b"]),
            ("/a", &["a"], &["/a"]),
        ] {
            for path in yes {
                assert!(matches(pattern, path), "{pattern} {path}");
            }
            for path in no {
                assert!(!matches(pattern, path), "{pattern} {path}");
            }
        }
    }

    #[test]
    fn the_first_rule_that_tells_them_apart_decides() {
        let rank = |text: &str| Pattern::parse(text).unwrap();
        for (less, more) in [
            // An exact path before any other.
            ("secret/foo*", "secret/foo"),
            ("secret/+b", "secret/a"),
            // The first wildcard later.
            ("foo/+", "foo/a*"),
            ("foo/+/bar/baz", "foo/bar/+/baz"),
            ("secret/+/+/foo", "secret/a/*"),
            // No `*` at the end.
            ("foo/+/ba*", "foo/+/bar"),
            ("foo/*", "foo/+"),
            // Fewer `+`.
            ("foo/+/+/baz", "foo/+/bar/baz"),
            ("secret/+/+/foo/*", "secret/*"),
            // Longer.
            ("foo/+/bar/b*", "foo/+/bar/ba*"),
            ("foo/+/b", "foo/+/ba"),
            // Later in the alphabet.
            ("foo/+/a", "foo/+/b"),
            ("foo/+/a*", "foo/+/b*"),
        ] {
            assert!(rank(less).rank() < rank(more).rank(), "{less} {more}");
        }
    }

    #[test]
    fn what_the_server_refuses_is_refused() {
        for text in ["+*", "a/+*", "/+*", "a+*"] {
            assert!(Pattern::parse(text).unwrap_err().contains("`+*`"), "{text}");
        }
    }
}
