use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::{DIGEST, ECHO, GENERATE, accept_of, builder, done, joined, soon, until};

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

#[tokio::test]
async fn the_halves_of_a_stream_live_in_tasks_of_their_own_and_end_one_by_one() {
    let (sandbox, node, tools) = joined().await;
    let stream = soon(node.connect((tools.ipv4, DIGEST))).await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let write = tokio::spawn(async move {
        writer.write_all(&[1; 100_000]).await.unwrap();
        // Dropping it sends the end, for which the digest waits.
    });
    let mut answer = String::new();
    soon(reader.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("100000 "), "{answer}");
    soon(write).await.unwrap();
    done(sandbox, node).await;
}

#[tokio::test]
async fn an_aborted_stream_is_a_reset_to_its_peer_and_a_dropped_one_an_end() {
    let (sandbox, node, _) = joined().await;
    let client = soon(builder(&sandbox).hostname("client").up()).await.unwrap();
    let mut listener = soon(node.listen(80)).await.unwrap();
    let ip = node.status().await.unwrap().ips[0];
    for abort in [true, false] {
        let mut dialled = soon(client.connect((ip, 80))).await.unwrap();
        let mut accepted = accept_of(&mut listener, &dialled).await;
        dialled.write_all(b"x").await.unwrap();
        soon(accepted.read_exact(&mut [0])).await.unwrap();
        if abort {
            dialled.abort();
            let error = soon(accepted.read(&mut [0])).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{error}");
        } else {
            drop(dialled);
            assert_eq!(soon(accepted.read(&mut [0])).await.unwrap(), 0);
        }
    }
    soon(client.close()).await.unwrap();
    done(sandbox, node).await;
}

#[tokio::test]
async fn keepalive_tells_that_a_silent_peer_has_gone() {
    let (sandbox, node, tools) = joined().await;
    let mut stream = soon(node.connect((tools.ipv4, ECHO))).await.unwrap();
    stream.set_keepalive(Some(Duration::from_secs(1))).unwrap();
    drop(sandbox); // killed, without a word to its streams
    let error = soon(stream.read(&mut [0])).await.unwrap_err();
    assert!(matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::ConnectionReset), "{error}");
    soon(node.close()).await.unwrap();
    assert!(stream.set_keepalive(None).is_err());
}

#[tokio::test]
async fn counters_count_dials_streams_and_bytes() {
    let (sandbox, node, tools) = joined().await;
    assert_eq!(node.counters(), tailnet::Counters::default());
    let mut stream = soon(node.connect((tools.ipv4, ECHO))).await.unwrap();
    soon(node.connect(("nobody", ECHO))).await.unwrap_err();
    stream.write_all(&[0; 1000]).await.unwrap();
    soon(stream.read_exact(&mut [0; 1000])).await.unwrap();
    let counters = node.counters();
    assert_eq!((counters.dials, counters.dial_failures, counters.open_streams), (2, 1, 1));
    assert_eq!((counters.bytes_sent, counters.bytes_received), (1000, 1000));
    drop(stream);
    until(async || node.counters().open_streams == 0).await;
    done(sandbox, node).await;
}
