//! Flags over environment over file over default, and where each value came from.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lxd_client::{Fingerprint, TrustToken};
use serde::Serialize;

use super::check::Listen;
use super::file::{self, File, WayIn};
use super::yaml::{self, Step};
use super::{
    CloudConfig, Config, ConfigError, Environment, ExitNode, InvalidExitNode, KeySource, LogFormat, Problem,
    Trust,
};
use super::{beside, check, extra_args, group, lasting, names, remedies, text};

/// The file that is read where no other is named, if it is there.
const DEFAULT_FILE: &str = "kolaboree.yaml";

/// In which order the settings are shown, before the clouds.
const ORDER: [&str; 21] = [
    "hostname",
    "state_dir",
    "control_url",
    "auth key",
    "client secret",
    "client_id",
    "id token",
    "tags",
    "accept_routes",
    "exit_node",
    "ephemeral",
    "auth_once",
    "join_timeout",
    "connect_timeout",
    "grace_timeout",
    "interval",
    "log.format",
    "local.listen",
    "local.hosts",
    "local.socks5",
    "local.http_proxy",
];

/// What the command line says of the configuration.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Configuration")]
#[non_exhaustive]
pub struct Flags {
    /// The configuration. Default: kolaboree.yaml, where that is there.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Variables that the environment has not, such as TAILSCALE_AUTH_KEY.
    #[arg(long, global = true, default_value = ".env", value_name = "FILE")]
    pub env_file: PathBuf,
    /// Where the node keeps its identity.
    #[arg(long, global = true, value_name = "FOLDER")]
    pub state_dir: Option<PathBuf>,
    /// The name the node asks for.
    #[arg(long, global = true, value_name = "NAME", value_parser = check::hostname)]
    pub hostname: Option<String>,
    /// The control server. Default: Tailscale's.
    #[arg(long, global = true, value_name = "URL", value_parser = check::control_url)]
    pub control_url: Option<http::Uri>,
    /// A file that holds the auth key.
    #[arg(long, global = true, value_name = "FILE")]
    pub auth_key_file: Option<PathBuf>,
    /// An ACL tag to ask for, tag:NAME; may be given several times.
    #[arg(long = "tag", global = true, value_name = "TAG", value_parser = check::tag)]
    pub tags: Vec<String>,
    /// Whether to use the subnet routes that other nodes offer.
    #[arg(long, global = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub accept_routes: Option<bool>,
    /// The node through which everything outside the tailnet goes. Default: none.
    #[arg(long, global = true, value_name = "NODE")]
    pub exit_node: Option<ExitNode>,
    /// The address of /healthz, /readyz and /metrics, or none. Default: 127.0.0.1:9002.
    #[arg(long, global = true, value_name = "ADDRESS", value_parser = check::parse_listen_or_none)]
    pub local_listen: Option<Listen>,
    /// The address of a SOCKS5 proxy into the tailnet.
    #[arg(long, global = true, value_name = "ADDRESS", value_parser = check::listen)]
    pub socks5: Option<SocketAddr>,
    /// The address of an HTTP proxy into the tailnet.
    #[arg(long, global = true, value_name = "ADDRESS", value_parser = check::listen)]
    pub http_proxy: Option<SocketAddr>,
    /// How the log is written.
    #[arg(long, global = true, value_enum)]
    pub log_format: Option<LogFormat>,
}

/// A configuration with where it came from.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Loaded {
    /// What is to be done.
    pub config: Config,
    /// Each value, for people, without secrets.
    pub settings: Vec<Setting>,
    /// What is allowed, and probably not meant.
    pub warnings: Vec<String>,
}

/// A value and where it came from.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Setting {
    /// The key, as in the file.
    pub key: String,
    /// The value, `[redacted]` where it is secret.
    pub value: String,
    /// Where it came from.
    pub source: Source,
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "from")]
#[non_exhaustive]
pub enum Source {
    /// Nobody said anything.
    Default,
    /// The file.
    File {
        /// Which.
        path: String,
        /// In which line.
        line: Option<usize>,
    },
    /// The environment, or the `.env` file.
    Environment {
        /// The variable.
        name: String,
        /// The `.env` file, when it is there.
        file: Option<String>,
        /// In which line of it.
        line: Option<usize>,
    },
    /// The command line.
    Flag {
        /// Which flag.
        name: String,
    },
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Default => f.write_str("default"),
            Source::File { path, line: Some(line) } => write!(f, "{path}:{line}"),
            Source::File { path, line: None } => f.write_str(path),
            Source::Environment { name, file: Some(file), line: Some(line) } => {
                write!(f, "{name} in {file}:{line}")
            }
            Source::Environment { name, file: Some(file), line: None } => write!(f, "{name} in {file}"),
            Source::Environment { name, file: None, .. } => write!(f, "{name} in the environment"),
            Source::Flag { name } => write!(f, "--{name}"),
        }
    }
}

impl Config {
    /// Reads `.env` and the configuration, with the process's environment and the flags over them.
    ///
    /// This waits for the disk.
    ///
    /// # Errors
    /// When something cannot be read, or is wrong or unknown.
    pub fn load(flags: &Flags) -> Result<Loaded, ConfigError> {
        Config::load_with(flags, &Environment::load(&flags.env_file)?)
    }

    /// As [`load`](Config::load), with an environment of the caller's.
    ///
    /// # Errors
    /// As [`load`](Config::load).
    pub fn load_with(flags: &Flags, environment: &Environment) -> Result<Loaded, ConfigError> {
        let (environment, mut refused) = extra_args::expand(environment);
        refused.extend(names::refused(&environment));
        if !refused.is_empty() {
            return Err(ConfigError::Problems(refused));
        }
        let named = flags.config.clone().or_else(|| environment.get("KOLABOREE_CONFIG").map(PathBuf::from));
        let (path, text) = read(named)?;
        let name = path.display().to_string();
        let file = File::parse(&name, &text)?;
        let mut layers = Layers {
            environment: &environment,
            path: &path,
            text: &text,
            settings: Vec::new(),
            problems: Vec::new(),
        };
        let config = layers.merge(flags, file)?;
        let Layers { mut settings, problems, .. } = layers;
        settings.sort_by_key(|s| ORDER.iter().position(|key| *key == s.key).unwrap_or(ORDER.len()));
        if !problems.is_empty() {
            return Err(ConfigError::Problems(problems));
        }
        let mut warnings = warnings(&config);
        let (file, lines) = environment.passed_over();
        warnings.extend(
            lines.iter().map(|line| format!("{file}:{line}: the line is passed over: it cannot be read")),
        );
        if text.is_empty() && !path.exists() {
            warnings.insert(0, format!("there is no {DEFAULT_FILE} here: no cloud is configured"));
        }
        Ok(Loaded { config, settings, warnings })
    }
}

/// The file that is named, or the default one; no text where that is not there.
fn read(named: Option<PathBuf>) -> Result<(PathBuf, String), ConfigError> {
    let optional = named.is_none();
    let path = named.unwrap_or_else(|| DEFAULT_FILE.into());
    match text::read(&path) {
        Ok(text) => Ok((path, text)),
        Err(e) if optional && e.kind() == io::ErrorKind::NotFound => Ok((path, String::new())),
        Err(source) => Err(ConfigError::Read { path: path.display().to_string(), source }),
    }
}

/// What is allowed, and probably not meant.
fn warnings(config: &Config) -> Vec<String> {
    let mut warnings = Vec::new();
    let clouds = config.clouds.iter().map(|c| (format!("proxy.listen of {}", c.name), c.proxy_listen));
    let local = [
        ("local.listen", config.listen),
        ("local.socks5", config.socks5),
        ("local.http_proxy", config.http_proxy),
    ];
    let local = local.into_iter().map(|(name, address)| (name.to_owned(), address));
    for (name, address) in local.chain(clouds) {
        if let Some(address) = address.filter(|a| !a.ip().is_loopback()) {
            warnings.push(format!("{name} is {address}: other machines can reach it, without any identity"));
        }
    }
    // An ephemeral node comes anew each time anyway.
    if let Some(why) = lasting::trouble(&config.state_dir)
        && !config.ephemeral
        && config.key != KeySource::None
    {
        warnings.push(format!(
            "the state in {} will not last: {why}; then the node comes back as a new one, and needs a key that can be \
             used again: put state_dir on a volume, or give ephemeral: true",
            config.state_dir.display()
        ));
    }
    for cloud in config.clouds.iter().filter(|cloud| cloud.proxy_unix.is_some()) {
        if cloud.proxy_mode & 0o006 != 0 {
            warnings.push(format!(
                "proxy.mode of {} is {:04o}: everybody on this machine can act there as this node",
                cloud.name, cloud.proxy_mode
            ));
        }
    }
    warnings
}

pub(super) struct Layers<'a> {
    pub(super) environment: &'a Environment,
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
    pub(super) settings: Vec<Setting>,
    pub(super) problems: Vec<Problem>,
}

impl Layers<'_> {
    fn merge(&mut self, flags: &Flags, file: File) -> Result<Config, ConfigError> {
        let path = |text: &str| Ok::<_, String>(PathBuf::from(text));
        let show = |path: &PathBuf| path.display().to_string();
        let hostname = self.env("TS_HOSTNAME", "hostname", check::hostname);
        let hostname = self.pick("hostname", flags.hostname.clone(), hostname, file.hostname, String::clone);
        let state_dir = file.state_dir.map(|p| beside(self.path, &p));
        let in_environment = self.env("TS_STATE_DIR", "state_dir", path);
        let state_dir = self.pick("state_dir", flags.state_dir.clone(), in_environment, state_dir, show);
        let state_dir = match state_dir {
            Some(dir) => dir,
            None => self.default_state_dir()?,
        };
        let defaults = Config::new(state_dir);
        let url = self.env("KOLABOREE_CONTROL_URL", "control_url", check::control_url);
        let control_url =
            self.pick("control_url", flags.control_url.clone(), url, file.control_url, ToString::to_string);
        if control_url.is_none() {
            self.default_is("control_url", "Tailscale's");
        }
        let way = WayIn {
            auth_key: file.auth_key_file,
            client_secret: file.client_secret_file,
            client_id: file.client_id,
            id_token: file.id_token_file,
        };
        let key = self.way_in(flags, way)?;
        let given = (!flags.tags.is_empty()).then(|| flags.tags.clone());
        let tags = self.env("KOLABOREE_TAGS", "tags", check::tags);
        let tags = self.pick("tags", given, tags, file.tags, |tags| tags.join(" ")).unwrap_or_default();
        self.tags_for(&key, &tags);
        let routes = self.env("TS_ACCEPT_ROUTES", "accept_routes", check::truth);
        let accept_routes =
            self.pick("accept_routes", flags.accept_routes, routes, file.accept_routes, bool::to_string);
        let exit_node = self.env("KOLABOREE_EXIT_NODE", "exit_node", |text| {
            text.parse().map_err(|e: InvalidExitNode| e.to_string())
        });
        let exit_node =
            self.pick("exit_node", flags.exit_node.clone(), exit_node, file.exit_node, ExitNode::to_string);
        if exit_node.is_none() {
            self.default_is("exit_node", "none");
        }
        let ephemeral = self.env("KOLABOREE_EPHEMERAL", "ephemeral", check::truth);
        let ephemeral = self.pick("ephemeral", None, ephemeral, file.ephemeral, bool::to_string);
        let auth_once = self.env("TS_AUTH_ONCE", "auth_once", check::truth);
        let auth_once = self.pick("auth_once", None, auth_once, None, bool::to_string);
        let seconds = |d: &Duration| d.as_secs_f64().to_string();
        let join_timeout = self.env("TS_BOOT_TIMEOUT", "join_timeout", check::duration);
        let join_timeout = self.pick("join_timeout", None, join_timeout, file.join_timeout, seconds);
        let connect_timeout = self.pick("connect_timeout", None, None, file.connect_timeout, seconds);
        let grace_timeout = self.pick("grace_timeout", None, None, file.grace_timeout, seconds);
        let interval = self.pick("interval", None, None, file.interval, seconds);
        let format = self.env("KOLABOREE_LOG_FORMAT", "log.format", |text| {
            <LogFormat as clap::ValueEnum>::from_str(text, true).map_err(|_| format!("{text:?} is no format"))
        });
        let log_format =
            self.pick("log.format", flags.log_format, format, file.log.format, LogFormat::to_string);
        let address = SocketAddr::to_string;
        let listen = self.env("TS_LOCAL_ADDR_PORT", "local.listen", check::listen_or_none);
        let listen =
            listen.or_else(|| self.env("TS_HEALTHCHECK_ADDR_PORT", "local.listen", check::listen_or_none));
        let switched = self.health_and_metrics();
        let listen = self.pick(
            "local.listen",
            flags.local_listen.map(|listen| listen.0),
            listen,
            file.local.listen,
            |a| a.map_or("none".to_owned(), |a| a.to_string()),
        );
        let listen = match (listen, switched) {
            (None, Some((name, listen))) => {
                let shown = listen.map_or("none".to_owned(), |a| a.to_string());
                let source = self.environment_source(name);
                self.settings.push(Setting { key: "local.listen".to_owned(), value: shown, source });
                Some(listen)
            }
            (listen, _) => listen,
        };
        let hosts = self.pick("local.hosts", None, None, file.local.hosts, |hosts| hosts.join(" "));
        let socks5 = self.env("TS_SOCKS5_SERVER", "local.socks5", check::listen);
        let socks5 = self.pick("local.socks5", flags.socks5, socks5, file.local.socks5, address);
        let http = self.env("TS_OUTBOUND_HTTP_PROXY_LISTEN", "local.http_proxy", check::listen);
        let http_proxy =
            self.pick("local.http_proxy", flags.http_proxy, http, file.local.http_proxy, address);
        let interval = self.or_default("interval", interval, Duration::from_secs(30), seconds);
        let config = Config {
            hostname: self.or_default("hostname", hostname, defaults.hostname.clone(), String::clone),
            control_url,
            key,
            tags,
            exit_node,
            accept_routes: self.or_default("accept_routes", accept_routes, false, bool::to_string),
            ephemeral: self.or_default("ephemeral", ephemeral, false, bool::to_string),
            auth_once: auth_once.unwrap_or(defaults.auth_once),
            join_timeout: self.or_default("join_timeout", join_timeout, defaults.join_timeout, seconds),
            connect_timeout: self.or_default(
                "connect_timeout",
                connect_timeout,
                defaults.connect_timeout,
                seconds,
            ),
            grace_timeout: self.or_default("grace_timeout", grace_timeout, defaults.grace_timeout, seconds),
            log_format: self.or_default("log.format", log_format, LogFormat::Text, LogFormat::to_string),
            listen: self.or_default("local.listen", listen, Some(Config::LISTEN), |a| {
                a.map_or("none".to_owned(), |a| a.to_string())
            }),
            hosts: hosts.unwrap_or_default(),
            socks5,
            http_proxy,
            clouds: Vec::new(),
            ..defaults
        };
        let clouds = file.clouds.into_iter().enumerate();
        let clouds = clouds.filter_map(|(index, cloud)| self.cloud(index, cloud, interval)).collect();
        Ok(Config { clouds, ..config })
    }

    /// A variable's value, or a problem.
    fn env<T>(
        &mut self,
        name: &'static str,
        key: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<(&'static str, T)> {
        let text = self.environment.get(name)?;
        match parse(text) {
            Ok(value) => Some((name, value)),
            Err(message) => {
                let remedy = remedies::of(key).to_owned();
                self.problems.push(Problem::of_variable(self.environment, name, message, remedy));
                None
            }
        }
    }

    /// What Tailscale's image serves where one of its switches is given, and no address: on all addresses, or nowhere.
    fn health_and_metrics(&mut self) -> Option<(&'static str, Option<SocketAddr>)> {
        let switches = ["TS_ENABLE_HEALTH_CHECK", "TS_ENABLE_METRICS"];
        let [health, metrics] = switches.map(|name| self.env(name, "switch", check::truth));
        if let (Some((_, health)), Some((name, metrics))) = (health, metrics)
            && health != metrics
        {
            let message = "health and metrics are served together".to_owned();
            let remedy = "give both the same value; TS_LOCAL_ADDR_PORT says where, or none".to_owned();
            self.problems.push(Problem::of_variable(self.environment, name, message, remedy));
        }
        let all = SocketAddr::new(std::net::Ipv6Addr::UNSPECIFIED.into(), Config::LISTEN.port());
        health.or(metrics).map(|(name, on)| (name, on.then_some(all)))
    }

    /// The value of the highest layer that has one.
    fn pick<T>(
        &mut self,
        key: &'static str,
        flag: Option<T>,
        env: Option<(&'static str, T)>,
        file: Option<T>,
        show: impl Fn(&T) -> String,
    ) -> Option<T> {
        let (value, source) = if let Some(value) = flag {
            // --log-format, --socks5.
            let name = match key {
                "tags" => "tag".to_owned(),
                "local.listen" => "local-listen".to_owned(),
                key => key.trim_start_matches("local.").replace(['_', '.'], "-"),
            };
            (value, Source::Flag { name })
        } else if let Some((name, value)) = env {
            (value, self.environment_source(name))
        } else {
            let steps: Vec<Step<'_>> = key.split('.').map(Step::Key).collect();
            (file?, self.file_source(&steps))
        };
        self.settings.push(Setting { key: key.to_owned(), value: show(&value), source });
        Some(value)
    }

    fn or_default<T>(&mut self, key: &str, value: Option<T>, default: T, show: impl Fn(&T) -> String) -> T {
        value.unwrap_or_else(|| {
            self.default_is(key, &show(&default));
            default
        })
    }

    fn default_is(&mut self, key: &str, value: &str) {
        let (key, value) = (key.to_owned(), value.to_owned());
        self.settings.push(Setting { key, value, source: Source::Default });
    }

    pub(super) fn environment_source(&self, name: &str) -> Source {
        let file = self.environment.file_of(name).map(str::to_owned);
        Source::Environment {
            name: self.environment.written(name),
            file,
            line: self.environment.line_of(name),
        }
    }

    pub(super) fn file_source(&self, steps: &[Step<'_>]) -> Source {
        let line = yaml::place_of(self.text, steps).map(|place| place.line);
        Source::File { path: self.path.display().to_string(), line }
    }

    /// Where programs of this kind keep their state: systemd's folder for the service, or the user's.
    fn default_state_dir(&mut self) -> Result<PathBuf, ConfigError> {
        let get = |name: &str| self.environment.get(name).map(PathBuf::from);
        let home = get("HOME").filter(|home| home.is_absolute());
        let is_root = home.as_deref() == Some(Path::new("/root"));
        let dir = get("STATE_DIRECTORY")
            .or_else(|| is_root.then(|| PathBuf::from("/var/lib/kolaboree-node")))
            .or_else(|| get("XDG_STATE_HOME").map(|folder| folder.join("kolaboree-node")))
            .or_else(|| home.map(|home| home.join(".local/state/kolaboree-node")));
        let Some(dir) = dir else {
            return Err(ConfigError::Problems(vec![Problem {
                file: self.path.display().to_string(),
                place: None,
                path: "state_dir".to_owned(),
                message: "no state folder is given, and there is no home folder for one".to_owned(),
                remedy: remedies::of("state_dir").to_owned(),
            }]));
        };
        self.default_is("state_dir", &dir.display().to_string());
        Ok(dir)
    }

    fn cloud(&mut self, index: usize, cloud: file::Cloud, interval: Duration) -> Option<CloudConfig> {
        let trust = self.trust(index, &cloud.trust)?;
        let group = match cloud.proxy.group.as_deref().map(group::number_of) {
            Some(Err(message)) => return self.cloud_problem(index, ["proxy", "group"], message),
            Some(Ok(number)) => Some(number),
            None => None,
        };
        let mode = cloud.proxy.mode.unwrap_or(if group.is_some() { 0o660 } else { 0o600 });
        let at = |key: &'static str| [Step::Key("clouds"), Step::Index(index), Step::Key(key)];
        let shown = [
            ("kind", Some(cloud.kind.to_string())),
            ("address", Some(cloud.address.to_string())),
            ("project", cloud.project.clone()),
            ("required", Some(cloud.required.to_string())),
            ("trust.fingerprint", trust.fingerprint.map(|f| f.to_string())),
            ("trust.token", trust.token.as_ref().map(|_| "[redacted]".to_owned())),
            ("proxy.unix", cloud.proxy.unix.as_ref().map(|p| p.display().to_string())),
            ("proxy.mode", cloud.proxy.unix.as_ref().map(|_| format!("{mode:04o}"))),
            ("proxy.group", cloud.proxy.group.clone()),
            ("proxy.listen", cloud.proxy.listen.map(|a| a.to_string())),
        ];
        for (key, value) in shown {
            let Some(value) = value else { continue };
            let steps: Vec<Step<'_>> = [Step::Key("clouds"), Step::Index(index)]
                .into_iter()
                .chain(key.split('.').map(Step::Key))
                .collect();
            let source = match self.file_source(&steps) {
                Source::File { line: None, .. } if key.starts_with("trust.") => {
                    self.file_source(&at("trust"))
                }
                Source::File { line: None, .. } => Source::Default,
                source => source,
            };
            self.settings.push(Setting { key: format!("clouds.{}.{key}", cloud.name), value, source });
        }
        let unix = cloud.proxy.unix.map(|p| beside(self.path, &p));
        Some(CloudConfig {
            project: cloud.project,
            required: cloud.required,
            trust,
            proxy_unix: unix,
            proxy_mode: mode,
            proxy_group: group,
            proxy_listen: cloud.proxy.listen,
            interval: cloud.checks.interval.unwrap_or(interval),
            timeout: cloud.checks.timeout.unwrap_or(Duration::from_secs(10)),
            silence: cloud.checks.silence.unwrap_or(Duration::from_secs(30)),
            ..CloudConfig::new(cloud.name, cloud.kind, cloud.address)
        })
    }

    /// Reads what the trust section names.
    fn trust(&mut self, index: usize, trust: &file::Trust) -> Option<Trust> {
        let mut result = Trust { fingerprint: trust.fingerprint, token: None };
        if let Some(path) = &trust.certificate {
            let read = text::read(&beside(self.path, path))
                .map_err(|e| format!("{} cannot be read: {e}", path.display()))
                .and_then(|pem| Fingerprint::of_pem(&pem).map_err(|e| format!("{}: {e}", path.display())));
            match read {
                Ok(fingerprint) => result.fingerprint = Some(fingerprint),
                Err(message) => return self.cloud_problem(index, ["trust", "certificate"], message),
            }
        }
        let Some(token) = &trust.token else { return Some(result) };
        let text = match token.strip_prefix("file:") {
            None => Ok(token.clone()),
            Some(path) => match text::read(&beside(self.path, Path::new(path))) {
                // A token works once, and its file is removed then: what was pinned stays.
                Err(_) if result.fingerprint.is_some() => return Some(result),
                read => read
                    .map_err(|e| format!("{path} cannot be read ({e}), and no fingerprint is given instead")),
            },
        };
        match text.and_then(|text| text.parse::<TrustToken>().map_err(|e| e.to_string())) {
            Ok(token) => {
                result.fingerprint.get_or_insert(token.fingerprint());
                result.token = Some(token);
                Some(result)
            }
            Err(message) => self.cloud_problem(index, ["trust", "token"], message),
        }
    }

    fn cloud_problem<T>(&mut self, index: usize, keys: [&'static str; 2], message: String) -> Option<T> {
        let steps = [Step::Key("clouds"), Step::Index(index), Step::Key(keys[0]), Step::Key(keys[1])];
        let path = check::written(&steps);
        let remedy = remedies::of(&path).to_owned();
        let place = yaml::place_of(self.text, &steps).map(|p| (p.line, p.column));
        self.problems.push(Problem { file: self.path.display().to_string(), place, path, message, remedy });
        None
    }
}
