//! Instants as people write them: RFC 3339, a date, or a distance from now such as `90d`.

use jiff::SignedDuration;
use jiff::civil::Date;
use keystead_sdk::api::Timestamp;

/// An instant, or a distance from now in whichever direction the flag means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// This instant.
    At(Timestamp),
    /// So far from now.
    Distance(SignedDuration),
}

/// A century: no distance is meant to be longer.
const SECONDS_MAX: i64 = 100 * 366 * 86_400;

impl Moment {
    /// The instant, a distance counted into the future.
    pub(crate) fn ahead(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Distance(distance) => now.saturating_add(distance).unwrap_or(Timestamp::MAX),
        }
    }

    /// The instant, a distance counted into the past.
    pub(crate) fn ago(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Distance(distance) => now.saturating_sub(distance).unwrap_or(Timestamp::MIN),
        }
    }
}

/// Reads `2027-01-31T12:00:00Z`, `2027-01-31` (its first instant in UTC), or `30m`, `12h`, `90d`, `2w`.
pub(crate) fn moment(text: &str) -> Result<Moment, String> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(Moment::At(at));
    }
    if let Ok(at) = text.parse::<Date>().and_then(|date| date.in_tz("UTC")) {
        // A time without an offset would be taken for a date and lose its time.
        return if text.len() == 10 { Ok(Moment::At(at.timestamp())) } else { Err(form(text)) };
    }
    distance(text).map(Moment::Distance).ok_or_else(|| form(text))
}

/// Reads how long something lasts, `0s`, `30m`, `12h`, `90d`, `2w`, in seconds.
pub(crate) fn seconds(text: &str) -> Result<u64, String> {
    let seconds = distance(text).and_then(|distance| u64::try_from(distance.as_secs()).ok());
    seconds.ok_or_else(|| format!("`{text}` is no time such as 0s, 30m, 12h, 90d or 2w"))
}

fn form(text: &str) -> String {
    format!(
        "`{text}` is neither RFC 3339 (2027-01-31T12:00:00Z), nor a date (2027-01-31), nor a distance (30m, 12h, 90d, 2w)"
    )
}

fn distance(text: &str) -> Option<SignedDuration> {
    let unit = text.chars().last()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 7 * 86_400,
        _ => return None,
    };
    let count = text.strip_suffix(unit)?;
    if !count.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let all = count.parse::<i64>().ok()?.checked_mul(seconds)?;
    (all <= SECONDS_MAX).then(|| SignedDuration::from_secs(all))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn instants_and_dates_are_read() {
        assert_eq!(moment("2027-01-31T12:00:00+01:00"), Ok(Moment::At(at("2027-01-31T11:00:00Z"))));
        assert_eq!(moment("2027-01-31"), Ok(Moment::At(at("2027-01-31T00:00:00Z"))));
    }

    #[test]
    fn distances_count_from_now_in_both_directions() {
        let now = at("2026-03-01T00:00:00Z");
        assert_eq!(moment("90d").unwrap().ahead(now), at("2026-05-30T00:00:00Z"));
        assert_eq!(moment("2w").unwrap().ago(now), at("2026-02-15T00:00:00Z"));
        assert_eq!(moment("30m").unwrap().ahead(now), at("2026-03-01T00:30:00Z"));
        assert_eq!(moment("90s").unwrap().ago(now), at("2026-02-28T23:58:30Z"));
    }

    #[test]
    fn a_distance_beyond_time_stays_at_its_end() {
        assert_eq!(moment("1w").unwrap().ahead(Timestamp::MAX), Timestamp::MAX);
        assert_eq!(moment("1w").unwrap().ago(Timestamp::MIN), Timestamp::MIN);
    }

    #[test]
    fn other_texts_are_refused() {
        for text in
            ["", "d", "90", "-1d", "+1d", "1.5h", "1y", "never", "99999999999999999999d", "101000d", "1dé"]
        {
            assert!(moment(text).is_err(), "{text}");
        }
        for text in ["2027-01-31T12:00:00", "2027-13-01", "2027-02-30", "20270131"] {
            assert!(moment(text).is_err(), "{text}");
        }
    }
}
