//! Checks what needs no network: configuration, key, state folder.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::Findings;
use crate::config::{
    Config, ConfigError, EnvironmentError, Flags, Key, KeySource, Loaded, Secret, Setting, Source,
};
use crate::node::has_identity;

const KEY: &str = "auth key";
const STATE: &str = "state folder";

pub(super) fn configuration(findings: &mut Findings, flags: &Flags) -> Option<Loaded> {
    let area = "configuration";
    match Config::load(flags) {
        Ok(loaded) => {
            let clouds: Vec<&str> = loaded.config.clouds.iter().map(|cloud| cloud.name.as_str()).collect();
            findings.pass(area, format!("it is well-formed; clouds: {}", or_none(&clouds.join(" "))));
            for warning in &loaded.warnings {
                findings.warn(
                    area,
                    warning.clone(),
                    "kolaboree-node config show tells where each value is from",
                );
            }
            Some(loaded)
        }
        Err(ConfigError::Problems(problems)) => {
            for problem in problems {
                let place =
                    problem.place.map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default();
                let message = format!("{}{place}: {} {}", problem.file, problem.path, problem.message);
                findings.fail(area, message, problem.remedy);
            }
            None
        }
        Err(ConfigError::Key(error)) => {
            findings.fail(KEY, error.to_string(), error.remedy());
            None
        }
        Err(ConfigError::Environment(error @ EnvironmentError::Malformed { .. })) => {
            findings.fail(
                area,
                error.to_string(),
                "write NAME=value; docker compose could not read the line either",
            );
            None
        }
        Err(error) => {
            findings.fail(area, error.to_string(), "check the path, and that this user may read the file");
            None
        }
    }
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { "none" } else { text }
}

/// Checks that the key is there, has the right form, and that nobody else can read it.
pub(super) fn key(findings: &mut Findings, config: &Config, settings: &[Setting]) {
    let identity = has_identity(&config.state_dir);
    match config.key.read() {
        Ok(None) if identity => {
            findings.pass(KEY, "there is none, and the identity in the state folder needs none")
        }
        Ok(None) => findings.warn(
            KEY,
            "there is none: a person would have to log the node in",
            "put TAILSCALE_AUTH_KEY=tskey-auth-… into .env, or name a file with auth_key_file",
        ),
        Err(error) if identity => findings.warn(KEY, error.to_string(), error.remedy()),
        Err(error) => findings.fail(KEY, error.to_string(), error.remedy()),
        Ok(Some(Key::Auth(key))) if config.control_url.is_none() && !key.is_tailscale_auth_key() => findings
            .warn(
                KEY,
                "it does not begin with tskey-auth-",
                "copy the whole key; it is shown once, when it is made",
            ),
        Ok(Some(Key::ClientSecret(_))) if config.tags.is_empty() => findings.fail(
            KEY,
            "an OAuth client secret needs tags",
            "give tags: [tag:name] as the OAuth client has them",
        ),
        Ok(Some(Key::ClientSecret(_))) => findings.pass(KEY, "an OAuth client secret is there"),
        Ok(Some(Key::Workload { client_id, .. })) => {
            findings
                .pass(KEY, format!("the token of a workload identity is there, for the client {client_id}"));
        }
        Ok(Some(_)) => findings.pass(KEY, "it is there"),
    }
    // The file that holds the key: its own, or .env. Whoever provides a workload's token sets the mode of its file.
    let file = match &config.key {
        KeySource::AuthKey(secret) | KeySource::ClientSecret(secret) => match secret {
            Secret::File { path, .. } => Some(path.clone()),
            Secret::Value { name, .. } => settings.iter().find_map(|s| match &s.source {
                Source::Environment { name: of, file: Some(file), .. } if of == name => Some(file.into()),
                _ => None,
            }),
        },
        _ => None,
    };
    if let Some(file) = file {
        mode(findings, KEY, &file);
    }
}

fn mode(findings: &mut Findings, area: &str, path: &Path) {
    let Ok(there) = fs::metadata(path) else { return };
    let mode = there.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        let message = format!("{} has the mode {mode:o}: others may read it", path.display());
        findings.warn(area, message, format!("chmod {:o} {}", mode & 0o700, path.display()));
    }
}

pub(super) fn state_folder(findings: &mut Findings, config: &Config) {
    let folder = &config.state_dir;
    match fs::metadata(folder) {
        Ok(there) if !there.is_dir() => {
            findings.fail(STATE, format!("{} is no folder", folder.display()), "give another state_dir");
        }
        Ok(_) => {
            let probe = folder.join(format!(".doctor{}", std::process::id()));
            match fs::write(&probe, "") {
                Ok(()) => {
                    let _ = fs::remove_file(&probe);
                    let identity = if has_identity(folder) { "an identity" } else { "no identity yet" };
                    findings
                        .pass(STATE, format!("{} can be written to, and holds {identity}", folder.display()));
                    mode(findings, STATE, folder);
                }
                Err(error) => findings.fail(
                    STATE,
                    format!("{} cannot be written to: {error}", folder.display()),
                    "give this user the folder (chown), make room, or give another state_dir",
                ),
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            findings.pass(STATE, format!("{} will be made", folder.display()));
        }
        Err(error) => {
            findings.fail(STATE, format!("{}: {error}", folder.display()), "give another state_dir");
        }
    }
}
