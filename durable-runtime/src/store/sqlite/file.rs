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

/// Which file was opened. A file that is removed or replaced can still be written to, but nobody would ever find what was written.
#[derive(Debug)]
pub(super) struct Identity {
    path: PathBuf,
    #[cfg(unix)]
    file: (u64, u64),
}

impl Identity {
    /// Of the file that is at `path` now.
    ///
    /// # Errors
    /// What the file system says.
    #[cfg(unix)]
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            file: file_at(path)?,
        })
    }

    /// Of the file that is at `path` now, which cannot be removed while it is open.
    #[cfg(not(unix))]
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
        })
    }

    /// Why nothing may be written: the path names another file now, or none.
    pub(super) fn fault(&self) -> Option<String> {
        self.is_elsewhere().then(|| {
            format!(
                "the hub's file `{}` was removed or replaced while the host ran; help: move it back; if it is lost, stop the host and \
                 put a backup in its place",
                self.path.display()
            )
        })
    }

    #[cfg(unix)]
    fn is_elsewhere(&self) -> bool {
        match file_at(&self.path) {
            Ok(file) => file != self.file,
            // Anything else says nothing about the file.
            Err(error) => matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ),
        }
    }

    #[cfg(not(unix))]
    fn is_elsewhere(&self) -> bool {
        false
    }
}

/// Device and number of the file.
#[cfg(unix)]
fn file_at(path: &Path) -> io::Result<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;

    let file = path.metadata()?;
    Ok((file.dev(), file.ino()))
}
