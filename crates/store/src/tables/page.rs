//! Where a page begins. Pages go by time and id, never by name: collations differ.

use crate::After;
use crate::value::Value;
use keystead_domain::time::Micros;

/// The bound below which the page's rows are; above everything for the first page.
pub(super) fn page<const N: usize>(after: After<[u8; N]>) -> (Micros, [u8; N]) {
    after.unwrap_or((Micros::FOREVER, [0xff; N]))
}

/// How many rows at most.
pub(super) fn limit(rows_max: u32) -> Value<'static> {
    Value::Int(Some(i64::from(rows_max)))
}
