//! What a column holds, in both directions: the few portable types (BIGINT, TEXT, BYTEA, BOOLEAN)
//! and the domain's types that are stored as one of them.

use keystead_domain::ids::{
    AccessPolicyId, AccountId, ApprovalId, AuditId, CheckpointId, ConsumerId, EnvironmentId, FlowId,
    IdentityId, IdentityProviderId, KeyId, MemberId, NodeId, NoticeId, OrganizationId, OwnerId, PasskeyId,
    PermissionId, ProjectId, RoleId, SeatId, ServiceAccountId, SessionId, SigningKeyId, TeamId,
};
use keystead_domain::time::Micros;

/// A bound parameter.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'a> {
    /// BIGINT.
    Int(Option<i64>),
    /// TEXT.
    Text(Option<&'a str>),
    /// BYTEA or BLOB.
    Bytes(Option<&'a [u8]>),
    /// The same, of a value that was made for the statement.
    Owner([u8; 17]),
    /// BOOLEAN.
    Bool(Option<bool>),
}

/// A stored value that is not of its column's form.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unreadable(pub(crate) &'static str);

/// A type that is stored as one column.
pub(crate) trait Column: Sized {
    /// What the driver gives.
    type Stored;
    /// The parameter that says NULL in this column's type: PostgreSQL wants it typed.
    const NULL: Value<'static>;

    /// As it is bound.
    fn value(&self) -> Value<'_>;

    /// From what the driver gave.
    fn load(stored: Self::Stored) -> Result<Self, Unreadable>;
}

impl<T: Column> Column for Option<T> {
    type Stored = Option<T::Stored>;
    const NULL: Value<'static> = T::NULL;

    fn value(&self) -> Value<'_> {
        self.as_ref().map_or(T::NULL, T::value)
    }

    fn load(stored: Self::Stored) -> Result<Self, Unreadable> {
        stored.map(T::load).transpose()
    }
}

impl Column for i64 {
    type Stored = Self;
    const NULL: Value<'static> = Value::Int(None);

    fn value(&self) -> Value<'_> {
        Value::Int(Some(*self))
    }

    fn load(stored: Self) -> Result<Self, Unreadable> {
        Ok(stored)
    }
}

impl Column for Micros {
    type Stored = i64;
    const NULL: Value<'static> = Value::Int(None);

    fn value(&self) -> Value<'_> {
        Value::Int(Some(self.0))
    }

    fn load(stored: i64) -> Result<Self, Unreadable> {
        Ok(Self(stored))
    }
}

impl Column for bool {
    type Stored = Self;
    const NULL: Value<'static> = Value::Bool(None);

    fn value(&self) -> Value<'_> {
        Value::Bool(Some(*self))
    }

    fn load(stored: Self) -> Result<Self, Unreadable> {
        Ok(stored)
    }
}

impl Column for String {
    type Stored = Self;
    const NULL: Value<'static> = Value::Text(None);

    fn value(&self) -> Value<'_> {
        Value::Text(Some(self))
    }

    fn load(stored: Self) -> Result<Self, Unreadable> {
        Ok(stored)
    }
}

impl Column for Vec<u8> {
    type Stored = Self;
    const NULL: Value<'static> = Value::Bytes(None);

    fn value(&self) -> Value<'_> {
        Value::Bytes(Some(self))
    }

    fn load(stored: Self) -> Result<Self, Unreadable> {
        Ok(stored)
    }
}

impl<const N: usize> Column for [u8; N] {
    type Stored = Vec<u8>;
    const NULL: Value<'static> = Value::Bytes(None);

    fn value(&self) -> Value<'_> {
        Value::Bytes(Some(self))
    }

    fn load(stored: Vec<u8>) -> Result<Self, Unreadable> {
        stored.try_into().map_err(|_| Unreadable("a digest of another length"))
    }
}

impl Column for KeyId {
    type Stored = Vec<u8>;
    const NULL: Value<'static> = Value::Bytes(None);

    fn value(&self) -> Value<'_> {
        Value::Bytes(Some(self.as_bytes()))
    }

    fn load(stored: Vec<u8>) -> Result<Self, Unreadable> {
        Self::from_slice(&stored).ok_or(Unreadable("a key's id"))
    }
}

macro_rules! ids {
    ($($id:ident),*) => {$(
        impl Column for $id {
            type Stored = Vec<u8>;
            const NULL: Value<'static> = Value::Bytes(None);

            fn value(&self) -> Value<'_> {
                Value::Bytes(Some(&self.0))
            }

            fn load(stored: Vec<u8>) -> Result<Self, Unreadable> {
                Self::from_slice(&stored).ok_or(Unreadable(concat!("an id of the kind ", stringify!($id))))
            }
        }
    )*};
}

ids!(
    AccessPolicyId,
    AccountId,
    ApprovalId,
    AuditId,
    CheckpointId,
    ConsumerId,
    EnvironmentId,
    FlowId,
    IdentityId,
    IdentityProviderId,
    MemberId,
    NodeId,
    NoticeId,
    OrganizationId,
    PasskeyId,
    PermissionId,
    ProjectId,
    RoleId,
    SeatId,
    ServiceAccountId,
    SessionId,
    SigningKeyId,
    TeamId
);

/// Of an owner's column: which kind, then its 16 bytes.
const SERVICE_ACCOUNT: u8 = 1;
const CONSUMER: u8 = 2;
const MEMBER: u8 = 3;
const SEAT: u8 = 4;

/// An owner as its 17 bytes.
pub(crate) fn owner_bytes(owner: OwnerId) -> [u8; 17] {
    let (kind, id) = match owner {
        OwnerId::ServiceAccount(id) => (SERVICE_ACCOUNT, id.0),
        OwnerId::Consumer(id) => (CONSUMER, id.0),
        OwnerId::Member(id) => (MEMBER, id.0),
        OwnerId::Seat(id) => (SEAT, id.0),
    };
    let mut bytes = [kind; 17];
    if let Some(place) = bytes.last_chunk_mut::<16>() {
        *place = id;
    }
    bytes
}

/// An owner from its 17 bytes.
pub(crate) fn owner_of(bytes: &[u8]) -> Result<OwnerId, Unreadable> {
    let unreadable = Unreadable("a key's owner");
    let (kind, id) = bytes.split_first().ok_or(Unreadable("a key's owner"))?;
    let id: [u8; 16] = id.try_into().map_err(|_| Unreadable("a key's owner"))?;
    match *kind {
        SERVICE_ACCOUNT => Ok(OwnerId::ServiceAccount(ServiceAccountId(id))),
        CONSUMER => Ok(OwnerId::Consumer(ConsumerId(id))),
        MEMBER => Ok(OwnerId::Member(MemberId(id))),
        SEAT => Ok(OwnerId::Seat(SeatId(id))),
        _ => Err(unreadable),
    }
}

impl Column for OwnerId {
    type Stored = Vec<u8>;
    const NULL: Value<'static> = Value::Bytes(None);

    fn value(&self) -> Value<'_> {
        Value::Owner(owner_bytes(*self))
    }

    fn load(stored: Vec<u8>) -> Result<Self, Unreadable> {
        owner_of(&stored)
    }
}
