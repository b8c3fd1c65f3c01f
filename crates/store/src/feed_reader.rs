//! Reading the change feed that several nodes write (PostgreSQL only).
//!
//! A row's number is given before its transaction commits, so a smaller number may become visible
//! after a greater one. The reader therefore remembers, below the greatest number that it has seen,
//! every gap: a number of a transaction that was rolled back, or that has not committed yet. Each
//! poll gives the rows that appeared in gaps and those above, each of them once. A gap is closed
//! only when every transaction that was running when it was noticed has ended; for that, the
//! snapshot's xmin must have reached a transaction number that was drawn after the gap was seen. So
//! late committers are never skipped, and a foreign transaction that stays open for hours keeps gaps
//! open, but holds no row back.

use crate::error::StoreError;
use crate::postgres::SharedDatabase;
use crate::tables::feed::{ChangeKind, FeedRow};
use crate::value::{Column, Unreadable};
use keystead_domain::ids::OrganizationId;
use keystead_domain::time::Micros;
use sqlx::Connection;
use sqlx::postgres::{PgConnection, PgListener, PgPoolOptions};
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// Rows that one poll reads.
const ROWS_MAX: i64 = 1_000;
/// Gaps that are remembered; with more the node says that it cannot know.
const GAPS_MAX: usize = 10_000;
/// How long anything that is asked here may take.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(3);
/// How long the reader waits to be woken before it polls all the same.
const POLL_EVERY: Duration = Duration::from_millis(200);

const START: &str = "SELECT coalesce(max(seq), 0), coalesce((SELECT CAST(value AS BIGINT) FROM installation \
    WHERE name = 'feed_trimmed_to'), 0) FROM feed";
const START_GAPS: &str = "SELECT before + 1, seq - 1 FROM \
    (SELECT seq, coalesce(lag(seq) OVER (ORDER BY seq), $1) AS before FROM feed WHERE seq <= $2) AS numbered \
    WHERE seq > before + 1";
const NEXT_TRANSACTION: &str = "SELECT CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)";
const POLL: &str = "WITH found AS ( \
    (SELECT seq, at, organization_id, kind, target, origin FROM feed WHERE seq > $1 ORDER BY seq LIMIT $4) \
    UNION ALL \
    (SELECT feed.seq, feed.at, feed.organization_id, feed.kind, feed.target, feed.origin \
    FROM unnest($2::BIGINT[], $3::BIGINT[]) AS gap (first, last) \
    JOIN feed ON feed.seq BETWEEN gap.first AND gap.last)) \
    SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT) AS xmin, \
    coalesce((SELECT CAST(value AS BIGINT) FROM installation WHERE name = 'feed_trimmed_to'), 0) AS trimmed_to, \
    found.seq, found.at, found.organization_id, found.kind, found.target, found.origin \
    FROM (SELECT 1) AS always LEFT JOIN found ON TRUE ORDER BY found.seq";
/// Which course of history this server is on, and the last number that it gave: after a failover
/// that lost commits, what this node knows may be more than the database does.
const HISTORY: &str = "SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8), \
    coalesce(pg_sequence_last_value(CAST(pg_get_serial_sequence('feed', 'seq') AS regclass)), 0)";
const CHANNEL: &str = "SELECT 'keystead_' || current_schema()";
const WAKE: &str = "SELECT pg_notify($1, '')";

/// Numbers that were not visible when greater ones were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Gap {
    first: i64,
    last: i64,
    /// Every transaction that may still fill it has a smaller number.
    bound: i64,
}

/// Where a reader stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Place {
    head: i64,
    gaps: Vec<Gap>,
}

impl Place {
    /// Up to here everything that can ever become visible has been read.
    fn mark(&self) -> i64 {
        self.gaps.first().map_or(self.head, |gap| gap.first - 1)
    }

    /// Where the reader stands after rows that came with a snapshot of that xmin. New gaps have no
    /// bound yet: it is drawn afterwards.
    fn after(&self, seqs: impl Iterator<Item = i64>, xmin: i64) -> Self {
        let mut next = Self { head: self.head, gaps: Vec::with_capacity(self.gaps.len()) };
        let mut old = self.gaps.iter().copied();
        let mut open = old.next();
        let keep = |gaps: &mut Vec<Gap>, gap: Gap| {
            if gap.first <= gap.last && gap.bound > xmin {
                gaps.push(gap);
            }
        };
        for seq in seqs {
            while let Some(gap) = open.filter(|gap| gap.last < seq) {
                keep(&mut next.gaps, gap);
                open = old.next();
            }
            if let Some(gap) = open.filter(|gap| gap.first <= seq) {
                keep(&mut next.gaps, Gap { last: seq - 1, ..gap });
                open = Some(Gap { first: seq + 1, ..gap });
            } else if seq > next.head {
                keep(&mut next.gaps, Gap { first: next.head + 1, last: seq - 1, bound: i64::MAX });
                next.head = seq;
            }
        }
        open.into_iter().chain(old).for_each(|gap| keep(&mut next.gaps, gap));
        next
    }
}

/// What a poll found.
#[derive(Debug)]
pub enum Polled {
    /// Rows that were not given before.
    Rows {
        /// In the order of their numbers. Kinds that only a newer version knows are left out.
        rows: Vec<FeedRow>,
        /// Whether more were waiting: poll again at once.
        more: bool,
    },
    /// Rows that this reader had not seen may be gone: everything must be loaded anew, and the
    /// reader stands where the feed stands now.
    Lost,
}

/// Reads the feed for one node.
pub struct FeedReader {
    shared: Arc<SharedDatabase>,
    session: Option<Session>,
    place: Place,
    /// After the rows of the last poll, once they are applied.
    next: Option<Place>,
    history: String,
}

struct Session {
    connection: PgConnection,
    channel: String,
    /// Told when others committed something.
    woken: Arc<Notify>,
    listening: JoinHandle<()>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl fmt::Debug for FeedReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FeedReader").field("place", &self.place).finish_non_exhaustive()
    }
}

/// What a poll answers: the snapshot's xmin, up to where the feed was trimmed, and a row or nothing.
type Found =
    (i64, i64, Option<i64>, Option<i64>, Option<Vec<u8>>, Option<String>, Option<Vec<u8>>, Option<Vec<u8>>);

fn row(found: Found) -> Result<Option<FeedRow>, StoreError> {
    let (_, _, Some(seq), Some(at), Some(organization_id), Some(kind), Some(target), origin) = found else {
        return Ok(None);
    };
    let Ok(kind) = ChangeKind::load(kind) else { return Ok(None) };
    let organization_id =
        OrganizationId::load(organization_id).map_err(|Unreadable(what)| StoreError::Corrupt(what))?;
    // One that is none is nobody's: then the change is read again.
    let origin = origin.and_then(|origin| origin.try_into().ok());
    Ok(Some(FeedRow { seq, at: Micros(at), organization_id, kind, target, origin }))
}

async fn answered<T>(answer: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, StoreError> {
    let answer = tokio::time::timeout(ANSWER_TIME_MAX, answer).await;
    Ok(answer.map_err(|_| StoreError::Unavailable("the server does not answer"))??)
}

impl FeedReader {
    /// One that stands where the feed stands now.
    pub(crate) async fn new(shared: Arc<SharedDatabase>) -> Result<Self, StoreError> {
        let mut session = Session::open(&shared).await?;
        let (history, _) = session.history().await?;
        let place = session.start().await?;
        Ok(Self { shared, session: Some(session), place, next: None, history })
    }

    /// Whether a row was written through this very store: who did that knows of it.
    #[must_use]
    pub fn is_own(&self, row: &FeedRow) -> bool {
        row.origin == Some(self.shared.origin)
    }

    /// Up to this number every row has been given and applied, and none can appear any more.
    #[must_use]
    pub fn mark(&self) -> i64 {
        self.place.mark()
    }

    /// Reads what became visible. After an error the next call makes a new session.
    ///
    /// # Errors
    /// When the database does not answer; nothing is skipped for it.
    pub async fn poll(&mut self) -> Result<Polled, StoreError> {
        // Taken out while it is asked: a question that fails leaves no half-read session behind.
        let mut session = match self.session.take() {
            Some(session) => session,
            None => {
                let mut session = Session::open(&self.shared).await?;
                let (history, last) = session.history().await?;
                // What other connections are waiting for may never come.
                self.shared.renew();
                if history != self.history || last < self.place.head {
                    self.history = history;
                    return self.start_anew(session).await;
                }
                session
            }
        };
        let found = session.poll(&self.place).await?;
        let (xmin, trimmed_to) =
            found.first().map(|row| (row.0, row.1)).ok_or(StoreError::Corrupt("the feed"))?;
        if trimmed_to > self.place.mark() {
            return self.start_anew(session).await;
        }
        let seqs: Vec<i64> = found.iter().filter_map(|row| row.2).collect();
        let mut next = self.place.after(seqs.iter().copied(), xmin);
        if next.gaps.iter().any(|gap| gap.bound == i64::MAX) {
            let bound = session.next_transaction().await?;
            next.gaps.iter_mut().for_each(|gap| gap.bound = gap.bound.min(bound));
        }
        if next.gaps.len() > GAPS_MAX {
            return Err(StoreError::Unavailable("too many changes are neither committed nor undone"));
        }
        let above = seqs.iter().filter(|seq| **seq > self.place.head).count();
        let rows = found.into_iter().map(row).filter_map(Result::transpose).collect::<Result<_, _>>()?;
        self.session = Some(session);
        self.next = Some(next);
        Ok(Polled::Rows { rows, more: i64::try_from(above).is_ok_and(|above| above >= ROWS_MAX) })
    }

    /// Says that the rows of the last poll are applied; without it they are given again.
    pub fn applied(&mut self) {
        if let Some(next) = self.next.take() {
            self.place = next;
        }
    }

    async fn start_anew(&mut self, mut session: Session) -> Result<Polled, StoreError> {
        self.place = session.start().await?;
        self.next = None;
        self.session = Some(session);
        Ok(Polled::Lost)
    }

    /// Waits until it is worth polling, at most [`POLL_EVERY`]; tells the other nodes of what this
    /// one commits meanwhile. A wake that is lost costs that much time and nothing else.
    pub async fn wait(&mut self) {
        let until = tokio::time::Instant::now() + POLL_EVERY;
        let committed = Arc::clone(&self.shared.committed);
        loop {
            let woken = self.session.as_ref().map(|session| Arc::clone(&session.woken));
            tokio::select! {
                () = tokio::time::sleep_until(until) => return,
                () = notified(woken) => return,
                () = committed.notified() => {
                    if let Some(mut session) = self.session.take()
                        && session.wake().await.is_ok()
                    {
                        self.session = Some(session);
                    }
                }
            }
        }
    }
}

async fn notified(woken: Option<Arc<Notify>>) {
    match woken {
        Some(woken) => woken.notified().await,
        None => std::future::pending().await,
    }
}

impl Session {
    async fn open(shared: &SharedDatabase) -> Result<Self, StoreError> {
        let options = shared.options().clone();
        let mut connection = answered(PgConnection::connect_with(&options)).await?;
        let (channel,): (String,) = answered(sqlx::query_as(CHANNEL).fetch_one(&mut connection)).await?;
        let pool = PgPoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None);
        let pool = pool.acquire_timeout(ANSWER_TIME_MAX).connect_lazy_with(options);
        let mut listener = answered(async {
            let mut listener = PgListener::connect_with(&pool).await?;
            listener.listen(&channel).await?;
            Ok(listener)
        })
        .await?;
        let woken = Arc::new(Notify::new());
        let wake = Arc::clone(&woken);
        // Ends at the first failure: polling goes on without it, and a new session listens again.
        let listening = tokio::spawn(async move {
            while listener.recv().await.is_ok() {
                wake.notify_one();
            }
        });
        Ok(Self { connection, channel, woken, listening })
    }

    async fn history(&mut self) -> Result<(String, i64), StoreError> {
        answered(sqlx::query_as(HISTORY).fetch_one(&mut self.connection)).await
    }

    async fn next_transaction(&mut self) -> Result<i64, StoreError> {
        let (number,) = answered(sqlx::query_as(NEXT_TRANSACTION).fetch_one(&mut self.connection)).await?;
        Ok(number)
    }

    /// Where the feed stands: what is visible now need not be read, what is missing in it may come.
    async fn start(&mut self) -> Result<Place, StoreError> {
        let (newest, trimmed_to): (i64, i64) =
            answered(sqlx::query_as(START).fetch_one(&mut self.connection)).await?;
        let head = newest.max(trimmed_to);
        let missing: Vec<(i64, i64)> =
            answered(sqlx::query_as(START_GAPS).bind(trimmed_to).bind(head).fetch_all(&mut self.connection))
                .await?;
        let bound = self.next_transaction().await?;
        let gaps = missing.into_iter().map(|(first, last)| Gap { first, last, bound }).collect();
        Ok(Place { head, gaps })
    }

    async fn poll(&mut self, place: &Place) -> Result<Vec<Found>, StoreError> {
        let firsts: Vec<i64> = place.gaps.iter().map(|gap| gap.first).collect();
        let lasts: Vec<i64> = place.gaps.iter().map(|gap| gap.last).collect();
        let query = sqlx::query_as(POLL).bind(place.head).bind(firsts).bind(lasts).bind(ROWS_MAX);
        answered(query.fetch_all(&mut self.connection)).await
    }

    async fn wake(&mut self) -> Result<(), StoreError> {
        answered(sqlx::query(WAKE).bind(&self.channel).execute(&mut self.connection)).await.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::{Gap, Place, Polled};
    use crate::testing::{POSTGRES_VARIABLE, TestStore, postgres};
    use rand_chacha::ChaCha8Rng;
    use rand_core::{Rng, SeedableRng};

    fn gap(first: i64, last: i64, bound: i64) -> Gap {
        Gap { first, last, bound }
    }

    #[test]
    fn a_gap_stays_until_its_row_came_or_its_transactions_have_ended() {
        let place = Place { head: 10, gaps: vec![gap(4, 6, 100), gap(8, 8, 120)] };
        assert_eq!(place.mark(), 3);
        let next = place.after([5, 13].into_iter(), 99);
        let expected = vec![gap(4, 4, 100), gap(6, 6, 100), gap(8, 8, 120), gap(11, 12, i64::MAX)];
        assert_eq!(next, Place { head: 13, gaps: expected });
        assert_eq!(place.after([].into_iter(), 100), Place { head: 10, gaps: vec![gap(8, 8, 120)] });
        assert_eq!(place.after([8].into_iter(), 110), Place { head: 10, gaps: Vec::new() });
    }

    /// A transaction of the model: its number, the feed's number that it holds, and how it ended.
    struct Open {
        xid: i64,
        seq: Option<i64>,
    }

    /// Transactions begin, draw a number of the feed, commit and roll back in every order, while
    /// polls come in between: every committed row is given exactly once.
    #[test]
    fn lesson_12_whatever_the_order_of_commits_each_row_is_given_once() {
        for seed in 0..300 {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let (mut next_xid, mut next_seq) = (1_000, 1);
            let (mut running, mut visible): (Vec<Open>, Vec<i64>) = (Vec::new(), Vec::new());
            let (mut place, mut given) = (Place::default(), Vec::new());
            for step in 0..400 {
                let last = step >= 396;
                match rng.next_u32() % 6 {
                    0 | 1 if !last => {
                        running.push(Open { xid: next_xid, seq: None });
                        next_xid += 1;
                    }
                    2 if !running.is_empty() && !last => {
                        let index = rng.next_u32() as usize % running.len();
                        if running[index].seq.is_none() {
                            running[index].seq = Some(next_seq);
                            next_seq += 1;
                        }
                    }
                    choice @ (3 | 4) if !running.is_empty() && !last => {
                        let index = rng.next_u32() as usize % running.len();
                        let ended = running.swap_remove(index);
                        if choice == 3 {
                            visible.extend(ended.seq);
                        }
                    }
                    _ => {
                        if last {
                            visible.extend(running.drain(..).filter_map(|open| open.seq));
                        }
                        let xmin = running.iter().map(|open| open.xid).min().unwrap_or(next_xid);
                        let wanted = |seq: &i64| {
                            *seq > place.head
                                || place.gaps.iter().any(|gap| (gap.first..=gap.last).contains(seq))
                        };
                        let mut rows: Vec<i64> = visible.iter().copied().filter(wanted).collect();
                        rows.sort_unstable();
                        let mut next = place.after(rows.iter().copied(), xmin);
                        // Between the poll and the drawing of the bound others begin.
                        running.push(Open { xid: next_xid, seq: None });
                        next.gaps.iter_mut().for_each(|gap| gap.bound = gap.bound.min(next_xid + 1));
                        next_xid += 2;
                        assert!(next.mark() >= place.mark());
                        given.extend(rows);
                        place = next;
                    }
                }
            }
            given.sort_unstable();
            visible.sort_unstable();
            assert_eq!(given, visible, "seed {seed}");
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_lost_session_is_made_anew_and_loses_nothing() {
        let Some(TestStore { store, .. }) = &postgres().await else {
            println!("not run: {POSTGRES_VARIABLE} is not set");
            return;
        };
        let mut reader = store.feed_reader().await.unwrap().unwrap();
        let session = reader.session.as_mut().unwrap();
        let (pid,): (i32,) =
            sqlx::query_as("SELECT pg_backend_pid()").fetch_one(&mut session.connection).await.unwrap();
        let ended: Result<(), crate::StoreError> = store
            .bookkeeping(move |ledger| {
                Box::pin(async move {
                    let crate::conn::Engine::Postgres(connection) = &mut ledger.engine else {
                        unreachable!()
                    };
                    let insert =
                        "INSERT INTO feed (at, organization_id, kind, target) VALUES (0, $1, 'role', $1)";
                    sqlx::query(insert).bind([1_u8; 16].as_slice()).execute(&mut **connection).await?;
                    let end = "SELECT pg_terminate_backend($1, 10000)";
                    sqlx::query(end).bind(pid).execute(&mut **connection).await?;
                    Ok(())
                })
            })
            .await;
        ended.unwrap();
        assert!(reader.poll().await.is_err());
        let Ok(Polled::Rows { rows, .. }) = reader.poll().await else { panic!("nothing was lost") };
        assert_eq!(rows.len(), 1);
    }

    /// After a failover that lost commits this node may know more than the database does.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn another_course_of_history_is_a_lost_place() {
        let Some(TestStore { store, .. }) = &postgres().await else {
            println!("not run: {POSTGRES_VARIABLE} is not set");
            return;
        };
        for spoil in [0, 1] {
            let mut reader = store.feed_reader().await.unwrap().unwrap();
            reader.session = None;
            if spoil == 0 {
                reader.history = "0000000F".to_owned();
            } else {
                reader.place.head += 1_000;
            }
            assert!(matches!(reader.poll().await, Ok(Polled::Lost)));
            assert!(matches!(reader.poll().await, Ok(Polled::Rows { .. })));
        }
    }
}
