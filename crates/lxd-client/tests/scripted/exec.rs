//! The order in which a command's websockets are connected, and what follows when they are not.

use std::sync::{Arc, Mutex};

use lxd_client::{Client, Error};
use serde_json::json;

use crate::server::{error, sync, unix};

/// What a server was asked for, in its order: `POST` for a command, and the secret of each websocket.
type Log = Arc<Mutex<Vec<String>>>;

/// A server that refuses all websockets, and whose operation then ends with this error.
async fn refusing(ended: &'static str) -> (tempfile::TempDir, Client, Log) {
    let log = Log::default();
    let seen = Arc::clone(&log);
    let (folder, client) = unix(move |asked| {
        let log = |what: &str| seen.lock().unwrap().push(what.to_owned());
        match (asked.method.as_str(), asked.path.as_str()) {
            ("POST", "/1.0/instances/c1/exec") => {
                log("POST");
                let fds = json!({"0": "zero", "1": "one", "2": "two", "control": "control"});
                crate::server::operation_with("op", json!({"fds": fds}))
            }
            (_, "/1.0/operations/op/websocket") => {
                log(asked.query.strip_prefix("secret=").unwrap());
                error(400, 400, "Only running operations can be connected")
            }
            (_, "/1.0/operations/op/wait") => sync(json!({"id": "op", "status_code": 400, "err": ended})),
            _ => error(404, 404, "not found"),
        }
    })
    .await;
    (folder, client, log)
}

/// LXD begins the command when the last of 0, 1 and 2 is there. A control socket that comes as the command
/// ends makes LXD 5.0 wait for it for ever, or fall.
#[tokio::test]
async fn a_command_begins_when_its_control_socket_is_connected() {
    let (_folder, client, log) = refusing("it failed").await;
    let failed = client.instance("c1").exec(["true"]).spawn().await.unwrap_err();
    assert!(matches!(&failed, Error::Operation { message, .. } if message == "it failed"), "{failed:?}");
    let log = log.lock().unwrap();
    assert!(log.iter().any(|asked| asked == "control"), "{log:?}");
    assert!(!log.iter().any(|asked| asked == "one"), "{log:?}");
    assert_eq!(log.iter().filter(|asked| *asked == "POST").count(), 1, "{log:?}");
}

#[tokio::test]
async fn a_command_whose_output_alone_counts_has_no_control_socket() {
    let (_folder, client, log) = refusing("it failed").await;
    client.instance("c1").exec(["true"]).output().await.unwrap_err();
    let mut log = log.lock().unwrap().clone();
    log.sort();
    assert!(log.len() > 1 && !log.contains(&"control".to_owned()), "{log:?}");
}

#[tokio::test]
async fn a_command_that_did_not_begin_in_time_is_begun_again_but_not_for_ever() {
    let (_folder, client, log) = refusing("Timed out waiting for websockets to connect").await;
    let failed = client.instance("c1").exec(["true"]).spawn().await.unwrap_err();
    assert!(matches!(failed, Error::Operation { .. }), "{failed:?}");
    assert_eq!(log.lock().unwrap().iter().filter(|asked| *asked == "POST").count(), 4);
}
