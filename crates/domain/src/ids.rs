//! Identifiers: 16 bytes (12 for a key) that carry a type prefix when written, such as `prj_…`.

use crate::base62;
use rand_core::Rng;
use std::fmt;
use std::str::FromStr;

/// A text that is no identifier of the kind that was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id of the form {prefix}_…")]
pub struct InvalidId {
    /// What it should have begun with.
    pub prefix: &'static str,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// What its written form begins with, before the `_`.
            pub const PREFIX: &'static str = $prefix;

            /// A new random one.
            pub fn random<R: Rng + ?Sized>(rng: &mut R) -> Self {
                let mut bytes = [0; 16];
                rng.fill_bytes(&mut bytes);
                Self(bytes)
            }

            /// From the store's bytes; `None` when there are not 16.
            #[must_use]
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut digits = [0; 22];
                base62::encode(u128::from_be_bytes(self.0), &mut digits);
                write!(f, "{}_{}", $prefix, str::from_utf8(&digits).unwrap_or_default())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.strip_prefix(concat!($prefix, "_"))
                    .filter(|digits| digits.len() == 22)
                    .and_then(|digits| base62::decode(digits.as_bytes()))
                    .map(|value| Self(value.to_be_bytes()))
                    .ok_or(InvalidId { prefix: $prefix })
            }
        }
    };
}

id!(/** Of an organization. */ OrganizationId, "org");
id!(/** Of a project. */ ProjectId, "prj");
id!(/** Of an environment. */ EnvironmentId, "env");
id!(/** Of a catalogue's permission. */ PermissionId, "perm");
id!(/** Of a role. */ RoleId, "role");
id!(/** Of a service account. */ ServiceAccountId, "sa");
id!(/** Of a consumer. */ ConsumerId, "con");
id!(/** Of an account: who signs in. */ AccountId, "acc");
id!(/** Of a member: an account's place in an organization. */ MemberId, "mem");
id!(/** Of a team. */ TeamId, "team");
id!(/** Of a seat: a member's place in a team. */ SeatId, "seat");
id!(/** Of a policy that an organization wrote. */ AccessPolicyId, "pol");
id!(/** Of a request for an approval. */ ApprovalId, "apr");
id!(/** Of an audit record. */ AuditId, "aud");
id!(/** Of a checkpoint of the audit. */ CheckpointId, "chk");
id!(/** Of a notice. */ NoticeId, "ntc");
id!(/** Of a session: somebody who signed in. */ SessionId, "ses");
id!(/** Of an identity provider. */ IdentityProviderId, "idp");
id!(/** Of an identity: a person as an identity provider knows them. */ IdentityId, "idn");
id!(/** Of a sign-in, or a ceremony of a passkey, that is to be finished. */ FlowId, "flow");
id!(/** Of a passkey. */ PasskeyId, "pky");
id!(/** Of a key that signs identities. */ SigningKeyId, "sig");
id!(/** Of a request. */ RequestId, "req");
id!(/** Of a node: a running server. */ NodeId, "node");

/// How many base62 digits of a token are its public id: 71 bits.
pub const KEY_ID_DIGITS: usize = 12;

/// Of a key: the public digits that stand in its token, written `key_…`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; KEY_ID_DIGITS]);

impl KeyId {
    /// Stands where there is no key.
    pub const NONE: Self = Self(*b"000000000000");

    /// A new random one.
    pub fn random<R: Rng + ?Sized>(rng: &mut R) -> Self {
        let mut digits = [0; KEY_ID_DIGITS];
        base62::random(rng, &mut digits);
        Self(digits)
    }

    /// From its digits; `None` when they are not twelve of base62.
    #[must_use]
    pub fn from_slice(digits: &[u8]) -> Option<Self> {
        digits.try_into().ok().filter(|digits: &[u8; KEY_ID_DIGITS]| base62::is_base62(digits)).map(Self)
    }

    /// Its digits, as the store keeps them.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; KEY_ID_DIGITS] {
        &self.0
    }

    /// Its digits, as they stand in the token.
    #[must_use]
    pub fn digits(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key_{}", self.digits())
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for KeyId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        text.strip_prefix("key_")
            .and_then(|digits| Self::from_slice(digits.as_bytes()))
            .ok_or(InvalidId { prefix: "key" })
    }
}

/// Whose a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OwnerId {
    /// A program of the organization's own.
    ServiceAccount(ServiceAccountId),
    /// An outside party.
    Consumer(ConsumerId),
    /// A person.
    Member(MemberId),
    /// A person in a team's name.
    Seat(SeatId),
}

impl fmt::Display for OwnerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ServiceAccount(id) => fmt::Display::fmt(id, f),
            Self::Consumer(id) => fmt::Display::fmt(id, f),
            Self::Member(id) => fmt::Display::fmt(id, f),
            Self::Seat(id) => fmt::Display::fmt(id, f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_core::SeedableRng;

    #[test]
    fn an_id_is_read_back_and_another_kind_is_refused() {
        let id = ProjectId::random(&mut ChaCha8Rng::seed_from_u64(1));
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!(id.to_string().parse::<RoleId>().is_err());
    }

    #[test]
    fn a_key_id_is_read_back_and_other_texts_are_refused() {
        let id = KeyId::random(&mut ChaCha8Rng::seed_from_u64(1));
        assert_eq!(id.to_string().parse(), Ok(id));
        for text in ["key_", "key_short", "key_aaaaaaaaaaa-", "KEY_aaaaaaaaaaaa", "aaaaaaaaaaaa"] {
            assert!(text.parse::<KeyId>().is_err(), "{text}");
        }
    }
}
