//! The clouds of the file, with what their keys name: a group, a certificate, a token.

use std::path::Path;
use std::time::Duration;

use lxd_client::{Fingerprint, TrustToken};

use super::keys::{self, CLOUD_KEYS};
use super::layers::Layers;
use super::places::{Step, written};
use super::{CloudConfig, Problem, Setting, Source, Trust, beside, file, group, text};

impl Layers<'_> {
    /// A cloud, unless something that it names cannot be read.
    pub(super) fn cloud(
        &mut self,
        index: usize,
        written: &file::Cloud,
        interval: Duration,
    ) -> Option<CloudConfig> {
        let trust = self.trust(index, &written.trust)?;
        let group = match written.proxy.group.as_deref().map(group::number_of) {
            Some(Err(message)) => return self.cloud_problem(index, "proxy.group", message),
            Some(Ok(number)) => Some(number),
            None => None,
        };
        let mode = written.proxy.mode.unwrap_or(if group.is_some() { 0o660 } else { 0o600 });
        let config = CloudConfig {
            project: written.project.clone(),
            required: written.required,
            trust,
            proxy_unix: written.proxy.unix.as_deref().map(|path| beside(self.path, path)),
            proxy_mode: mode,
            proxy_group: group,
            proxy_listen: written.proxy.listen,
            interval: written.checks.interval.unwrap_or(interval),
            timeout: written.checks.timeout.unwrap_or(Duration::from_secs(10)),
            silence: written.checks.silence.unwrap_or(Duration::from_secs(30)),
            ..CloudConfig::new(written.name.clone(), written.kind, written.address.clone())
        };
        for key in &CLOUD_KEYS {
            let Some(value) = key.show.and_then(|show| show(&config, written)) else { continue };
            let source = self.cloud_source(index, key.name);
            self.settings.push(Setting {
                key: format!("clouds.{}.{}", config.name, key.name),
                value,
                source,
            });
        }
        Some(config)
    }

    fn cloud_source(&self, index: usize, key: &str) -> Source {
        let at = |key: &str| self.file_source(&path_in_cloud(index, key));
        match at(key) {
            // A certificate's or a token's fingerprint.
            Source::File { line: None, .. } if key.starts_with("trust.") => at("trust"),
            Source::File { line: None, .. } => Source::Default,
            source => source,
        }
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
                Err(message) => return self.cloud_problem(index, "trust.certificate", message),
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
            Err(message) => self.cloud_problem(index, "trust.token", message),
        }
    }

    fn cloud_problem<T>(&mut self, index: usize, key: &str, message: String) -> Option<T> {
        let path = path_in_cloud(index, key);
        let place = self.document.place_of(&path).map(|p| (p.line, p.column));
        let path = written(&path);
        let remedy = keys::remedy_of(&path).to_owned();
        self.problems.push(Problem { file: self.path.display().to_string(), place, path, message, remedy });
        None
    }
}

/// The path of a key such as `trust.token` of one of the clouds.
pub(super) fn path_in_cloud(index: usize, key: &str) -> Vec<Step> {
    ["clouds".into(), index.into()].into_iter().chain(key.split('.').map(Step::from)).collect()
}
