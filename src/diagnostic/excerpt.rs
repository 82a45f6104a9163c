//! The few lines of a file that a diagnostic shows.
//!
//! In: a file's text and the spans to underline. Out: lines that are safe to print (what could
//! steer a terminal is escaped, tabs are spaces, a long line is cut around its underlined part)
//! and where the spans stand in them. A span over several lines is underlined up to the end of
//! its first, and one that doesn't fit the text is moved into it: rendering a mistake must never
//! be one.

use std::collections::BTreeMap;

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};
use remit_sdk::Span;
use remit_sdk::text::is_unsafe;

/// Columns between two tab stops.
const TAB_WIDTH: usize = 4;
/// How much of the end of an underlined part may fall away when a line is cut: what is wrong is
/// said by its beginning.
const MARKED_MAX: usize = 60;

/// Where a span stands in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Its line, from 0.
    pub(super) line: usize,
    /// Its column, from 0, in characters.
    pub(super) column: usize,
    /// The byte where its line starts.
    pub(super) line_start: usize,
    /// The byte after its line's last character; the line ending stays out.
    pub(super) line_end: usize,
    /// The first byte to underline.
    pub(super) start: usize,
    /// The byte after the last one to underline, on the same line.
    pub(super) end: usize,
}

/// Finds the place of a span.
pub(super) fn place(text: &str, span: Span) -> Place {
    let start = boundary(text, span.start as usize);
    let end = boundary(text, span.end as usize).max(start);
    let (before, after) = text.split_at(start);
    let line_start = before.rfind('\n').map_or(0, |index| index + 1);
    let line_end = after.find('\n').map_or(text.len(), |index| start + index);
    let full = text.get(line_start..line_end).unwrap_or_default();
    let line_end = (line_start + full.strip_suffix('\r').unwrap_or(full).len()).max(start);
    Place {
        line: before.matches('\n').count(),
        column: before.get(line_start..).unwrap_or_default().chars().count(),
        line_start,
        line_end,
        start,
        end: end.min(line_end).max(start),
    }
}

/// The nearest character boundary at or before `index`.
fn boundary(text: &str, index: usize) -> usize {
    let mut index = index.min(text.len());
    while !text.is_char_boundary(index) {
        index -= 1;
    }
    index
}

/// One underlined part.
pub(super) struct Mark {
    /// The byte of the excerpt where it starts.
    pub(super) offset: usize,
    /// Its length in bytes of the excerpt.
    pub(super) length: usize,
}

/// Lines of one file, ready to print.
#[derive(Debug)]
pub(super) struct Excerpt {
    name: String,
    text: String,
    /// The line of the file that comes first, from 0.
    first_line: usize,
    /// Where each line starts in `text`.
    starts: Vec<usize>,
    /// Columns of the marks, by where they start in `text`.
    columns: BTreeMap<usize, usize>,
}

impl Excerpt {
    /// The lines around `places`, each at most `width` columns, and where the places are in them.
    pub(super) fn new(
        name: String,
        text: &str,
        places: &[Place],
        width: usize,
    ) -> (Self, Vec<Mark>) {
        let first = places.iter().map(|place| place.line).min().unwrap_or(0);
        let last = places.iter().map(|place| place.line).max().unwrap_or(0);
        let first_line = first.saturating_sub(1);
        let mut excerpt = Self {
            name,
            text: String::new(),
            first_line,
            starts: Vec::new(),
            columns: BTreeMap::new(),
        };
        let mut marks: BTreeMap<usize, Mark> = BTreeMap::new();
        let before = places.iter().find(|place| place.line == first);
        let mut offset = before.map_or(0, |place| {
            let above = text.get(..place.line_start.saturating_sub(1));
            let above = above.and_then(|above| above.rfind('\n'));
            if first == 0 {
                0
            } else {
                above.map_or(0, |index| index + 1)
            }
        });
        for number in first_line..=last + 1 {
            let Some(rest) = text.get(offset..) else {
                break;
            };
            if rest.is_empty() && number > last {
                // What comes after the last line ending is no line.
                break;
            }
            let line = rest.split('\n').next().unwrap_or_default();
            let start = excerpt.text.len();
            excerpt.starts.push(start);
            let here: Vec<(usize, &Place)> = places
                .iter()
                .enumerate()
                .filter(|(_, place)| place.line == number)
                .collect();
            let near = places.iter().any(|place| place.line.abs_diff(number) <= 1);
            // Lines far from every mark are counted, never shown.
            let shown = if near {
                line.strip_suffix('\r').unwrap_or(line)
            } else {
                ""
            };
            let cells = cells(shown);
            let window = window(&cells, &here, offset, width);
            let (from, to) = window;
            if from > 0 {
                excerpt.text.push('…');
            }
            let mut positions: BTreeMap<usize, usize> = BTreeMap::new();
            for cell in cells.get(from..to).unwrap_or_default() {
                positions.insert(cell.byte, excerpt.text.len());
                excerpt.text.push_str(&cell.text);
            }
            let end = excerpt.text.len();
            if to < cells.len() {
                excerpt.text.push('…');
            }
            for (index, place) in here {
                let at = |byte: usize| {
                    let found = positions.range(byte.saturating_sub(offset)..).next();
                    found.map_or(end, |(_, position)| *position)
                };
                let (mark_start, mark_end) = (at(place.start), at(place.end));
                excerpt.columns.insert(mark_start, place.column);
                let length = mark_end.saturating_sub(mark_start);
                marks.insert(
                    index,
                    Mark {
                        offset: mark_start,
                        length,
                    },
                );
            }
            excerpt.text.push('\n');
            offset += line.len() + 1;
        }
        (excerpt, marks.into_values().collect())
    }
}

/// A character as it is shown.
struct Cell {
    /// Its byte in the line.
    byte: usize,
    /// What stands for it: itself, spaces or an escape.
    text: String,
}

/// A line as it is shown, character by character.
fn cells(line: &str) -> Vec<Cell> {
    let mut column = 0;
    line.char_indices()
        .map(|(byte, c)| {
            let text = match c {
                '\t' => " ".repeat(TAB_WIDTH - column % TAB_WIDTH),
                c if is_unsafe(c) => remit_sdk::text::safe(&c.to_string()),
                c => c.to_string(),
            };
            column += text.chars().count();
            Cell { byte, text }
        })
        .collect()
}

/// Which cells of a line are shown: all if they fit, else those around the first mark.
fn window(cells: &[Cell], here: &[(usize, &Place)], offset: usize, width: usize) -> (usize, usize) {
    let columns = |from: usize, to: usize| -> usize {
        let part = cells.get(from..to).unwrap_or_default();
        part.iter().map(|cell| cell.text.chars().count()).sum()
    };
    if columns(0, cells.len()) <= width {
        return (0, cells.len());
    }
    let index_of = |byte: usize| {
        let byte = byte.saturating_sub(offset);
        cells.partition_point(|cell| cell.byte < byte)
    };
    let start = here.iter().map(|(_, place)| index_of(place.start)).min();
    let end = here.iter().map(|(_, place)| index_of(place.end)).max();
    let (start, end) = (start.unwrap_or(0), end.unwrap_or(0));
    let end = end.min(start + MARKED_MAX);
    // Two columns stay free for the marks of what was cut.
    let room = width.saturating_sub(2).max(1);
    let mut from = if columns(0, end) <= room { 0 } else { start };
    // A third of the room stands before the mark, the rest after it.
    while from > 0 && columns(from - 1, start) <= room / 3 {
        from -= 1;
    }
    let mut to = from;
    while to < cells.len() && columns(from, to + 1) <= room {
        to += 1;
    }
    (from, to)
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let line_of = |offset: usize| {
            self.starts
                .partition_point(|start| *start <= offset)
                .saturating_sub(1)
        };
        let first = line_of(span.offset()).saturating_sub(before);
        let last =
            (line_of(span.offset() + span.len()) + after).min(self.starts.len().saturating_sub(1));
        let from = self.starts.get(first).copied().unwrap_or_default();
        let to = self
            .starts
            .get(last + 1)
            .copied()
            .unwrap_or(self.text.len());
        let data = self.text.as_bytes().get(from..to);
        let column = if before == 0 {
            self.columns.get(&span.offset())
        } else {
            None
        };
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            data.ok_or(MietteError::OutOfBounds)?,
            SourceSpan::from((from, to - from)),
            self.first_line + first,
            column.copied().unwrap_or_default(),
            last - first + 1,
        )))
    }
}
