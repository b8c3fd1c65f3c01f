//! The address of the database. It may hold a password, so neither `Debug` nor `Display` show it whole.

use std::fmt;

/// `sqlite:PATH`, `postgres://…` or `postgresql://…`.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

/// Parameters of a PostgreSQL address that are no secrets.
const PARAMETERS_SHOWN: [&str; 7] =
    ["sslmode", "sslrootcert", "application_name", "host", "port", "user", "dbname"];

impl DatabaseUrl {
    /// `None` when it begins with none of the three schemes, or nothing follows.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let known = ["sqlite:", "postgres://", "postgresql://"]
            .iter()
            .any(|scheme| text.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()));
        known.then(|| Self(text.to_owned()))
    }

    /// Whole, with the password: for the store only.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// As people may see it: `postgres://user:***@host/db`.
    #[must_use]
    pub fn masked(&self) -> String {
        mask(&self.0)
    }
}

/// Masks the password, the one in a parameter too. When in doubt it hides more: a password may itself
/// hold `/`, `?` or `@`, so everything before the last `@` counts as user and password.
fn mask(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let (user, place) = match rest.rsplit_once('@') {
        None => (String::new(), rest),
        Some((user, place)) => match user.split_once(':') {
            Some((user, _)) if plain(user) => (format!("{user}:***@"), place),
            None if plain(user) => (format!("{user}@"), place),
            _ => ("***@".to_owned(), place),
        },
    };
    let Some((place, query)) = place.split_once('?') else {
        return format!("{scheme}://{user}{place}");
    };
    let query: Vec<String> = query.split('&').map(mask_parameter).collect();
    format!("{scheme}://{user}{place}?{}", query.join("&"))
}

fn plain(user: &str) -> bool {
    !user.contains(['/', '?', '@', '#'])
}

fn mask_parameter(parameter: &str) -> String {
    match parameter.split_once('=') {
        Some((name, _)) if PARAMETERS_SHOWN.contains(&name) => parameter.to_owned(),
        Some((name, _)) => format!("{name}=***"),
        None => "***".to_owned(),
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_masked_wherever_it_stands() {
        for (text, masked) in [
            ("postgres://app:canary@db/keys", "postgres://app:***@db/keys"),
            ("postgresql://app:can/a?r@y@db:5432/keys", "postgresql://app:***@db:5432/keys"),
            ("postgres://app@db/keys", "postgres://app@db/keys"),
            ("postgres:///keys?host=/run/postgresql", "postgres:///keys?host=/run/postgresql"),
            (
                "postgres://db/keys?password=canary&sslmode=require",
                "postgres://db/keys?password=***&sslmode=require",
            ),
            ("postgres://db/keys?user=a&options=canary@x", "postgres://***@x"),
            ("sqlite:/var/lib/keystead/keystead.db", "sqlite:/var/lib/keystead/keystead.db"),
        ] {
            let url = DatabaseUrl::new(text).unwrap();
            assert_eq!(url.masked(), masked);
            assert!(!format!("{url:?} {url}").contains("canary"));
            assert_eq!(url.expose(), text);
        }
    }

    #[test]
    fn other_databases_are_refused() {
        for text in ["", "sqlite:", "mysql://db/keys", "postgres://", "/var/lib/keystead.db"] {
            assert!(DatabaseUrl::new(text).is_none(), "{text}");
        }
    }
}
