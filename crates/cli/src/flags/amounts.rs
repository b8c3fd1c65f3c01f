//! Rate limits, quotas and credits: `name=100/1m[:burst]`, `10000/day[@zone]`, `500[,refill=monthly]`.

use super::named::named;
use clap::Args;
use keystead_sdk::api::{CreditsSpec, LimitSpec, QuotaSpec, Refill};

/// Rate limits and a quota, of a key or a consumer.
#[derive(Debug, Args)]
#[group(conflicts_with = "from_json")]
pub(crate) struct Rates {
    /// A rate limit, sliding over time: NAME=LIMIT/WINDOW[:BURST], such as default=100/1m or
    /// burst=1000/1h:50; windows end in s, m, h or d; repeat it for more
    #[arg(long, value_name = "SPEC", value_parser = limit, help_heading = "Limits")]
    pub(crate) limit: Vec<LimitSpec>,
    /// Requests in a calendar period: LIMIT/PERIOD[@ZONE], such as 10000/day@Europe/Berlin; the
    /// period is minute, hour, day or month
    #[arg(long, value_name = "SPEC", value_parser = quota, help_heading = "Limits")]
    pub(crate) quota: Option<QuotaSpec>,
}

/// Reads `name=100/1m[:burst]`.
pub(crate) fn limit(text: &str) -> Result<LimitSpec, String> {
    let form =
        || format!("`{text}` is not NAME=LIMIT/WINDOW[:BURST], such as default=100/1m or default=100/1m:20");
    let (name, rest) = text.split_once('=').ok_or_else(form)?;
    let (limit, rest) = rest.split_once('/').ok_or_else(form)?;
    let (window, burst) = match rest.split_once(':') {
        Some((window, burst)) => (window, Some(number(burst)?)),
        None => (rest, None),
    };
    if name.is_empty() || window.is_empty() {
        return Err(form());
    }
    Ok(LimitSpec { name: name.to_owned(), limit: number(limit)?, window: window.to_owned(), burst })
}

/// Reads `10000/day[@zone]`.
pub(crate) fn quota(text: &str) -> Result<QuotaSpec, String> {
    let form =
        || format!("`{text}` is not LIMIT/PERIOD[@ZONE], such as 10000/day or 10000/month@Europe/Berlin");
    let (limit, rest) = text.split_once('/').ok_or_else(form)?;
    let (period, zone) = match rest.split_once('@') {
        Some((_, "")) => return Err(form()),
        Some((period, zone)) => (period, Some(zone.to_owned())),
        None => (rest, None),
    };
    let per =
        named(period).map_err(|_| format!("`{period}` is no period; use minute, hour, day or month"))?;
    Ok(QuotaSpec { limit: number(limit)?, per, time_zone: zone })
}

/// Reads `500[,refill=monthly[,amount=500]]`.
pub(crate) fn credits(text: &str) -> Result<CreditsSpec, String> {
    let mut parts = text.split(',');
    let remaining = number(parts.next().unwrap_or_default())?;
    let mut spec = CreditsSpec { remaining, refill: Refill::None, amount: None };
    for part in parts {
        match part.split_once('=') {
            Some(("refill", when)) => {
                spec.refill = named(when)
                    .map_err(|_| format!("`{when}` is no refill; use none, daily, weekly or monthly"))?;
            }
            Some(("amount", amount)) => spec.amount = Some(number(amount)?),
            _ => {
                return Err(format!("`{part}` is not refill=none|daily|weekly|monthly or amount=NUMBER"));
            }
        }
    }
    Ok(spec)
}

/// A whole number; `_` may group digits.
fn number(text: &str) -> Result<u64, String> {
    let digits = text.replace('_', "");
    let all_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    Some(digits)
        .filter(|_| all_digits)
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| format!("`{text}` is no whole number, such as 100 or 10_000"))
}

/// As a limit is written: the inverse of [`limit`].
pub(crate) fn limit_text(spec: &LimitSpec) -> String {
    let burst = spec.burst.map(|burst| format!(":{burst}")).unwrap_or_default();
    format!("{}={}/{}{burst}", spec.name, spec.limit, spec.window)
}

/// As a quota is written: the inverse of [`quota`].
pub(crate) fn quota_text(spec: &QuotaSpec) -> String {
    let zone = spec.time_zone.as_deref().map(|zone| format!("@{zone}")).unwrap_or_default();
    format!("{}/{}{zone}", spec.limit, super::named::name(&spec.per))
}

#[cfg(test)]
mod tests {
    use super::*;
    use keystead_sdk::api::QuotaPeriod;

    #[test]
    fn limits_are_read_and_written_back() {
        for text in ["default=100/1m", "a-b_c=1/10s:1", "x=1000000000/31d:5"] {
            assert_eq!(limit_text(&limit(text).unwrap()), text);
        }
        let read = limit("default=10_000/1m:20").unwrap();
        assert_eq!((read.limit, read.window.as_str(), read.burst), (10_000, "1m", Some(20)));
    }

    #[test]
    fn texts_that_are_no_limits_are_refused() {
        for text in
            ["", "100/1m", "a=100", "=100/1m", "a=/1m", "a=x/1m", "a=1/", "a=1/1m:", "a=-1/1m", "a=+1/1m"]
        {
            assert!(limit(text).is_err(), "{text}");
        }
        assert!(limit("a=99999999999999999999/1m").is_err());
    }

    #[test]
    fn quotas_are_read_and_written_back() {
        for text in ["1/minute", "10000/day", "5/month@America/New_York"] {
            assert_eq!(quota_text(&quota(text).unwrap()), text);
        }
        assert_eq!(quota("7/hour").unwrap(), QuotaSpec { limit: 7, per: QuotaPeriod::Hour, time_zone: None });
        for text in ["", "10", "10/", "10/week", "x/day", "10/day@", "10/Day"] {
            assert!(quota(text).is_err(), "{text}");
        }
    }

    #[test]
    fn credits_are_read() {
        let spec = |remaining, refill, amount| CreditsSpec { remaining, refill, amount };
        assert_eq!(credits("500"), Ok(spec(500, Refill::None, None)));
        assert_eq!(credits("0,refill=daily"), Ok(spec(0, Refill::Daily, None)));
        assert_eq!(credits("5,refill=monthly,amount=500"), Ok(spec(5, Refill::Monthly, Some(500))));
        for text in ["", "x", "5,", "5,refill", "5,refill=yearly", "5,amount=", "5,other=1"] {
            assert!(credits(text).is_err(), "{text}");
        }
    }
}
