//! A rate limit as it was asked for, checked and compiled.

use crate::invalid::Invalid;
use keystead_api::LimitSpec;

/// The most units that one limit may let pass in a window.
pub const LIMIT_MAX: u64 = 1_000_000_000;
/// The longest window in seconds: 31 days.
pub const WINDOW_SECONDS_MAX: u64 = 31 * 86_400;

/// A rate limit, compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateRule {
    /// Its name.
    pub name: Box<str>,
    /// Units in one window.
    pub limit: u64,
    /// The window in seconds.
    pub window_seconds: u64,
    /// Units that may pass at once.
    pub burst: u64,
    /// Nanoseconds that one unit takes, rounded up: rounding never admits more.
    unit_ns: u64,
}

impl RateRule {
    /// Compiles a limit.
    ///
    /// # Errors
    /// With the field and its bounds.
    pub fn compile(spec: &LimitSpec) -> Result<Self, Invalid> {
        crate::name::handle("/name", &spec.name)?;
        if spec.name.len() > 32 {
            return Err(Invalid::new("/name", "A limit's name is too long.", "Use at most 32 characters."));
        }
        if !(1..=LIMIT_MAX).contains(&spec.limit) {
            return Err(Invalid::new(
                "/limit",
                format!("{} is not a possible limit.", spec.limit),
                format!("Use 1 to {LIMIT_MAX}."),
            ));
        }
        let window_seconds = parse_window(&spec.window).ok_or_else(|| {
            Invalid::new(
                "/window",
                "This is not a window.",
                "Write 10s, 1m, 1h or 1d: one second to 31 days.",
            )
        })?;
        let burst = spec.burst.unwrap_or(spec.limit);
        if !(1..=spec.limit).contains(&burst) {
            return Err(Invalid::new(
                "/burst",
                format!("A burst of {burst} does not fit a limit of {}.", spec.limit),
                "Use 1 to the limit, or leave it out.",
            ));
        }
        Ok(Self {
            name: spec.name.as_str().into(),
            limit: spec.limit,
            window_seconds,
            burst,
            unit_ns: (window_seconds * 1_000_000_000).div_ceil(spec.limit),
        })
    }

    /// Nanoseconds that one unit takes.
    pub(crate) const fn unit_ns(&self) -> u64 {
        self.unit_ns
    }

    /// How far ahead of now the debt may end: a full burst.
    pub(crate) const fn tolerance_ns(&self) -> u64 {
        self.unit_ns.saturating_mul(self.burst)
    }
}

/// Reads `10s`, `1m`, `1h`, `1d` as seconds, one second to 31 days.
#[must_use]
pub fn parse_window(text: &str) -> Option<u64> {
    let (count, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    if count.is_empty() || count.len() > 7 || !count.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds = count.parse::<u64>().ok()?.checked_mul(seconds)?;
    (1..=WINDOW_SECONDS_MAX).contains(&seconds).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_read_or_refused() {
        assert_eq!(parse_window("90s"), Some(90));
        assert_eq!(parse_window("31d"), Some(WINDOW_SECONDS_MAX));
        for text in ["", "s", "0s", "32d", "1w", "-1s", "+1s", "1 m", "99999999d", "1µ"] {
            assert_eq!(parse_window(text), None, "{text}");
        }
    }
}
