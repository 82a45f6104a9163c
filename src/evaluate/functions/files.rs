//! Files of the configuration: regular files below its root, and nothing else.
//!
//! A path is relative to the root, which is what `path.module` stands for. A path or link that
//! leads out is an error, a pipe or device is never read, and a file is read up to a limit.
//! What is read is part of the plan's input like the configuration itself.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

use remit_sdk::Value;
use rustix::fs::{AtFlags, Dir, FileType, fstat, statat};
use sha2::{Digest, Sha256, Sha512};

use super::arguments::Arguments;
use super::beneath::{self, Refusal};
use super::encodings::{base64, sha256, sha512};
use super::globs::Glob;
use super::room::Room;
use super::{Context, Function, FunctionError, Outcome, fixed};

/// Bytes of a file: base64 of as many still fits into a value of the language.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Entries `fileset` looks at: a configuration beside a checkout of large dependencies has some
/// ten thousand.
const ENTRIES_MAX: usize = 100_000;

/// Directories `fileset` goes into each other; each holds a file descriptor.
const DEPTH_MAX: usize = 32;

pub(super) const FUNCTIONS: &[Function] = &[
    fixed("basename", "basename(path)", 1, |a| {
        Ok(Value::string(base_name(&a.text(0)?)))
    }),
    fixed("dirname", "dirname(path)", 1, |a| {
        Ok(Value::String(directory_name(&a.text(0)?)))
    }),
    fixed("file", "file(path)", 1, |a| {
        read_file(a.context, &a.text(0)?).map(Value::String)
    }),
    fixed("filebase64", "filebase64(path)", 1, |a| {
        with_bytes(a, base64)
    }),
    fixed("filebase64sha256", "filebase64sha256(path)", 1, |a| {
        with_bytes(a, |bytes| base64(&Sha256::digest(bytes)))
    }),
    fixed("filebase64sha512", "filebase64sha512(path)", 1, |a| {
        with_bytes(a, |bytes| base64(&Sha512::digest(bytes)))
    }),
    fixed("fileexists", "fileexists(path)", 1, exists),
    fixed("fileset", "fileset(path, pattern)", 2, fileset),
    fixed("filesha256", "filesha256(path)", 1, |a| {
        with_bytes(a, sha256)
    }),
    fixed("filesha512", "filesha512(path)", 1, |a| {
        with_bytes(a, sha512)
    }),
];

/// The text of a file below the configuration's root.
pub fn read_file(context: &Context<'_>, path: &str) -> Result<String, FunctionError> {
    String::from_utf8(read(context, path)?).map_err(|_| {
        FunctionError::at(0, format!("the file {} is no UTF-8 text", name(path)))
            .help("use `filebase64` for a file that isn't text")
    })
}

fn with_bytes(a: &Arguments<'_>, make: fn(&[u8]) -> String) -> Outcome {
    read(a.context, &a.text(0)?).map(|bytes| Value::String(make(&bytes)))
}

/// A path as a message shows it.
fn name(path: &str) -> String {
    /// Longer paths would hide the message.
    const CHARACTERS_MAX: usize = 200;
    let path: String = path.chars().take(CHARACTERS_MAX).collect();
    format!("\"{}\"", remit_sdk::text::safe(&path))
}

fn refused(path: &str, refusal: Refusal) -> FunctionError {
    let name = name(path);
    match refusal {
        Refusal::Outside => FunctionError::at(
            0,
            format!("the path {name} leads out of the configuration's root"),
        )
        .help("put the file below the root, and write its path relative to the root, without links that lead out"),
        Refusal::Missing => FunctionError::at(0, format!("there is no file {name}"))
            .help("paths are relative to the configuration's root; files must exist before the plan"),
        Refusal::System(errno) => {
            let error = std::io::Error::from(errno);
            FunctionError::at(0, format!("the file {name} can't be opened: {error}"))
        }
    }
}

fn irregular(path: &str, kind: FileType) -> FunctionError {
    let kind = match kind {
        FileType::Directory => "a directory",
        FileType::Fifo => "a pipe",
        _ => "no regular file",
    };
    FunctionError::at(0, format!("{} is {kind}", name(path)))
        .help("name a regular file; `fileset` lists those of a directory")
}

fn file_type(file: &OwnedFd) -> Result<FileType, Refusal> {
    Ok(FileType::from_raw_mode(fstat(file)?.st_mode))
}

fn read(context: &Context<'_>, path: &str) -> Result<Vec<u8>, FunctionError> {
    let opened = beneath::open(context.root, path);
    let file = opened.map_err(|refusal| refused(path, refusal))?;
    match file_type(&file).map_err(|refusal| refused(path, refusal))? {
        FileType::RegularFile => {}
        other => return Err(irregular(path, other)),
    }
    let mut bytes = Vec::new();
    // The size a file states may change while it is read.
    std::fs::File::from(file)
        .take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| {
            FunctionError::at(0, format!("the file {} can't be read: {error}", name(path)))
        })?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(FunctionError::at(
            0,
            format!(
                "the file {} is larger than {FILE_BYTES_MAX} bytes",
                name(path)
            ),
        ));
    }
    Ok(bytes)
}

fn exists(a: &Arguments<'_>) -> Outcome {
    let path = a.text(0)?;
    let file = match beneath::open(a.context.root, &path) {
        Ok(file) => file,
        Err(Refusal::Missing) => return Ok(Value::Bool(false)),
        Err(refusal) => return Err(refused(&path, refusal)),
    };
    match file_type(&file).map_err(|refusal| refused(&path, refusal))? {
        FileType::RegularFile => Ok(Value::Bool(true)),
        other => Err(irregular(&path, other)),
    }
}

/// Regular files below a directory whose path from there matches the pattern.
fn fileset(a: &Arguments<'_>) -> Outcome {
    let (path, pattern) = (a.text(0)?, a.text(1)?);
    let glob = Glob::parse(&pattern).map_err(|why| {
        FunctionError::at(1, format!("this is no pattern for files: {why}")).help(
            "write `*.json` for the files of the directory, `**/*.json` for those below it too",
        )
    })?;
    let mut walk = Walk {
        root: a.context,
        base: &path,
        depth: glob.depth().unwrap_or(usize::MAX),
        glob,
        entries: 0,
        room: Room::new(),
        found: BTreeSet::new(),
    };
    match beneath::open(a.context.root, &path) {
        Ok(directory) => match file_type(&directory).map_err(|refusal| refused(&path, refusal))? {
            FileType::Directory => walk.directory(&directory, &mut Vec::new())?,
            _ => {
                return Err(FunctionError::at(
                    0,
                    format!("{} is no directory", name(&path)),
                ));
            }
        },
        // As in Terraform, there are no files where there is no directory.
        Err(Refusal::Missing) => {}
        Err(refusal) => return Err(refused(&path, refusal)),
    }
    Ok(Value::Set(walk.found))
}

struct Walk<'a> {
    root: &'a Context<'a>,
    base: &'a str,
    glob: Glob,
    /// Directories deep enough for every match.
    depth: usize,
    entries: usize,
    room: Room,
    found: BTreeSet<Value>,
}

impl Walk<'_> {
    /// Takes what matches in a directory; `path` are the names that lead to it.
    fn directory(
        &mut self,
        directory: &OwnedFd,
        path: &mut Vec<String>,
    ) -> Result<(), FunctionError> {
        let fail = |path: &[String], refusal| refused(&path.join("/"), refusal);
        let entries =
            Dir::read_from(directory).map_err(|errno| fail(path, Refusal::System(errno)))?;
        for entry in entries {
            let entry = entry.map_err(|errno| fail(path, Refusal::System(errno)))?;
            // A name that isn't text can't be a value, so no pattern matches it.
            let Ok(name) = entry.file_name().to_str() else {
                continue;
            };
            if name == "." || name == ".." {
                continue;
            }
            self.entries += 1;
            if self.entries > ENTRIES_MAX {
                return Err(FunctionError::new(format!(
                    "there are more than {ENTRIES_MAX} files and directories to look at"
                ))
                .help("name a directory further down, or a pattern without `**`"));
            }
            path.push(name.to_owned());
            let kind = self
                .kind(directory, entry.file_type(), path)
                .map_err(|refusal| fail(path, refusal))?;
            match kind {
                Some(FileType::RegularFile) if self.glob.matches(path) => {
                    let found = self.room.text(&path.join("/"))?;
                    self.found.insert(found);
                }
                Some(FileType::Directory) if path.len() < self.depth => {
                    if path.len() > DEPTH_MAX {
                        return Err(FunctionError::new(format!(
                            "directories nest deeper than {DEPTH_MAX}"
                        )));
                    }
                    let inner = beneath::open_directory(directory.as_fd(), OsStr::new(name))
                        .map_err(|refusal| fail(path, refusal))?;
                    self.directory(&inner, path)?;
                }
                _ => {}
            }
            path.pop();
        }
        Ok(())
    }

    /// What an entry is, a link followed where its name matches; `None` for what is left out.
    fn kind(
        &self,
        directory: &OwnedFd,
        kind: FileType,
        path: &[String],
    ) -> Result<Option<FileType>, Refusal> {
        let last = path.last().map(String::as_str).unwrap_or_default();
        let kind = if kind == FileType::Unknown {
            let stat = statat(
                directory,
                OsStr::from_bytes(last.as_bytes()),
                AtFlags::SYMLINK_NOFOLLOW,
            )?;
            FileType::from_raw_mode(stat.st_mode)
        } else {
            kind
        };
        if kind != FileType::Symlink {
            return Ok(Some(kind));
        }
        if !self.glob.matches(path) {
            return Ok(None);
        }
        match beneath::open(self.root.root, &format!("{}/{}", self.base, path.join("/"))) {
            // A linked directory isn't gone into: it may lead back up.
            Ok(file) => Ok(Some(file_type(&file)?).filter(|kind| *kind == FileType::RegularFile)),
            Err(Refusal::Missing) => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }
}

fn base_name(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    match trimmed.rsplit_once('/') {
        Some((_, last)) => last,
        None if !trimmed.is_empty() => trimmed,
        None if path.is_empty() => ".",
        None => "/",
    }
}

/// What leads to the last name, in its shortest form.
fn directory_name(path: &str) -> String {
    let (before, _) = path.rsplit_once('/').unwrap_or_default();
    let absolute = path.starts_with('/');
    let mut names: Vec<&str> = Vec::new();
    for name in before.split('/') {
        match (name, names.last()) {
            ("" | ".", _) => {}
            ("..", Some(last)) if *last != ".." => {
                names.pop();
            }
            ("..", None) if absolute => {}
            (name, _) => names.push(name),
        }
    }
    match (absolute, names.join("/")) {
        (true, names) => format!("/{names}"),
        (false, names) if names.is_empty() => ".".to_owned(),
        (false, names) => names,
    }
}
