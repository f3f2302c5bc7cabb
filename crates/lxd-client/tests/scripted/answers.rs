//! Answers that are wrong, broken, too long or none.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use lxd_client::{Client, Error, Filter};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::server::{error, socket, sync, unix};

/// Answers each connection's requests with these bytes, one after the other, and then hangs up.
async fn raw(answers: &'static [&'static str]) -> (tempfile::TempDir, Client) {
    let (folder, path, listener) = socket();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            for answer in answers {
                if stream.read(&mut [0; 4096]).await.unwrap_or_default() == 0 {
                    break;
                }
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        }
    });
    (folder, Client::unix(&path, Duration::from_secs(5)).unwrap())
}

#[tokio::test]
async fn rubbish_is_told_from_the_api() {
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>",
        "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
        "HTTP/1.1 301 Moved\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
    ] {
        let (_folder, client) = raw(Box::leak(Box::new([answer]))).await;
        let error = client.server().await.unwrap_err();
        assert!(matches!(error, Error::Protocol { .. }), "{answer}: {error:?}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_in_the_middle_is_told() {
    for answer in ["SSH-2.0-OpenSSH\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{", ""] {
        let (_folder, client) = raw(Box::leak(Box::new([answer]))).await;
        let error = client.server().await.unwrap_err();
        assert!(matches!(error, Error::Broken { .. }), "{answer}: {error:?}");
    }
}

const GOOD: &str = "HTTP/1.1 200 OK\r\ncontent-length: 30\r\n\r\n{\"type\":\"sync\",\"metadata\":[ ]}";

#[tokio::test]
async fn a_request_that_changes_nothing_is_sent_again_when_the_kept_connection_was_dead() {
    // The second request of each connection is read, and then the server hangs up.
    let (_folder, client) = raw(&[GOOD, ""]).await;
    for _ in 0..4 {
        assert!(client.instances().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_request_that_changes_something_is_sent_once() {
    let (_folder, client) = raw(&[GOOD, ""]).await;
    client.instances().await.unwrap();
    let error = client.post(["instances"]).json(&json!({})).done().await.unwrap_err();
    assert!(matches!(error, Error::Broken { .. }), "{error:?}");
}

#[tokio::test]
async fn an_answer_without_end_is_cut() {
    let (_folder, client) =
        unix(|_| Response::new(Full::from(Bytes::from(vec![b' '; (64 << 20) + 1])))).await;
    let error = client.server().await.unwrap_err();
    assert!(matches!(&error, Error::Protocol { message, .. } if message.contains("64 MiB")), "{error:?}");
}

#[tokio::test]
async fn an_error_behind_the_status_200_is_an_error() {
    let (_folder, client) = unix(|_| error(200, 404, "not here")).await;
    assert!(client.server().await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_null_list_is_empty_and_an_unknown_field_is_sent_back() {
    let put = Arc::new(std::sync::Mutex::new(json!(null)));
    let seen = Arc::clone(&put);
    let (_folder, client) = unix(move |asked| {
        if asked.is("PUT", "/1.0/profiles/p") {
            assert_eq!(asked.headers["if-match"], "\"v1\"");
            *seen.lock().unwrap() = asked.json();
            return sync(json!({}));
        }
        if asked.is("GET", "/1.0/profiles/p") {
            let profile = json!({"name": "p", "config": null, "novelty": {"a": [1]}});
            let mut answer = sync(profile);
            answer.headers_mut().insert("etag", "\"v1\"".parse().unwrap());
            return answer;
        }
        sync(json!(null))
    })
    .await;
    assert!(client.profiles().await.unwrap().is_empty());
    let read = client.profile("p").get().await.unwrap();
    client.profile("p").update(&read).await.unwrap();
    assert_eq!(put.lock().unwrap()["novelty"], json!({"a": [1]}));
}

#[tokio::test]
async fn a_refusal_says_which_projects_the_client_may_use_unless_it_is_not_trusted() {
    let (lxd, incus) =
        ((403, "not authorized"), (500, "User does not have permissions for project \"default\""));
    for (trusted, (code, message)) in [(true, lxd), (true, incus), (false, lxd)] {
        let (_folder, client) = unix(move |asked| match asked.path.as_str() {
            "/1.0/projects" if trusted => {
                assert!(asked.query.is_empty(), "{asked:?}");
                sync(json!(["/1.0/projects/p1", "/1.0/projects/p%202"]))
            }
            _ => error(code, code, message),
        })
        .await;
        let told = client.project("p3").instances().await.unwrap_err();
        match &told {
            Error::NotAllowed { project, allowed, .. } if trusted => {
                assert_eq!((&**project, &**allowed), ("p3", &["p1".to_owned(), "p 2".to_owned()][..]));
                let told = told.to_string();
                assert!(told.contains("the projects p1, p 2, and not p3: "), "{told}");
            }
            Error::NotTrusted { .. } if !trusted => {}
            other => panic!("{other:?}"),
        }
        // It is the default one that is asked for, where none is named.
        let told = client.instance("c1").get().await.unwrap_err();
        assert!(
            !trusted || matches!(&told, Error::NotAllowed { project, .. } if project == "default"),
            "{told:?}"
        );
    }
}

#[tokio::test]
async fn project_target_and_filter_are_in_the_query() {
    let (_folder, client) =
        unix(|asked| sync(json!([{"name": asked.query, "status": "", "type": ""}]))).await;
    let scoped = client.project("a&b").target("node 2");
    let query = |list: Vec<lxd_client::Instance>| list[0].name.clone();
    assert_eq!(query(scoped.instances().await.unwrap()), "project=a%26b&target=node%202&recursion=1");
    assert_eq!(
        query(scoped.instances().all_projects().with_state().await.unwrap()),
        "target=node%202&all-projects=true&recursion=2"
    );
    let filtered = client.instances().filter(Filter::eq("name", "x")).await.unwrap();
    assert_eq!(query(filtered), "filter=name%20eq%20x&recursion=1");
    let refused = client.instances().filter(Filter::eq("name", "x\" or name eq \"y")).await.unwrap_err();
    assert!(matches!(refused, Error::Config { .. }), "{refused:?}");
}

#[tokio::test]
async fn what_a_server_lacks_is_asked_once_and_never_sent() {
    let asked_for = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked_for);
    let (_folder, client) = unix(move |asked| {
        assert!(asked.is("GET", "/1.0"), "{asked:?}");
        count.fetch_add(1, Ordering::SeqCst);
        sync(json!({"api_extensions": ["a"], "auth": "trusted", "environment": {"server": "lxd"}}))
    })
    .await;
    for _ in 0..3 {
        let error = client.instance("x").rebuild(&json!({})).await.unwrap_err();
        assert!(matches!(error, Error::Unsupported { extension: "instances_rebuild", .. }), "{error:?}");
    }
    assert_eq!(asked_for.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_incus_gets_headers_of_its_own() {
    let (_folder, client) = unix(|asked| match asked.path.as_str() {
        "/1.0" => sync(json!({"auth": "trusted", "environment": {"server": "incus"}})),
        _ => {
            assert_eq!(asked.headers["x-incus-mode"], "0640");
            assert_eq!(asked.headers["content-type"], "application/octet-stream");
            assert!(!asked.headers.keys().any(|name| name.as_str().starts_with("x-lxd")));
            sync(json!({}))
        }
    })
    .await;
    let options = lxd_client::FileOptions::default().mode(0o640);
    client.instance("x").files().write("/f", &b"x"[..], &options).await.unwrap();
}

#[tokio::test]
async fn a_server_that_wants_a_login_says_where() {
    let (_folder, client) = unix(|_| {
        let mut answer = error(401, 401, "unauthorized");
        let headers = answer.headers_mut();
        headers.insert("x-lxd-oidc-issuer", "https://id.example".parse().unwrap());
        headers.insert("x-lxd-oidc-clientid", "lxd".parse().unwrap());
        headers.insert("x-lxd-oidc-scopes", "[\"openid\",\"email\"]".parse().unwrap());
        answer
    })
    .await;
    match client.server().await.unwrap_err() {
        Error::LoginRequired { login } => {
            assert_eq!((&*login.issuer, &*login.client_id), ("https://id.example", "lxd"));
            assert_eq!(login.scopes, ["openid", "email"]);
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_folder_with_names_that_lead_elsewhere_is_not_pulled() {
    for name in ["../../escape", "..", "/etc/x", ""] {
        let (_folder, client) = unix(move |asked| {
            let directory = asked.query == "path=%2Fd";
            let mut answer = if directory { sync(json!([name])) } else { sync(json!(["x"])) };
            let kind = if directory { "directory" } else { "file" };
            answer.headers_mut().insert("x-lxd-type", kind.parse().unwrap());
            answer
        })
        .await;
        let here = tempfile::tempdir().unwrap();
        let error =
            client.instance("x").files().pull("/d", &here.path().join("to"), |_| ()).await.unwrap_err();
        assert!(matches!(error, Error::Protocol { .. }), "{name:?}: {error:?}");
        assert_eq!(std::fs::read_dir(here.path().join("to")).unwrap().count(), 0);
    }
}

#[tokio::test]
async fn an_image_with_another_hash_is_not_kept() {
    let (_folder, client) = unix(|_| Response::new(Full::from("not that image"))).await;
    let here = tempfile::tempdir().unwrap();
    let error = client.image(&"ab".repeat(32)).export_to(here.path(), |_| ()).await.unwrap_err();
    assert!(matches!(&error, Error::Protocol { message, .. } if message.contains("hash")), "{error:?}");
    assert_eq!(std::fs::read_dir(here.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn an_image_in_two_files_is_saved_as_two_or_refused_with_the_feature_that_reads_it() {
    let (metadata, rootfs) = ("its metadata", "its root disk");
    let hash = ring::digest::digest(&ring::digest::SHA256, format!("{metadata}{rootfs}").as_bytes());
    let fingerprint: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let (_folder, client) = unix(move |_| {
        let part = |name, text| {
            format!(
                "--x\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"f\"\r\n\r\n{text}\r\n"
            )
        };
        let body = format!("{}{}--x--\r\n", part("metadata", metadata), part("rootfs", rootfs));
        let answer = Response::builder().header("content-type", "multipart/form-data; boundary=x");
        answer.body(Full::from(body)).unwrap()
    })
    .await;
    let here = tempfile::tempdir().unwrap();
    let exported = client.image(&fingerprint).export_to(here.path(), |_| ()).await;
    if cfg!(feature = "images-multipart") {
        let files = exported.unwrap();
        assert_eq!(std::fs::read_to_string(files.metadata).unwrap(), metadata);
        assert_eq!(std::fs::read_to_string(files.rootfs.unwrap()).unwrap(), rootfs);
    } else {
        let error = exported.unwrap_err();
        assert!(error.to_string().contains("images-multipart"), "{error:?}");
        assert_eq!(std::fs::read_dir(here.path()).unwrap().count(), 0);
    }
}
