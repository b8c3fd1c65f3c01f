//! Calendar periods: quotas per minute, hour, day, month in a time zone; credits that are refilled.

use crate::invalid::Invalid;
use crate::time::Micros;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{ToSpan, Unit, Zoned, ZonedRound};
use keystead_api::{CreditsSpec, QuotaPeriod, QuotaSpec, Refill};

/// The most units of a quota or of credits.
pub const UNITS_MAX: u64 = 1_000_000_000_000;

/// A quota, compiled.
#[derive(Debug, Clone)]
pub struct QuotaRule {
    /// Units in one period.
    pub limit: u64,
    /// The period.
    pub per: QuotaPeriod,
    zone: TimeZone,
}

impl QuotaRule {
    /// Compiles a quota.
    ///
    /// # Errors
    /// With the field and its bounds.
    pub fn compile(spec: &QuotaSpec) -> Result<Self, Invalid> {
        if !(1..=UNITS_MAX).contains(&spec.limit) {
            return Err(Invalid::new(
                "/limit",
                format!("{} is not a possible quota.", spec.limit),
                format!("Use 1 to {UNITS_MAX}."),
            ));
        }
        let name = spec.time_zone.as_deref().unwrap_or("UTC");
        let zone = crate::hours::time_zone(name).map_err(|invalid| invalid.below("/time_zone"))?;
        Ok(Self { limit: spec.limit, per: spec.per, zone })
    }

    /// When the period that holds `now` ends.
    #[must_use]
    pub fn period_end(&self, now: Micros) -> Micros {
        let at = now.to_timestamp().to_zoned(self.zone.clone());
        let end = match self.per {
            QuotaPeriod::Minute => floor(&at, Unit::Minute).and_then(|start| start.checked_add(1.minute())),
            QuotaPeriod::Hour => floor(&at, Unit::Hour).and_then(|start| start.checked_add(1.hour())),
            QuotaPeriod::Day => at.tomorrow().and_then(|day| day.start_of_day()),
            QuotaPeriod::Month => {
                at.last_of_month().and_then(|day| day.tomorrow()).and_then(|day| day.start_of_day())
            }
        };
        later(end, now)
    }
}

impl PartialEq for QuotaRule {
    fn eq(&self, other: &Self) -> bool {
        self.limit == other.limit && self.per == other.per && self.zone == other.zone
    }
}

/// Refilled credits, compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CreditsRule {
    /// When they are refilled.
    pub refill: Refill,
    /// What a refill sets.
    pub amount: u64,
}

impl CreditsRule {
    /// Compiles credits.
    ///
    /// # Errors
    /// With the field and its bounds.
    pub fn compile(spec: &CreditsSpec) -> Result<Self, Invalid> {
        let amount = spec.amount.unwrap_or(spec.remaining);
        for (field, value) in [("/remaining", spec.remaining), ("/amount", amount)] {
            if value > UNITS_MAX {
                return Err(Invalid::new(
                    field,
                    "These are too many credits.",
                    format!("Use at most {UNITS_MAX}."),
                ));
            }
        }
        Ok(Self { refill: spec.refill, amount })
    }

    /// The first midnight UTC after `now` that refills; `None` when nothing does.
    #[must_use]
    pub fn next_refill(&self, now: Micros) -> Option<Micros> {
        let at = now.to_timestamp().to_zoned(TimeZone::UTC);
        let next = match self.refill {
            Refill::None => return None,
            Refill::Daily => at.tomorrow(),
            Refill::Weekly => at.nth_weekday(1, Weekday::Monday),
            Refill::Monthly => at.last_of_month().and_then(|day| day.tomorrow()),
        };
        Some(later(next.and_then(|day| day.start_of_day()), now))
    }
}

fn floor(at: &Zoned, unit: Unit) -> Result<Zoned, jiff::Error> {
    at.round(ZonedRound::new().smallest(unit).mode(jiff::RoundMode::Trunc))
}

/// At the end of jiff's range there is no next period: then this one lasts.
fn later(end: Result<Zoned, jiff::Error>, now: Micros) -> Micros {
    end.map_or(Micros::FOREVER, |end| Micros::from(end.timestamp()).max(now.plus(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Micros {
        text.parse::<jiff::Timestamp>().unwrap().into()
    }

    fn quota(per: QuotaPeriod, zone: &str) -> QuotaRule {
        QuotaRule::compile(&QuotaSpec { limit: 1, per, time_zone: Some(zone.into()) }).unwrap()
    }

    #[test]
    fn periods_end_on_the_calendar_of_their_time_zone() {
        let now = at("2026-03-28T23:30:15Z");
        for (per, zone, end) in [
            (QuotaPeriod::Minute, "UTC", "2026-03-28T23:31:00Z"),
            (QuotaPeriod::Hour, "Asia/Kolkata", "2026-03-28T23:30:00Z"),
            (QuotaPeriod::Day, "UTC", "2026-03-29T00:00:00Z"),
            (QuotaPeriod::Day, "Europe/Berlin", "2026-03-29T22:00:00Z"),
            (QuotaPeriod::Month, "America/New_York", "2026-04-01T04:00:00Z"),
        ] {
            let end = if per == QuotaPeriod::Hour { "2026-03-29T00:30:00Z" } else { end };
            assert_eq!(quota(per, zone).period_end(now), at(end), "{per:?} {zone}");
        }
    }

    #[test]
    fn the_last_instant_of_a_period_belongs_to_it_and_the_next_does_not() {
        let day = quota(QuotaPeriod::Day, "UTC");
        let midnight = at("2026-01-02T00:00:00Z");
        assert_eq!(day.period_end(midnight.plus(-1)), midnight);
        assert_eq!(day.period_end(midnight), at("2026-01-03T00:00:00Z"));
    }

    #[test]
    fn refills_come_at_midnight_utc() {
        let now = at("2026-11-21T12:00:00Z");
        for (refill, next) in [
            (Refill::None, None),
            (Refill::Daily, Some("2026-11-22T00:00:00Z")),
            (Refill::Weekly, Some("2026-11-23T00:00:00Z")),
            (Refill::Monthly, Some("2026-12-01T00:00:00Z")),
        ] {
            assert_eq!(CreditsRule { refill, amount: 1 }.next_refill(now), next.map(at), "{refill:?}");
        }
    }
}
