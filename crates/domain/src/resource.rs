//! Resources that permissions are narrowed to (`networks/NET-7`), and patterns of them.

use crate::invalid::Invalid;
use std::fmt;

/// Longest resource or pattern, in bytes.
pub const RESOURCE_BYTES_MAX: usize = 256;
/// Most segments of a resource or pattern.
pub const SEGMENTS_MAX: usize = 16;

/// Checks a concrete resource: at most 256 bytes and 16 segments of visible ASCII without
/// `* ? # \ %`, none of them empty, `.` or `..`.
///
/// # Errors
/// When it is not that; the field is empty, see [`Invalid::below`].
pub fn check(text: &str) -> Result<(), Invalid> {
    if is_concrete(text) {
        return Ok(());
    }
    Err(if text.contains('*') && is_concrete(&text.replace('*', "x")) {
        Invalid::new("", "A resource names one thing, and this has a `*`.", "Name the resource itself.")
    } else {
        malformed()
    })
}

fn malformed() -> Invalid {
    Invalid::new(
        "",
        "This is not a resource's path.",
        "Send something like `networks/NET-7`: 1 to 16 segments, 256 characters in all, of visible ASCII without `*`, `?`, `#`, `%` or a backslash; no `/` at the edges, no `.` or `..`.",
    )
}

/// The same without words for people: allocates nothing.
fn is_concrete(text: &str) -> bool {
    let mut segments = text.split('/');
    text.len() <= RESOURCE_BYTES_MAX
        && segments.by_ref().take(SEGMENTS_MAX).all(is_segment)
        && segments.next().is_none()
}

fn is_segment(text: &str) -> bool {
    !matches!(text, "" | "." | "..")
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'*' | b'?' | b'#' | b'\\' | b'%'))
}

/// A resource or a pattern of them: `*` stands for exactly one segment, a final `**` for none or
/// more. `zones/**` matches `zones` and `zones/a/b`. Case counts.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ResourcePattern(Box<str>);

impl ResourcePattern {
    /// Compiles a resource or pattern.
    ///
    /// # Errors
    /// When it is neither; the field is empty, see [`Invalid::below`].
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.len() > RESOURCE_BYTES_MAX || text.split('/').nth(SEGMENTS_MAX).is_some() {
            return Err(malformed());
        }
        let mut segments = text.split('/').peekable();
        while let Some(segment) = segments.next() {
            match segment {
                "*" => {}
                "**" if segments.peek().is_none() => {}
                "**" => {
                    return Err(Invalid::new(
                        "",
                        "`**` stands before the end of this pattern.",
                        "Write `**` only as the last segment; `*` stands for one segment anywhere.",
                    ));
                }
                _ if is_segment(segment) => {}
                _ if segment.contains('*') => {
                    return Err(Invalid::new(
                        "",
                        "`*` stands within a segment of this pattern.",
                        "Let `*` be a whole segment, such as `networks/*`.",
                    ));
                }
                _ => return Err(malformed()),
            }
        }
        Ok(Self(text.into()))
    }

    /// Whether it stands for this resource. What is no concrete resource (it has a `*`, say) is
    /// never matched. Allocates nothing.
    #[must_use]
    pub fn matches(&self, resource: &str) -> bool {
        // Most are asked about what they name, `zones/**` about `zones`. Without a `*` that is concrete.
        if self.0.strip_suffix("/**").unwrap_or(&self.0) == resource {
            return !resource.contains('*');
        }
        self.matches_segments(resource) && is_concrete(resource)
    }

    fn matches_segments(&self, resource: &str) -> bool {
        let mut names = resource.split('/');
        for segment in self.0.split('/') {
            match (segment, names.next()) {
                ("**", _) => return true,
                ("*", Some(_)) => {}
                (segment, Some(name)) if segment == name => {}
                _ => return false,
            }
        }
        names.next().is_none()
    }

    /// Whether every resource that `other` stands for is one that it stands for. Allocates nothing.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        // Every resource has a segment: only at the very beginning is `**` the same as `*/**`.
        let mut others = if *other.0 == *"**" { "*/**" } else { &other.0 }.split('/');
        for segment in self.0.split('/') {
            match (segment, others.next()) {
                ("**", _) => return true,
                (_, Some("**")) => return false,
                ("*", Some(_)) => {}
                (segment, Some(other)) if segment == other => {}
                _ => return false,
            }
        }
        others.next().is_none()
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ResourcePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ResourcePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests;
