//! `lxd network acl`.

use std::process::ExitCode;

use anyhow::Context;
use clap::ValueEnum;
use serde_json::Value;

use crate::actions::objects::{self, ACL, Fields, Settings};
use crate::cli::exit::usage;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::lxd::instances::pairs::settings_or_input;
use crate::cli::lxd::objects::lists::{self, Columns, Projects, column};
use crate::cli::lxd::objects::names::{AclName, Names};
use crate::cli::lxd::objects::usual::{self, Create, Rename, Usual, done};
use crate::cli::lxd::sessions::show_log;
use crate::cli::output::Out;

/// The verbs of ACLs.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum AclCommand {
    /// Lists the ACLs of all clouds.
    #[command(visible_alias = "ls")]
    List(Projects),
    #[command(flatten)]
    Usual(Usual<AclName>),
    /// Creates an ACL, by the YAML on the standard input where that is no terminal.
    Create(Create<AclName>),
    /// Gives an ACL another name.
    #[command(visible_alias = "mv")]
    Rename(Rename<AclName>),
    /// Works with the rules of an ACL.
    #[command(subcommand)]
    Rule(RuleCommand),
    /// Prints what the rules with the state logged have seen.
    ShowLog(AclName),
}

/// The verbs of an ACL's rules.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum RuleCommand {
    /// Adds a rule to an ACL.
    Add {
        #[command(flatten)]
        rule: Rule,
    },
    /// Removes a rule from an ACL.
    #[command(visible_alias = "rm")]
    Remove {
        #[command(flatten)]
        rule: Rule,
        /// All that match.
        #[arg(long)]
        force: bool,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Rule {
    #[command(flatten)]
    acl: AclName,
    /// For what comes or for what goes.
    direction: Direction,
    /// The parts of the rule, such as action=allow source=192.0.2.0/24.
    #[arg(required = true, value_name = "KEY=VALUE")]
    parts: Vec<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Direction {
    /// For what comes.
    Ingress,
    /// For what goes.
    Egress,
}

/// What a rule has.
const PARTS: [&str; 10] = [
    "action",
    "state",
    "description",
    "source",
    "destination",
    "protocol",
    "source_port",
    "destination_port",
    "icmp_type",
    "icmp_code",
];

const COLUMNS: &Columns = &[column::NAME, column::DESCRIPTION, column::USED_BY];

pub(super) async fn run(command: &AclCommand, fleet: &Fleet, out: &Out) -> anyhow::Result<ExitCode> {
    match command {
        AclCommand::List(of) => lists::list_in_projects(fleet, &ACL, of, COLUMNS, out).await,
        AclCommand::Usual(verb) => usual::usual(fleet, verb, out).await,
        AclCommand::Create(create) => usual::create(fleet, create).await,
        AclCommand::Rename(rename) => usual::rename(fleet, rename).await,
        AclCommand::Rule(RuleCommand::Add { rule }) => {
            let object = rule.acl.object(fleet).await?;
            let mut parts = rule.parts().await?;
            parts.entry("state".to_owned()).or_insert_with(|| "enabled".to_owned());
            let parts: Fields = parts.into_iter().map(|(key, value)| (key, value.into())).collect();
            done(&rule.acl, async |job| objects::add_item(&object, rule.list(), parts, job).await).await
        }
        AclCommand::Rule(RuleCommand::Remove { rule, force }) => {
            let object = rule.acl.object(fleet).await?;
            let parts = rule.parts().await?;
            let fits = |rule: &Value| {
                parts.iter().all(|(key, value)| rule[key].as_str().unwrap_or_default() == value)
            };
            done(&rule.acl, async |job| {
                objects::remove_items(&object, rule.list(), "rules", *force, fits, job).await
            })
            .await
        }
        AclCommand::ShowLog(acl) => {
            let (client, name) = acl.client(fleet).await?;
            let log = client.network_acl(name).log().await.with_context(|| acl.first().to_owned())?;
            show_log(log).await.with_context(|| acl.first().to_owned())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

impl Rule {
    /// The ACL's list of rules for this direction.
    fn list(&self) -> &'static str {
        match self.direction {
            Direction::Ingress => "ingress",
            Direction::Egress => "egress",
        }
    }

    async fn parts(&self) -> anyhow::Result<Settings> {
        let parts = settings_or_input(&self.parts).await?;
        match parts.keys().find(|key| !PARTS.contains(&key.as_str())) {
            None => Ok(parts),
            Some(key) => Err(usage(format!("a rule has no {key:?}: it has {}", PARTS.join(", ")))),
        }
    }
}
