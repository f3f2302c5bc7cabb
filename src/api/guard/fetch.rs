//! Which site's page a request comes from. A caller is known by its address, without a cookie or a key, so a browser sends the
//! requests of any page as that caller; what the browser says of the page tells them apart.

use axum::http::uri::Scheme;
use axum::http::{HeaderMap, Method, header};

/// What a request says of where it comes from.
#[derive(Clone, Copy, Debug)]
pub(in crate::api) struct Asked<'a> {
    pub(in crate::api) method: &'a Method,
    pub(in crate::api) headers: &'a HeaderMap,
    /// The own name by which it came, with the port where one was written.
    pub(in crate::api) host: &'a str,
    pub(in crate::api) scheme: &'a Scheme,
}

/// The types of a body that no form of a web page can send without its browser saying so.
const TYPES: [&str; 2] = ["application/json", "application/octet-stream"];

/// Says why a request may be of another site's page, or nothing.
///
/// A request that changes something, or opens a websocket, must come from the node's own page, or from no browser. What only
/// reads may also be a link that somebody follows; what another page would embed is refused.
pub(in crate::api) fn may_send(asked: Asked<'_>) -> Result<(), &'static str> {
    let text = |name: &str| asked.headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let (site, origin) = (text("sec-fetch-site"), text("origin"));
    let changes = !matches!(*asked.method, Method::GET | Method::HEAD);
    let own = |origin: &str| {
        let (scheme, host) = origin.split_once("://").unwrap_or_default();
        scheme == asked.scheme.as_str() && host == asked.host
    };
    if origin.is_some_and(|origin| !own(origin)) {
        return Err("the page that sent it has another origin");
    }
    let opens = asked.headers.contains_key(header::UPGRADE) || *asked.method == Method::CONNECT;
    match site {
        Some("same-origin") => Ok(()),
        Some("none") if !changes && !opens => Ok(()), // typed, or a bookmark
        Some(_) if !changes && !opens && text("sec-fetch-mode") == Some("navigate") => Ok(()),
        Some(_) => Err("the browser says that a page of another site sent it"),
        None if origin.is_some() || !changes => Ok(()),
        None if is_of_no_form(asked) => Ok(()),
        None => Err("a program says Content-Type: application/json or application/octet-stream"),
    }
}

/// Whether no form of a web page can send this.
fn is_of_no_form(asked: Asked<'_>) -> bool {
    match asked.headers.get(header::CONTENT_TYPE).map(|kind| kind.to_str().unwrap_or_default()) {
        Some(kind) => {
            let kind = kind.split(';').next().unwrap_or_default().trim();
            TYPES.iter().any(|taken| kind.eq_ignore_ascii_case(taken))
        }
        // Forms have GET and POST alone.
        None => *asked.method != Method::POST,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether it is taken: a method, what the request says, each `name: value`, and whether it came by HTTPS.
    fn taken(method: &Method, said: &[&str], https: bool) -> bool {
        let mut headers = HeaderMap::new();
        for line in said {
            let (name, value) = line.split_once(": ").unwrap();
            headers.append(name.parse::<header::HeaderName>().unwrap(), value.parse().unwrap());
        }
        let scheme = if https { Scheme::HTTPS } else { Scheme::HTTP };
        may_send(Asked { method, headers: &headers, host: "node.tail1.ts.net", scheme: &scheme }).is_ok()
    }

    #[test]
    fn a_page_of_another_site_changes_nothing_and_embeds_nothing() {
        const OWN: &str = "origin: http://node.tail1.ts.net";
        const SAME: &str = "sec-fetch-site: same-origin";
        const JSON: &str = "content-type: application/json";
        let changing = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
        for (said, changes, reads) in [
            // The node's own page.
            (&[SAME, OWN, JSON][..], true, true),
            (&[SAME, JSON], true, true),
            (&[OWN, JSON], true, true), // HTTP in the tailnet: the browser says no more
            (&[OWN, "content-type: text/plain"], true, true),
            // A program.
            (&[JSON], true, true),
            (&["content-type: application/octet-stream"], true, true),
            (&["content-type: Application/JSON; charset=utf-8"], true, true),
            // A page of another site.
            (&["origin: http://evil.example", JSON], false, false),
            (&["origin: http://node.tail1.ts.net.evil.example", JSON], false, false),
            (&["origin: http://node", JSON], false, false),
            (&["origin: https://node.tail1.ts.net", JSON], false, false),
            (&["origin: http://node.tail1.ts.net:8080", JSON], false, false),
            (&["origin: null", JSON], false, false),
            (&["origin: node.tail1.ts.net", JSON], false, false),
            (&["origin: ", JSON], false, false),
            (&[SAME, "origin: http://evil.example", JSON], false, false),
            (&["sec-fetch-site: cross-site", OWN, JSON], false, false),
            (&["sec-fetch-site: same-site", JSON], false, false),
            (&["sec-fetch-site: cross-site"], false, false),
            (&["sec-fetch-site: cross-site", "sec-fetch-mode: no-cors"], false, false),
            // A link, a bookmark, a typed address: they read.
            (&["sec-fetch-site: cross-site", "sec-fetch-mode: navigate"], false, true),
            (&["sec-fetch-site: none", "sec-fetch-mode: navigate"], false, true),
            // A form of a browser that says nothing.
            (&["content-type: application/x-www-form-urlencoded"], false, true),
            (&["content-type: multipart/form-data; boundary=x"], false, true),
            (&["content-type: text/plain"], false, true),
            (&["content-type: text/plain; application/json"], false, true),
        ] {
            for method in &changing {
                assert_eq!(taken(method, said, false), changes, "{method} {said:?}");
            }
            for method in [Method::GET, Method::HEAD] {
                assert_eq!(taken(&method, said, false), reads, "{method} {said:?}");
            }
        }
    }

    #[test]
    fn without_a_body_a_program_needs_no_type_but_for_a_post() {
        assert!(taken(&Method::DELETE, &[], false) && taken(&Method::PUT, &[], false));
        assert!(!taken(&Method::POST, &[], false));
    }

    #[test]
    fn a_websocket_is_opened_by_the_own_page_or_a_program_alone() {
        for (said, opens) in [
            (&["upgrade: websocket"][..], true),
            (&["upgrade: websocket", "origin: https://node.tail1.ts.net"], true),
            (
                &["upgrade: websocket", "origin: https://node.tail1.ts.net", "sec-fetch-site: same-origin"],
                true,
            ),
            (&["upgrade: websocket", "origin: https://evil.example"], false),
            (&["upgrade: websocket", "origin: null"], false),
            (&["upgrade: websocket", "sec-fetch-site: cross-site", "sec-fetch-mode: navigate"], false),
            (&["upgrade: websocket", "sec-fetch-site: none"], false),
        ] {
            assert_eq!(taken(&Method::GET, said, true), opens, "{said:?}");
        }
    }
}
