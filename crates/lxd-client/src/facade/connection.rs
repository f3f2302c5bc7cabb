//! One connection to the façade. It accepts and answers the same requests as Go's `net/http`, which is what stock clients
//! know: LXD's own server is built on it.

use std::convert::Infallible;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version, header};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::transport::{Body, full, no_body};

pub(super) type Answer = Response<Body>;

/// How long the head of a request may be: the limit of Go's server.
const MAX_HEAD: usize = (1 << 20) + 4096;

/// How many headers a request may have. Go limits the head alone, but this parser needs memory for each header.
const MAX_HEADERS: usize = 1024;

pub(super) async fn serve_connection<F: Future<Output = Answer> + Send + 'static>(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    answer: impl Fn(Request<Incoming>) -> F,
) {
    let service = service_fn(|request| {
        let answer = at_once(&request).ok_or_else(|| answer(request));
        async move {
            Ok::<_, Infallible>(match answer {
                Ok(answer) => answer,
                Err(answer) => answer.await,
            })
        }
    });
    let mut server = auto::Builder::new(TokioExecutor::new());
    // Some clients want `X-Lxd-Uid` and do not accept `x-lxd-uid`.
    server.http1().title_case_headers(true);
    server.http1().timer(TokioTimer::new()).max_headers(MAX_HEADERS).max_buf_size(MAX_HEAD);
    if let Err(error) = server.serve_connection_with_upgrades(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "a connection to the façade ended");
    }
}

/// The answer to a request that Go's server answers by itself.
fn at_once(request: &Request<Incoming>) -> Option<Answer> {
    let headers = request.headers();
    if request.version() == Version::HTTP_11 {
        let mut hosts = headers.get_all(header::HOST).iter();
        match (hosts.next(), hosts.next()) {
            (None, _) => return Some(bad_request(": missing required Host header")),
            (Some(_), Some(_)) => return Some(bad_request("")),
            (Some(host), None) if !host.as_bytes().iter().all(|&byte| is_of_a_host(byte)) => {
                return Some(bad_request(": malformed Host header"));
            }
            _ => {}
        }
    }
    if !is_well_escaped(request.uri().path()) {
        return Some(bad_request(""));
    }
    if request.uri().scheme().is_none()
        && request.uri().authority().is_some()
        && *request.method() != Method::CONNECT
    {
        return Some(bad_request("")); // a path without a slash
    }
    if !tokens(headers, header::TRANSFER_ENCODING).all(|coding| coding.eq_ignore_ascii_case("chunked")) {
        return Some(closing(StatusCode::NOT_IMPLEMENTED, full("Unsupported transfer encoding".into())));
    }
    if length(headers) > MAX_HEAD {
        return Some(closing(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, no_body()));
    }
    if headers.contains_key(header::EXPECT) && !has_token(headers, header::EXPECT, "100-continue") {
        return Some(closing(StatusCode::EXPECTATION_FAILED, no_body()));
    }
    match *request.method() {
        Method::OPTIONS if request.uri().path() == "*" => Some(Response::new(no_body())),
        Method::CONNECT => Some(refusal(StatusCode::NOT_FOUND, "not found")),
        _ => None,
    }
}

/// Whether two hexadecimal digits follow each `%`.
fn is_well_escaped(path: &str) -> bool {
    path.split('%').skip(1).all(|rest| rest.len() >= 2 && rest.bytes().take(2).all(|b| b.is_ascii_hexdigit()))
}

/// How long headers are, as written.
pub(super) fn length(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len()).sum()
}

/// RFC 3986, section 3.2.2, and the port.
fn is_of_a_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!$%&'()*+,-.:;=@[]_~".contains(&byte)
}

/// Whether a header that is a list has this in it.
pub(super) fn has_token(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    tokens(headers, name).any(|other| other.eq_ignore_ascii_case(token))
}

/// The elements of a header that is a list.
pub(super) fn tokens(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|v| v.split(','))
        .map(str::trim)
}

fn bad_request(what: &str) -> Answer {
    let text = format!("400 Bad Request{what}");
    let mut answer = closing(StatusCode::BAD_REQUEST, full(text.into()));
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}

fn closing(status: StatusCode, body: Body) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    close_after(&mut answer);
    answer
}

/// Has the connection end behind the answer.
pub(super) fn close_after(answer: &mut Answer) {
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
}

/// In LXD's own form, so that a stock client shows it.
pub(super) fn refusal(status: StatusCode, message: &str) -> Answer {
    let (code, message) = (status.as_u16(), serde_json::Value::from(message));
    let body = format!(
        r#"{{"type":"error","status":"","status_code":0,"operation":"","error_code":{code},"error":{message},"metadata":null}}"#
    );
    let mut response = Response::new(full((body + "\n\n").into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
