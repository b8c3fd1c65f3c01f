//! The root key file: created with the installation, readable by its owner only.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keystead_domain::seal::RootKey;
use rand_core::Rng;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Why the root key cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum RootKeyError {
    /// The file does not exist, but the database does: making another would lock everything.
    #[error(
        "the root key file {0} is missing, but the database was sealed with it; put it back from where you keep it"
    )]
    Missing(PathBuf),
    /// Others than its owner may read it.
    #[error("the root key file {path} may be read by others (mode {mode:o}); run: chmod 600 {path}")]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is not what was written there.
    #[error("the root key file {0} does not hold 32 bytes in base64; put it back from where you keep it")]
    Damaged(PathBuf),
    /// The file system refused.
    #[error("the root key file {path}: {error}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
}

/// Reads the root key, or creates it for a new installation.
///
/// # Errors
/// When it is missing though `new_installation` is false, readable by others, or damaged.
pub fn load_or_create(
    path: &Path,
    new_installation: bool,
    rng: &mut dyn Rng,
) -> Result<RootKey, RootKeyError> {
    match read(path) {
        Err(RootKeyError::Missing(_)) if new_installation => create(path, rng),
        other => other,
    }
}

/// Reads the root key.
///
/// # Errors
/// When it is missing, readable by others, or damaged.
pub fn read(path: &Path) -> Result<RootKey, RootKeyError> {
    let io = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => RootKeyError::Missing(path.into()),
        _ => RootKeyError::Io { path: path.into(), error },
    };
    let mut file = File::open(path).map_err(io)?;
    let mode = file.metadata().map_err(io)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(RootKeyError::Exposed { path: path.into(), mode });
    }
    let mut text = Zeroizing::new(String::with_capacity(256));
    Read::by_ref(&mut file)
        .take(256)
        .read_to_string(&mut text)
        .map_err(|_| RootKeyError::Damaged(path.into()))?;
    decode(&text).ok_or_else(|| RootKeyError::Damaged(path.into()))
}

fn decode(text: &str) -> Option<RootKey> {
    let bytes = Zeroizing::new(STANDARD.decode(text.trim()).ok()?);
    let secret = Zeroizing::new(<[u8; 32]>::try_from(bytes.as_slice()).ok()?);
    RootKey::new(&secret)
}

/// Written whole and synced under another name first: a crash leaves no half key behind.
fn create(path: &Path, rng: &mut dyn Rng) -> Result<RootKey, RootKeyError> {
    let io = |error| RootKeyError::Io { path: path.into(), error };
    let mut secret = Zeroizing::new([0; 32]);
    rng.fill_bytes(secret.as_mut());
    let text = Zeroizing::new(STANDARD.encode(secret.as_slice()) + "\n");
    let draft = path.with_extension("key.new");
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io(error)),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).map_err(io)?;
    file.set_permissions(Permissions::from_mode(0o600)).map_err(io)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(io)?;
    // A link fails where a key already is: two first starts at once cannot replace each other's.
    fs::hard_link(&draft, path).map_err(io)?;
    fs::remove_file(&draft).map_err(io)?;
    if let Some(folder) = path.parent().and_then(|folder| File::open(folder).ok()) {
        folder.sync_all().map_err(io)?;
    }
    RootKey::new(&secret).ok_or_else(|| RootKeyError::Damaged(path.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_core::SeedableRng;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("keystead-root-key-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn it_is_created_once_private_and_opens_what_it_sealed() {
        let folder = folder("created");
        let path = folder.join("root.key");
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let sealed = load_or_create(&path, true, &mut rng).unwrap().seal("here", b"x", &mut rng).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(load_or_create(&path, true, &mut rng).unwrap().open("here", &sealed).is_ok());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        fs::remove_dir_all(folder).unwrap();
    }

    /// LESSONS 38: changing the encryption key bricked the installation.
    #[test]
    fn lesson_38_a_missing_exposed_or_damaged_key_is_refused_with_a_fix() {
        let folder = folder("refused");
        let path = folder.join("root.key");
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        assert!(matches!(load_or_create(&path, false, &mut rng), Err(RootKeyError::Missing(_))));
        load_or_create(&path, true, &mut rng).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("chmod 600"));
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "short").unwrap();
        assert!(matches!(read(&path), Err(RootKeyError::Damaged(_))));
        fs::remove_dir_all(folder).unwrap();
    }
}
