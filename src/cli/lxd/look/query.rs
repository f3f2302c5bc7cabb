//! `lxd query`: any request to a server.

use std::process::ExitCode;

use anyhow::Context;
use lxd_client::http::Method;
use serde_json::Value;

use crate::cli::exit::usage;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::output::{Format, Out, write};

#[derive(Debug, clap::Args)]
pub(crate) struct Query {
    /// The path of an endpoint, such as berlin:/1.0/instances.
    #[arg(value_name = "CLOUD:PATH")]
    path: String,
    /// The method.
    #[arg(short = 'X', long, default_value = "GET", value_parser = method)]
    request: Method,
    /// What is sent, as JSON; what is no JSON is sent as a text.
    #[arg(short, long)]
    data: Option<String>,
    /// Wait for the end of the operation that it begins.
    #[arg(long)]
    wait: bool,
    /// Print the whole answer.
    #[arg(long)]
    raw: bool,
}

fn method(text: &str) -> Result<Method, String> {
    text.to_uppercase().parse().map_err(|_| "it is no method of HTTP".to_owned())
}

pub(super) async fn query(fleet: &Fleet, options: &Query, out: &Out) -> anyhow::Result<ExitCode> {
    // A path may have a colon of its own.
    let (cloud, path) = match options.path.split_once(":/") {
        Some((cloud, path)) if !cloud.contains('/') => (fleet.with_api(cloud)?, format!("/{path}")),
        _ => match options.path.strip_prefix('/') {
            Some(_) => (fleet.place("")?.0, options.path.clone()),
            None => return Err(usage(format!("{:?} has no path: write CLOUD:/1.0/…", options.path))),
        },
    };
    let client = fleet.client(cloud).await?;
    let mut request = client.request(options.request.clone(), path.as_str());
    if path.contains("project=") || path.contains("all-projects=") || !path.starts_with("/1.0/") {
        request = request.unscoped();
    }
    if let Some(data) = &options.data {
        let data: Value = serde_json::from_str(data).unwrap_or_else(|_| Value::String(data.clone()));
        request = request.json(&data);
    }
    let mut answer = request.envelope().await.with_context(|| options.path.clone())?;
    if options.wait && answer["type"] == "async" {
        let id = answer["metadata"]["id"].as_str().unwrap_or_default();
        let ended = client.operation(id).wait().await.with_context(|| options.path.clone())?;
        answer =
            serde_json::json!({"type": "sync", "status": "Success", "status_code": 200, "metadata": ended});
    }
    let value = if options.raw { answer } else { answer["metadata"].take() };
    match out.format {
        Format::Yaml => out.print(&value, String::new)?,
        _ if value.is_null() => {}
        _ => write(&(with_tabs(&value)? + "\n"))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// JSON as `lxc query` prints it.
fn with_tabs(value: &Value) -> serde_json::Result<String> {
    use serde::Serialize;
    let mut text = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"\t");
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut text, formatter))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
