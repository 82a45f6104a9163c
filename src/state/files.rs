//! The state directory and its files: the only place in this module that touches the disk,
//! the lock apart.
//!
//! Everything goes through one open directory, by bare names and without following links, so
//! that nobody can swap what stands behind a path in between. A directory or file that belongs
//! to somebody else, or that others may write, is refused.
//!
//! A file is made whole or not at all: written under another name, synced, then linked to its
//! name, which must not exist yet. No file is ever written over, and none is cut.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::error::StateError;
use crate::failpoint::crash_point;

/// The names of files that were being written when a run died begin with this.
pub(super) const UNFINISHED: &str = ".unfinished-";

/// The state directory, open.
#[derive(Debug)]
pub(super) struct Dir {
    fd: OwnedFd,
    path: PathBuf,
}

impl Dir {
    /// Opens it; `None` where there is none.
    pub(super) fn open(path: &Path) -> Result<Option<Self>, StateError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = match rustix::fs::open(path, flags, Mode::empty()) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP | Errno::NOTDIR) => {
                return Err(StateError::Unsafe {
                    path: path.to_owned(),
                    why: "the state directory is a link or no directory",
                });
            }
            Err(errno) => return Err(io_error("open", path, errno)),
        };
        let stat = rustix::fs::fstat(&fd).map_err(|errno| io_error("look at", path, errno))?;
        check_owner(&stat, path)?;
        Ok(Some(Self {
            fd,
            path: path.to_owned(),
        }))
    }

    /// Opens it, making it first where there is none, and closes it to everybody else.
    pub(super) fn create(path: &Path) -> Result<Self, StateError> {
        use std::os::unix::fs::DirBuilderExt as _;
        let failed = |doing| {
            move |source| StateError::Io {
                doing,
                path: path.to_owned(),
                source,
            }
        };
        let missing: Vec<&Path> = path
            .ancestors()
            .take_while(|a| std::fs::symlink_metadata(a).is_err())
            .filter(|a| !a.as_os_str().is_empty())
            .collect();
        for directory in missing.iter().rev() {
            let made = std::fs::DirBuilder::new().mode(0o700).create(directory);
            match made {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(failed("make")(error));
                }
                _ => {}
            }
            // A directory that is gone after a power cut takes the journal with it.
            let parent = directory.parent().filter(|p| !p.as_os_str().is_empty());
            let parent = File::open(parent.unwrap_or(Path::new(".")));
            parent
                .and_then(|parent| parent.sync_all())
                .map_err(failed("make durable"))?;
        }
        let dir = Self::open(path)?
            .ok_or_else(|| failed("open")(io::Error::from(io::ErrorKind::NotFound)))?;
        rustix::fs::fchmod(&dir.fd, Mode::RWXU)
            .map_err(|errno| io_error("close to others", path, errno))?;
        Ok(dir)
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The path of one of its files.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Whether its path still leads to it.
    pub(super) fn still_there(&self) -> Result<bool, StateError> {
        let own =
            rustix::fs::fstat(&self.fd).map_err(|errno| io_error("look at", &self.path, errno))?;
        match rustix::fs::lstat(&self.path) {
            Ok(found) => Ok((own.st_dev, own.st_ino) == (found.st_dev, found.st_ino)),
            Err(Errno::NOENT) => Ok(false),
            Err(errno) => Err(io_error("look at", &self.path, errno)),
        }
    }

    /// Whether there is a file of this name.
    pub(super) fn exists(&self, name: &str) -> Result<bool, StateError> {
        match rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(errno) => Err(io_error("look at", &self.file(name), errno)),
        }
    }

    /// Whether `file` is what stands under `name`.
    pub(super) fn is(&self, name: &str, file: &File) -> Result<bool, StateError> {
        let own = rustix::fs::fstat(file)
            .map_err(|errno| io_error("look at", &self.file(name), errno))?;
        match rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => Ok((own.st_dev, own.st_ino) == (found.st_dev, found.st_ino)),
            Err(Errno::NOENT) => Ok(false),
            Err(errno) => Err(io_error("look at", &self.file(name), errno)),
        }
    }

    /// All names in it.
    pub(super) fn names(&self) -> Result<Vec<String>, StateError> {
        let failed = |errno| io_error("list", &self.path, errno);
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.fd).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            names.push(name.to_string_lossy().into_owned());
        }
        Ok(names)
    }

    /// Opens a file of ours.
    pub(super) fn open_file(&self, name: &str, flags: OFlags) -> Result<File, StateError> {
        let path = self.file(name);
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let mode = Mode::RUSR | Mode::WUSR;
        let fd = match rustix::fs::openat(&self.fd, name, flags, mode) {
            Ok(fd) => fd,
            Err(Errno::LOOP) => {
                return Err(StateError::Unsafe {
                    path,
                    why: "it is a link",
                });
            }
            Err(errno) => return Err(io_error("open", &path, errno)),
        };
        let stat = rustix::fs::fstat(&fd).map_err(|errno| io_error("look at", &path, errno))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(StateError::Unsafe {
                path,
                why: "it is no plain file",
            });
        }
        check_owner(&stat, &path)?;
        Ok(File::from(fd))
    }

    /// Reads a file whole.
    pub(super) fn read(&self, name: &str, bytes_max: u64) -> Result<Vec<u8>, StateError> {
        let file = self.open_file(name, OFlags::RDONLY)?;
        let mut bytes = Vec::new();
        let read = file.take(bytes_max + 1).read_to_end(&mut bytes);
        read.map_err(|source| StateError::Io {
            doing: "read",
            path: self.file(name),
            source,
        })?;
        if bytes.len() as u64 > bytes_max {
            return Err(StateError::Corrupt {
                path: self.file(name),
                line: None,
                why: format!("it is larger than {bytes_max} bytes"),
            });
        }
        Ok(bytes)
    }

    /// Makes a file, whole or not at all, and durable. Gives it open for appending, or `None`
    /// where one of that name is there already.
    pub(super) fn write_new(&self, name: &str, bytes: &[u8]) -> Result<Option<File>, StateError> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let counter = COUNTER.fetch_add(1, Ordering::Relaxed);
        let temporary = format!("{UNFINISHED}{}-{counter}", std::process::id());
        let path = self.file(name);
        let failed = |doing| {
            let path = path.clone();
            move |source| StateError::Io {
                doing,
                path,
                source,
            }
        };
        // What another process of the same number left behind.
        self.remove(&temporary)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::APPEND;
        let mut file = self.open_file(&temporary, flags)?;
        let written = file
            .write_all(bytes)
            .map_err(failed("write"))
            .and_then(|()| file.sync_all().map_err(failed("sync")));
        crash_point("file-written");
        let linked = written.and_then(|()| {
            let made = rustix::fs::linkat(&self.fd, &temporary, &self.fd, name, AtFlags::empty());
            match made {
                Ok(()) => Ok(true),
                Err(Errno::EXIST) => Ok(false),
                Err(errno) => Err(io_error("make", &path, errno)),
            }
        });
        crash_point("file-linked");
        self.remove(&temporary)?;
        let linked = linked?;
        self.sync()?;
        Ok(linked.then_some(file))
    }

    /// Removes a file, if it is there.
    pub(super) fn remove(&self, name: &str) -> Result<(), StateError> {
        match rustix::fs::unlinkat(&self.fd, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(io_error("remove", &self.file(name), errno)),
        }
    }

    /// Makes what was linked and removed durable.
    pub(super) fn sync(&self) -> Result<(), StateError> {
        rustix::fs::fsync(&self.fd).map_err(|errno| io_error("sync", &self.path, errno))
    }
}

fn check_owner(stat: &Stat, path: &Path) -> Result<(), StateError> {
    let why = if stat.st_uid != rustix::process::geteuid().as_raw() {
        "it belongs to another user"
    } else if stat.st_mode & 0o022 != 0 {
        "others may write it"
    } else {
        return Ok(());
    };
    Err(StateError::Unsafe {
        path: path.to_owned(),
        why,
    })
}

fn io_error(doing: &'static str, path: &Path, errno: Errno) -> StateError {
    StateError::Io {
        doing,
        path: path.to_owned(),
        source: io::Error::from(errno),
    }
}
