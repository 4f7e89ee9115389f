//! The hub's file as the file system knows it: under its one true name, made so that only its owner may read it.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};

use super::OpenError;

/// The file's own path: through symbolic links, which SQLite follows too. Of a file that is not there, the path as it is.
pub(super) fn resolved(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// Makes the file if it is not there, and returns its own path. SQLite gives its log the rights of the file.
///
/// # Errors
/// A file with a second name; what the file system says.
pub(super) fn make(path: &Path) -> Result<PathBuf, OpenError> {
    let failed = |source| OpenError::Io {
        path: path.to_owned(),
        source,
    };
    let mut options = private();
    let file = options.read(true).create(true).truncate(false).open(path);
    let file = file.map_err(failed)?;
    has_one_name(path, &file.metadata().map_err(failed)?)?;
    path.canonicalize().map_err(failed)
}

/// Lock and log stand beside a name: under another name the same file would have others.
#[cfg(unix)]
fn has_one_name(path: &Path, file: &std::fs::Metadata) -> Result<(), OpenError> {
    match std::os::unix::fs::MetadataExt::nlink(file) {
        0 | 1 => Ok(()),
        names => Err(OpenError::Linked {
            path: path.to_owned(),
            names,
        }),
    }
}

#[cfg(not(unix))]
fn has_one_name(_: &Path, _: &std::fs::Metadata) -> Result<(), OpenError> {
    Ok(())
}

/// What is made is its owner's alone.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes the file, which must not be there, and its folder.
pub(super) fn create_new(path: &Path) -> io::Result<()> {
    let folder = path.parent();
    if let Some(folder) = folder.filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    private().create_new(true).open(path).map(drop)
}
