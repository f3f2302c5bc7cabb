//! The dialects of `/wait`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lxd_client::Error;
use serde_json::json;

use crate::server::{error, operation, sync, unix};

#[tokio::test]
async fn a_failure_behind_an_error_is_told_with_what_the_operation_still_says() {
    let (_folder, client) = unix(|asked| match (asked.method.as_str(), asked.path.as_str()) {
        ("POST", _) => operation("op", 103),
        (_, "/1.0/operations/op/wait") => error(200, 400, "it failed"),
        _ => sync(json!({"id": "op", "status_code": 400, "err": "it failed", "metadata": {"return": 5}})),
    })
    .await;
    match client.post(["x"]).operation().await.unwrap().wait().await.unwrap_err() {
        Error::Operation { message, state: Some(state), .. } => {
            assert_eq!((&*message, &state.metadata["return"]), ("it failed", &json!(5)));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_failure_of_an_operation_that_is_gone_by_then_is_a_failure_all_the_same() {
    let (_folder, client) = unix(|asked| match (asked.method.as_str(), asked.path.as_str()) {
        ("POST", _) => operation("op", 103),
        (_, "/1.0/operations/op/wait") => error(200, 400, "it failed"),
        _ => error(404, 404, "not found"),
    })
    .await;
    let failed = client.post(["x"]).operation().await.unwrap().wait().await.unwrap_err();
    assert!(
        matches!(&failed, Error::Operation { message, state: None, .. } if message == "it failed"),
        "{failed:?}"
    );
}

#[tokio::test]
async fn a_wait_that_the_server_cuts_short_goes_on() {
    for short in ["running", "error", "503"] {
        let waits = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&waits);
        let (_folder, client) = unix(move |asked| match (asked.method.as_str(), asked.path.as_str()) {
            ("POST", _) => operation("op", 103),
            (_, "/1.0/operations/op/wait") => match (count.fetch_add(1, Ordering::SeqCst), short) {
                (0, "running") => sync(json!({"id": "op", "status_code": 103, "status": "Running"})),
                (0, "error") => error(200, 500, "timeout"),
                (0, _) => error(503, 503, "LXD daemon is shutting down"),
                _ => sync(json!({"id": "op", "status_code": 200, "status": "Success"})),
            },
            _ => sync(json!({"id": "op", "status_code": 103, "status": "Running"})),
        })
        .await;
        assert!(client.post(["x"]).operation().await.unwrap().wait().await.unwrap().is_success(), "{short}");
        assert_eq!(waits.load(Ordering::SeqCst), 2, "{short}");
    }
}

#[tokio::test]
async fn an_operation_that_the_server_forgot_is_lost_and_no_success() {
    let (_folder, client) = unix(|asked| match asked.method.as_str() {
        "POST" => operation("op", 103),
        _ => error(404, 404, "not found"),
    })
    .await;
    let lost = client.post(["x"]).operation().await.unwrap().wait().await.unwrap_err();
    assert!(matches!(lost, Error::OperationLost { .. }), "{lost:?}");
}

#[tokio::test]
async fn what_newer_servers_make_an_operation_of_is_done_when_that_has_ended() {
    let (_folder, client) = unix(|asked| match asked.method.as_str() {
        "DELETE" => operation("op", 103),
        _ => sync(json!({"id": "op", "status_code": 400, "err": "it is in use"})),
    })
    .await;
    let failed = client.profile("x").delete().await.unwrap_err();
    assert!(matches!(&failed, Error::Operation { message, .. } if message == "it is in use"), "{failed:?}");
    let (_folder, client) = unix(|_| sync(json!(null))).await;
    assert!(client.instance("x").delete().await.unwrap().wait().await.unwrap().is_success());
}

#[tokio::test]
async fn an_operation_of_a_server_that_restarts_is_lost_and_no_success() {
    let (folder, path, listener) = crate::server::socket();
    let client = lxd_client::Client::unix(&path, Duration::from_secs(10)).unwrap();
    let before = crate::server::serve(listener, |asked| match asked.method.as_str() {
        "POST" => operation("op", 103),
        // The wait lasts until the server stops.
        _ => panic!("the server stops"),
    });
    let mut running = client.post(["x"]).operation().await.unwrap();
    before.abort();
    let _ = before.await;
    std::fs::remove_file(&path).unwrap();
    let lost = {
        let waiting = running.wait();
        tokio::pin!(waiting);
        // Nothing listens for a while, and that ends no wait.
        assert!(tokio::time::timeout(Duration::from_millis(200), &mut waiting).await.is_err());
        let listener = tokio::net::UnixListener::bind(&path).unwrap();
        let _after = crate::server::serve(listener, |_| error(404, 404, "not found"));
        tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("it hangs").unwrap_err()
    };
    assert!(matches!(lost, Error::OperationLost { .. }), "{lost:?}");
    drop(folder);
}
