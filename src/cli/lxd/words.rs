//! Figures and times in the words of `lxc`, for scripts that read them.

use std::cmp::Ordering;

use crate::clock::{self, Moment};

/// A count of bytes as `lxc` shows it: `384.00KiB`.
pub(super) fn bytes(count: u64) -> String {
    scaled(count, 1024.0, ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"])
}

/// The same in powers of 1000, as counters of networks are shown: `1.06MB`.
pub(super) fn decimal_bytes(count: u64) -> String {
    scaled(count, 1000.0, ["kB", "MB", "GB", "TB", "PB", "EB"])
}

fn scaled(count: u64, step: f64, units: [&str; 6]) -> String {
    let mut scaled = count as f64;
    if scaled < step {
        return format!("{count}B");
    }
    let mut last = "";
    for unit in units {
        scaled /= step;
        last = unit;
        if scaled < step {
            break;
        }
    }
    format!("{scaled:.2}{last}")
}

/// How many bytes a setting such as `512MiB` means; none for a share (`50%`) and for what is no size.
pub(super) fn size(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let power = |base: u64, n: u32| base.checked_pow(n);
    let factor = match unit.trim() {
        "" | "B" => 1,
        "kB" => 1000,
        "MB" => power(1000, 2)?,
        "GB" => power(1000, 3)?,
        "TB" => power(1000, 4)?,
        "PB" => power(1000, 5)?,
        "KiB" => 1024,
        "MiB" => power(1024, 2)?,
        "GiB" => power(1024, 3)?,
        "TiB" => power(1024, 4)?,
        "PiB" => power(1024, 5)?,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// A time of a server (RFC 3339) as `lxc` shows it: `2026/11/29 03:27 UTC`. Nothing for the times that mean none.
pub(super) fn minute(time: &str) -> String {
    clock::parse(time).filter(|seconds| *seconds > 0).map(shown).unwrap_or_default()
}

/// The same of seconds since 1970.
pub(super) fn minute_of(seconds: u64) -> String {
    shown(i64::try_from(seconds).unwrap_or_default())
}

fn shown(seconds: i64) -> String {
    let Moment { year, month, day, hour, minute, .. } = Moment::of(seconds);
    format!("{year:04}/{month:02}/{day:02} {hour:02}:{minute:02} UTC")
}

/// The same as lists of warnings and images show it: `Nov 29, 2026 at 3:27am (UTC)`.
pub(super) fn long_minute(time: &str) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let Some(seconds) = clock::parse(time).filter(|seconds| *seconds > 0) else { return String::new() };
    let Moment { year, month, day, hour, minute, .. } = Moment::of(seconds);
    let month = MONTHS.iter().zip(1..).find(|(_, number)| *number == month).map_or("", |(name, _)| name);
    let half = if hour < 12 { "am" } else { "pm" };
    let hour = if hour % 12 == 0 { 12 } else { hour % 12 };
    format!("{month} {day}, {year} at {hour}:{minute:02}{half} (UTC)")
}

/// Compares as people count: `c2` before `c10`. Nothing comes last, as in the lists of `lxc`.
pub(super) fn natural(a: &str, b: &str) -> Ordering {
    match (a.is_empty(), b.is_empty()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let (mut left, mut right) = (a.as_bytes(), b.as_bytes());
    while let (Some(l), Some(r)) = (left.first(), right.first()) {
        let order = if l.is_ascii_digit() && r.is_ascii_digit() {
            let (number_of_left, number_of_right) = (number(&mut left), number(&mut right));
            // Without leading zeros a longer number is a larger one.
            number_of_left.len().cmp(&number_of_right.len()).then(number_of_left.cmp(number_of_right))
        } else {
            (left, right) = (&left[1..], &right[1..]);
            l.cmp(r)
        };
        if order.is_ne() {
            return order;
        }
    }
    left.len().cmp(&right.len()).then(a.cmp(b))
}

/// Takes the digits at the begin, and gives them without leading zeros.
fn number<'a>(text: &mut &'a [u8]) -> &'a [u8] {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    *text = rest;
    let zeros = digits.iter().position(|byte| *byte != b'0').unwrap_or(digits.len());
    &digits[zeros..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_lxc() {
        for (count, text) in
            [(0, "0B"), (1023, "1023B"), (393_216, "384.00KiB"), (1_114_112, "1.06MiB"), (5 << 40, "5.00TiB")]
        {
            assert_eq!(bytes(count), text);
        }
        for (text, count) in [
            ("512MiB", Some(512 << 20)),
            ("1GB", Some(1_000_000_000)),
            ("100", Some(100)),
            ("50%", None),
            ("", None),
            ("99999999PiB", None),
        ] {
            assert_eq!(size(text), count, "{text}");
        }
    }

    #[test]
    fn times_are_those_of_lxc() {
        for (time, text) in [
            ("2026-11-29T03:27:24.345471438Z", "2026/11/29 03:27 UTC"),
            ("2024-02-29T23:59:59Z", "2024/02/29 23:59 UTC"),
            ("2024-03-01T00:30:00.5+01:00", "2024/02/29 23:30 UTC"),
            ("2023-12-31T23:30:00-01:00", "2024/01/01 00:30 UTC"),
            ("0001-01-01T00:00:00Z", ""),
            ("1970-01-01T00:00:00Z", ""),
            ("", ""),
            ("yesterday", ""),
        ] {
            assert_eq!(minute(time), text, "{time}");
        }
    }

    #[test]
    fn times_of_warnings_are_those_of_lxc() {
        for (time, text) in [
            ("2026-11-29T03:27:22.4Z", "Nov 29, 2026 at 3:27am (UTC)"),
            ("2026-01-02T00:05:00Z", "Jan 2, 2026 at 12:05am (UTC)"),
            ("2026-12-31T12:00:00Z", "Dec 31, 2026 at 12:00pm (UTC)"),
            ("2026-06-01T23:59:00Z", "Jun 1, 2026 at 11:59pm (UTC)"),
            ("0001-01-01T00:00:00Z", ""),
        ] {
            assert_eq!(long_minute(time), text);
        }
    }

    #[test]
    fn names_are_in_the_order_in_which_people_count() {
        let mut names = ["c10", "", "c2", "c1", "b", "c02", "c2a", "c"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["b", "c", "c1", "c02", "c2", "c2a", "c10", ""]);
    }
}
