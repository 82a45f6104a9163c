//! The files that spans point into.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use remit_sdk::{Diagnostic, FileId, Span};

/// One file as it was read.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// As people should see it: relative to the configuration's root where it lies below it.
    pub path: PathBuf,
    /// Its text, byte for byte, so that spans fit.
    pub text: Arc<str>,
}

/// All files read so far; a [`FileId`] is an index.
#[derive(Debug, Default, Clone)]
pub struct SourceMap {
    files: Vec<SourceFile>,
}

impl SourceMap {
    /// Adds a file.
    pub fn add(&mut self, path: PathBuf, text: Arc<str>) -> FileId {
        self.files.push(SourceFile { path, text });
        FileId(u32::try_from(self.files.len() - 1).unwrap_or(u32::MAX))
    }

    /// The file.
    pub fn get(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize)
    }

    /// The files in the order they were added.
    pub fn files(&self) -> impl Iterator<Item = &SourceFile> {
        self.files.iter()
    }

    /// The text at `span`; empty where it doesn't fit.
    pub fn text(&self, span: Span) -> &str {
        self.get(span.file)
            .and_then(|file| file.text.get(span.start as usize..span.end as usize))
            .unwrap_or_default()
    }

    /// Covers the texts that diagnostics say may be secrets, so that no diagnostic of these or
    /// any later ones shows them: not at their own place, and not as a line beside another's.
    /// Lines and columns stay as they are.
    pub fn hide(&mut self, diagnostics: &[Diagnostic]) {
        let mut all: BTreeMap<FileId, Vec<Range<usize>>> = BTreeMap::new();
        for diagnostic in diagnostics {
            let wrong = diagnostic.span.filter(|_| diagnostic.hides_text);
            for span in wrong.into_iter().chain(diagnostic.hidden) {
                let covered = span.start as usize..span.end as usize;
                all.entry(span.file).or_default().push(covered);
            }
        }
        for (file, covered) in all {
            self.cover(file, covered);
        }
    }

    /// Covers all values of a file of variable values: one that can't be read may hold secrets
    /// anywhere.
    pub fn hide_values(&mut self, file: FileId) {
        let Some(text) = self.get(file).map(|file| Arc::clone(&file.text)) else {
            return;
        };
        let mut covered = Vec::new();
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let is_name = |c: char| c.is_alphanumeric() || "_- \t".contains(c);
            // What comes before the sign is a name, or the line goes on from the one before.
            let value = match line.split_once('=') {
                Some((name, _)) if name.chars().all(is_name) => name.len() + 1,
                _ => 0,
            };
            covered.push(start + value..start + line.len());
            start += line.len();
        }
        self.cover(file, covered);
    }

    /// Puts stars over parts of a file, as many bytes as there were, so that spans still fit.
    fn cover(&mut self, file: FileId, mut covered: Vec<Range<usize>>) {
        let Some(file) = self.files.get_mut(file.0 as usize) else {
            return;
        };
        covered.sort_by_key(|range| range.start);
        let mut open = covered.into_iter().peekable();
        let mut text = String::with_capacity(file.text.len());
        for (at, c) in file.text.char_indices() {
            while open.next_if(|range| range.end <= at).is_some() {}
            let is_covered = open.peek().is_some_and(|range| range.contains(&at));
            if is_covered && !matches!(c, '\n' | '\r') {
                text.extend(std::iter::repeat_n('*', c.len_utf8()));
            } else {
                text.push(c);
            }
        }
        file.text = text.into();
    }

    /// The line of the span's start, counted from 1.
    pub fn line(&self, span: Span) -> usize {
        self.get(span.file)
            .and_then(|file| file.text.get(..span.start as usize))
            .map_or(1, |before| before.matches('\n').count() + 1)
    }

    /// `agents.remit.hcl:41`.
    pub fn place(&self, span: Span) -> String {
        let path = self
            .get(span.file)
            .map(|file| file.path.display().to_string());
        format!("{}:{}", path.unwrap_or_default(), self.line(span))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> (SourceMap, FileId) {
        let mut sources = SourceMap::default();
        let file = sources.add("v.hcl".into(), text.into());
        (sources, file)
    }

    #[test]
    fn what_diagnostics_hide_is_covered_and_nothing_else() {
        let (mut sources, id) = file("a = \"x é\"\nb = \"y\"\n");
        let at = |start, end| Diagnostic::error("x", "y").at(Span::new(id, start, end));
        sources.hide(&[at(15, 18), at(4, 10).hiding_text(), at(5, 7).hiding_text()]);
        assert_eq!(&*sources.files[0].text, "a = ******\nb = \"y\"\n");
        // Beside what is wrong, too.
        let (mut named, id) = file("a = \"x\"\nb = 1\n");
        let wrong = Diagnostic::error("x", "y").at(Span::new(id, 0, 1));
        named.hide(&[Diagnostic {
            hidden: Some(Span::new(id, 4, 7)),
            ..wrong
        }]);
        assert_eq!(&*named.files[0].text, "a = ***\nb = 1\n");
        // Spans that fit no text cover nothing.
        let mut far = at(500, 600).hiding_text();
        sources.hide(&[far.clone()]);
        far.span = Some(Span::new(FileId(7), 0, 1));
        sources.hide(&[far]);
        assert_eq!(&*sources.files[0].text, "a = ******\nb = \"y\"\n");
    }

    #[test]
    fn all_values_of_a_file_are_covered() {
        let (mut sources, id) = file("a = \"x\n\nb_1= 2\n  # c=d\n\"y=z\"");
        sources.hide_values(id);
        assert_eq!(&*sources.files[0].text, "a =***\n\nb_1=**\n*******\n*****");
    }
}
