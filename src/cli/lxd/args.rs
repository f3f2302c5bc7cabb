//! The arguments of `lxd`.

use std::path::PathBuf;

use clap::Subcommand;

#[derive(Debug, clap::Args)]
pub(crate) struct Lxd {
    /// Work in this project, instead of the one that is configured for a cloud.
    #[arg(long, value_name = "NAME", global = true)]
    pub(crate) project: Option<String>,
    #[command(subcommand)]
    pub(crate) command: LxdCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LxdCommand {
    /// Looks at clouds: path, TCP, TLS, API, trust.
    Ping {
        /// Which. Default: all.
        clouds: Vec<String>,
        /// How often.
        #[arg(short, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
        count: u32,
    },
    /// Lists instances.
    #[command(alias = "ls")]
    List {
        /// Of which clouds. Default: all.
        clouds: Vec<String>,
        /// Of all projects.
        #[arg(long)]
        all_projects: bool,
    },
    /// Shows a server (berlin) or an instance (berlin:c1).
    Info {
        /// Which.
        target: String,
    },
    /// Runs a command in an instance, and exits as it did.
    Exec(Exec),
    /// Starts instances.
    Start(Change),
    /// Stops instances.
    Stop(Change),
    /// Restarts instances.
    Restart(Change),
    /// Creates an instance from an image of the server's and starts it.
    Launch(Launch),
    /// Deletes instances.
    #[command(alias = "rm")]
    Delete(Change),
    /// Sends files into an instance, and fetches them.
    #[command(subcommand)]
    File(FileCommand),
    /// Shows what happens at the servers, as it happens.
    Events {
        /// At which clouds. Default: all.
        clouds: Vec<String>,
        /// Operations too.
        #[arg(long)]
        operations: bool,
    },
    /// Has a server trust this node, by a token from `lxc config trust add` there. The token is read from a file, from the
    /// configuration, from LXD_TRUST_TOKEN or from the standard input, and never from the arguments.
    Trust {
        /// Which.
        cloud: String,
        /// A file with the token.
        #[arg(long, value_name = "FILE")]
        token_from: Option<PathBuf>,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Exec {
    /// The instance, such as berlin:c1.
    pub(crate) instance: String,
    /// The command and its arguments.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) command: Vec<String>,
    /// A variable of the command's environment.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) env: Vec<String>,
    /// The folder to run in.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) cwd: Option<String>,
    /// The user to run as, by number.
    #[arg(long, value_name = "UID")]
    pub(crate) user: Option<u32>,
    /// The group to run as, by number.
    #[arg(long, value_name = "GID")]
    pub(crate) group: Option<u32>,
    /// Read nothing: the command finds its input at its end. For a loop that reads the same input, such as `while read`.
    #[arg(short = 'n', long)]
    pub(crate) disable_stdin: bool,
    /// With a terminal. Default: when this command has one.
    #[arg(short = 't', long, visible_alias = "force-interactive", conflicts_with = "no_terminal")]
    pub(crate) terminal: bool,
    /// Without a terminal.
    #[arg(short = 'T', long, visible_alias = "force-noninteractive")]
    pub(crate) no_terminal: bool,
    /// With or without a terminal, in the words of `lxc exec`.
    #[arg(long, value_enum, default_value = "auto", conflicts_with_all = ["terminal", "no_terminal"])]
    pub(crate) mode: Mode,
}

/// Whether a command has a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Mode {
    /// When this command has one.
    Auto,
    /// It has.
    Interactive,
    /// It has none.
    NonInteractive,
}

impl Exec {
    /// Whether the command gets a terminal, where this one is on one or not.
    pub(crate) fn wants_terminal(&self, here: bool) -> bool {
        match self.mode {
            Mode::Interactive => true,
            Mode::NonInteractive => false,
            // Nobody could type on one without an input.
            Mode::Auto => self.terminal || here && !self.no_terminal && !self.disable_stdin,
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Change {
    /// The instances, such as berlin:c1.
    #[arg(required = true)]
    pub(crate) instances: Vec<String>,
    /// By force: without asking what runs in them.
    #[arg(short, long)]
    pub(crate) force: bool,
    /// How many seconds an instance gets to stop by itself.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub(crate) timeout: u64,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Launch {
    /// The image: an alias or a fingerprint at the server; with --from, an alias at that server.
    pub(crate) image: String,
    /// The new instance, such as berlin:c1.
    pub(crate) instance: String,
    /// A server of images that the cloud fetches from, by its own network.
    #[arg(long, value_name = "URL")]
    pub(crate) from: Option<String>,
    /// What the server of images speaks.
    #[arg(long, default_value = "simplestreams", value_parser = ["simplestreams", "lxd", "incus"])]
    pub(crate) protocol: String,
    /// A profile.
    #[arg(short, long)]
    pub(crate) profile: Vec<String>,
    /// A setting of the instance.
    #[arg(short = 'c', long = "set", value_name = "KEY=VALUE")]
    pub(crate) settings: Vec<String>,
    /// To be deleted when it stops.
    #[arg(short, long)]
    pub(crate) ephemeral: bool,
    /// A virtual machine.
    #[arg(long)]
    pub(crate) vm: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FileCommand {
    /// Sends files and folders.
    Push {
        /// The files and folders here, and then where to: berlin:c1/PATH. What goes to a folder goes into it, under its own
        /// name. A source of - is the standard input.
        #[arg(required = true, num_args = 2..)]
        paths: Vec<String>,
        /// The owner there, by number.
        #[arg(long, requires = "gid")]
        uid: Option<u32>,
        /// The group there, by number.
        #[arg(long, requires = "uid")]
        gid: Option<u32>,
    },
    /// Fetches a file or folder.
    Pull {
        /// Which: berlin:c1/PATH.
        source: String,
        /// Where to. What goes to a folder goes into it, under its own name. - is the standard output.
        target: PathBuf,
    },
    /// Deletes a file or an empty folder: berlin:c1/PATH.
    Delete {
        /// Which.
        path: String,
    },
}
