//! Why a provider could not be used, or what it said is not believed. No text of the provider's is in it: what comes
//! from there is not for people's eyes (CVE-2026-33758: script in `error_description`).

/// Why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Nothing came back, or not in time.
    #[error("The provider cannot be reached.")]
    Unreachable,
    /// It is where this server may not go.
    #[error("The provider's address is not one that this server may connect to.")]
    NotAllowed,
    /// Too many sign-ins are under way here.
    #[error("Too many sign-ins are under way.")]
    Busy,
    /// It answered with another status than a success.
    #[error("The provider answered with an error.")]
    Answered,
    /// More came back than is read.
    #[error("The provider's answer is too large.")]
    TooLarge,
    /// What came back is not what the standard says.
    #[error("The provider's answer is not what OpenID Connect says: {0}.")]
    Malformed(&'static str),
    /// Its configuration is another issuer's.
    #[error("The provider's configuration names another issuer.")]
    OtherIssuer,
    /// It does not know this client, or its secret.
    #[error("The provider refuses the client id or the client secret.")]
    Client,
    /// The code was used, is over, or is not for this sign-in.
    #[error("The provider refuses the code.")]
    Code,
    /// The ID token does not hold.
    #[error("The provider's ID token is not valid: {0}.")]
    IdToken(&'static str),
}
