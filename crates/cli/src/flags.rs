//! Values of flags: how people write what the API says in JSON.

pub(crate) mod amounts;
pub(crate) mod approving;
pub(crate) mod authority;
pub(crate) mod body;
pub(crate) mod ceiling;
pub(crate) mod endpoint;
pub(crate) mod grant;
pub(crate) mod hours;
pub(crate) mod key_body;
pub(crate) mod moment;
pub(crate) mod named;
pub(crate) mod paging;
pub(crate) mod project;
