//! How many requests a feed makes.

use std::time::Duration;

use tokio::time::Instant;

use super::scripted::Scripted;
use super::{Fed, seconds};

/// The most requests within any minute after that moment.
fn most(server: &Scripted, start: Instant) -> usize {
    let world = server.world();
    let times: Vec<_> = world.asked.iter().map(|(at, _)| *at).filter(|at| *at >= start).collect();
    let within = |from: &Instant| {
        times.iter().filter(|at| *at >= from && **at - *from < Duration::from_secs(60)).count()
    };
    times.iter().map(within).max().unwrap_or_default()
}

fn with_instances(projects: usize) -> Scripted {
    let server = Scripted::new();
    let mut world = server.world();
    world.projects = (0..projects).map(|n| format!("p{n}")).collect();
    for n in 0..200 {
        let (project, name) = (format!("p{}", n % projects), format!("i{n}"));
        world.create(&project, &name);
        world.act(&project, &name, "instance-started", "Running");
    }
    drop(world);
    server
}

#[tokio::test(start_paused = true)]
async fn in_steady_state_a_minute_has_five_requests_at_most() {
    for looking in [false, true] {
        for (projects, restricted, metrics) in
            [(1, false, true), (1, false, false), (8, true, true), (30, true, false)]
        {
            let server = with_instances(projects);
            server.world().restricted = restricted;
            if !metrics {
                server.world().extensions.retain(|extension| *extension != "metrics");
            }
            let fed = Fed::start(server.clone());
            fed.filled().await;
            let start = Instant::now();
            for _ in 0..600 {
                seconds(2).await;
                if looking {
                    fed.looks.add_all(&[]);
                }
            }
            let most = most(&server, start);
            println!(
                "{projects} projects, restricted {restricted}, looking {looking}: {most} requests a minute"
            );
            assert!((1..=5).contains(&most), "{most} with {projects} projects, looking {looking}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn many_changes_at_once_are_read_by_one_list() {
    let server = with_instances(1);
    let fed = Fed::start(server.clone());
    fed.filled().await;
    seconds(5).await;
    let before = server.world().asked.len();
    for n in 0..200 {
        let event = server.world().act("p0", &format!("i{n}"), "instance-updated", "Running");
        server.world().send(&event);
    }
    seconds(5).await;
    assert_eq!(server.world().asked.len() - before, 1);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_away_is_not_asked_all_the_time() {
    let server = Scripted::new();
    server.world().down = true;
    let _fed = Fed::start(server.clone());
    seconds(600).await;
    let asked = server.world().asked.len();
    assert!(asked < 60, "{asked}");
}
