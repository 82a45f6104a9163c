//! Opening files below a directory, and never above or beside it.
//!
//! The kernel resolves the path where it can (`openat2` with `RESOLVE_BENEATH`), so that no
//! change of the directory during the call leads out. Elsewhere the path is walked component by
//! component without ever following a link unseen. Links that stay below the directory are
//! followed; absolute links lead out.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, openat, readlinkat};
use rustix::io::Errno;

/// Links one path may lead through, as Linux has it.
const LINKS_MAX: usize = 40;

/// Why a file wasn't opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The path, or a link on it, leads out of the directory.
    Outside,
    /// There is nothing of this name.
    Missing,
    /// Anything else.
    System(Errno),
}

impl From<Errno> for Refusal {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::XDEV => Self::Outside,
            Errno::NOENT | Errno::NOTDIR => Self::Missing,
            other => Self::System(other),
        }
    }
}

/// Opens for reading, without waiting for the other end of a pipe or taking a terminal.
const READ: OFlags = OFlags::RDONLY
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

/// Opens for reading a directory that is no link.
const DIRECTORY: OFlags = READ.union(OFlags::DIRECTORY);

/// Opens what `path` names below `root`: a file of any type, or a directory.
pub(super) fn open(root: &Path, path: &str) -> Result<OwnedFd, Refusal> {
    if path.starts_with('/') {
        return Err(Refusal::Outside);
    }
    let path = if path.is_empty() { "." } else { path };
    // An empty root is the directory the process works in.
    let root = if root.as_os_str().is_empty() {
        Path::new(".")
    } else {
        root
    };
    let root = openat(CWD, root, DIRECTORY, Mode::empty())?;
    #[cfg(target_os = "linux")]
    match by_kernel(&root, path) {
        // An old kernel, or a sandbox that doesn't know the call.
        Err(Refusal::System(Errno::NOSYS | Errno::PERM)) => {}
        result => return result,
    }
    by_component(root, path)
}

/// Opens a directory by its name in another one; never a link.
pub(super) fn open_directory(parent: impl AsFd, name: &OsStr) -> Result<OwnedFd, Refusal> {
    Ok(openat(
        parent,
        name,
        DIRECTORY | OFlags::NOFOLLOW,
        Mode::empty(),
    )?)
}

#[cfg(target_os = "linux")]
fn by_kernel(root: &OwnedFd, path: &str) -> Result<OwnedFd, Refusal> {
    use rustix::fs::{ResolveFlags, openat2};

    /// The kernel gives up with `EAGAIN` where a rename anywhere could have led `..` out.
    const TRIES: usize = 16;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let mut result = Err(Errno::AGAIN);
    for _ in 0..TRIES {
        result = openat2(root, path, READ, Mode::empty(), resolve);
        if !matches!(result, Err(Errno::AGAIN | Errno::INTR)) {
            break;
        }
    }
    Ok(result?)
}

/// Walks the path with a directory open for each component, so that `..` is the one before,
/// whatever is renamed meanwhile.
fn by_component(root: OwnedFd, path: &str) -> Result<OwnedFd, Refusal> {
    let mut left: VecDeque<OsString> = path.split('/').map(OsString::from).collect();
    let mut above: Vec<OwnedFd> = Vec::new();
    let mut here = root;
    let mut links = 0;
    while let Some(name) = left.pop_front() {
        if name.is_empty() || name == "." {
            continue;
        }
        if name == ".." {
            here = above.pop().ok_or(Refusal::Outside)?;
            continue;
        }
        match readlinkat(&here, &name, Vec::new()) {
            Ok(target) => {
                let target = target.into_bytes();
                links += 1;
                if target.first() == Some(&b'/') {
                    return Err(Refusal::Outside);
                }
                if links > LINKS_MAX {
                    return Err(Refusal::System(Errno::LOOP));
                }
                for part in target.split(|byte| *byte == b'/').rev() {
                    left.push_front(OsString::from_vec(part.to_vec()));
                }
            }
            // No link.
            Err(Errno::INVAL) => {
                let more = left
                    .iter()
                    .any(|name| !name.as_bytes().is_empty() && name != ".");
                let flags = if more { DIRECTORY } else { READ };
                let next = openat(&here, &name, flags | OFlags::NOFOLLOW, Mode::empty())?;
                above.push(std::mem::replace(&mut here, next));
            }
            Err(other) => return Err(other.into()),
        }
    }
    Ok(here)
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::fs::symlink;

    use super::*;

    fn read(file: OwnedFd) -> String {
        let mut text = String::new();
        std::fs::File::from(file).read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn both_ways_agree() {
        let around = tempfile::tempdir().unwrap();
        let root = around.path().join("root");
        std::fs::create_dir_all(root.join("a/b")).unwrap();
        std::fs::write(around.path().join("secret"), "secret").unwrap();
        std::fs::write(root.join("top"), "top").unwrap();
        std::fs::write(root.join("a/b/low"), "low").unwrap();
        for (target, link) in [
            ("../top", "a/up"),
            ("../../top", "a/b/up"),
            ("../secret", "out"),
            ("../../secret", "a/out"),
            ("..", "parent"),
            ("a/b", "short"),
            ("loop", "loop"),
            ("nothing", "dangling"),
            ("/etc/passwd", "absolute"),
        ] {
            symlink(target, root.join(link)).unwrap();
        }
        let outside = || Err(Refusal::Outside);
        for (path, wanted) in [
            ("top", Ok("top")),
            ("./a//b/low", Ok("low")),
            ("a/../top", Ok("top")),
            ("a/up", Ok("top")),
            ("a/b/up", Ok("top")),
            ("short/low", Ok("low")),
            ("short/../../top", Ok("top")),
            ("nothing", Err(Refusal::Missing)),
            ("top/low", Err(Refusal::Missing)),
            ("dangling", Err(Refusal::Missing)),
            ("../secret", outside()),
            ("a/../../secret", outside()),
            ("../root/top", outside()),
            ("out", outside()),
            ("a/out", outside()),
            ("parent/secret", outside()),
            ("absolute", outside()),
            ("loop", Err(Refusal::System(Errno::LOOP))),
        ] {
            let wanted = wanted.map(str::to_owned);
            assert_eq!(open(&root, path).map(read), wanted, "{path}");
            let directory = openat(CWD, &root, DIRECTORY, Mode::empty()).unwrap();
            assert_eq!(by_component(directory, path).map(read), wanted, "{path}");
        }
        let inside = root.join("top");
        assert_eq!(
            open(&root, inside.to_str().unwrap()).map(read),
            Err(Refusal::Outside)
        );
    }
}
