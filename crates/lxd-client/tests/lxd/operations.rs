use std::time::Duration;

use lxd_client::{Error, Filter};
use serde_json::json;

use crate::common::{fresh, remote};

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn an_operation_that_ended_before_it_was_waited_for_is_not_lost() {
    let client = remote().await;
    let body = json!({"command": ["true"], "wait-for-websocket": false, "interactive": false});
    let mut exec = client.post(["instances", "c1", "exec"]).json(&body).operation().await.unwrap();
    let forgotten = async {
        while client.operation(exec.id()).state().await.is_ok() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), forgotten).await.expect("the server does not forget it");
    assert_eq!(exec.wait().await.unwrap().metadata["return"], 0);
    assert!(client.operation(exec.id()).state().await.unwrap_err().is_not_found());
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_failed_operation_is_an_error_with_what_the_server_said() {
    let client = remote().await;
    let body = json!({"name": fresh("none"), "source": {"type": "image", "alias": "no such image"}});
    let create = client.post(["instances"]).json(&body).operation().await;
    let error = match create {
        Ok(mut create) => create.wait().await.unwrap_err(),
        Err(error) => error,
    };
    assert!(matches!(error, Error::Operation { .. } | Error::Api { .. }), "{error:?}");
    let body = json!({"command": ["no-such-program"], "wait-for-websocket": false, "interactive": false});
    let mut exec = client.post(["instances", "c1", "exec"]).json(&body).operation().await.unwrap();
    match exec.wait().await.unwrap_err() {
        Error::Operation { message, state: Some(state), .. } => {
            assert_eq!((&*message, &state.metadata["return"]), ("Command not found", &json!(127)));
        }
        error => panic!("{error:?}"),
    }
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_wait_with_a_deadline_gives_up_and_can_go_on() {
    let client = remote().await;
    let body = json!({"command": ["sleep", "2"], "wait-for-websocket": false, "interactive": false});
    let mut exec = client.post(["instances", "c1", "exec"]).json(&body).operation().await.unwrap();
    assert!(client.operations().await.unwrap().iter().any(|o| o.id == exec.id()));
    let error = exec.wait_for(Duration::from_millis(50)).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
    assert!(exec.wait().await.unwrap().is_success());
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_list_is_narrowed_by_the_server_and_takes_one_connection() {
    let client = remote().await;
    let running = client.instances().filter(Filter::eq("name", "c1").and(Filter::eq("status", "Running")));
    assert_eq!(running.await.unwrap()[0].name, "c1");
    let spaced = client.instances().filter(Filter::ne("description", "a name and a space"));
    assert!(spaced.await.unwrap().iter().any(|i| i.name == "c1"));
    let none = client.instances().filter(Filter::eq("name", "c1").negated().and(Filter::eq("name", "c1")));
    assert!(none.await.unwrap().is_empty());
    assert_eq!(client.connections_made(), 1);
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn what_the_server_does_not_have_is_refused_before_it_is_sent() {
    let client = remote().await;
    let error = client.get(["novelty"]).needs("novelty").list::<()>().await.unwrap_err();
    assert!(matches!(error, Error::Unsupported { extension: "novelty", .. }), "{error:?}");
}

/// A server carries no more than 250 requests at once on a connection.
#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn many_operations_that_are_waited_for_leave_room_for_other_requests() {
    let client = remote().await;
    let waits: Vec<_> = {
        let mut sleep = client.instance("c1").exec(["sleep", "30"]).spawn().await.unwrap();
        sleep.stdin.take();
        let id = sleep.operation().id().to_owned();
        let waits = (0..300).map(|_| {
            let mut operation = client.operation(&id);
            tokio::spawn(async move { operation.wait().await })
        });
        let waits = waits.collect();
        let list = client.with_timeout(std::time::Duration::from_secs(15)).instances().await;
        assert!(list.is_ok(), "{list:?}");
        sleep.signal(15).await.unwrap();
        waits
    };
    for wait in waits {
        let ended = tokio::time::timeout(std::time::Duration::from_secs(30), wait).await.expect("it hangs");
        assert!(matches!(ended.unwrap(), Ok(_) | Err(Error::Operation { .. })));
    }
}
