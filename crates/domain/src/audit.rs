//! The audit as a tree that shows tampering: what a record becomes in it, its root, signed checkpoints, and
//! the check of all of them.

pub mod check;
pub mod checkpoint;
pub mod deletion;
pub mod record;
pub mod tree;
