//! Ceilings: what an owner's keys may do at most.

use crate::output::table::{Cell, Tone};
use clap::Args;

/// What its keys may do at most.
#[derive(Debug, Args)]
#[group(conflicts_with = "from_json")]
pub(crate) struct Ceiling {
    /// What its keys may do at most: permissions and patterns; repeat it for more
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    ceiling: Vec<String>,
    /// Its keys may do nothing
    #[arg(long, conflicts_with = "ceiling")]
    empty_ceiling: bool,
}

impl Ceiling {
    /// The ceiling; `None` when no flag was given.
    pub(crate) fn given(self) -> Option<Vec<String>> {
        crate::session::replaced(self.empty_ceiling, self.ceiling)
    }
}

/// Takes the ceiling away.
#[derive(Debug, Args)]
#[group(conflicts_with = "from_json")]
pub(crate) struct NoCeiling {
    /// Remove the ceiling: its keys may do all that they are granted
    #[arg(long, conflicts_with_all = ["ceiling", "empty_ceiling"])]
    no_ceiling: bool,
}

impl NoCeiling {
    /// What to change: `Some(None)` removes it.
    pub(crate) fn or(self, ceiling: Ceiling) -> Option<Option<Vec<String>>> {
        crate::session::cleared(self.no_ceiling, ceiling.given())
    }
}

/// A ceiling for people: none at all is another thing than an empty one.
pub(crate) fn ceiling_cell(ceiling: Option<&[String]>) -> Cell {
    match ceiling {
        None => Cell::none(),
        Some([]) => Cell::new("nothing", Tone::Warning),
        Some(names) => Cell::list(names),
    }
}
