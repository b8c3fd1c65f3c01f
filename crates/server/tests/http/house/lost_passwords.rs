//! How people sign in to a house: with a list of passwords that others lost.

use keystead_domain::sign_in::password::Password;
use keystead_service::SignInSettings;
use std::path::Path;

/// The password that everybody may know.
pub(crate) const LOST_PASSWORD: &str = "a lost horse battery";

/// The settings of a house whose root key is in a file of its own folder.
pub(super) fn sign_in(root_key_file: &Path) -> SignInSettings {
    let list = root_key_file.with_file_name("lost-passwords.txt");
    let digest = Password::offered("", LOST_PASSWORD).unwrap().breach_digest();
    let lines = [[0x00; 20], digest, [0xff; 20]].map(|digest| {
        let hex: String = digest.iter().map(|byte| format!("{byte:02X}")).collect();
        format!("{hex}:7\r\n")
    });
    std::fs::write(&list, lines.concat()).unwrap();
    SignInSettings { breached_passwords: Some(list), ..SignInSettings::default() }
}
