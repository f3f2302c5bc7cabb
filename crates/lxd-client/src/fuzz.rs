//! Every parser of what a server sends, for the fuzzer (`fuzz/`) and for a test that needs none.

use crate::answers::each_answer;
use crate::*;

/// Gives the bytes to every parser. None may panic.
#[cfg_attr(not(fuzzing), allow(unreachable_pub, reason = "the fuzzer is the only user outside"))]
pub fn read_anything(data: &[u8]) {
    if let Ok(crate::envelope::Envelope::Sync(value) | crate::envelope::Envelope::Async(value)) =
        crate::envelope::Envelope::parse(data)
    {
        let parsed = value.read::<OperationState>();
        let _ = parsed.map(|state| (state.is_final(), state.progress().map(str::len)));
    }
    crate::events::read_any(data);
    let text = String::from_utf8_lossy(data);
    macro_rules! read_as {
        ($($answer:ident),+) => { $(let _ = crate::nulls::read::<$answer>(&text);)+ };
    }
    each_answer!(read_as);
    let _ = text.parse::<TrustToken>();
    let _ = text.parse::<crate::Fingerprint>();
    let _ = crate::path::name_in(&text);
    let _ = crate::pem::certificates(&text);
    let mut headers = http::HeaderMap::new();
    if let Ok(value) = http::HeaderValue::from_bytes(data) {
        for name in ["x-lxd-oidc-issuer", "x-lxd-oidc-scopes", "x-lxd-mode", "x-lxd-uid"] {
            headers.insert(http::HeaderName::from_static(name), value.clone());
        }
    }
    let _ = OidcLogin::of(&headers);
    let _ = crate::files::FileInfo::of(&headers);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers as they come, to begin from.
    const SEEDS: [&[u8]; 9] = [
        br#"{"name":"n","type":"bridge","config":{},"ports":[{"listen_port":"80"}],"entries":[{"ttl":1}],"ingress":null}"#,
        br#"{"space":{"used":1,"total":2},"usage":null,"storage_pools":{"p":{"inodes":{"used":3}}},"cpu":{"total":4}}"#,
        br#"{"server_name":"m","roles":null,"resources":{"containers":{"Limit":-1,"Usage":1}},"mtu":1500,"counters":{"a":-1}}"#,
        br#"{"type":"sync","status":"Success","status_code":200,"metadata":{"id":"a","status_code":103,"metadata":null}}"#,
        br#"{"type":"async","metadata":{"id":"a","class":"task","resources":{"instances":["/1.0/instances/a"]}}}"#,
        br#"{"type":"error","error":"not found","error_code":404}"#,
        br#"{"type":"lifecycle","metadata":{"action":"a","source":"/1.0","context":null},"timestamp":"t"}"#,
        br#"{"name":"c1","status":"Running","type":"container","config":{"a":"b"},"devices":null,"state":{"memory":{}}}"#,
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ];

    #[test]
    fn no_parser_panics_at_answers_that_are_mangled() {
        let mut random = fastrand::Rng::with_seed(1);
        for round in 0..20_000 {
            let mut data = SEEDS[round % SEEDS.len()].to_vec();
            for _ in 0..random.usize(0..6) {
                let at = random.usize(0..data.len());
                match random.u8(0..4) {
                    0 => data[at] = random.u8(..),
                    1 => data.truncate(at + 1),
                    2 => data.insert(at, *random.choice(b"{}[]\",:-0\\").expect("not empty")),
                    _ => data.extend_from_within(at..),
                }
            }
            read_anything(&data);
        }
    }
}
