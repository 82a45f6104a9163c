//! Reading files: which, how much, and nothing that isn't a plain file below the root.

use std::fs;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use remit_sdk::{Diagnostic, FileId};
use rustix::fs::OFlags;

use super::limits::{self, FILE_BYTES_MAX, FILES_MAX, TOTAL_BYTES_MAX};
use super::parse;
use super::syntax::Configuration;
use crate::diagnostic::SourceMap;

/// The ending of configuration files.
pub const EXTENSION: &str = ".remit.hcl";
/// The ending of files with variable values that are read by themselves.
pub const AUTO_VARIABLES: &str = ".auto.remitvars.hcl";

/// Reads and parses all configuration files of a directory, in name order. All mistakes in all
/// files are reported.
pub fn load(root: &Path, sources: &mut SourceMap) -> Result<Configuration, Vec<Diagnostic>> {
    let names = list(root, EXTENSION)?;
    if names.is_empty() {
        return Err(vec![
            Diagnostic::error(
                "no configuration",
                format!(
                    "{} holds no file that ends with {EXTENSION}",
                    root.display()
                ),
            )
            .help("write one, or name the right directory: remit --chdir DIR …"),
        ]);
    }
    let mut configuration = Configuration::default();
    let mut diagnostics = Vec::new();
    let mut total = 0;
    // All is read, and found not to be too much, before any of it is parsed.
    let mut texts = Vec::new();
    for name in names {
        let name = Path::new(&name);
        let (file, text) = match read(&root.join(name), name, Links::Below(root)) {
            Ok(text) => add(name, text, sources),
            Err(diagnostic) => {
                diagnostics.push(diagnostic);
                continue;
            }
        };
        total += text.len() as u64;
        if total > TOTAL_BYTES_MAX {
            diagnostics.push(Diagnostic::error(
                "configuration too large",
                format!("all files together hold more than {TOTAL_BYTES_MAX} bytes"),
            ));
            return Err(diagnostics);
        }
        texts.push((file, text));
    }
    for (file, text) in texts {
        match parse(&text, file) {
            Ok(mut parsed) => {
                configuration.blocks.append(&mut parsed.blocks);
                configuration.attributes.append(&mut parsed.attributes);
                configuration.files.push(file);
            }
            Err(mut found) => diagnostics.append(&mut found),
        }
    }
    diagnostics.extend(configuration.attributes.iter().map(|attribute| {
        Diagnostic::error(
            "attribute outside of a block",
            format!("`{}` stands outside of every block", attribute.name.value),
        )
        .help("a value for the whole configuration belongs into `locals { … }`")
        .at(attribute.name.span)
    }));
    if diagnostics.is_empty() {
        Ok(configuration)
    } else {
        Err(diagnostics)
    }
}

/// Reads a file with variable values: attributes and nothing else.
pub fn load_variables(
    path: &Path,
    sources: &mut SourceMap,
) -> Result<Configuration, Vec<Diagnostic>> {
    let text = read(path, path, Links::Anywhere).map_err(|diagnostic| vec![diagnostic])?;
    let (file, text) = add(path, text, sources);
    let configuration = parse(&text, file).map_err(|mut diagnostics| {
        // Nobody knows yet which of them are secrets.
        sources.hide_values(file);
        for diagnostic in &mut diagnostics {
            diagnostic.detail = without_quoted(&diagnostic.detail, &text);
            diagnostic.help = diagnostic
                .help
                .as_ref()
                .map(|help| without_quoted(help, &text));
        }
        diagnostics
    })?;
    let misplaced: Vec<Diagnostic> = configuration
        .blocks
        .iter()
        .map(|block| {
            Diagnostic::error(
                "block among variable values",
                format!(
                    "a file of variable values holds `name = value`, no `{}`",
                    block.kind.value
                ),
            )
            .at(block.span)
        })
        .collect();
    if misplaced.is_empty() {
        Ok(configuration)
    } else {
        sources.hide_values(file);
        Err(misplaced)
    }
}

/// A message without what it quotes of a file.
fn without_quoted(message: &str, text: &str) -> String {
    let pieces: Vec<&str> = message
        .split('`')
        .enumerate()
        .map(|(number, piece)| {
            let is_quoted = number % 2 == 1 && piece.contains(char::is_alphanumeric);
            if is_quoted && text.contains(piece) {
                "…"
            } else {
                piece
            }
        })
        .collect();
    pieces.join("`")
}

/// The files of variable values that are read by themselves, in name order.
pub fn auto_variables(root: &Path) -> Result<Vec<PathBuf>, Vec<Diagnostic>> {
    Ok(list(root, AUTO_VARIABLES)?
        .into_iter()
        .map(|name| root.join(name))
        .collect())
}

/// The names in a directory that have an ending, sorted.
fn list(root: &Path, ending: &str) -> Result<Vec<String>, Vec<Diagnostic>> {
    let fail = |error: std::io::Error| {
        vec![Diagnostic::error(
            "directory can't be read",
            format!("{}: {error}", root.display()),
        )]
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(root).map_err(fail)? {
        let name = entry.map_err(fail)?.file_name();
        let lossy = name.to_string_lossy();
        if !lossy.ends_with(ending) || lossy.starts_with('.') {
            continue;
        }
        let Some(name) = name.to_str() else {
            return Err(vec![Diagnostic::error(
                "file name is no text",
                format!("the name `{}` is not UTF-8", remit_sdk::text::safe(&lossy)),
            )]);
        };
        names.push(name.to_owned());
        if names.len() > FILES_MAX {
            return Err(vec![Diagnostic::error(
                "too many files",
                format!("{} holds more than {FILES_MAX} files", root.display()),
            )]);
        }
    }
    names.sort();
    Ok(names)
}

/// Where a link may lead.
#[derive(Clone, Copy)]
enum Links<'a> {
    /// Below this directory: what lies in a configuration was written by whoever changed it.
    Below(&'a Path),
    /// Anywhere: whoever runs the command named the file.
    Anywhere,
}

/// Reads one file into the source map. Only a plain file is read: no pipe that never ends, no
/// link that leads elsewhere.
fn read(path: &Path, shown: &Path, links: Links<'_>) -> Result<String, Diagnostic> {
    let shown = remit_sdk::text::safe(&shown.display().to_string());
    let fail = |why: &str| Diagnostic::error("file can't be read", format!("{shown}: {why}"));
    let target = path
        .canonicalize()
        .map_err(|error| fail(&error.to_string()))?;
    if let Links::Below(root) = links {
        let root = root
            .canonicalize()
            .map_err(|error| fail(&error.to_string()))?;
        if !target.starts_with(root) {
            return Err(fail("it is a link that leads out of the directory"));
        }
    }
    // The target holds no links any more, so one that is put there meanwhile isn't followed;
    // and opening a pipe doesn't wait for its other end.
    let file = fs::File::options()
        .read(true)
        .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed())
        .open(&target)
        .map_err(|error| fail(&error.to_string()))?;
    let metadata = file.metadata().map_err(|error| fail(&error.to_string()))?;
    if !metadata.is_file() {
        return Err(fail("it is no plain file"));
    }
    let too_large = || {
        Diagnostic::error(
            "file too large",
            format!("{shown} holds more than {FILE_BYTES_MAX} bytes"),
        )
        .help("spread it over several files")
    };
    if metadata.len() > FILE_BYTES_MAX {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| fail(&error.to_string()))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(too_large());
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        fail(&format!(
            "it is not UTF-8: byte {valid} belongs to no character"
        ))
        .help("save it as UTF-8")
    })
}

/// Puts a file that was read into the source map.
fn add(name: &Path, text: String, sources: &mut SourceMap) -> (FileId, Arc<str>) {
    let text: Arc<str> = text.into();
    (sources.add(name.to_owned(), Arc::clone(&text)), text)
}

/// Parses one text; its spans point into `file`.
pub fn measured_parse(text: &str, file: FileId) -> Result<Configuration, Vec<Diagnostic>> {
    // A byte order mark is no mistake and no content; spans count it.
    let (skipped, body) = match text.strip_prefix('\u{feff}') {
        Some(body) => (text.len() - body.len(), body),
        None => (0, text),
    };
    let found = limits::measure(body, file);
    if !found.is_empty() {
        return Err(found);
    }
    super::tree::parse(body, file, skipped)
}

/// Parses one expression, as a variable's value on the command line is.
pub fn parse_expression(
    text: &str,
    file: FileId,
) -> Result<super::syntax::Expression, Vec<Diagnostic>> {
    let found = limits::measure(text, file);
    if found.is_empty() {
        super::tree::parse_expression(text, file)
    } else {
        Err(found)
    }
}
