//! `config`: shows the configuration that is in force, checks it, and prints its schema.

use std::process::ExitCode;

use serde_json::json;

use super::args::{Args, ConfigCommand};
use super::output::{Format, Out, Table, report};
use crate::config::{Config, ConfigError, SCHEMA};

pub(super) fn run(command: &ConfigCommand, args: &Args, out: &Out) -> anyhow::Result<ExitCode> {
    match command {
        ConfigCommand::Schema => {
            print!("{SCHEMA}");
            Ok(ExitCode::SUCCESS)
        }
        ConfigCommand::Show => {
            let loaded = Config::load(&args.flags)?;
            out.print(&loaded.settings, || {
                let mut table = Table::new(&["SETTING", "VALUE", "FROM"]);
                for setting in &loaded.settings {
                    table.row([setting.key.clone(), setting.value.clone(), setting.source.to_string()]);
                }
                table.to_string()
            })?;
            for warning in &loaded.warnings {
                report(&format!("warning: {warning}"));
            }
            Ok(ExitCode::SUCCESS)
        }
        ConfigCommand::Check => check(args, out),
    }
}

fn check(args: &Args, out: &Out) -> anyhow::Result<ExitCode> {
    // A key that is in a file is looked at too.
    let loaded = Config::load(&args.flags).and_then(|loaded| {
        loaded.config.key.read()?;
        Ok(loaded)
    });
    match loaded {
        Ok(loaded) => {
            let clouds = loaded.config.clouds.len();
            let result = json!({"ok": true, "clouds": clouds, "problems": [], "warnings": loaded.warnings});
            out.print(&result, || {
                let mut text: String = loaded.warnings.iter().map(|w| format!("warning: {w}\n")).collect();
                text += &format!("the configuration is right; clouds: {clouds}\n");
                text
            })?;
            Ok(ExitCode::SUCCESS)
        }
        Err(ConfigError::Problems(problems)) if out.format != Format::Table => {
            out.print(&json!({"ok": false, "problems": problems, "warnings": []}), String::new)?;
            Ok(ExitCode::from(2))
        }
        Err(error) => Err(error.into()),
    }
}
