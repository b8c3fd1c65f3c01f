//! Rates: the one account of each rate limit that several nodes count.

use crate::conn::{Conn, Ledger};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::{Filtered, Fragment, statements};
use crate::value::Column;
use keystead_domain::meter::MeterId;

/// Rows of one statement; each number of rows is a text of its own, which a connection keeps prepared.
pub const RATES_AT_ONCE: usize = 32;

row! {
    /// The account of a rate limit.
    #[derive(Debug)]
    RateRow {
        /// Whose limit it is.
        meter: MeterId,
        /// The limit's name.
        name: String,
        /// When all that was taken of it will have been paid for, in nanoseconds since 1970.
        paid_at_ns: i64,
    }
}

macro_rules! columns {
    () => {
        "meter_id, name, paid_at_ns"
    };
}

statements! {
    fragments:
    INSERT(0) = concat!("INSERT INTO rates (", columns!(), ") VALUES ");
    ROW(3) = "({}, {}, {})";
    ANOTHER(3) = ", ({}, {}, {})";
    // Writes nothing new, and so locks what is there until the transaction's end on both engines.
    LOCK(0) = concat!(
        " ON CONFLICT (meter_id, name) DO UPDATE SET paid_at_ns = rates.paid_at_ns RETURNING ", columns!(),
    );
    PUT(0) = concat!(
        " ON CONFLICT (meter_id, name) DO UPDATE SET paid_at_ns = excluded.paid_at_ns RETURNING ", columns!(),
    );
    RAISE(0) = concat!(
        " ON CONFLICT (meter_id, name) DO UPDATE SET paid_at_ns = CASE WHEN excluded.paid_at_ns > \
         rates.paid_at_ns THEN excluded.paid_at_ns ELSE rates.paid_at_ns END RETURNING ", columns!(),
    );
    UNPAID(1) = concat!("SELECT ", columns!(), " FROM rates WHERE paid_at_ns > {}");
    PAID(1) = concat!("SELECT ", columns!(), " FROM rates WHERE paid_at_ns < {}");
    TRIM(1) = "DELETE FROM rates WHERE paid_at_ns < {} AND (";
    THIS(2) = "meter_id = {} AND name = {}";
    OR_THIS(2) = " OR meter_id = {} AND name = {}";
    TRIMMED(0) = ") RETURNING CAST(1 AS BIGINT)";
}

impl Conn {
    /// The accounts that are not paid for at an instant, in nanoseconds since 1970.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn unpaid_rates(&mut self, at_ns: i64) -> Result<Vec<RateRow>, StoreError> {
        let mut select = Filtered::default();
        select.add(UNPAID, [at_ns.value()]);
        self.filtered(select).await
    }

    /// The accounts that were paid for before an instant, in nanoseconds since 1970: they say nothing.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn paid_rates(&mut self, before_ns: i64) -> Result<Vec<RateRow>, StoreError> {
        let mut select = Filtered::default();
        select.add(PAID, [before_ns.value()]);
        self.filtered(select).await
    }
}

impl Ledger {
    /// The accounts of these limits, added where there were none, which nobody else changes before this
    /// transaction ends. At most [`RATES_AT_ONCE`], each once, in the order of meter and name: two nodes
    /// then never wait for each other in a ring.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn lock_rates(&mut self, rows: &[RateRow]) -> Result<Vec<RateRow>, StoreError> {
        self.upsert(rows, LOCK).await
    }

    /// Writes accounts that [`Self::lock_rates`] gave.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn put_rates(&mut self, rows: &[RateRow]) -> Result<(), StoreError> {
        self.upsert(rows, PUT).await.map(|_| ())
    }

    /// Writes what a node counted alone; an account that stands further stays. Rows as for
    /// [`Self::lock_rates`].
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn raise_rates(&mut self, rows: &[RateRow]) -> Result<(), StoreError> {
        self.upsert(rows, RAISE).await.map(|_| ())
    }

    /// Deletes those of these accounts that are still paid for before an instant, in nanoseconds since 1970.
    /// Rows as for [`Self::lock_rates`], and locked so: a deletion by itself locks as it finds them. Answers
    /// how many.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn trim_rates(&mut self, rows: &[RateRow], before_ns: i64) -> Result<usize, StoreError> {
        self.lock_rates(rows).await?;
        let mut delete = Filtered::default();
        delete.add(TRIM, [before_ns.value()]);
        for (index, row) in rows.iter().enumerate() {
            delete.add(if index == 0 { THIS } else { OR_THIS }, [row.meter.value(), row.name.value()]);
        }
        delete.add(TRIMMED, []);
        self.filtered::<(i64,)>(delete).await.map(|rows| rows.len())
    }

    async fn upsert(&mut self, rows: &[RateRow], end: Fragment<0>) -> Result<Vec<RateRow>, StoreError> {
        let mut insert = Filtered::default();
        insert.add(INSERT, []);
        for (index, row) in rows.iter().enumerate() {
            insert.add(if index == 0 { ROW } else { ANOTHER }, row.values());
        }
        insert.add(end, []);
        self.filtered(insert).await
    }
}
