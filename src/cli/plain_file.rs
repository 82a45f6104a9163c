//! Opening a file that somebody named.
//!
//! In comes a path, out goes the plain file it leads to, links followed. A pipe or a device is
//! refused, and opening one waits for nobody: the other end may never come.

use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

/// Opens a plain file for reading.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let file = File::options()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("it is no plain file"))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn only_a_plain_file_is_opened_and_no_pipe_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link, pipe) = (
            folder.path().join("a"),
            folder.path().join("l"),
            folder.path().join("p"),
        );
        std::fs::write(&file, "x").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
        let mut text = String::new();
        open(&link).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "x");
        for wrong in [&pipe, Path::new("/dev/zero"), folder.path()] {
            let error = open(wrong).unwrap_err();
            assert_eq!(
                error.to_string(),
                "it is no plain file",
                "{}",
                wrong.display()
            );
        }
        assert!(open(&folder.path().join("none")).is_err());
    }
}
