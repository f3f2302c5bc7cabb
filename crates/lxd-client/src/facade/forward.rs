//! Forwards a request to the remote server, and its answer back to the client.

use std::time::Duration;

use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, Version, header, request, response,
};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use hyper_util::rt::TokioIo;

use super::connection::{Answer, close_after, has_token, length, refusal, tokens};
use super::rest::lend;
use crate::client::{ConnectionKind, Head};
use crate::transfer::{Sniffed, sniff};
use crate::transport::{BoxError, Heard, KeepAlive, NO_ANSWER, UNSENT, no_body};
use crate::{Client, Error};

/// Headers that are for one connection and are not forwarded (RFC 9110, section 7.6.1), besides those that `Connection`
/// names.
const OF_THE_CONNECTION: [header::HeaderName; 6] = [
    header::CONNECTION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::HOST,
];

/// The protocols that a connection may be upgraded to. Others that a client offers, such as h2c, are optional.
const PROTOCOLS: [&str; 3] = ["websocket", "sftp", "nbd"];

/// A longer head goes by HTTP/1.1: over HTTP/2, LXD stops reading the whole connection at one that is too long for it.
const LONG_HEAD: usize = 64 << 10;

/// The value of the header of [`NO_ANSWER`] when the server may have got the request.
const BROKEN: &str = "broken";

/// The server's answer, or why there is none.
pub(super) async fn answer(client: &Client, request: Request<Incoming>) -> Answer {
    match protocol(&request) {
        Some(protocol) => upgrade(client, request, protocol).await.unwrap_or_else(|error| failure(&error)),
        None => forward(client, request).await,
    }
}

fn failure(error: &Error) -> Answer {
    let mut answer = refusal(StatusCode::BAD_GATEWAY, &crate::one_line(error));
    let sent = match error {
        // Of the connection: nothing else has a deadline here.
        Error::Connect { .. } | Error::Timeout { .. } | Error::WrongFingerprint { .. } => UNSENT,
        _ => BROKEN,
    };
    answer.headers_mut().insert(NO_ANSWER, HeaderValue::from_static(sent));
    answer
}

async fn forward(client: &Client, request: Request<Incoming>) -> Answer {
    let (head, body) = request.into_parts();
    let known = body.size_hint().exact().is_some();
    let (body, rest) = lend(body);
    let body = match sniff(body).await {
        Ok(body) => body,
        Err(error) => return refusal(StatusCode::BAD_REQUEST, &format!("the body broke off: {error}")),
    };
    let mut headers = end_to_end(&head.headers);
    if !known || matches!(body, Sniffed::Short(_)) {
        headers.remove(header::CONTENT_LENGTH); // it is set anew
    }
    let mut answer = match send(client, &head, headers, body).await {
        Ok((answer, body)) => {
            let mut response = Response::new(body.map_err(BoxError::from).boxed_unsync());
            *response.status_mut() = answer.status;
            *response.headers_mut() = end_to_end(&answer.headers);
            *response.extensions_mut() = answer.extensions;
            response
        }
        Err(error) => failure(&error),
    };
    // Before the answer: clients read it only after they have sent the whole body.
    if !rest.read_to_end().await && head.version < Version::HTTP_2 {
        close_after(&mut answer);
    }
    answer
}

async fn send(
    client: &Client,
    request: &request::Parts,
    headers: HeaderMap,
    body: Sniffed,
) -> Result<(response::Parts, Incoming), Error> {
    let connection = match &body {
        Sniffed::Short(_) if length(&headers) <= LONG_HEAD => ConnectionKind::Shared,
        // A dedicated connection, for the window that a long body has there.
        _ => ConnectionKind::Dedicated,
    };
    client
        .exchange(
            &Head { method: request.method.clone(), path: path(&request.uri), headers },
            body,
            connection,
        )
        .await
}

fn path(uri: &Uri) -> String {
    uri.path_and_query().map_or("/", |path| path.as_str()).to_owned()
}

/// The protocol that the request asks to upgrade to.
fn protocol(request: &Request<Incoming>) -> Option<HeaderValue> {
    let headers = request.headers();
    let known = |offered: &&str| PROTOCOLS.iter().any(|p| p.eq_ignore_ascii_case(offered));
    let upgrade = tokens(headers, header::UPGRADE).find(known)?;
    let asked = request.method() == Method::GET
        && request.body().is_end_stream()
        && has_token(headers, header::CONNECTION, "upgrade");
    asked.then(|| HeaderValue::from_str(upgrade).ok())?
}

async fn upgrade(
    client: &Client,
    mut request: Request<Incoming>,
    protocol: HeaderValue,
) -> Result<Answer, Error> {
    let mut headers = end_to_end(request.headers());
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    let silence = client.silence().filter(|_| protocol.as_bytes().eq_ignore_ascii_case(b"websocket"));
    headers.insert(header::UPGRADE, protocol);
    let head = Head { method: Method::GET, path: path(request.uri()), headers };
    let mut answer = client.request_upgrade(&head, None).await?;
    if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        *answer.headers_mut() = end_to_end(answer.headers());
        return Ok(answer.map(|body| body.map_err(BoxError::from).boxed_unsync()));
    }
    let client = client.clone();
    let here = hyper::upgrade::on(&mut request);
    let there = hyper::upgrade::on(&mut answer);
    tokio::spawn(async move {
        let Ok((here, there)) = tokio::try_join!(here, there) else { return };
        let mut here = TokioIo::new(here);
        let (mut there, heard) = KeepAlive::unending(TokioIo::new(there), silence);
        tokio::select! {
            _ = tokio::io::copy_bidirectional(&mut here, &mut there) => {}
            () = falls_silent(&client, heard.zip(silence)) => {}
        }
    });
    Ok(answer.map(|_| no_body()))
}

/// Ends when the server has said nothing for so long, and does not answer a question of its own either: while servers copy
/// an instance they do not read each of the copy's websockets, and so answer no pings there.
async fn falls_silent(client: &Client, watched: Option<(Heard, Duration)>) {
    let Some((heard, silence)) = watched else { return std::future::pending().await };
    let pause = silence / 3;
    loop {
        tokio::time::sleep(pause).await;
        if heard.elapsed() < silence {
            continue;
        }
        let answer = client.get("/1.0").unscoped().timeout(pause).fetch::<serde_json::Value>().await;
        if let Err(Error::Connect { .. } | Error::Broken { .. } | Error::Timeout { .. }) = answer {
            return;
        }
        heard.now();
    }
}

fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let mut end_to_end = headers.clone();
    for name in tokens(headers, header::CONNECTION).filter(|name| !name.is_empty()) {
        end_to_end.remove(name);
    }
    for name in OF_THE_CONNECTION {
        end_to_end.remove(name);
    }
    end_to_end.remove("keep-alive");
    end_to_end.remove("proxy-connection");
    end_to_end
}
