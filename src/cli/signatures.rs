//! The signatures beside a saved plan.
//!
//! `FILE.sig`, where `ssh-keygen -Y sign` puts its own, and `FILE.*.sig`, one for each further
//! approver. In: the plan's path. Out: what those files hold, bounded; and a new one, written whole
//! or not at all.

use std::ffi::OsStr;
use std::fs::Permissions;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use remit_sdk::{Diagnostic, text};

use super::plain_file;
use crate::gate::Signatures;
use crate::gate::signature::SIGNATURE_BYTES_MAX;

/// How many signatures are read. No requirement asks for as many people.
const SIGNATURES_MAX: usize = 64;

/// Reads and checks the signatures beside a plan.
pub(super) fn check(plan: &Path, bytes: &[u8]) -> Result<Signatures, Vec<Diagnostic>> {
    let (mut found, mut unread) = (Vec::new(), Vec::new());
    let all = beside(plan)?;
    let left = all.len().saturating_sub(SIGNATURES_MAX);
    if left > 0 {
        let why = format!("{SIGNATURES_MAX} are read, and {left} files are left out");
        unread.push(("too many signatures".to_owned(), why));
    }
    for path in all.iter().take(SIGNATURES_MAX) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = text::safe(&name);
        match read(path) {
            Ok(text) => found.push((name, text)),
            // Whoever can put something there must not be able to keep others from approving.
            Err(error) => unread.push((name, error.to_string())),
        }
    }
    let each = found.iter().map(|(name, text)| (&**name, text.as_slice()));
    let mut signatures = Signatures::check(bytes, each);
    unread.append(&mut signatures.refused);
    signatures.refused = unread;
    Ok(signatures)
}

/// A warning for each file that counts for nothing.
pub(super) fn warnings(signatures: &Signatures) -> Vec<Diagnostic> {
    let refused = signatures.refused.iter();
    refused
        .map(|(name, why)| {
            Diagnostic::warning("signature that doesn't count", format!("{name}: {why}"))
                .help("a plan that was made again needs new signatures; remove the old file")
        })
        .collect()
}

/// Writes the signature of a key beside a plan, and says where.
pub(super) fn write(
    plan: &Path,
    fingerprint: &str,
    signature: &str,
) -> Result<PathBuf, Vec<Diagnostic>> {
    let mut name = plan.as_os_str().to_owned();
    // Base64 has a character that no file name can hold.
    let key = fingerprint.replace(':', "-").replace('/', "_");
    name.push(format!(".{key}.sig"));
    let path = PathBuf::from(name);
    let written = || -> std::io::Result<()> {
        let mut unfinished = tempfile::NamedTempFile::new_in(directory(&path))?;
        unfinished.write_all(signature.as_bytes())?;
        let file = unfinished.as_file();
        // A signature is no secret, and whoever applies may be another user.
        file.set_permissions(Permissions::from_mode(0o644))?;
        file.sync_all()?;
        unfinished.persist(&path).map_err(|error| error.error)?;
        Ok(())
    };
    written().map_err(|error| fail(&path, &error))?;
    Ok(path)
}

fn fail(path: &Path, error: &std::io::Error) -> Vec<Diagnostic> {
    vec![Diagnostic::error(
        "signature can't be read or written",
        format!("{}: {error}", text::safe(&path.display().to_string())),
    )]
}

fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// The files beside a plan that are named as its signatures, those first that `ssh-keygen` and
/// `remit approve` name so.
fn beside(plan: &Path) -> Result<Vec<PathBuf>, Vec<Diagnostic>> {
    let own = plan.file_name().unwrap_or_default().as_bytes();
    let is_signature = |name: &OsStr| {
        let rest = name.as_bytes().strip_prefix(own);
        rest.is_some_and(|rest| rest.starts_with(b".") && rest.ends_with(b".sig"))
    };
    let folder = directory(plan);
    let entries = std::fs::read_dir(folder).map_err(|error| fail(folder, &error))?;
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| fail(folder, &error))?;
        if is_signature(&entry.file_name()) {
            found.push(entry.path());
        }
    }
    let usual = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().as_bytes();
        let rest = name.strip_prefix(own).unwrap_or_default();
        rest == b".sig" || rest.starts_with(b".SHA256-")
    };
    found.sort_by_key(|path| (!usual(path), path.clone()));
    Ok(found)
}

/// One byte more than allowed is enough to see that it is too much.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    plain_file::open(path)?
        .take(SIGNATURE_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}
