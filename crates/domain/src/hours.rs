//! At which hours of the week a key may be used, by the clock on the wall of a time zone.

use crate::invalid::Invalid;
use crate::time::{Micros, SECOND};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use keystead_api::{Hours, Weekday, WeeklyWindow};

/// Most windows in one rule.
pub const WINDOWS_MAX: usize = 32;

const DAY: u16 = 24 * 60;
const WEEK: u16 = 7 * DAY;
/// 1970-01-01 was a Thursday.
const EPOCH_MINUTE_OF_WEEK: i64 = 3 * DAY as i64;

/// Weekly hours, compiled. Where clocks go back, an hour that comes twice counts twice; where they
/// go forward, what is skipped never comes.
#[derive(Debug, Clone, PartialEq)]
pub struct HoursRule {
    zone: TimeZone,
    /// Minutes of the week, Monday first: `[from, to)`, in order, apart from each other.
    windows: Box<[(u16, u16)]>,
}

impl HoursRule {
    /// Compiles weekly hours. Time zones come from the database in the binary, so that every node
    /// of one version decides alike.
    ///
    /// # Errors
    /// Names what is wrong: `/weekly/0/from`.
    pub fn parse(hours: &Hours) -> Result<Self, Invalid> {
        let zone = time_zone(&hours.time_zone).map_err(|error| error.below("/time_zone"))?;
        if !(1..=WINDOWS_MAX).contains(&hours.weekly.len()) {
            return Err(Invalid::new(
                "/weekly",
                format!("These are {} windows.", hours.weekly.len()),
                format!("Send 1 to {WINDOWS_MAX}, or leave `hours` out when every hour is allowed."),
            ));
        }
        let mut minutes = Vec::new();
        for (at, window) in hours.weekly.iter().enumerate() {
            add(window, &mut minutes).map_err(|error| error.below(&format!("/weekly/{at}")))?;
        }
        Ok(Self { zone, windows: joined(minutes) })
    }

    /// Whether the key may be used now. Allocates nothing.
    #[must_use]
    pub fn admits(&self, now: Micros) -> bool {
        let offset = i64::from(self.zone.to_offset(now.to_timestamp()).seconds());
        let minute = (now.0.div_euclid(SECOND) + offset).div_euclid(60) + EPOCH_MINUTE_OF_WEEK;
        let minute = minute.rem_euclid(i64::from(WEEK));
        let begun = self.windows.partition_point(|(from, _)| i64::from(*from) <= minute);
        begun
            .checked_sub(1)
            .and_then(|last| self.windows.get(last))
            .is_some_and(|(_, to)| minute < i64::from(*to))
    }
}

/// An IANA time zone by its exact name, from the database in the binary.
///
/// # Errors
/// When there is none; the field is empty, see [`Invalid::below`].
pub fn time_zone(name: &str) -> Result<TimeZone, Invalid> {
    let zone = TimeZoneDatabase::bundled().get(name).ok();
    match zone.as_ref().and_then(TimeZone::iana_name) {
        Some(canonical) if canonical == name => zone.ok_or_else(unknown_zone),
        Some(canonical) => Err(Invalid::new(
            "",
            "This time zone is written with other capitals.",
            format!("Send `{canonical}`."),
        )),
        None => Err(unknown_zone()),
    }
}

fn unknown_zone() -> Invalid {
    Invalid::new("", "There is no such time zone.", "Send an IANA name such as `Europe/Berlin` or `UTC`.")
}

fn add(window: &WeeklyWindow, minutes: &mut Vec<(u16, u16)>) -> Result<(), Invalid> {
    if !(1..=7).contains(&window.days.len()) {
        return Err(Invalid::new(
            "/days",
            format!("These are {} days.", window.days.len()),
            "Send 1 to 7, such as `[\"mon\", \"tue\"]`.",
        ));
    }
    let from = minute_of_day(&window.from)
        .filter(|from| *from < DAY)
        .ok_or_else(|| Invalid::new("/from", "This is not a time of day.", "Send `00:00` to `23:59`."))?;
    let to = minute_of_day(&window.to)
        .ok_or_else(|| Invalid::new("/to", "This is not a time of day.", "Send `00:00` to `24:00`."))?;
    let length = if to > from { to - from } else { DAY - from + to };
    for day in &window.days {
        let begin = day_of_week(*day) * DAY + from;
        let end = begin + length;
        minutes.push((begin, end.min(WEEK)));
        if end > WEEK {
            minutes.push((0, end - WEEK));
        }
    }
    Ok(())
}

/// `08:30` as 510; `24:00` as 1440.
fn minute_of_day(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let two_digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !two_digits(hours) || !two_digits(minutes) {
        return None;
    }
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    let minute = hours * 60 + minutes;
    (minutes < 60 && minute <= DAY).then_some(minute)
}

const fn day_of_week(day: Weekday) -> u16 {
    match day {
        Weekday::Mon => 0,
        Weekday::Tue => 1,
        Weekday::Wed => 2,
        Weekday::Thu => 3,
        Weekday::Fri => 4,
        Weekday::Sat => 5,
        Weekday::Sun => 6,
    }
}

fn joined(mut minutes: Vec<(u16, u16)>) -> Box<[(u16, u16)]> {
    minutes.sort_unstable();
    minutes.dedup_by(|next, last| {
        let touch = next.0 <= last.1;
        if touch {
            last.1 = last.1.max(next.1);
        }
        touch
    });
    minutes.into()
}

#[cfg(test)]
mod tests;
