//! Fuzz targets for what strangers send. Each is a test: `cargo test -p keystead-fuzz` runs them
//! briefly; `README.md` has the command for a long run.

#[cfg(test)]
mod endpoints;
#[cfg(test)]
mod mutation;
#[cfg(test)]
mod passkeys;
#[cfg(test)]
mod query;
#[cfg(test)]
mod restrictions;
#[cfg(test)]
mod token;
#[cfg(test)]
mod verify;
