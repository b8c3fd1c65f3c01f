//! The credentials file that `keystead login` writes: readable by its owner only.

use crate::exit::Failure;
use crate::input::environment;
use keystead_sdk::ApiKey;
use serde::{Deserialize, Serialize};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Larger than any that `login` writes, in bytes.
const FILE_BYTES_MAX: u64 = 64 << 10;

/// One server and the key for it.
#[derive(Debug, Clone)]
pub(crate) struct Credentials {
    /// The server's base URL.
    pub(crate) url: String,
    /// The key for that server, and for no other.
    pub(crate) key: ApiKey,
    /// Root certificates to trust besides the system's (PEM).
    pub(crate) ca_file: Option<PathBuf>,
    /// Whether plain HTTP to that server was allowed.
    pub(crate) allow_plain_http: bool,
}

/// The file's form.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    url: String,
    key: Zeroizing<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ca_file: Option<PathBuf>,
    #[serde(default)]
    allow_plain_http: bool,
}

/// `$XDG_CONFIG_HOME/keystead/credentials.toml`, or below `~/.config` (XDG base directories: a
/// relative `XDG_CONFIG_HOME` is ignored).
pub(crate) fn path() -> Result<PathBuf, Failure> {
    let xdg = environment("XDG_CONFIG_HOME")?.map(PathBuf::from).filter(|path| path.is_absolute());
    let base = match xdg {
        Some(base) => base,
        None => environment("HOME")?.map(|home| Path::new(&home).join(".config")).ok_or_else(|| {
            Failure::local(
                "There is no home folder for the credentials file.",
                "Set HOME or XDG_CONFIG_HOME.",
            )
        })?,
    };
    Ok(base.join("keystead").join("credentials.toml"))
}

/// The stored credentials; `None` when nobody has logged in.
pub(crate) fn read(path: &Path) -> Result<Option<Credentials>, Failure> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("read", path, &error)),
    };
    let mode = file.metadata().map_err(|error| failed("read", path, &error))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(Failure::local(
            format!(
                "Others on this machine may read or change {} (mode {:o}).",
                path.display(),
                mode & 0o777
            ),
            format!("Run: chmod 600 {}; if others could read it, revoke its key.", path.display()),
        ));
    }
    let mut text = Zeroizing::new(String::new());
    file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(|error| failed("read", path, &error))?;
    // The parser's own message quotes the line, which may hold the key.
    let written: Written = toml::from_str(&text).map_err(|_| {
        Failure::local(
            format!("{} is not what keystead login writes.", path.display()),
            "Run keystead login again.",
        )
    })?;
    let Written { url, key, ca_file, allow_plain_http } = written;
    Ok(Some(Credentials { url, key: ApiKey::new(key.as_str()), ca_file, allow_plain_http }))
}

/// Stores credentials in place of the ones there were; never readable by others, not even for a moment.
pub(crate) fn write(path: &Path, credentials: &Credentials) -> Result<(), Failure> {
    let written = Written {
        url: credentials.url.clone(),
        key: Zeroizing::new(credentials.key.expose().to_owned()),
        ca_file: credentials.ca_file.clone(),
        allow_plain_http: credentials.allow_plain_http,
    };
    let text = toml::to_string(&written).map(Zeroizing::new).map_err(|_| {
        Failure::local("The credentials cannot be written as TOML.", "Check the path given with --ca-file.")
    })?;
    replace(path, text.as_bytes()).map_err(|error| failed("written", path, &error))
}

/// Forgets what was stored.
pub(crate) fn remove(path: &Path) -> Result<(), Failure> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("removed", path, &error)),
        _ => Ok(()),
    }
}

fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    let new = path.with_extension("toml.new");
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // `create_new` follows no link that somebody laid there.
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&new, path)
}

fn failed(what: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::local(
        format!("{} could not be {what}: {error}.", path.display()),
        "Check the permissions of the file and its folder.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own for each test, removed at its end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path =
                std::env::temp_dir().join(format!("keystead-credentials-{}-{name}", std::process::id()));
            fs::create_dir(&path).unwrap();
            Self(path)
        }

        fn file(&self) -> PathBuf {
            self.0.join("config/keystead/credentials.toml")
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    fn credentials(key: &str) -> Credentials {
        let url = "https://keystead.example.com".to_owned();
        Credentials { url, key: key.into(), ca_file: Some("/etc/ca.pem".into()), allow_plain_http: false }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_is_written_is_read_and_belongs_to_its_owner_alone() {
        let folder = Folder::new("written");
        let file = folder.file();
        write(&file, &credentials("first")).unwrap();
        write(&file, &credentials("second")).unwrap();
        let read = read(&file).unwrap().unwrap();
        assert_eq!((read.url.as_str(), read.key.expose()), ("https://keystead.example.com", "second"));
        assert_eq!(read.ca_file, Some("/etc/ca.pem".into()));
        assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_laid_in_the_way_is_not_followed() {
        let folder = Folder::new("link");
        let file = folder.file();
        write(&file, &credentials("first")).unwrap();
        let victim = folder.0.join("victim");
        fs::write(&victim, "untouched").unwrap();
        std::os::unix::fs::symlink(&victim, file.with_extension("toml.new")).unwrap();
        write(&file, &credentials("second")).unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "untouched");
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let folder = Folder::new("open");
        let file = folder.file();
        write(&file, &credentials("k")).unwrap();
        for open in [0o640, 0o604, 0o620] {
            fs::set_permissions(&file, fs::Permissions::from_mode(open)).unwrap();
            assert!(
                matches!(read(&file), Err(Failure::Local { fix, .. }) if fix.contains("chmod 600")),
                "{open:o}"
            );
        }
    }

    #[test]
    fn a_damaged_file_is_refused_and_not_repeated() {
        let folder = Folder::new("damaged");
        let file = folder.file();
        write(&file, &credentials("k")).unwrap();
        fs::write(&file, "url = 1\nkey = \"canary\n").unwrap();
        assert!(!format!("{:?}", read(&file).unwrap_err()).contains("canary"));
    }

    #[test]
    fn nobody_logged_in_is_no_failure() {
        assert!(read(Path::new("/nonexistent/credentials.toml")).unwrap().is_none());
    }
}
