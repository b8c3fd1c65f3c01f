//! What Keystead promises, measured: `cargo xtask bench verify|http|guard|creates|audit|people|nodes|overload|soak`.

pub mod audit;
pub mod cluster;
pub mod creates;
pub mod figure;
pub mod guard;
pub mod http;
pub mod in_process;
pub mod installation;
pub mod load;
pub mod measure;
pub mod memory;
pub mod nodes;
pub mod people;
mod pinned;
pub mod policies;
pub mod population;
pub mod say;
pub mod soak;
mod wrk;
