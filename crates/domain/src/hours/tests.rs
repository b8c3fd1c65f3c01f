//! Which instants weekly hours admit.

use super::*;
use proptest::prelude::*;

const WEEKDAYS: [Weekday; 7] =
    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

fn rule(zone: &str, windows: &[(&[Weekday], &str, &str)]) -> Result<HoursRule, Invalid> {
    let weekly = windows
        .iter()
        .map(|(days, from, to)| WeeklyWindow {
            days: days.to_vec(),
            from: (*from).to_owned(),
            to: (*to).to_owned(),
        })
        .collect();
    HoursRule::parse(&Hours { time_zone: zone.to_owned(), weekly })
}

fn at(text: &str) -> Micros {
    text.parse::<jiff::Timestamp>().unwrap().into()
}

#[test]
fn office_hours_begin_included_and_end_excluded() {
    let office = rule("UTC", &[(&WEEKDAYS[..5], "08:00", "18:00")]).unwrap();
    for (instant, expected) in [
        ("2026-03-02T07:59:59.999999Z", false),
        ("2026-03-02T08:00:00Z", true),
        ("2026-03-02T17:59:59.999999Z", true),
        ("2026-03-02T18:00:00Z", false),
        ("2026-03-06T12:00:00Z", true),
        ("2026-03-07T12:00:00Z", false),
        ("2026-03-08T12:00:00Z", false),
        ("1969-12-29T08:00:00Z", true),
        ("1969-12-29T07:59:59.5Z", false),
    ] {
        assert_eq!(office.admits(at(instant)), expected, "{instant}");
    }
}

#[test]
fn a_window_passes_midnight_and_the_week() {
    let night = rule("UTC", &[(&[Weekday::Sun], "22:00", "06:00")]).unwrap();
    for (instant, expected) in [
        ("2026-03-08T21:59:00Z", false),
        ("2026-03-08T22:00:00Z", true),
        ("2026-03-09T05:59:00Z", true),
        ("2026-03-09T06:00:00Z", false),
        ("2026-03-08T05:00:00Z", false),
    ] {
        assert_eq!(night.admits(at(instant)), expected, "{instant}");
    }
    let day = rule("UTC", &[(&[Weekday::Sun], "00:00", "24:00")]).unwrap();
    assert!(day.admits(at("2026-03-08T23:59:00Z")) && !day.admits(at("2026-03-09T00:00:00Z")));
    let same = rule("UTC", &[(&[Weekday::Sun], "12:00", "12:00")]).unwrap();
    assert!(same.admits(at("2026-03-09T11:59:00Z")) && !same.admits(at("2026-03-09T12:00:00Z")));
}

/// Clocks in Berlin went from 02:00 to 03:00 on 2026-03-29 at 01:00 UTC.
#[test]
fn in_spring_the_skipped_hour_never_comes() {
    let office = rule("Europe/Berlin", &[(&[Weekday::Sun], "08:00", "18:00")]).unwrap();
    assert!(!office.admits(at("2026-03-22T06:59:00Z")) && office.admits(at("2026-03-22T07:00:00Z")));
    assert!(!office.admits(at("2026-03-29T05:59:00Z")) && office.admits(at("2026-03-29T06:00:00Z")));
    let skipped = rule("Europe/Berlin", &[(&[Weekday::Sun], "02:00", "03:00")]).unwrap();
    for minute in 0..24 * 60 {
        assert!(!skipped.admits(at("2026-03-28T23:00:00Z").plus(minute * 60 * SECOND)), "{minute}");
    }
}

/// Clocks in Berlin went from 03:00 back to 02:00 on 2026-10-25 at 01:00 UTC.
#[test]
fn in_autumn_the_repeated_hour_counts_twice() {
    let repeated = rule("Europe/Berlin", &[(&[Weekday::Sun], "02:00", "03:00")]).unwrap();
    for (instant, expected) in [
        ("2026-10-24T23:59:59Z", false),
        ("2026-10-25T00:00:00Z", true),
        ("2026-10-25T01:00:00Z", true),
        ("2026-10-25T01:59:59Z", true),
        ("2026-10-25T02:00:00Z", false),
    ] {
        assert_eq!(repeated.admits(at(instant)), expected, "{instant}");
    }
}

#[test]
fn far_instants_are_answered() {
    let always = rule("Europe/Berlin", &[(&WEEKDAYS, "00:00", "24:00")]).unwrap();
    for now in [Micros(i64::MIN), Micros(-1), Micros(0), Micros::FOREVER] {
        assert!(always.admits(now));
    }
}

#[test]
fn refusals_say_where() {
    let days = &WEEKDAYS[..1];
    for (zone, windows, field) in [
        ("Europe/Nowhere", vec![(days, "08:00", "09:00")], "/time_zone"),
        ("europe/berlin", vec![(days, "08:00", "09:00")], "/time_zone"),
        ("Etc/Unknown", vec![(days, "08:00", "09:00")], "/time_zone"),
        ("", vec![(days, "08:00", "09:00")], "/time_zone"),
        ("UTC", vec![], "/weekly"),
        ("UTC", vec![(days, "08:00", "09:00"); WINDOWS_MAX + 1], "/weekly"),
        ("UTC", vec![(days, "08:00", "09:00"), (&[], "08:00", "09:00")], "/weekly/1/days"),
        ("UTC", vec![(days, "24:00", "09:00")], "/weekly/0/from"),
        ("UTC", vec![(days, "8:00", "09:00")], "/weekly/0/from"),
        ("UTC", vec![(days, "08:60", "09:00")], "/weekly/0/from"),
        ("UTC", vec![(days, "08:00", "24:01")], "/weekly/0/to"),
        ("UTC", vec![(days, "08:00", "+9:00")], "/weekly/0/to"),
        ("UTC", vec![(days, "08:00", "99:00")], "/weekly/0/to"),
    ] {
        assert_eq!(rule(zone, &windows).unwrap_err().field, field, "{zone} {windows:?}");
    }
    assert!(rule("europe/berlin", &[(days, "08:00", "09:00")]).unwrap_err().fix.contains("`Europe/Berlin`"));
}

/// The civil calendar's own answer: is this instant in a window that began today or yesterday?
fn naive(zone: &str, day: usize, from: u16, to: u16, now: Micros) -> bool {
    let local = now.to_timestamp().to_zoned(TimeZone::get(zone).unwrap());
    let minute = u16::try_from(i32::from(local.hour()) * 60 + i32::from(local.minute())).unwrap();
    let today = usize::try_from(local.weekday().to_monday_zero_offset()).unwrap();
    let passes_midnight = to <= from;
    (today == day && minute >= from && (passes_midnight || minute < to))
        || (today == (day + 1) % 7 && passes_midnight && minute < to)
}

proptest! {
    #[test]
    fn admitting_is_what_the_calendar_says(
        zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns"]),
        day in 0_usize..7,
        from in 0_u16..DAY,
        to in 0_u16..=DAY,
        second in 0_i64..2_000_000_000,
    ) {
        let text = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        let rule = rule(zone, &[(&[WEEKDAYS[day]], &text(from), &text(to))]).unwrap();
        let now = Micros(second * SECOND);
        prop_assert_eq!(rule.admits(now), naive(zone, day, from, to, now));
    }

    #[test]
    fn adding_a_window_never_closes_another(
        first in (0_usize..7, 0_u16..DAY, 0_u16..=DAY),
        second in (0_usize..7, 0_u16..DAY, 0_u16..=DAY),
        minute in 0_i64..i64::from(WEEK),
    ) {
        let text = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        let build = |windows: &[(usize, u16, u16)]| {
            let weekly = windows
                .iter()
                .map(|(day, from, to)| WeeklyWindow { days: vec![WEEKDAYS[*day]], from: text(*from), to: text(*to) })
                .collect();
            HoursRule::parse(&Hours { time_zone: "UTC".to_owned(), weekly }).unwrap()
        };
        let now = Micros(minute * 60 * SECOND);
        let either = build(&[first]).admits(now) || build(&[second]).admits(now);
        prop_assert_eq!(build(&[first, second]).admits(now), either);
    }
}
