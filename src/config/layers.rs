//! Flags over environment over file over default.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::file::File;
use super::keys::{self, KEYS, Key};
use super::places::Step;
use super::yaml::Document;
use super::{
    Config, ConfigError, Environment, Flags, InvalidExitNode, LogFormat, Problem, Setting, Source, beside,
    check,
};

/// The layers while they are merged, with the problems so far.
pub(super) struct Layers<'a> {
    pub(super) environment: &'a Environment,
    pub(super) path: &'a Path,
    pub(super) document: &'a Document,
    /// Where the keys' values come from; those that are not in it have their default.
    sources: HashMap<&'static str, Source>,
    /// Values that the table of keys does not show: credentials, the interval, clouds.
    pub(super) settings: Vec<Setting>,
    pub(super) problems: Vec<Problem>,
}

impl<'a> Layers<'a> {
    pub(super) fn new(environment: &'a Environment, path: &'a Path, document: &'a Document) -> Layers<'a> {
        let (sources, settings, problems) = (HashMap::new(), Vec::new(), Vec::new());
        Layers { environment, path, document, sources, settings, problems }
    }

    /// The configuration and its values for people, or everything that is wrong.
    pub(super) fn merge(mut self, flags: &Flags, file: File) -> Result<(Config, Vec<Setting>), ConfigError> {
        let flag = flags.clone();
        let hostname = self.pick("hostname", flag.hostname, file.hostname.clone(), check::hostname);
        let state_dir = file.state_dir.as_deref().map(|path| beside(self.path, path));
        let state_dir = self.pick("state_dir", flag.state_dir, state_dir, |text| Ok(PathBuf::from(text)));
        let defaults = Config::new(match state_dir {
            Some(folder) => folder,
            None => self.default_state_dir()?,
        });
        let control_url =
            self.pick("control_url", flag.control_url, file.control_url.clone(), check::control_url);
        let key = self.credentials(flags, &file)?;
        let tags = Some(flag.tags).filter(|tags| !tags.is_empty());
        let tags = self.pick("tags", tags, file.tags, check::tags).unwrap_or_default();
        self.tags_for(&key, &tags);
        let accept_routes = self.pick("accept_routes", flag.accept_routes, file.accept_routes, check::truth);
        let exit_node = self.pick("exit_node", flag.exit_node, file.exit_node, |text| {
            text.parse().map_err(|e: InvalidExitNode| e.to_string())
        });
        let ephemeral = self.pick("ephemeral", None, file.ephemeral, check::truth);
        let auth_once = self.pick("auth_once", None, None, check::truth);
        let join_timeout = self.pick("join_timeout", None, file.join_timeout, check::duration);
        let connect_timeout = self.pick("connect_timeout", None, file.connect_timeout, check::duration);
        let grace_timeout = self.pick("grace_timeout", None, file.grace_timeout, check::duration);
        let interval = self.interval(file.interval);
        let log_format = self.pick("log.format", flag.log_format, file.log.format, |text| {
            <LogFormat as clap::ValueEnum>::from_str(text, true).map_err(|_| format!("{text:?} is no format"))
        });
        let listen = flag.local_listen.map(|listen| listen.0);
        let listen = self.pick("local.listen", listen, file.local.listen, check::listen_or_none);
        let switched = self.health_and_metrics(listen.is_some());
        let hosts = self.of_file("local.hosts", file.local.hosts);
        let socks5 = self.pick("local.socks5", flag.socks5, file.local.socks5, check::listen);
        let http_proxy = self.pick("local.http_proxy", flag.http_proxy, file.local.http_proxy, check::listen);
        let tailnet = file.tailnet.map(|written| self.tailnet(written));
        let clouds = file.clouds.iter().enumerate();
        let clouds = clouds.filter_map(|(index, cloud)| self.cloud(index, cloud, interval)).collect();
        let config = Config {
            hostname: hostname.unwrap_or(defaults.hostname),
            control_url,
            key,
            tags,
            accept_routes: accept_routes.unwrap_or(defaults.accept_routes),
            exit_node,
            ephemeral: ephemeral.unwrap_or(defaults.ephemeral),
            auth_once: auth_once.unwrap_or(defaults.auth_once),
            join_timeout: join_timeout.unwrap_or(defaults.join_timeout),
            connect_timeout: connect_timeout.unwrap_or(defaults.connect_timeout),
            grace_timeout: grace_timeout.unwrap_or(defaults.grace_timeout),
            log_format: log_format.unwrap_or(defaults.log_format),
            listen: listen.or(switched).unwrap_or(Some(Config::LISTEN)),
            hosts: hosts.unwrap_or(defaults.hosts),
            socks5,
            http_proxy,
            tailnet,
            clouds,
            ..defaults
        };
        if !self.problems.is_empty() {
            return Err(ConfigError::Problems(self.problems));
        }
        let settings = self.shown(&config);
        Ok((config, settings))
    }

    /// The value of the highest layer that has one.
    fn pick<T>(
        &mut self,
        name: &'static str,
        flag: Option<T>,
        file: Option<T>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let key = keys::of(name).expect("a row for each key, as a test checks");
        let variable = key.variables.iter().find_map(|name| {
            let value = self.variable(name, key.remedy, &parse)?;
            Some((value, self.environment_source(name)))
        });
        let flag = flag.map(|value| (value, Source::Flag { name: key.flag.unwrap_or(key.name).to_owned() }));
        let (value, source) = flag.or(variable).or_else(|| {
            let path: Vec<Step> = name.split('.').map(Step::from).collect();
            Some((file?, self.file_source(&path)))
        })?;
        self.sources.insert(name, source);
        Some(value)
    }

    /// The value of a key that the file alone gives.
    pub(super) fn of_file<T>(&mut self, name: &'static str, file: Option<T>) -> Option<T> {
        self.pick(name, None, file, |_| Err("no variable gives this".to_owned()))
    }

    /// A variable's value, or a problem.
    fn variable<T>(
        &mut self,
        name: &str,
        remedy: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let parsed = parse(self.environment.get(name)?);
        let problem = |message| Problem::of_variable(self.environment, name, message, remedy.to_owned());
        parsed.map_err(|message| self.problems.push(problem(message))).ok()
    }

    /// How long lies between two probes of a cloud that says nothing else.
    fn interval(&mut self, file: Option<Duration>) -> Duration {
        let interval = self.pick("interval", None, file, check::duration);
        let source = self.sources.remove("interval").unwrap_or(Source::Default);
        let interval = interval.unwrap_or(Duration::from_secs(30));
        self.show("interval", keys::seconds(interval), source);
        interval
    }

    /// Health and metrics as Tailscale's image serves them if one of its switches is given and no address: on all addresses, or
    /// nowhere.
    fn health_and_metrics(&mut self, has_address: bool) -> Option<Option<SocketAddr>> {
        let switches = ["TS_ENABLE_HEALTH_CHECK", "TS_ENABLE_METRICS"];
        let [health, metrics] =
            switches.map(|name| Some((name, self.variable(name, keys::TRUTH, check::truth)?)));
        if let (Some((_, health)), Some((name, metrics))) = (health, metrics)
            && health != metrics
        {
            let message = "health and metrics are served together".to_owned();
            let remedy = "give both the same value; TS_LOCAL_ADDR_PORT says where, or none".to_owned();
            self.problems.push(Problem::of_variable(self.environment, name, message, remedy));
        }
        let (name, on) = health.or(metrics).filter(|_| !has_address)?;
        self.sources.insert("local.listen", self.environment_source(name));
        let all = SocketAddr::new(std::net::Ipv6Addr::UNSPECIFIED.into(), Config::LISTEN.port());
        Some(on.then_some(all))
    }

    /// The values in the order of the table of keys, and then the clouds'.
    fn shown(mut self, config: &Config) -> Vec<Setting> {
        let mut shown = Vec::new();
        for Key { name, label, show, shows_default, .. } in &KEYS {
            let source = self.sources.remove(name);
            match show {
                Some(show) if source.is_some() || *shows_default => {
                    let source = source.unwrap_or(Source::Default);
                    shown.push(Setting { key: (*label).to_owned(), value: show(config), source });
                }
                Some(_) => {}
                None => shown.extend(self.settings.extract_if(.., |setting| is_at(label, &setting.key))),
            }
        }
        shown.append(&mut self.settings);
        shown
    }

    pub(super) fn show(&mut self, key: &str, value: String, source: Source) {
        self.settings.push(Setting { key: key.to_owned(), value, source });
    }

    pub(super) fn environment_source(&self, name: &str) -> Source {
        let file = self.environment.file_of(name).map(str::to_owned);
        Source::Environment {
            name: self.environment.written(name),
            file,
            line: self.environment.line_of(name),
        }
    }

    pub(super) fn file_source(&self, path: &[Step]) -> Source {
        let line = self.document.place_of(path).map(|place| place.line);
        Source::File { path: self.path.display().to_string(), line }
    }

    /// Where programs of this kind keep their state: systemd's folder for the service, or the user's.
    fn default_state_dir(&self) -> Result<PathBuf, ConfigError> {
        let get = |name: &str| self.environment.get(name).map(PathBuf::from);
        let home = get("HOME").filter(|home| home.is_absolute());
        let is_root = home.as_deref() == Some(Path::new("/root"));
        get("STATE_DIRECTORY")
            .or_else(|| is_root.then(|| PathBuf::from("/var/lib/kolaboree-node")))
            .or_else(|| get("XDG_STATE_HOME").map(|folder| folder.join("kolaboree-node")))
            .or_else(|| home.map(|home| home.join(".local/state/kolaboree-node")))
            .ok_or_else(|| {
                ConfigError::Problems(vec![Problem {
                    file: self.path.display().to_string(),
                    place: None,
                    path: "state_dir".to_owned(),
                    message: "no state folder is given, and there is no home folder for one".to_owned(),
                    remedy: keys::remedy_of("state_dir").to_owned(),
                }])
            })
    }
}

/// Whether a key is the one of the label, or an item of it.
fn is_at(label: &str, key: &str) -> bool {
    key.strip_prefix(label).is_some_and(|rest| rest.is_empty() || rest.starts_with('['))
}
