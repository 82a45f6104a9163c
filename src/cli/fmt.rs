//! `remit fmt`: the canonical layout, comments kept.
//!
//! Files are written in place, each under another name first, so that nobody finds half of one.
//! With `--check` nothing is written, and the exit code is 1 where something would be.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use remit_sdk::{Diagnostic, FileId, text};

use super::{Global, Outcome, plain_file};
use crate::config::fmt::format;
use crate::config::limits::FILE_BYTES_MAX;
use crate::config::{AUTO_VARIABLES, EXTENSION};
use crate::view::layout;
use crate::view::report::{DONE, ERROR};

/// What stands for standard input.
const STANDARD_INPUT: &str = "-";

#[derive(Debug, Args)]
pub(super) struct Fmt {
    /// Files or directories; `-` is standard input, laid out to standard output; without any,
    /// the working directory
    paths: Vec<PathBuf>,
    /// Write nothing; exit with 1 if a file is not laid out canonically
    #[arg(long)]
    check: bool,
    /// Show what differs
    #[arg(long)]
    diff: bool,
}

impl Fmt {
    pub(super) fn run(self, global: &Global) -> Outcome {
        let mut diagnostics = Vec::new();
        let mut differs = false;
        let here = [PathBuf::from(".")];
        let paths = if self.paths.is_empty() {
            &here[..]
        } else {
            &self.paths
        };
        for path in paths {
            let done = if path == Path::new(STANDARD_INPUT) {
                self.standard_input(global)
            } else {
                files(path).and_then(|files| {
                    files.iter().try_fold(false, |differs, file| {
                        Ok(self.file(global, file)? || differs)
                    })
                })
            };
            match done {
                Ok(one) => differs |= one,
                Err(mut found) => diagnostics.append(&mut found),
            }
        }
        if !diagnostics.is_empty() {
            return Err(diagnostics);
        }
        Ok(if self.check && differs { ERROR } else { DONE })
    }

    /// One file; whether its layout was not canonical.
    fn file(&self, global: &Global, path: &Path) -> Result<bool, Vec<Diagnostic>> {
        let shown = text::safe(&path.display().to_string());
        let fail = |error: std::io::Error| vec![unusable(&shown, &error.to_string())];
        let before = read(&shown, plain_file::open(path).map_err(fail)?)?;
        let after = format(&before, keep(global, path, &before))?;
        if before == after {
            return Ok(false);
        }
        self.show(global, &shown, &before, &after);
        if !self.check {
            write(path, &after).map_err(fail)?;
        }
        Ok(true)
    }

    fn standard_input(&self, global: &Global) -> Result<bool, Vec<Diagnostic>> {
        let before = read("standard input", std::io::stdin())?;
        let file = keep(global, Path::new("standard input"), &before);
        let after = format(&before, file)?;
        let differs = before != after;
        if self.check || self.diff {
            if differs {
                self.show(global, "standard input", &before, &after);
            }
        } else {
            global.output.data(&after);
        }
        Ok(differs)
    }

    fn show(&self, global: &Global, name: &str, before: &str, after: &str) {
        let text = if self.diff {
            layout::diff(name, before, after, global.output.paint())
        } else {
            format!("{name}\n")
        };
        global.output.data(&text);
    }
}

/// Remembers a text, so that a mistake in it can be shown.
fn keep(global: &Global, path: &Path, text: &str) -> FileId {
    global
        .sources
        .borrow_mut()
        .add(path.to_owned(), text.into())
}

/// The files that a path stands for: itself, or what is configuration in the directory.
fn files(path: &Path) -> Result<Vec<PathBuf>, Vec<Diagnostic>> {
    let shown = text::safe(&path.display().to_string());
    let fail = |error: std::io::Error| vec![unusable(&shown, &error.to_string())];
    if !fs::metadata(path).map_err(fail)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_ours = name.ends_with(EXTENSION) || name.ends_with(AUTO_VARIABLES);
        if is_ours && !name.starts_with('.') {
            let path = entry.path();
            files.push(path.strip_prefix(".").map(Path::to_owned).unwrap_or(path));
        }
    }
    files.sort();
    Ok(files)
}

fn read(shown: &str, source: impl Read) -> Result<String, Vec<Diagnostic>> {
    let mut bytes = Vec::new();
    source
        .take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| vec![unusable(shown, &error.to_string())])?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        let why = format!("it holds more than {FILE_BYTES_MAX} bytes");
        return Err(vec![unusable(shown, &why)]);
    }
    String::from_utf8(bytes).map_err(|_| vec![unusable(shown, "it is not UTF-8")])
}

/// Writes beside the file and puts that in its place. A link stays one: what it leads to is
/// replaced.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let path = path.canonicalize()?;
    let directory = path.parent().unwrap_or(Path::new("."));
    let mut unfinished = tempfile::NamedTempFile::new_in(directory)?;
    unfinished.write_all(text.as_bytes())?;
    let permissions = fs::metadata(&path)?.permissions();
    unfinished.as_file().set_permissions(permissions)?;
    unfinished.as_file().sync_all()?;
    unfinished.persist(&path).map_err(|error| error.error)?;
    Ok(())
}

fn unusable(shown: &str, why: &str) -> Diagnostic {
    Diagnostic::error("file can't be laid out", format!("{shown}: {why}"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_directory_stands_for_its_configuration() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "b.remit.hcl",
            "a.remit.hcl",
            "x.auto.remitvars.hcl",
            ".c.remit.hcl",
            "d.tf",
        ] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let names: Vec<String> = files(folder.path())
            .unwrap()
            .iter()
            .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
            .collect();
        assert_eq!(
            names,
            ["a.remit.hcl", "b.remit.hcl", "x.auto.remitvars.hcl"]
        );
    }

    #[test]
    fn a_written_file_keeps_its_permissions_and_its_link() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("a"), folder.path().join("l"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write(&link, "new").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }
}
