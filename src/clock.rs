//! The time of day, as the control protocol carries it.

use std::time::{Duration, SystemTime};

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}

/// A time in seconds since 1970, as servers take it: `2026-11-29T03:27:00Z`.
pub(crate) fn rfc3339(seconds: u64) -> String {
    let Moment { year, month, day, hour, minute, second } =
        Moment::of(i64::try_from(seconds).unwrap_or(i64::MAX));
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// A time with its milliseconds: `2026-11-29T03:27:00.123Z`.
pub(crate) fn rfc3339_millis(time: SystemTime) -> String {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let seconds = rfc3339(since.as_secs());
    format!("{}.{:03}Z", seconds.trim_end_matches('Z'), since.subsec_millis())
}

/// The seconds since 1970 of a time as servers tell it (RFC 3339). None of what is no time.
pub(crate) fn parse(time: &str) -> Option<i64> {
    let part = |range: std::ops::Range<usize>| time.get(range)?.parse::<i64>().ok();
    let (year, month, day) = (part(0..4)?, part(5..7)?, part(8..10)?);
    let (hour, minute, second) = (part(11..13)?, part(14..16)?, part(17..19)?);
    let zone = time.get(19..)?.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let minutes_ahead = match zone.split_at_checked(1)? {
        ("Z", "") => 0,
        (sign @ ("+" | "-"), ahead) => {
            let (hours, minutes) = ahead.split_once(':')?;
            let ahead = hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?;
            if sign == "-" { -ahead } else { ahead }
        }
        _ => return None,
    };
    Some(days(year, month, day) * DAY + (hour * 60 + minute - minutes_ahead) * 60 + second)
}

/// The seconds of a day.
const DAY: i64 = 86_400;

/// A second of the Gregorian calendar, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) year: i64,
    /// From 1.
    pub(crate) month: i64,
    /// From 1.
    pub(crate) day: i64,
    pub(crate) hour: i64,
    pub(crate) minute: i64,
    pub(crate) second: i64,
}

impl Moment {
    /// That of so many seconds since 1970.
    pub(crate) fn of(seconds: i64) -> Moment {
        let second = seconds.rem_euclid(DAY);
        // Years begin in March here, so that a leap day is the last one.
        let days = seconds.div_euclid(DAY) + 719_468;
        let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * of_year + 2) / 153;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        Moment {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month,
            day: of_year - (153 * shifted + 2) / 5 + 1,
            hour: second / 3600,
            minute: second / 60 % 60,
            second: second % 60,
        }
    }
}

/// The days since 1970 of a date: the opposite of [`Moment::of`].
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (1_796_009_220, "2026-11-30T03:27:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(rfc3339(seconds), text);
            assert_eq!(parse(text), Some(i64::try_from(seconds).unwrap()));
        }
        assert_eq!(parse("2024-03-01T00:30:00.5+01:00"), parse("2024-02-29T23:30:00Z"));
        assert_eq!(parse("0001-01-01T00:00:00Z"), Some(-62_135_596_800));
        assert_eq!(parse("yesterday"), None);
        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(951_782_400_007);
        assert_eq!(rfc3339_millis(time), "2000-02-29T00:00:00.007Z");
    }
}
