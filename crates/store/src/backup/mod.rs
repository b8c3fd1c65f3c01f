//! Backups: the whole installation as one stream of lines that either engine writes and either
//! engine reads. `docs/BACKUP.md` describes the format; this folder is its meaning.
//!
//! What is written is derived from the database's own schema, not from a list of tables: whatever a
//! later schema step adds is in the next backup. Only what [`left_out`] names is not.

pub(crate) mod cell;
mod dump;
mod fault;
mod line;
mod load;
pub(crate) mod places;
mod references;
mod replay;
mod site;
mod snapshot;
mod survey;

pub use dump::{Written, dump};
pub use fault::BackupError;
pub use line::Header;
pub use load::{Restored, Restoring};
pub use places::left_out;
pub use survey::{End, Ending, Gap, Survey};
