//! What is measured.

use crate::stock::Stock;

/// Something both programs do. The arguments have CLOUD: and SECOND: for the two servers; what is done before and after is
/// done by `lxc` on the servers' sockets, on the second one's after the word SECOND.
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) before: Vec<&'static str>,
    pub(crate) ours: Vec<String>,
    pub(crate) lxc: Rival,
    pub(crate) after: Vec<&'static str>,
    pub(crate) stock: Stock,
    /// The lengths of the ways: added round trips to each server in milliseconds.
    pub(crate) ways: [u64; 2],
    /// No more rounds than this.
    pub(crate) rounds: usize,
    /// Whether the memory of the processes is measured.
    pub(crate) memory: bool,
}

/// What is measured beside ours.
pub(crate) enum Rival {
    /// `lxc` with these arguments, a number of times in a row.
    Lxc(Vec<String>, usize),
    /// Loops of `lxc start` in the servers' own shells, one for each server at once.
    Loops,
}

/// Short commands.
const NEAR_AND_FAR: [u64; 2] = [0, 100];
/// Copies.
const COPIES: [u64; 2] = [0, 50];
/// The ends of no way: on the servers themselves.
const NEAR: [u64; 2] = [0, 0];

/// How many clouds of a node lead to the first server, for a list of several clouds.
pub(crate) const CLOUDS: usize = 5;

/// How many servers start instances at once.
pub(crate) const SERVERS: usize = 5;

/// How many instances each of them starts.
pub(crate) const STARTED: usize = 20;

fn words(arguments: &str) -> Vec<String> {
    arguments.split(' ').map(str::to_owned).collect()
}

impl Figure {
    fn same(name: &str, arguments: &str) -> Figure {
        Figure {
            name: name.to_owned(),
            before: Vec::new(),
            ours: words(arguments),
            lxc: Rival::Lxc(words(arguments), 1),
            after: Vec::new(),
            stock: Stock::Small,
            ways: NEAR_AND_FAR,
            rounds: usize::MAX,
            memory: false,
        }
    }

    fn before(mut self, command: &'static str) -> Figure {
        self.before.push(command);
        self
    }

    fn after(mut self, command: &'static str) -> Figure {
        self.after.push(command);
        self
    }

    /// Whether it is measured at that way.
    pub(crate) fn goes(&self, way: u64) -> bool {
        self.ways.contains(&way)
    }
}

/// All figures, for lists of so many instances and an instance of so many MB.
pub(crate) fn figures(many: usize, copied: usize) -> Vec<Figure> {
    let relayed = "copy CLOUD:bench-big SECOND:bench-copy --mode relay";
    // The others have no such project, and a cloud that does not have it is asked itself.
    let clouds: Vec<String> = (0..CLOUDS).map(|number| format!("cloud{number}:")).collect();
    let started: Vec<String> = (0..SERVERS)
        .flat_map(|server| {
            (0..STARTED).map(move |number| format!("start{server}:{}", started(server, number)))
        })
        .collect();
    vec![
        Figure::same("list of few", "list CLOUD:"),
        Figure {
            stock: Stock::Many(many),
            ..Figure::same(&format!("list of {many}"), "list CLOUD: --project many")
        },
        Figure {
            stock: Stock::Many(many),
            ours: [words("list --project many"), clouds].concat(),
            lxc: Rival::Lxc(words("list CLOUD: --project many"), CLOUDS),
            rounds: 3,
            ..Figure::same(&format!("list of 5 x {many}"), "")
        },
        Figure::same("config set", "config set CLOUD:c1 user.bench=1"),
        Figure::same("snapshot", "snapshot CLOUD:bench-small s").after("delete bench-small/s"),
        Figure::same("restore", "restore CLOUD:bench-small s")
            .before("snapshot bench-small s")
            .after("delete bench-small/s"),
        Figure::same("image copy", "image copy CLOUD:busybox SECOND: --alias bench --mode relay")
            .after("SECOND image delete bench"),
        Figure {
            stock: Stock::Big(copied),
            ways: COPIES,
            rounds: 3,
            memory: true,
            ..Figure::same(&format!("relay copy of {copied} MB"), relayed)
        }
        .after("SECOND delete bench-copy"),
        Figure {
            ours: [vec!["start".to_owned()], started].concat(),
            lxc: Rival::Loops,
            stock: Stock::Started,
            ways: NEAR,
            rounds: 2,
            ..Figure::same(&format!("{} starts over {SERVERS} clouds", SERVERS * STARTED), "")
        }
        .after("ALL stop --force --all"),
    ]
}

/// The name of an instance that is started.
pub(crate) fn started(server: usize, number: usize) -> String {
    format!("start-{server}-{number}")
}
