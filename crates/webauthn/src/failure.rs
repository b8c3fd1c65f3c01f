//! What does not hold of what a browser brought back. Nothing that was sent is in it.

/// Why a passkey, or its use, is refused. Each names the step of Level 3 that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// `clientDataJSON` is not what §5.8.1 says.
    #[error("the client data is malformed")]
    ClientData,
    /// `type` is that of the other ceremony (§7.1 step 7, §7.2 step 10).
    #[error("it is of another ceremony")]
    Type,
    /// The challenge is another (§7.1 step 8, §7.2 step 11).
    #[error("it answers another challenge")]
    Challenge,
    /// It was made on another site (§7.1 step 9, §7.2 step 12).
    #[error("it was made on another site")]
    Origin,
    /// It was made in a frame of another site (§7.1 steps 10 and 11, §7.2 steps 13 and 14).
    #[error("it was made inside another site's page")]
    CrossOrigin,
    /// The attestation object is not what §6.5.4 says.
    #[error("the attestation is malformed")]
    Attestation,
    /// Authenticator data is not what §6.1 says: too short, too long, or its parts do not fit.
    #[error("the authenticator data is malformed")]
    AuthenticatorData,
    /// It is of another relying party (§7.1 step 14, §7.2 step 15).
    #[error("it is for another site")]
    RelyingParty,
    /// Nobody was there (§7.1 step 15, §7.2 step 16).
    #[error("nobody touched the authenticator")]
    UserPresence,
    /// Nobody proved to be the one whose authenticator it is (§7.1 step 16, §7.2 step 17).
    #[error("the authenticator did not verify its user")]
    UserVerification,
    /// A backup that there can be none of (§6.1.3), or another eligibility than was registered (§7.2 step 19).
    #[error("what it says of backups cannot be")]
    Backup,
    /// It holds no new credential, or one whose id is too long (§7.1 step 24).
    #[error("it holds no credential")]
    Credential,
    /// The key is of an algorithm that was not asked for (§7.1 step 19).
    #[error("its algorithm was not asked for")]
    Algorithm,
    /// The key is none of its algorithm.
    #[error("its public key is none")]
    PublicKey,
    /// It names another account (§7.2 step 6).
    #[error("it is of another account")]
    UserHandle,
    /// The signature is not that key's (§7.2 step 21).
    #[error("the signature is wrong")]
    Signature,
    /// It counts no further than it did: there may be two of it (§7.2 step 22, §6.1.1).
    #[error("its counter went back: it may have been copied")]
    Counter,
}
