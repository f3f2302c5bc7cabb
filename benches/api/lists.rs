//! The list of instances, beside the same list asked of LXD.

use std::process::Command;
use std::time::{Duration, Instant};

use lxd_client::Client;

use crate::callers::Connection;
use crate::node::Node;
use crate::report::{Report, Times, ms};
use crate::row;
use crate::world::{CLOUDS, INSTANCES, World};

/// What is asked for.
pub(crate) const PATH: &str = "/api/v1/instances?limit=200";

/// The project of the real server that has [`INSTANCES`] instances.
const MANY: &str = "many";

/// How often LXD is asked: it takes seconds.
const OF_LXD: usize = 3;

/// A node that is asked, and how long it took.
struct Asked {
    what: String,
    path: String,
    connection: Connection,
    plain: Vec<Duration>,
    gzip: Vec<Duration>,
    length: usize,
    _node: Node,
}

pub(crate) async fn measure(world: &World, count: usize, report: &mut Report) {
    let mut nodes = vec![
        (format!("{INSTANCES}"), world.near("list-one", 1), 1, PATH.to_owned()),
        (format!("{CLOUDS} x {INSTANCES}"), world.near("list-all", CLOUDS), CLOUDS, PATH.to_owned()),
        (
            format!("{CLOUDS} x {INSTANCES}, clouds 100 ms away"),
            world.far("list-far"),
            CLOUDS,
            PATH.to_owned(),
        ),
        (format!("{CLOUDS} x {INSTANCES}, one cloud dead"), world.cut("list-cut"), CLOUDS, PATH.to_owned()),
    ];
    if let Some(real) = &world.real {
        real.create_many(MANY, INSTANCES).await;
        nodes.push((
            format!("{INSTANCES} of a real LXD"),
            world.real("list-real", 1),
            1,
            format!("{PATH}&project={MANY}"),
        ));
    }
    let mut all = Vec::new();
    for (what, mut node, clouds, path) in nodes {
        let instances = if what.contains("real") { INSTANCES } else { clouds * INSTANCES };
        node.filled(clouds, instances).await;
        let connection = Connection::open(&world.way(&node.name)).await.unwrap();
        all.push(Asked {
            what,
            path,
            connection,
            plain: Vec::new(),
            gzip: Vec::new(),
            length: 0,
            _node: node,
        });
    }
    world.line.fall_silent();
    let mut of_lxd: [Vec<Duration>; 3] = Default::default();
    for round in 0..count {
        if round % (count / OF_LXD).max(1) == 0 && world.real.is_some() {
            ask_lxd(world, &mut of_lxd).await;
        }
        for asked in &mut all {
            // The first ones are to find all connections and caches as they are in use.
            let plain = asked.connection.good(&asked.path, false).await;
            let gzip = asked.connection.good(&asked.path, true).await;
            if round >= count / 10 {
                asked.plain.push(plain.time);
                asked.gzip.push(gzip.time);
            }
            asked.length = plain.length;
        }
    }
    tell(report, all, of_lxd);
}

/// Asks LXD for all instances of the project: by `lxc`, and by this client with and without their state, at LXD's own socket.
async fn ask_lxd(world: &World, times: &mut [Vec<Duration>; 3]) {
    let Some(real) = &world.real else { return };
    let began = Instant::now();
    let mut lxc = Command::new("lxc");
    let lxc = lxc.args(["list", "--project", MANY]).env("LXD_DIR", &real.folder).output().unwrap();
    assert!(lxc.status.success(), "{}", String::from_utf8_lossy(&lxc.stderr));
    times[0].push(began.elapsed());
    let client =
        Client::unix(&real.folder.join("unix.socket"), Duration::from_secs(60)).unwrap().project(MANY);
    for (with_state, times) in [true, false].into_iter().zip(&mut times[1..]) {
        let began = Instant::now();
        let list = client.instances();
        let list = if with_state { list.with_state().await } else { list.await };
        assert_eq!(list.unwrap().len(), INSTANCES);
        times.push(began.elapsed());
    }
}

fn tell(report: &mut Report, all: Vec<Asked>, of_lxd: [Vec<Duration>; 3]) {
    report.title("`GET /api/v1/instances?limit=200`");
    let mut table = vec![row!["ms", "p50", "p99", "p50, gzip", "p99, gzip", "kB"]];
    let mut plain = Vec::new();
    for asked in all {
        let (of_plain, gzip) = (Times::of(asked.plain), Times::of(asked.gzip));
        table.push(row![
            asked.what,
            ms(of_plain.p50()),
            ms(of_plain.p99()),
            ms(gzip.p50()),
            ms(gzip.p99()),
            asked.length / 1000
        ]);
        plain.push(of_plain);
    }
    let names = ["`lxc list`", "this client, with the state", "this client, without"];
    let of_lxd: Vec<Times> = of_lxd.into_iter().map(Times::of).collect();
    for (name, times) in names.into_iter().zip(&of_lxd).filter(|(_, times)| times.len() > 0) {
        table.push(row![format!("{name}: {INSTANCES} of LXD itself"), ms(times.p50()), "", "", "", ""]);
    }
    report.table(&table);
    for (name, times) in names.into_iter().zip(&of_lxd).filter(|(_, times)| times.len() > 0) {
        let ratio = times.p50() / plain[4].p50();
        let what = format!("list of {INSTANCES}: times as fast as {name}");
        report.goal(&what, "50", format!("{ratio:.0}"), ratio >= 50.0);
    }
    for (number, what) in [(2, "clouds 100 ms away"), (3, "one cloud dead")] {
        let ratio = plain[number].p50() / plain[1].p50();
        report.goal(
            &format!("list, {what}: times as long as with near ones"),
            "1",
            format!("{ratio:.2}"),
            ratio < 1.15,
        );
    }
}
