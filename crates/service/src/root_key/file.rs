//! The root key file: created with the installation, readable by its owner only, and always
//! replaced whole.

use super::{RootKeyError, words};
use keystead_domain::seal::{RootKey, RootKeyId, RootKeys};
use keystead_store::sync_folder_of;
use rand_core::Rng;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use zeroize::Zeroizing;

/// Reads the root keys, or creates the first for a new installation.
///
/// # Errors
/// When the file is missing though `new_installation` is false, readable by others, or damaged.
pub(super) fn load_or_create(
    path: &Path,
    new_installation: bool,
    rng: &mut dyn Rng,
) -> Result<RootKeys, RootKeyError> {
    match read(path) {
        Err(RootKeyError::Missing(_)) if new_installation => create(path, rng),
        other => other,
    }
}

/// Reads the root keys.
///
/// # Errors
/// When the file is missing, readable by others, or damaged.
pub(super) fn read(path: &Path) -> Result<RootKeys, RootKeyError> {
    words::parse(&text(path)?).ok_or_else(|| RootKeyError::Damaged(path.into()))
}

fn text(path: &Path) -> Result<Zeroizing<String>, RootKeyError> {
    let io = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => RootKeyError::Missing(path.into()),
        _ => RootKeyError::Io { path: path.into(), error },
    };
    let mut file = File::open(path).map_err(io)?;
    let mode = file.metadata().map_err(io)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(RootKeyError::Exposed { path: path.into(), mode });
    }
    let mut text = Zeroizing::new(String::with_capacity(words::TEXT_BYTES_MAX));
    let length = u64::try_from(words::TEXT_BYTES_MAX).unwrap_or(u64::MAX);
    Read::by_ref(&mut file)
        .take(length)
        .read_to_string(&mut text)
        .map_err(|_| RootKeyError::Damaged(path.into()))?;
    Ok(text)
}

fn create(path: &Path, rng: &mut dyn Rng) -> Result<RootKeys, RootKeyError> {
    let io = |error| RootKeyError::Io { path: path.into(), error };
    let mut text = words::word(&secret(rng));
    text.push('\n');
    let draft = draft(path, &text)?;
    // A link fails where a key already is: two first starts at once cannot replace each other's.
    fs::hard_link(&draft, path).map_err(io)?;
    fs::remove_file(&draft).map_err(io)?;
    sync_folder_of(path).map_err(io)?;
    read(path)
}

/// Adds a new key behind those that are there, which makes it the current one.
///
/// # Errors
/// As [`read`], and when the file system refuses; the file is as it was then.
pub(super) fn add(path: &Path, rng: &mut dyn Rng) -> Result<RootKeys, RootKeyError> {
    let mut all = words::filter(&text(path)?, |_| true);
    all.push_str(&words::word(&secret(rng)));
    all.push('\n');
    replace(path, &all)
}

/// What [`keep_only`] will keep.
///
/// # Errors
/// As [`read`], and when it is not there.
pub(super) fn only(path: &Path, id: RootKeyId) -> Result<RootKeys, RootKeyError> {
    let kept = words::filter(&text(path)?, |key| key.id() == id);
    words::parse(&kept).ok_or_else(|| RootKeyError::Damaged(path.into()))
}

/// Keeps this key only.
///
/// # Errors
/// As [`add`].
pub(super) fn keep_only(path: &Path, id: RootKeyId) -> Result<RootKeys, RootKeyError> {
    replace(path, &words::filter(&text(path)?, |key: &RootKey| key.id() == id))
}

fn replace(path: &Path, text: &str) -> Result<RootKeys, RootKeyError> {
    let keys = words::parse(text).ok_or_else(|| RootKeyError::Damaged(path.into()))?;
    let draft = draft(path, text)?;
    fs::rename(&draft, path)
        .and_then(|()| sync_folder_of(path))
        .map_err(|error| RootKeyError::Io { path: path.into(), error })?;
    Ok(keys)
}

fn secret(rng: &mut dyn Rng) -> Zeroizing<[u8; 32]> {
    let mut secret = Zeroizing::new([0; 32]);
    rng.fill_bytes(secret.as_mut_slice());
    secret
}

/// Written whole and synced under another name first: a crash leaves no half key behind.
fn draft(path: &Path, text: &str) -> Result<std::path::PathBuf, RootKeyError> {
    let io = |error| RootKeyError::Io { path: path.into(), error };
    let draft = path.with_extension("key.new");
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io(error)),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).map_err(io)?;
    file.set_permissions(Permissions::from_mode(0o600)).map_err(io)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(io)?;
    Ok(draft)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_core::SeedableRng;

    #[test]
    fn it_is_created_once_private_and_opens_what_it_sealed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root.key");
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let sealed = load_or_create(&path, true, &mut rng).unwrap().seal("here", b"x", &mut rng).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(load_or_create(&path, true, &mut rng).unwrap().open("here", &sealed).is_ok());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    /// LESSONS 38: changing the encryption key bricked the installation.
    #[test]
    fn lesson_38_a_missing_exposed_or_damaged_key_is_refused_with_a_fix() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root.key");
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        assert!(matches!(load_or_create(&path, false, &mut rng), Err(RootKeyError::Missing(_))));
        load_or_create(&path, true, &mut rng).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("chmod 600"));
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "short").unwrap();
        assert!(matches!(read(&path), Err(RootKeyError::Damaged(_))));
    }

    /// LESSONS 38: the key before stays until nothing needs it.
    #[test]
    fn lesson_38_a_new_key_is_added_behind_the_old_and_the_old_goes_only_when_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root.key");
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let old = load_or_create(&path, true, &mut rng).unwrap().current().id();
        let both = add(&path, &mut rng).unwrap();
        let new = both.current().id();
        assert_ne!(old, new);
        assert_eq!(read(&path).unwrap().iter().map(RootKey::id).collect::<Vec<_>>(), [new, old]);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(keep_only(&path, new).unwrap().iter().count(), 1);
        assert_eq!(read(&path).unwrap().current().id(), new);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
