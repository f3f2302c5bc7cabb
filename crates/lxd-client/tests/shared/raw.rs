//! Requests as bytes, with what LXD's own server makes of them; for the tests of both folders.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// What a second request on the same connection asks for.
pub(crate) const PROFILE: &str = "/1.0/profiles/default";

/// What the requests that change it say.
pub(crate) const DESCRIPTION: &str = r#"{"description":"n1"}"#;

/// Between the head of a request and a body that comes late.
const LATE: Duration = Duration::from_millis(100);

/// One request, in the pieces in which it is written.
pub(crate) struct Raw {
    pub(crate) name: &'static str,
    pub(crate) pieces: Vec<Vec<u8>>,
    /// What LXD 5.0.2 answers.
    pub(crate) status: u16,
    /// Whether it takes another request on the connection then.
    pub(crate) open: bool,
}

pub(crate) fn raw(name: &'static str, status: u16, open: bool, pieces: &[&str]) -> Raw {
    let pieces = pieces.iter().map(|piece| piece.as_bytes().to_vec()).collect();
    Raw { name, pieces, status, open }
}

/// The answer to a request.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// But the date; sorted.
    pub(crate) headers: Vec<String>,
    pub(crate) body: String,
    pub(crate) open: bool,
}

/// Requests that stock clients, or programs that they are made of, may send. Each is for this profile.
pub(crate) fn requests(profile: &str) -> Vec<Raw> {
    let get = |headers: &str| format!("GET {profile} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
    let of = |name, status, open, headers: &str| raw(name, status, open, &[&get(headers)]);
    let many: String = (0..150).map(|n| format!("X-Header-{n}: v\r\n")).collect();
    let h2c = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n";
    let patch = |headers: &str| {
        format!(
            "PATCH {profile} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Content-Length: 20\r\n{headers}\r\n"
        )
    };
    let unread = "x".repeat(200_000);
    vec![
        of("a plain one", 200, true, ""),
        // Ansible's modules, and all else that Python's http.client sends with a body.
        raw("late body", 200, true, &[&get("Accept-Encoding: identity\r\nContent-Length: 4\r\n"), "null"]),
        raw(
            "late chunks",
            200,
            true,
            &[&get("Transfer-Encoding: chunked\r\n"), "4\r\nnull\r\n", "0\r\n\r\n"],
        ),
        raw("late long body", 200, true, &[&get("Content-Length: 200000\r\n"), &unread]),
        of("150 headers", 200, true, &many),
        of("h2c", 200, true, h2c),
        raw("h2c with a body", 200, true, &[&patch(h2c), DESCRIPTION]),
        of("another upgrade", 200, true, "Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n"),
        of("upgrade without connection", 200, true, "Upgrade: websocket\r\n"),
        of("a header for the connection", 200, true, "Connection: X-Secret\r\nX-Secret: 1\r\n"),
        of("the end of the connection", 200, false, "Connection: close\r\n"),
        raw("no host", 400, false, &[&format!("GET {profile} HTTP/1.1\r\n\r\n")]),
        of("two hosts", 400, false, "Host: other\r\n"),
        raw("an empty host", 200, true, &[&format!("GET {profile} HTTP/1.1\r\nHost:\r\n\r\n")]),
        raw("a host that is none", 400, false, &[&format!("GET {profile} HTTP/1.1\r\nHost: a/b\r\n\r\n")]),
        raw("HTTP/1.0", 200, false, &[&format!("GET {profile} HTTP/1.0\r\n\r\n")]),
        raw(
            "HTTP/1.0 that stays",
            200,
            true,
            &[&format!("GET {profile} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")],
        ),
        raw("a proxy's form", 200, true, &[&get("").replace(profile, &format!("http://other{profile}"))]),
        raw("expecting 100", 200, true, &[&patch("Expect: 100-continue\r\n"), DESCRIPTION]),
        of("expecting else", 417, false, "Expect: tea\r\n"),
        raw("OPTIONS *", 200, true, &["OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n"]),
        raw("CONNECT", 404, true, &["CONNECT other:80 HTTP/1.1\r\nHost: localhost\r\n\r\n"]),
        raw(
            "two lengths that are one",
            200,
            true,
            &[&get("Content-Length: 4\r\nContent-Length: 4\r\n"), "null"],
        ),
        of("two lengths", 400, false, "Content-Length: 4\r\nContent-Length: 5\r\n"),
        raw("a bad escape", 400, false, &[&get("").replace(profile, "/1.0/profiles/%zz")]),
        raw("a cut escape", 400, false, &[&get("").replace(profile, "/1.0/profiles/%2")]),
        raw("a path without a slash", 400, false, &[&get("").replace(profile, "1.0")]),
        of("a body that is compressed", 501, false, "Transfer-Encoding: gzip, chunked\r\n"),
        of("a header that is none", 400, false, "bad header\r\n"),
        of("a space in a header's name", 400, false, "X : y\r\n"),
        of("a header of other bytes", 200, true, "X: \u{e9}\r\n"),
    ]
}

/// Asks on a connection of its own, with a second request behind.
pub(crate) async fn ask(mut stream: impl AsyncRead + AsyncWrite + Unpin, raw: &Raw) -> Answer {
    let asked = async {
        for (n, piece) in raw.pieces.iter().enumerate() {
            if n > 0 {
                tokio::time::sleep(LATE).await;
            }
            stream.write_all(piece).await.unwrap();
        }
        let (status, headers, body) = read(&mut stream, raw.pieces[0].starts_with(b"HEAD")).await.unwrap();
        let second = format!("GET {PROFILE} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let open = stream.write_all(second.as_bytes()).await.is_ok()
            && read(&mut stream, false).await.is_some_and(|(status, ..)| status == 200);
        Answer { status, headers, body, open }
    };
    tokio::time::timeout(Duration::from_secs(30), asked)
        .await
        .unwrap_or_else(|_| panic!("{} hangs", raw.name))
}

/// The next answer that is final, unless the stream ends first.
async fn read(stream: &mut (impl AsyncRead + Unpin), headless: bool) -> Option<(u16, Vec<String>, String)> {
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            head.push(char::from(stream.read_u8().await.ok()?));
        }
        let mut lines = head.trim_end().lines();
        let status: u16 = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let mut headers: Vec<String> = lines.map(str::to_owned).collect();
        headers.retain(|line| !line.starts_with("Date: "));
        headers.sort();
        let of = |line: &String| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok();
        let length: Option<usize> = headers.iter().find_map(of);
        let mut body = vec![0; length.unwrap_or(0)];
        match status {
            100 => continue,
            101 => body.clear(),
            _ if headless => body.clear(),
            _ if length.is_none() => drop(stream.read_to_end(&mut body).await),
            _ => drop(stream.read_exact(&mut body).await.ok()?),
        }
        return Some((status, headers, String::from_utf8_lossy(&body).into_owned()));
    }
}
