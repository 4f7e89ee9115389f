//! The file beside the hub that holds the key which encrypts the hub's keys. Readable by its owner only.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use rand::TryRng as _;
use rand::rngs::SysRng;

use super::KeysError;
use super::cipher::from_hex;

/// The key in the file; the file is made if it is not there. Of two who make it at once, both read the same key.
pub(super) fn read_or_create(path: &Path) -> Result<[u8; 32], KeysError> {
    if !path.exists() {
        create(path).map_err(|error| fault(path, format!("cannot be made: {error}")))?;
    }
    read(path)
}

/// The key in the file, which must be there.
pub(super) fn read(path: &Path) -> Result<[u8; 32], KeysError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let problem = "is missing, and no other key opens the hub's keys: put it back, or, if the setting `AzureWebEncryptionKey` \
                held the key, set that again"
                .into();
            return Err(fault(path, problem));
        }
        Err(error) => return Err(fault(path, format!("cannot be read: {error}"))),
    };
    from_hex(text.trim()).map_err(|wrong| {
        let problem = format!("must hold 64 hexadecimal digits, but {wrong}");
        fault(path, problem)
    })
}

/// Written whole beside its place, then linked into it: nobody ever reads half a key, and an existing file stays.
fn create(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let draft = path.with_extension(format!("key.{}", uuid::Uuid::new_v4().simple()));
    let made = write(&draft).and_then(|()| place(&draft, path));
    let removed = fs::remove_file(&draft);
    made.or_else(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Ok(()),
        _ => Err(error),
    })?;
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn place(draft: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(draft, path) {
        // Some file systems know no links; there the rename is as good as it gets.
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists && !path.exists() => {
            fs::rename(draft, path)
        }
        linked => linked,
    }
}

fn write(draft: &Path) -> io::Result<()> {
    let mut key = [0; 32];
    SysRng
        .try_fill_bytes(&mut key)
        .map_err(|error| io::Error::other(error.to_string()))?;
    let mut text: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    text.push('\n');
    let mut file = private(draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn fault(path: &Path, problem: String) -> KeysError {
    KeysError::KeyFile {
        path: PathBuf::from(path),
        problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_made_once_and_read_by_all_who_race_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep").join("hub.key");
        let keys = std::thread::scope(|scope| {
            let all: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| read_or_create(&path).unwrap()))
                .collect();
            all.into_iter()
                .map(|one| one.join().unwrap())
                .collect::<Vec<_>>()
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
        let left = fs::read_dir(path.parent().unwrap()).unwrap().count();
        assert_eq!(left, 1, "no drafts are left");
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_reads_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hub.key");
        read_or_create(&path).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    #[test]
    fn a_damaged_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hub.key");
        fs::write(&path, "not a key").unwrap();
        let error = read_or_create(&path).unwrap_err().to_string();
        assert!(error.contains("64 hexadecimal digits"), "{error}");
    }
}
