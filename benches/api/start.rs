//! A node's start with many instances.

use std::time::Duration;

use crate::report::{Report, median};
use crate::row;
use crate::world::{CLOUDS, INSTANCES, World};

/// How long a node is left alone before its memory is read again.
const LATER: Duration = Duration::from_secs(10);

pub(crate) async fn measure(world: &World, rounds: usize, report: &mut Report) {
    report.title(&format!("A start with {CLOUDS} x {INSTANCES} instances"));
    let mut table = vec![row!["", "all instances known, s", "memory then, MB", "10 s later", "most"]];
    let mut one = async |what: &str, name: &str, is_real: bool, rounds: usize| {
        let mut seen: [Vec<f64>; 4] = Default::default();
        for round in 0..rounds {
            let name = format!("{name}{round}");
            let mut node = if is_real { world.real(&name, CLOUDS) } else { world.near(&name, CLOUDS) };
            let time = node.filled(CLOUDS, CLOUDS * INSTANCES).await.as_secs_f64();
            let then = node.resident();
            tokio::time::sleep(LATER).await;
            for (seen, value) in seen.iter_mut().zip([time, then, node.resident(), node.peak()]) {
                seen.push(value);
            }
        }
        let [time, then, later, most] = seen.map(median);
        table.push(row![
            what,
            format!("{time:.2}"),
            format!("{then:.0}"),
            format!("{later:.0}"),
            format!("{most:.0}")
        ]);
    };
    one(&format!("{CLOUDS} stand-ins"), "start", false, rounds).await;
    if let Some(real) = &world.real {
        real.create_many("many", INSTANCES).await;
        one(&format!("{CLOUDS} names of one real LXD"), "start-real", true, 1).await;
    }
    report.table(&table);
}
