//! What a client command works with: the client, the output, the time.

use crate::exit::{Exit, Failure, Outcome};
use crate::flags::paging::Paging;
use crate::output::{Output, Present};
use keystead_sdk::api::{Page, PageQuery, Timestamp};
use keystead_sdk::{Client, Error, list_all};

/// The most that `--all` gathers: more would not fit a screen, nor memory.
const ITEMS_MAX: usize = 100_000;

/// What a client command works with.
#[derive(Debug)]
pub(crate) struct Session {
    /// The server.
    pub(crate) client: Client,
    /// Where answers go.
    pub(crate) output: Output,
    /// When the command began; distances such as `90d` count from it.
    pub(crate) now: Timestamp,
}

impl Session {
    /// Shows a list, one page or all.
    pub(crate) async fn list<T, F>(&self, paging: &Paging, mut fetch: F) -> Outcome
    where
        T: Present,
        F: AsyncFnMut(PageQuery) -> Result<Page<T>, Error>,
    {
        let page = if paging.all { list_all(ITEMS_MAX, fetch).await? } else { fetch(paging.query()).await? };
        if self.output.is_json() {
            self.output.json(&page)?;
        } else if page.items.is_empty() {
            self.output.note("Nothing there.");
        } else {
            self.output.columns(T::HEADINGS, &page.items.iter().map(Present::row).collect::<Vec<_>>())?;
        }
        if let Some(cursor) = &page.next_cursor {
            self.output.note(&format!("There are more: add --cursor {cursor}, or --all."));
        }
        Ok(Exit::Done)
    }

    /// Shows a list that is all there is.
    pub(crate) fn whole<T: Present>(&self, page: &Page<T>) -> Outcome {
        if self.output.is_json() {
            self.output.json(page)?;
        } else if page.items.is_empty() {
            self.output.note("Nothing there.");
        } else {
            self.output.columns(T::HEADINGS, &page.items.iter().map(Present::row).collect::<Vec<_>>())?;
        }
        Ok(Exit::Done)
    }

    /// Shows one answer.
    pub(crate) fn show<T: Present>(&self, item: &T) -> Outcome {
        self.output.one(item)?;
        Ok(Exit::Done)
    }

    /// Shows what came of a change, says that it happened, and what to do next.
    pub(crate) fn changed<T: Present>(&self, item: &T, did: &str, next: &str) -> Outcome {
        self.output.note(&format!("{did} {next}"));
        self.show(item)
    }

    /// Says that something is gone.
    pub(crate) fn deleted(&self, what: &str) -> Outcome {
        self.output.note(what);
        Ok(Exit::Done)
    }
}

/// The changes, unless there are none.
pub(crate) fn not_empty<T: Default + PartialEq>(changes: T) -> Result<T, Failure> {
    if changes == T::default() {
        return Err(Failure::usage(
            "There is nothing to change.",
            "Name at least one change; --help lists them.",
        ));
    }
    Ok(changes)
}

/// `true` for a switch that was given.
pub(crate) fn cleared<T>(switch: bool, value: Option<T>) -> Option<Option<T>> {
    if switch { Some(None) } else { value.map(Some) }
}

/// The whole new list: empty for the switch, nothing to change where neither was given.
pub(crate) fn replaced<T>(switch: bool, values: Vec<T>) -> Option<Vec<T>> {
    (switch || !values.is_empty()).then_some(values)
}
