//! The headers of every answer, by which a browser keeps other sites and what instances contain away from it.

use std::sync::LazyLock;

use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue};

/// What a page of this node may do. Style sheets that it makes itself have the nonce of its answer.
pub(in crate::api) fn policy(nonce: Option<&str>) -> String {
    let nonce = nonce.map(|nonce| format!(" 'nonce-{nonce}'")).unwrap_or_default();
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'{nonce}; connect-src 'self'; img-src 'self' data:; \
         font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; trusted-types kolaboree; \
         require-trusted-types-for 'script'"
    )
}

static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    HeaderValue::from_str(&policy(None)).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

const ALWAYS: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=(), serial=(), hid=(), bluetooth=(), display-capture=()",
    ),
    (header::X_FRAME_OPTIONS, "DENY"),
];

/// Two years, as browsers' own lists ask for.
const STRICT: &str = "max-age=63072000";

/// Adds them to an answer. What a route says of its own stays: how long it may be kept, and a stricter policy. `strict` has
/// browsers ask by HTTPS alone from now on.
pub(in crate::api) fn harden(headers: &mut HeaderMap, strict: bool) {
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(POLICY.clone());
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if strict {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(STRICT));
    }
}
