//! The part of a file that a request asks for (RFC 9110, 14).

use axum::http::{HeaderMap, header};

/// What of a file is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api) enum Part {
    All,
    /// From the first byte to the last one.
    Some(u64, u64),
    /// Bytes that the file does not have.
    None,
}

/// What of a file of this length and version is wanted. What is not understood, and several ranges, is all of it.
pub(in crate::api) fn part_of(asked: &HeaderMap, length: u64, version: &str) -> Part {
    let text = |name| asked.get(name).and_then(|value| value.to_str().ok());
    let range = text(header::RANGE).and_then(|range| range.strip_prefix("bytes="));
    let Some((first, last)) = range.and_then(|range| range.trim().split_once('-')) else { return Part::All };
    if asked.contains_key(header::IF_RANGE) && text(header::IF_RANGE) != Some(version) {
        return Part::All; // it was changed after the first part of it was read
    }
    let number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    let (first, last) = match (first, last) {
        ("", last) => match number(last) {
            Some(0) => return Part::None,
            Some(most) => (length.saturating_sub(most), length.saturating_sub(1)),
            None => return Part::All,
        },
        (first, "") => match number(first) {
            Some(first) => (first, length.saturating_sub(1)),
            None => return Part::All,
        },
        (first, last) => match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => (first, last.min(length.saturating_sub(1))),
            _ => return Part::All,
        },
    };
    if first < length { Part::Some(first, last) } else { Part::None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_understood_and_what_else_is_asked_is_all() {
        for (range, part) in [
            ("bytes=0-3", Part::Some(0, 3)),
            ("bytes=3-3", Part::Some(3, 3)),
            ("bytes=4-", Part::Some(4, 9)),
            ("bytes=4-99", Part::Some(4, 9)),
            ("bytes=-3", Part::Some(7, 9)),
            ("bytes=-99", Part::Some(0, 9)),
            ("bytes=10-", Part::None),
            ("bytes=10-11", Part::None),
            ("bytes=-0", Part::None),
            ("bytes=5-4", Part::All),
            ("bytes=0-1,3-4", Part::All),
            ("bytes=a-b", Part::All),
            ("bytes=+1-2", Part::All),
            ("bytes=-", Part::All),
            ("lines=0-3", Part::All),
        ] {
            let mut asked = HeaderMap::new();
            asked.insert(header::RANGE, range.parse().unwrap());
            assert_eq!(part_of(&asked, 10, "\"v\""), part, "{range}");
            asked.insert(header::IF_RANGE, "\"v\"".parse().unwrap());
            assert_eq!(part_of(&asked, 10, "\"v\""), part, "{range}");
            assert_eq!(part_of(&asked, 10, "\"w\""), Part::All, "{range}");
        }
        assert_eq!(part_of(&HeaderMap::new(), 10, ""), Part::All);
    }
}
