//! What comes out of an instance may be anything, so a browser stores it, and neither shows nor runs it.

use axum::http::{HeaderMap, HeaderValue, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What RFC 5987 leaves as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_').remove(b'~');

/// The headers of a file from an instance, which is to be stored under this name.
pub(in crate::api) fn attachment(name: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    headers.insert(header::CONTENT_DISPOSITION, disposition(name));
    headers
}

/// As RFC 6266 has it: the name in ASCII, and the whole one where that differs.
fn disposition(name: &str) -> HeaderValue {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._- ()+,=@".contains(c);
    let plain: String = name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    let whole = match plain == name {
        true => String::new(),
        false => format!("; filename*=UTF-8''{}", utf8_percent_encode(name, PLAIN)),
    };
    HeaderValue::try_from(format!("attachment; filename=\"{plain}\"{whole}"))
        .unwrap_or(HeaderValue::from_static("attachment"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_header_and_keeps_its_letters() {
        for (name, told) in [
            ("hosts", "attachment; filename=\"hosts\""),
            ("a b.txt", "attachment; filename=\"a b.txt\""),
            ("ñ%#\n\".txt", "attachment; filename=\"_____.txt\"; filename*=UTF-8''%C3%B1%25%23%0A%22.txt"),
            ("", "attachment; filename=\"\""),
        ] {
            assert_eq!(disposition(name), told, "{name:?}");
        }
    }
}
