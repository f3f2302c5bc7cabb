//! Paths and queries of requests.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Everything but the unreserved characters of RFC 3986, section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The path of an endpoint.
///
/// From an array, each element is one segment below `/1.0`, and is percent-encoded. From a text, it is the path and query
/// as they are sent: encoded already, and beginning with `/`.
///
/// ```
/// # fn example(client: &lxd_client::Client) {
/// client.get(["profiles", "with space"]); // /1.0/profiles/with%20space
/// client.get("/1.0/profiles?recursion=1");
/// # }
/// ```
#[derive(Clone)]
pub struct ApiPath(pub(crate) Result<String, String>);

impl ApiPath {
    /// The path without the query, which may hold a secret, such as that of an image or a websocket.
    pub(crate) fn without_query(&self) -> Option<&str> {
        self.0.as_ref().ok()?.split('?').next()
    }
}

impl std::fmt::Debug for ApiPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.without_query() {
            Some(path) => write!(f, "{path:?}"),
            None => f.write_str("no path"),
        }
    }
}

impl From<&str> for ApiPath {
    fn from(path: &str) -> ApiPath {
        ApiPath(if path.starts_with('/') {
            Ok(path.to_owned())
        } else {
            Err(format!("{path:?} is not a path: it does not begin with /"))
        })
    }
}

impl From<String> for ApiPath {
    fn from(path: String) -> ApiPath {
        path.as_str().into()
    }
}

impl<S: AsRef<str>, const N: usize> From<[S; N]> for ApiPath {
    fn from(segments: [S; N]) -> ApiPath {
        segments[..].into()
    }
}

impl<S: AsRef<str>> From<&[S]> for ApiPath {
    fn from(segments: &[S]) -> ApiPath {
        let mut path = "/1.0".to_owned();
        for segment in segments {
            let segment = segment.as_ref();
            // Encoding does not help: a server takes these for another path.
            if matches!(segment, "" | "." | "..") {
                return ApiPath(Err(format!("{segment:?} is not a name")));
            }
            path.push('/');
            path.extend(utf8_percent_encode(segment, RESERVED));
        }
        ApiPath(Ok(path))
    }
}

impl<S: AsRef<str>> From<Vec<S>> for ApiPath {
    fn from(segments: Vec<S>) -> ApiPath {
        segments[..].into()
    }
}

/// The path of something below the thing that has this path.
pub(crate) fn below<const N: usize>(path: &[String], segments: [&str; N]) -> Vec<String> {
    path.iter().cloned().chain(segments.map(str::to_owned)).collect()
}

/// The segments of a path.
pub(crate) fn at<const N: usize>(segments: [&str; N]) -> Vec<String> {
    below(&[], segments)
}

/// Appends `name=value` to a path that may have a query already.
pub(crate) fn push_query(path: &mut String, name: &str, value: &str) {
    path.push(if path.contains('?') { '&' } else { '?' });
    path.extend(utf8_percent_encode(name, RESERVED));
    path.push('=');
    path.extend(utf8_percent_encode(value, RESERVED));
}

/// `name=value&…`, as a form has it.
pub(crate) fn form<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut form = String::new();
    for (name, value) in pairs {
        if !form.is_empty() {
            form.push('&');
        }
        form.extend(utf8_percent_encode(name, RESERVED));
        form.push('=');
        form.extend(utf8_percent_encode(value, RESERVED));
    }
    form
}

/// The last segment of a URL that the server gave, decoded.
pub(crate) fn name_in(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default();
    percent_decode_str(last).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_one_segment() {
        let path = ApiPath::from(["images", "aliases", "a/b?c=d#e%"]);
        assert_eq!(path.0.unwrap(), "/1.0/images/aliases/a%2Fb%3Fc%3Dd%23e%25");
    }

    #[test]
    fn what_would_be_another_path_is_refused() {
        for name in ["", ".", ".."] {
            assert!(ApiPath::from(["instances", name]).0.is_err(), "{name:?}");
        }
        assert!(ApiPath::from("1.0").0.is_err());
    }

    #[test]
    fn a_query_joins_the_one_that_is_there() {
        let mut path = "/1.0/events?type=lifecycle".to_owned();
        push_query(&mut path, "project", "a&b");
        assert_eq!(path, "/1.0/events?type=lifecycle&project=a%26b");
    }

    #[test]
    fn the_name_in_a_url_is_its_last_segment_without_the_query() {
        assert_eq!(name_in("/1.0/profiles/a%20b?project=web"), "a b");
        assert_eq!(name_in("/1.0/images/aliases/x%2Fy"), "x/y");
    }
}
