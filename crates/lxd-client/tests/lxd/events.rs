use std::time::Duration;

use lxd_client::{Event, EventKind};

use crate::common::remote;

const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn what_happens_is_told_and_an_end_is_the_last_of_an_operation() {
    let client = remote().await;
    let mut events = client.events(&[EventKind::Operation, EventKind::Lifecycle]).await.unwrap();
    let mut exec = client.instance("c1").exec(["true"]).spawn().await.unwrap();
    let id = exec.operation().id().to_owned();
    let (mut ended, mut lifecycle) = (false, false);
    while !(ended && lifecycle) {
        match tokio::time::timeout(SOON, events.next()).await.expect("no event").unwrap() {
            Event::Operation(state) if state.id == id => {
                assert!(!ended, "{state:?} after the end");
                ended = state.is_final();
            }
            Event::Lifecycle(event) if event.action == "instance-exec" => lifecycle = true,
            _ => {}
        }
        if !ended && lifecycle {
            exec.wait().await.unwrap();
        }
    }
}
