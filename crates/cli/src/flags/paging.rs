//! How much of a list to show.

use clap::Args;
use keystead_sdk::api::PageQuery;

/// How much of a list to show.
#[derive(Debug, Default, Args)]
pub(crate) struct Paging {
    /// Items in one page, 1 to 1000; the server's default is 100
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000), help_heading = "Paging")]
    limit: Option<u32>,
    /// The `next_cursor` of the page before
    #[arg(long, help_heading = "Paging")]
    cursor: Option<String>,
    /// Every page, one after the other, up to 100000 items
    #[arg(long, conflicts_with_all = ["limit", "cursor"], help_heading = "Paging")]
    pub(crate) all: bool,
}

impl Paging {
    pub(crate) fn query(&self) -> PageQuery {
        PageQuery { limit: self.limit, cursor: self.cursor.clone() }
    }
}
