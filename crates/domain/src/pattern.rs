//! Permission names and the patterns that stand for many of them, segment by segment.

use crate::invalid::Invalid;
use crate::name;
use std::fmt;

/// Longest permission name or pattern, in bytes.
pub const NAME_BYTES_MAX: usize = 128;
/// Most dotted segments of a permission name or pattern.
pub const SEGMENTS_MAX: usize = 8;
/// Most patterns in one set.
pub const PATTERNS_MAX: usize = 256;

/// Whether this is a permission's name: 1 to 8 dotted segments of `a-z`, `0-9`, `_`, `-`, at most
/// 128 bytes. Allocates nothing.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let mut segments = text.split('.');
    text.len() <= NAME_BYTES_MAX
        && segments.by_ref().take(SEGMENTS_MAX).all(is_segment)
        && segments.next().is_none()
}

fn is_segment(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
}

/// A permission name or a pattern of them: `*` stands for exactly one segment, a final `**` for one
/// or more. `routes.*` matches `routes.read`, not `routes` and not `routes.read.all`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Pattern {
    text: Box<str>,
    exact: bool,
}

impl Pattern {
    /// Compiles a name or pattern.
    ///
    /// # Errors
    /// When it is neither; the field is empty, see [`Invalid::below`].
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let exact = !text.contains('*');
        if exact {
            name::permission_name("", text)?;
        } else {
            Self::check(text)?;
        }
        Ok(Self { text: text.into(), exact })
    }

    fn check(text: &str) -> Result<(), Invalid> {
        let refuse = |detail: &str, fix: &str| Err(Invalid::new("", detail, fix));
        if text.len() > NAME_BYTES_MAX || text.split('.').nth(SEGMENTS_MAX).is_some() {
            return refuse("This pattern is too long.", "Send at most 8 segments and 128 characters.");
        }
        let mut segments = text.split('.').peekable();
        while let Some(segment) = segments.next() {
            match segment {
                "*" => {}
                "**" if segments.peek().is_none() => {}
                "**" => {
                    return refuse(
                        "`**` stands before the end of this pattern.",
                        "Write `**` only as the last segment; `*` stands for one segment anywhere.",
                    );
                }
                _ if is_segment(segment) => {}
                _ if segment.contains('*') => {
                    return refuse(
                        "`*` stands within a segment of this pattern.",
                        "Let `*` be a whole segment, such as `routes.*`.",
                    );
                }
                _ => {
                    return refuse(
                        "A segment of this pattern is empty or has a character that is not allowed.",
                        "Use small letters, digits, `_`, `-`, single dots between segments, and `*` or `**` as whole segments.",
                    );
                }
            }
        }
        Ok(())
    }

    /// Whether it stands for this name. What is no permission name is never matched. Allocates nothing.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        if self.exact { *self.text == *name } else { is_name(name) && self.matches_segments(name) }
    }

    fn matches_segments(&self, name: &str) -> bool {
        let mut names = name.split('.');
        for segment in self.text.split('.') {
            match (segment, names.next()) {
                ("**", Some(_)) => return true,
                ("*", Some(_)) => {}
                (segment, Some(name)) if segment == name => {}
                _ => return false,
            }
        }
        names.next().is_none()
    }

    /// Whether it is a plain name.
    #[must_use]
    pub const fn is_exact(&self) -> bool {
        self.exact
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether every name that `other` stands for is one that it stands for. Allocates nothing.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let other_is_long = !other.rest_is_one_segment();
        let mut others = other.text.split('.');
        for segment in self.text.split('.') {
            match (segment, others.next()) {
                ("**", Some(_)) => return true,
                ("*", Some("**")) => {
                    // Nothing follows the other's `**`; if it can be longer than one segment, some
                    // name of its is too long for what follows here.
                    if other_is_long {
                        return false;
                    }
                }
                ("*", Some(_)) => {}
                (segment, Some(other)) if segment == other => {}
                _ => return false,
            }
        }
        others.next().is_none()
    }

    /// Whether some name is one that both stand for. May be true wrongly only of names longer than a
    /// name may be.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let (mut own, mut others) = (self.text.split('.'), other.text.split('.'));
        loop {
            match (own.next(), others.next()) {
                (Some("**"), Some(_)) | (Some(_), Some("**")) => return true,
                (Some("*"), Some(_)) | (Some(_), Some("*")) => {}
                (Some(segment), Some(other)) if segment == other => {}
                (None, None) => return true,
                _ => return false,
            }
        }
    }

    /// Whether a final `**` leaves room for one segment only.
    fn rest_is_one_segment(&self) -> bool {
        self.text.len() == NAME_BYTES_MAX || self.text.split('.').count() == SEGMENTS_MAX
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

/// What a role, a ceiling or a key may do: a name is allowed when one pattern stands for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct PermissionSet(Box<[Pattern]>);

impl PermissionSet {
    /// Compiles names and patterns, at most 256; none allows nothing.
    ///
    /// # Errors
    /// Names the first that is wrong: `/3`.
    pub fn parse(texts: &[String]) -> Result<Self, Invalid> {
        if texts.len() > PATTERNS_MAX {
            return Err(Invalid::new(
                "",
                format!("These are {} permissions.", texts.len()),
                format!("Send at most {PATTERNS_MAX}; a pattern such as `routes.*` stands for many."),
            ));
        }
        texts
            .iter()
            .enumerate()
            .map(|(at, text)| Pattern::parse(text).map_err(|error| error.below(&format!("/{at}"))))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether one of its patterns stands for this name. Allocates nothing.
    #[must_use]
    pub fn allows(&self, name: &str) -> bool {
        self.0.iter().any(|pattern| pattern.matches(name))
    }

    /// Whether one of its patterns alone covers `pattern`. Never true wrongly; false where only
    /// several together would, as `*` and `*.**` together cover `**`.
    #[must_use]
    pub fn covers(&self, pattern: &Pattern) -> bool {
        self.0.iter().any(|own| own.covers(pattern))
    }

    /// Its patterns, as they were given.
    pub fn iter(&self) -> std::slice::Iter<'_, Pattern> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a PermissionSet {
    type Item = &'a Pattern;
    type IntoIter = std::slice::Iter<'a, Pattern>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests;
