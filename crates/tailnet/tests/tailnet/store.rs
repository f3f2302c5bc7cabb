//! A node whose identity is kept by the program itself.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};

use tailnet::{StateStore, UpError};

use crate::common::{ECHO, builder, done, sandbox, soon};

#[derive(Clone, Default)]
pub(crate) struct Kept(Arc<Mutex<HashMap<String, Vec<u8>>>>);

impl StateStore for Kept {
    fn read_all(&self) -> io::Result<HashMap<String, Vec<u8>>> {
        Ok(self.0.lock().unwrap().clone())
    }

    fn write(&self, id: &str, value: Option<&[u8]>) -> io::Result<()> {
        let mut kept = self.0.lock().unwrap();
        match value {
            Some(value) => drop(kept.insert(id.to_owned(), value.to_vec())),
            None => drop(kept.remove(id)),
        }
        Ok(())
    }
}

struct Unreadable;

impl StateStore for Unreadable {
    fn read_all(&self) -> io::Result<HashMap<String, Vec<u8>>> {
        Err(io::Error::other("the database is down"))
    }

    fn write(&self, _: &str, _: Option<&[u8]>) -> io::Result<()> {
        unreachable!()
    }
}

#[tokio::test]
async fn a_node_is_the_same_again_from_its_store() {
    let sandbox = sandbox().await;
    let kept = Kept::default();
    let node = soon(builder(&sandbox).ephemeral(false).state_store(kept.clone()).up()).await.unwrap();
    let ips = node.status().await.unwrap().ips;
    soon(node.close()).await.unwrap();
    drop(node);
    let held = Arc::strong_count(&kept.0);
    assert_eq!(held, 1, "the node has let go of its store");
    let node = soon(builder(&sandbox).ephemeral(false).state_store(kept.clone()).up()).await.unwrap();
    assert_eq!(node.status().await.unwrap().ips, ips);
    soon(node.connect(("tools", ECHO))).await.unwrap();
    done(sandbox, node).await;
}

#[tokio::test]
async fn a_store_that_cannot_be_read_keeps_the_node_from_starting() {
    let sandbox = sandbox().await;
    let error = soon(builder(&sandbox).state_store(Unreadable).up()).await.unwrap_err();
    assert!(
        matches!(&error, UpError::StateFolder { message, source: Some(_) } if message.contains("the database is down")),
        "{error:?}"
    );
    sandbox.stop().await.unwrap();
}
