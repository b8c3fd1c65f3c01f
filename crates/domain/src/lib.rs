//! Keystead's rules, pure: key format, digests, permissions and matching, restrictions, limit
//! arithmetic, the verdict. No async, no I/O, no SQL, no HTTP; time and randomness are passed in.

pub mod audit;
pub mod base62;
pub mod calendar;
pub mod cells;
pub mod decide;
pub mod digest;
pub mod effective;
pub mod endpoints;
pub mod entry;
pub mod explain;
pub mod foreign;
pub mod guardrails;
pub mod hours;
pub mod ids;
pub mod invalid;
pub mod lease;
pub mod meter;
pub mod name;
pub mod networks;
pub mod origins;
pub mod pattern;
pub mod policy;
pub mod query;
pub mod rate;
pub mod replay;
pub mod resource;
pub mod restrictions;
pub mod rotation;
pub mod seal;
pub mod share;
pub mod slow_digest;
pub mod special;
pub mod take;
pub mod time;
pub mod token;
