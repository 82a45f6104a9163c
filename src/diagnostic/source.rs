//! The files that spans point into.

use std::path::PathBuf;
use std::sync::Arc;

use remit_sdk::{FileId, Span};

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
