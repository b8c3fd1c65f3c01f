//! Every page of a list, one after the other.

use crate::Error;
use keystead_api::{Page, PageQuery};

/// How many items one call asks for: the most that a server gives.
const PAGE_ITEMS: u32 = 1_000;

/// Asks for page after page, until the list ends or `items_max` items are there, and gives them
/// as one page; its `next_cursor` is `None` when nothing is left.
///
/// `fetch` is called with the paging of each call. A query with filters takes the cursor over:
///
/// ```no_run
/// # use keystead_sdk::{api::KeyQuery, list_all, Client, Error};
/// # async fn example(keystead: Client) -> Result<(), Error> {
/// let filter = KeyQuery { tag: Some("edge".to_owned()), ..KeyQuery::default() };
/// let keys = list_all(10_000, async |page| {
///     let query = KeyQuery { limit: page.limit, cursor: page.cursor, ..filter.clone() };
///     keystead.list_keys("acme", &query).await
/// })
/// .await?;
/// # let _ = keys;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// The first that `fetch` gives, and [`Error::Protocol`] when a page leads to itself.
pub async fn list_all<T, F>(items_max: usize, mut fetch: F) -> Result<Page<T>, Error>
where
    F: AsyncFnMut(PageQuery) -> Result<Page<T>, Error>,
{
    let mut all = Page { items: Vec::new(), next_cursor: None };
    loop {
        let left = u32::try_from(items_max.saturating_sub(all.items.len())).unwrap_or(u32::MAX);
        let limit = Some(left.clamp(1, PAGE_ITEMS));
        let page = fetch(PageQuery { limit, cursor: all.next_cursor.clone() }).await?;
        all.items.extend(page.items);
        if page.next_cursor.is_some() && page.next_cursor == all.next_cursor {
            let why = "a page of a list leads to itself".to_owned();
            return Err(Error::Protocol { url: "the server".to_owned(), status: 200, why });
        }
        all.next_cursor = page.next_cursor;
        if all.next_cursor.is_none() || all.items.len() >= items_max {
            return Ok(all);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers from 0 to `last`, as a server would page them.
    fn numbers(last: usize, query: &PageQuery) -> Page<usize> {
        let from: usize = query.cursor.as_deref().map_or(0, |cursor| cursor.parse().unwrap());
        let to = (from + query.limit.unwrap() as usize).min(last + 1);
        Page { items: (from..to).collect(), next_cursor: (to <= last).then(|| to.to_string()) }
    }

    #[tokio::test]
    async fn all_pages_are_gathered_in_order() {
        let all = list_all(10_000, async |query| Ok(numbers(2_500, &query))).await.unwrap();
        assert_eq!(all.items, (0..=2_500).collect::<Vec<_>>());
        assert_eq!(all.next_cursor, None);
    }

    #[tokio::test]
    async fn the_bound_holds_and_the_rest_can_be_asked_for() {
        let some = list_all(1_500, async |query| Ok(numbers(2_500, &query))).await.unwrap();
        assert_eq!(some.items.len(), 1_500);
        assert_eq!(some.next_cursor.as_deref(), Some("1500"));
    }

    #[tokio::test]
    async fn a_page_that_leads_to_itself_ends_in_an_error() {
        let looping = async |_| Ok(Page { items: vec![1], next_cursor: Some("same".to_owned()) });
        assert!(matches!(list_all(100, looping).await, Err(Error::Protocol { .. })));
    }
}
