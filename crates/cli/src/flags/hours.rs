//! Weekly hours: `'mon-fri 08:00-18:00 Europe/Berlin'`.

use keystead_sdk::api::{Hours, Weekday, WeeklyWindow};

const WEEK: [(&str, Weekday); 7] = [
    ("mon", Weekday::Mon),
    ("tue", Weekday::Tue),
    ("wed", Weekday::Wed),
    ("thu", Weekday::Thu),
    ("fri", Weekday::Fri),
    ("sat", Weekday::Sat),
    ("sun", Weekday::Sun),
];

/// Reads `DAYS FROM-TO [ZONE]`; days are `mon`, `mon-fri`, `mon,wed,fri` or `daily`; the zone is UTC
/// when left out.
pub(crate) fn hours(text: &str) -> Result<Hours, String> {
    let form =
        || format!("`{text}` is not 'DAYS FROM-TO [ZONE]', such as 'mon-fri 08:00-18:00 Europe/Berlin'");
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let (days, times, zone) = match words.as_slice() {
        [days, times] => (*days, *times, "UTC"),
        [days, times, zone] => (*days, *times, *zone),
        _ => return Err(form()),
    };
    let (from, to) = times.split_once('-').ok_or_else(form)?;
    if !is_time(from) || !is_time(to) {
        return Err(form());
    }
    let window = WeeklyWindow { days: days_of(days)?, from: from.to_owned(), to: to.to_owned() };
    Ok(Hours { time_zone: zone.to_owned(), weekly: vec![window] })
}

/// One set of hours from several flags, which must agree on the zone; `None` from none.
pub(crate) fn joined(parts: &[Hours]) -> Result<Option<Hours>, String> {
    let Some((first, rest)) = parts.split_first() else {
        return Ok(None);
    };
    let mut all = first.clone();
    for part in rest {
        if part.time_zone != all.time_zone {
            return Err(format!(
                "`{}` and `{}` are two time zones for one key",
                all.time_zone, part.time_zone
            ));
        }
        all.weekly.extend(part.weekly.iter().cloned());
    }
    Ok(Some(all))
}

/// As hours are written: the inverse of [`hours`], one text a window.
pub(crate) fn hours_texts(hours: &Hours) -> Vec<String> {
    let days =
        |window: &WeeklyWindow| window.days.iter().map(super::named::name).collect::<Vec<_>>().join(",");
    let text =
        |window: &WeeklyWindow| format!("{} {}-{} {}", days(window), window.from, window.to, hours.time_zone);
    hours.weekly.iter().map(text).collect()
}

fn days_of(text: &str) -> Result<Vec<Weekday>, String> {
    let text = text.to_ascii_lowercase();
    if text == "daily" {
        return Ok(WEEK.map(|(_, day)| day).to_vec());
    }
    let mut days = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (place(first)?, place(last)?);
        let count = (last + WEEK.len() - first) % WEEK.len() + 1;
        for (_, day) in WEEK.iter().cycle().skip(first).take(count) {
            if !days.contains(day) {
                days.push(*day);
            }
        }
    }
    Ok(days)
}

fn place(day: &str) -> Result<usize, String> {
    WEEK.iter()
        .position(|(name, _)| *name == day)
        .ok_or_else(|| format!("`{day}` is no day; use mon, tue, wed, thu, fri, sat, sun, mon-fri or daily"))
}

fn is_time(text: &str) -> bool {
    let parts = text.split_once(':').filter(|(hour, minute)| hour.len() == 2 && minute.len() == 2);
    let number =
        |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u8>().ok()).flatten();
    parts
        .and_then(|(hour, minute)| Some((number(hour)?, number(minute)?)))
        .is_some_and(|time| matches!(time, (0..=23, 0..=59) | (24, 0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Weekday::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};

    #[test]
    fn hours_are_read() {
        let read = hours("mon-fri 08:00-18:00 Europe/Berlin").unwrap();
        assert_eq!(read.time_zone, "Europe/Berlin");
        assert_eq!(
            read.weekly,
            [WeeklyWindow { days: vec![Mon, Tue, Wed, Thu, Fri], from: "08:00".into(), to: "18:00".into() }]
        );
        assert_eq!(hours("sat 22:00-24:00").unwrap().time_zone, "UTC");
    }

    #[test]
    fn days_are_lists_ranges_also_over_the_weekend_and_daily() {
        for (text, days) in [
            ("mon,wed", vec![Mon, Wed]),
            ("fri-mon", vec![Fri, Sat, Sun, Mon]),
            ("SUN", vec![Sun]),
            ("mon-tue,tue,sat", vec![Mon, Tue, Sat]),
            ("daily", vec![Mon, Tue, Wed, Thu, Fri, Sat, Sun]),
        ] {
            assert_eq!(days_of(text), Ok(days), "{text}");
        }
    }

    #[test]
    fn hours_are_written_as_they_are_read() {
        let text = "mon,tue 08:00-18:30 Asia/Tokyo";
        assert_eq!(hours_texts(&hours(text).unwrap()), [text]);
    }

    #[test]
    fn several_flags_join_when_they_agree_on_the_zone() {
        let parts = [hours("mon 08:00-12:00").unwrap(), hours("tue 13:00-18:00").unwrap()];
        assert_eq!(joined(&parts).unwrap().unwrap().weekly.len(), 2);
        assert!(
            joined(&[hours("mon 08:00-12:00").unwrap(), hours("tue 01:00-02:00 Asia/Tokyo").unwrap()])
                .is_err()
        );
        assert_eq!(joined(&[]), Ok(None));
    }

    #[test]
    fn texts_that_are_no_hours_are_refused() {
        for text in [
            "",
            "mon",
            "mon 08:00",
            "mon 8:00-18:00",
            "mon 08:00-25:00",
            "mon 08:00-24:01",
            "funday 08:00-18:00",
        ] {
            assert!(hours(text).is_err(), "{text}");
        }
        for text in ["mon 08:60-18:00", "mon- 08:00-18:00", "mon 08:00-18:00 UTC extra", "mon +8:00-18:00"] {
            assert!(hours(text).is_err(), "{text}");
        }
    }
}
