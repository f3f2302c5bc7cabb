//! `access`: shows who may do what, and why.

use std::fmt::Write;

use super::super::args::{AccessCommand, Explain};
use super::super::output::{Colour, Format, Out, Table};
use crate::config::Config;
use crate::control::protocol::{AccessList, Caller, ExplainRequest, Explanation};
use crate::uplink::running;

pub(super) async fn run(config: &Config, command: &AccessCommand, out: &Out) -> anyhow::Result<()> {
    let node = running(config).await?;
    match command {
        AccessCommand::List => list(&node.access().await?, out)?,
        AccessCommand::Explain(Explain { peer, verb, cloud, project }) => {
            let (peer, cloud, project) = (peer.clone(), cloud.clone(), project.clone());
            let asked = ExplainRequest { peer, verb: *verb, cloud, project };
            let explained = node.explain(&asked).await?;
            out.print(&explained, || {
                explained.iter().map(|one| explanation(one, &asked, out)).collect::<Vec<_>>().join("\n")
            })?;
        }
    }
    Ok(())
}

fn list(list: &AccessList, out: &Out) -> std::io::Result<()> {
    let mut nodes = Table::new(&["NODE", "ADDRESS", "WHO", "VERBS", "CLOUDS", "PROJECTS"]);
    for caller in &list.callers {
        let who = [caller.node.name.clone(), caller.address.to_string(), who(caller)];
        let grants = caller.rights.grants();
        for grant in grants {
            let what = [grant.verbs.to_string(), grant.clouds.to_string(), grant.projects.to_string()];
            nodes.row(who.iter().cloned().chain(what));
        }
        if grants.is_empty() {
            nodes.row(who.into_iter().chain([
                out.paint(Colour::Yellow, "none"),
                String::new(),
                String::new(),
            ]));
        }
    }
    if out.format == Format::Csv {
        return out.list(list, &nodes, "");
    }
    let mut rules = Table::new(&["WHO", "VERBS", "CLOUDS", "PROJECTS"]);
    for rule in &list.rules {
        let who: Vec<String> = rule.who.iter().map(ToString::to_string).collect();
        let grant = &rule.grant;
        rules.row([
            who.join(" "),
            grant.verbs.to_string(),
            grant.clouds.to_string(),
            grant.projects.to_string(),
        ]);
    }
    out.print(list, || {
        let mut text = String::new();
        if !list.enabled {
            text += "the configuration has no tailnet: so nothing is served to anybody\n";
        }
        let _ = match rules.is_empty() {
            true => writeln!(text, "no rule in the configuration"),
            false => writeln!(text, "rules of the configuration:\n{rules}"),
        };
        let _ = match nodes.is_empty() {
            true => writeln!(text, "no other node is online"),
            false => {
                writeln!(text, "nodes that are online, by these rules and the tailnet's policy:\n{nodes}")
            }
        };
        for unknown in &list.unknown {
            let _ = writeln!(text, "not known: {unknown}");
        }
        text.trim_end().to_owned() + "\n"
    })
}

/// The user, or the tags.
fn who(caller: &Caller) -> String {
    match &caller.user {
        Some(user) => user.login.clone(),
        None => caller.tags.join(" "),
    }
}

fn explanation(explained: &Explanation, asked: &ExplainRequest, out: &Out) -> String {
    let Explanation { caller, given, void, passed_over, refused, missing, .. } = explained;
    let mut text = format!(
        "{} ({}, {}): {}, {}\n",
        caller.node.name,
        caller.address,
        caller.node.id,
        caller.kind,
        who(caller)
    );
    if given.is_empty() {
        let _ = writeln!(text, "  may: {}", out.paint(Colour::Yellow, "nothing"));
    }
    for given in given {
        let _ = writeln!(text, "  may: {} (by {})", given.grant, given.by);
    }
    for void in void {
        let _ = writeln!(text, "  gives nothing: {}, in the tailnet's policy: {}", void.entry, void.why);
    }
    for why in passed_over {
        let _ = writeln!(text, "  does not count: {why}");
    }
    if !given.is_empty() && !refused.is_empty() {
        let place = |name: &Option<String>, all: &str| name.clone().unwrap_or_else(|| all.to_owned());
        let (cloud, project) = (place(&asked.cloud, "each cloud"), place(&asked.project, "each project"));
        let verbs: Vec<String> = refused.iter().map(ToString::to_string).collect();
        let _ = writeln!(text, "  may not in {cloud}, {project}: {}", verbs.join(" "));
    }
    if let Some(missing) = missing {
        let _ = writeln!(text, "  missing: {}", missing.grant);
        let _ = writeln!(text, "\nin the tailnet's policy:\n{}", missing.policy_text());
        let _ = write!(text, "\nor in kolaboree.yaml:\n{}", missing.file_text());
    }
    text
}
