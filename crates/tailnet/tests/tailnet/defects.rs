//! What other ways into a tailnet from inside a process get wrong, and the test here that would fail on it. Those in
//! Go are under `vendor/libtailscale/internal`, those of the boundary in `crates/libtailscale-sys/tests`.
//!
//! | | defect | test |
//! |---|---|---|
//! | 1 | a half-close loses the reply | `half_close_reaches_the_peer_and_its_answer_comes_back`, `an_accepted_stream_knows_both_ends_and_carries_half_closes` |
//! | 2 | the close hangs after many connections | `TestANodeWithThousandsOfStreamsClosesInTime` |
//! | 3 | an end of file out of nowhere | `five_thousand_streams_in_a_row_and_five_hundred_at_once_leave_nothing_behind`, `a_stream_whose_node_closes_breaks_and_does_not_end`, `TestAResetIsNoEndOfFile` |
//! | 4 | descriptors leak | `two_thousand_streams_leave_nothing_behind`, `two_hundred_joins_and_closes_leave_nothing_behind` |
//! | 5 | a thread for each idle accept or read | `idle_accepts_and_reads_take_no_thread` |
//! | 6 | the remote address is missing, or another peer's | `streams_of_two_clients_at_once_are_told_apart` |
//! | 7 | a dial cannot be cancelled and has no deadline | `a_dial_that_is_dropped_ends_and_leaves_nothing`, `a_peer_that_has_died_times_out` |
//! | 8 | a dial leaves the tailnet | `an_address_outside_the_tailnet_is_refused_and_a_listener_there_hears_nothing`, `a_name_that_only_the_host_knows_is_unknown` |
//! | 9 | datagrams merge | `datagrams_keep_their_boundaries_and_tell_their_sender`, `a_datagram_that_is_too_large_is_an_error_and_not_cut` |
//! | 10 | a join never returns while control is away or a login is needed | `an_unreachable_control_server_is_told_within_the_deadline`, `a_silent_control_server_is_told_within_the_deadline`, `a_login_is_asked_for_by_its_url_and_completes_the_join` |
//! | 11 | null, wrong or early arguments abort the process | `null_and_senseless_arguments_are_refused`, `unknown_handles_are_refused_by_every_function`, `calls_in_the_wrong_order_are_told`, `random_calls_from_several_threads_end_exactly_once` |
//! | 12 | an accept stays blocked when its node closes | `closing_the_node_wakes_whoever_accepts` |
//! | 13 | one last error for all, mixed between threads | `each_error_belongs_to_its_own_dial` |
//! | 14 | two processes on one state folder | `a_second_process_on_the_same_state_folder_is_refused`, `a_second_node_on_the_same_state_folder_is_refused` |
//! | 15 | dials stall when the peer closes first | `TestTwoThousandDialsToAPeerThatClosesFirstDoNotStall` |

use std::collections::HashMap;
use std::net::IpAddr;

use tailnet::{ConnectError, Tailnet};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;

use crate::common::{CLOSED, ECHO, builder, done, joined, sandbox, soon};
use crate::life::{alone, threads};

#[test]
fn every_test_of_the_table_exists() {
    let sources = [
        include_str!("admission.rs"),
        include_str!("defects.rs"),
        include_str!("dial.rs"),
        include_str!("fail_closed.rs"),
        include_str!("join.rs"),
        include_str!("large.rs"),
        include_str!("life.rs"),
        include_str!("listen.rs"),
        include_str!("state_folder.rs"),
        include_str!("streams.rs"),
        include_str!("udp.rs"),
        include_str!("../../../libtailscale-sys/tests/boundary/main.rs"),
        include_str!("../../../libtailscale-sys/tests/boundary/random.rs"),
        include_str!("../../../../vendor/libtailscale/internal/bridge/bridge_test.go"),
        include_str!("../../../../vendor/libtailscale/internal/node/node_test.go"),
    ];
    let rows: Vec<_> = include_str!("defects.rs").lines().filter(|line| line.starts_with("//! | ")).collect();
    assert_eq!(rows.len(), 1 + 15);
    for row in &rows[1..] {
        let tests = row.rsplit(" | ").next().unwrap();
        for name in tests.split('`').skip(1).step_by(2) {
            let exists = |source: &&str| {
                source.contains(&format!("fn {name}(")) || source.contains(&format!("func {name}("))
            };
            assert!(sources.iter().any(exists), "no test {name}");
        }
    }
}

#[test]
fn idle_accepts_and_reads_take_no_thread() {
    alone("defects::idle_accepts_and_reads");
}

#[tokio::test]
#[ignore = "counts what the whole process holds: run by idle_accepts_and_reads_take_no_thread"]
async fn idle_accepts_and_reads() {
    let (sandbox, node, tools) = joined().await;
    soon(node.connect((tools.ipv4, ECHO))).await.unwrap();
    let before = threads();
    let mut waiting = JoinSet::new();
    for _ in 0..200 {
        let mut listener = soon(node.listen(0)).await.unwrap();
        let mut stream = soon(node.connect((tools.ipv4, ECHO))).await.unwrap();
        waiting.spawn(async move { drop(listener.accept().await) });
        waiting.spawn(async move { drop(stream.read_u8().await) });
    }
    for _ in 0..100 {
        tokio::task::yield_now().await; // so that all of them have begun to wait
    }
    println!("{before} threads before, {} with 200 accepts and 200 reads", threads());
    assert!(threads() < before + 16, "{before} threads before, {} after", threads()); // Go adds some of its own
    soon(node.close()).await.unwrap();
    soon(waiting.join_all()).await;
    sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn streams_of_two_clients_at_once_are_told_apart() {
    let sandbox = sandbox().await;
    let server = soon(builder(&sandbox).hostname("server").up()).await.unwrap();
    let clients: [Tailnet; 2] = [
        soon(builder(&sandbox).hostname("first").up()).await.unwrap(),
        soon(builder(&sandbox).hostname("second").up()).await.unwrap(),
    ];
    let mut listener = soon(server.listen(0)).await.unwrap();
    let port = listener.local_addr().port();
    let mut dials = JoinSet::new();
    for client in &clients {
        for _ in 0..50 {
            let client = client.clone();
            dials.spawn(async move {
                let mut stream = loop {
                    match soon(client.connect(("server", port))).await {
                        Err(ConnectError::NoSuchHost { .. }) => {} // news of the server is on its way
                        dialled => break dialled.unwrap(),
                    }
                };
                stream.write_all(stream.local_addr().to_string().as_bytes()).await.unwrap();
                stream.shutdown().await.unwrap();
                soon(stream.read_to_end(&mut Vec::new())).await.unwrap();
            });
        }
    }
    let mut from: HashMap<IpAddr, usize> = HashMap::new();
    while from.values().sum::<usize>() < 100 {
        let mut stream = soon(listener.accept()).await.unwrap();
        let mut said = String::new();
        if soon(stream.read_to_string(&mut said)).await.is_err() || said.is_empty() {
            continue; // a dial beside another one, which ends at once
        }
        assert_eq!(said, stream.peer_addr().to_string());
        *from.entry(stream.peer_addr().ip()).or_default() += 1;
    }
    soon(dials.join_all()).await;
    for client in clients {
        // Either of its addresses may have won.
        let ips = client.status().await.unwrap().ips;
        assert_eq!(ips.iter().filter_map(|ip| from.get(ip)).sum::<usize>(), 50);
        soon(client.close()).await.unwrap();
    }
    done(sandbox, server).await;
}

#[tokio::test]
async fn each_error_belongs_to_its_own_dial() {
    let (sandbox, node, tools) = joined().await;
    let mut dials = JoinSet::new();
    for i in 0..400_u32 {
        let (node, ip) = (node.clone(), tools.ipv4);
        dials.spawn(async move {
            let host = match i % 3 {
                0 => format!("nobody-{i}:80"),
                1 => format!("192.0.2.{}:{}", i % 256, 1 + i),
                _ => format!("{ip}:{CLOSED}"),
            };
            let error = soon(node.connect(host.as_str())).await.unwrap_err();
            let right = match i % 3 {
                0 => matches!(error, ConnectError::NoSuchHost { .. }),
                1 => matches!(error, ConnectError::NotInTailnet { .. }),
                _ => matches!(error, ConnectError::Refused { .. }),
            };
            let named = host.rsplit_once(':').unwrap().0;
            assert!(right && error.to_string().contains(named), "{host}: {error:?}");
        });
    }
    while let Some(result) = dials.join_next().await {
        result.unwrap();
    }
    done(sandbox, node).await;
}
