//! `doctor`: prints what the checks found.

use std::process::ExitCode;

use serde_json::json;

use super::args::{Args, Doctor};
use super::output::{Colour, Out};
use crate::doctor::{Findings, Outcome, examine};

pub(super) async fn run(options: &Doctor, args: &Args, out: &Out) -> anyhow::Result<ExitCode> {
    let findings = examine(&args.flags, &options.clouds).await;
    let value = json!({"ok": !findings.failed(), "findings": findings.list});
    out.print(&value, || text(&findings, out))?;
    Ok(if findings.failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn text(findings: &Findings, out: &Out) -> String {
    let mut text = String::new();
    for finding in &findings.list {
        let (colour, word) = match finding.result {
            Outcome::Pass => (Colour::Green, "pass"),
            Outcome::Warn => (Colour::Yellow, "warn"),
            Outcome::Fail => (Colour::Red, "FAIL"),
        };
        text += &format!("{}  {}: {}\n", out.paint(colour, word), finding.area, finding.message);
        if !finding.remedy.is_empty() {
            text += &format!("      do: {}\n", finding.remedy);
        }
    }
    let count = |outcome| findings.list.iter().filter(|f| f.result == outcome).count();
    text + &format!(
        "{} passed, {} warned, {} failed\n",
        count(Outcome::Pass),
        count(Outcome::Warn),
        count(Outcome::Fail)
    )
}
