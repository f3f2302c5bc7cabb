use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::{DIGEST, ECHO, GENERATE, accept_of, builder, done, joined, soon};

const MIB: usize = 1 << 20;

#[tokio::test]
async fn half_close_reaches_the_peer_and_its_answer_comes_back() {
    let (sandbox, node, tools) = joined().await;
    for _ in 0..20 {
        let mut stream = soon(node.connect((tools.ipv4, DIGEST))).await.unwrap();
        stream.write_all(&vec![0; MIB]).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = String::new();
        soon(stream.read_to_string(&mut answer)).await.unwrap();
        // SHA-256 of a MiB of zeros.
        let expected = "30e14955ebf1352266dc2ff8067e68104607e750abb9d3b36582b8af909fcb58";
        assert_eq!(answer, format!("{MIB} {expected}\n"));
    }
    done(sandbox, node).await;
}

#[tokio::test]
async fn the_peers_end_leaves_the_writing_side_open() {
    let (sandbox, node, tools) = joined().await;
    let stream = soon(node.connect((tools.ipv4, ECHO))).await.unwrap();
    let (mut reader, mut writer) = tokio::io::split(stream);
    let sent: Vec<u8> = (0..4 * MIB).map(|i| (i % 251) as u8).collect();
    let expected = sent.clone();
    let writing = tokio::spawn(async move {
        writer.write_all(&sent).await.unwrap();
        writer.shutdown().await.unwrap();
    });
    let mut echoed = Vec::new();
    soon(reader.read_to_end(&mut echoed)).await.unwrap();
    soon(writing).await.unwrap();
    assert!(echoed == expected, "{} bytes came back", echoed.len());
    done(sandbox, node).await;
}

#[tokio::test]
async fn what_was_written_before_a_drop_still_arrives() {
    let (sandbox, node, _) = joined().await;
    let receiver = soon(builder(&sandbox).hostname("receiver").up()).await.unwrap();
    let mut listener = soon(receiver.listen(0)).await.unwrap();
    for _ in 0..20 {
        let mut stream = soon(node.connect(("receiver", listener.local_addr().port()))).await.unwrap();
        let mut accepted = accept_of(&mut listener, &stream).await;
        let writing = tokio::spawn(async move { stream.write_all(&vec![1; 4 * MIB]).await });
        let mut received = Vec::new();
        soon(accepted.read_to_end(&mut received)).await.unwrap();
        soon(writing).await.unwrap().unwrap(); // the stream was dropped then
        assert_eq!(received.len(), 4 * MIB);
    }
    soon(receiver.close()).await.unwrap();
    done(sandbox, node).await;
}

#[tokio::test]
async fn a_stream_whose_node_closes_breaks_and_does_not_end() {
    let (sandbox, node, tools) = joined().await;
    let mut stream = soon(node.connect((tools.ipv4, ECHO))).await.unwrap();
    soon(node.close()).await.unwrap();
    let error = soon(stream.read(&mut [0; 16])).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted, "{error:?}");
    let error = soon(async {
        loop {
            if let Err(e) = stream.write(&[0; 1024]).await {
                break e;
            }
        }
    })
    .await;
    assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted, "{error:?}");
    sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn a_reader_that_goes_away_does_not_stop_the_node() {
    let (sandbox, node, tools) = joined().await;
    for _ in 0..20 {
        let mut stream = soon(node.connect((tools.ipv4, GENERATE))).await.unwrap();
        soon(stream.read_exact(&mut [0; 4096])).await.unwrap();
    }
    done(sandbox, node).await;
}
