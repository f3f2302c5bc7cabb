//! `lxd image list`: the images of all clouds.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::Context;
use lxd_client::Image;
use regex::Regex;
use serde_json::{Value, json};

use super::clouds_and_filters;
use super::info::{self, time};
use crate::cli::exit::{Failure, usage};
use crate::cli::lxd::fleet::Fleet;
use crate::cli::lxd::words;
use crate::cli::output::{Out, Table, report};
use crate::config::CloudConfig;

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// The clouds, as berlin:, where it is not to be all; and filters: KEY=VALUE for a property, or a part of an alias or
    /// fingerprint.
    #[arg(value_name = "CLOUD:|FILTER")]
    what: Vec<String>,
    /// The columns: l shortest alias, L all aliases, f short fingerprint, F fingerprint, p public, d description,
    /// a architecture, t type, s size, u upload date, c cloud, e project.
    #[arg(short, long, default_value = "clfpdatsu")]
    columns: String,
    /// Of all projects.
    #[arg(long)]
    all_projects: bool,
}

/// A column: its letter, its head, and what is in it.
type Column = (char, &'static str, fn(&str, &Image) -> String);

const COLUMNS: [Column; 12] = [
    ('c', "CLOUD", |cloud, _| cloud.to_owned()),
    ('e', "PROJECT", |_, image| {
        image.rest.get("project").and_then(Value::as_str).unwrap_or_default().to_owned()
    }),
    ('l', "ALIAS", |_, image| shortest(image)),
    ('L', "ALIASES", |_, image| aliases(image).join(" ")),
    ('f', "FINGERPRINT", |_, image| info::short(&image.fingerprint).to_owned()),
    ('F', "FINGERPRINT", |_, image| image.fingerprint.clone()),
    ('p', "PUBLIC", |_, image| if image.public { "yes" } else { "no" }.to_owned()),
    ('d', "DESCRIPTION", |_, image| image.properties.get("description").cloned().unwrap_or_default()),
    ('a', "ARCHITECTURE", |_, image| image.architecture.clone()),
    ('t', "TYPE", |_, image| image.kind.to_uppercase()),
    ('s', "SIZE", |_, image| info::size(image.size)),
    ('u', "UPLOAD DATE", |_, image| words::long_minute(time(image, "uploaded_at"))),
];

pub(super) async fn list(fleet: &Fleet, options: &List, out: &Out) -> anyhow::Result<ExitCode> {
    let columns = columns(&options.columns)?;
    let (names, filters) = clouds_and_filters(fleet, &options.what)?;
    let filters: Vec<Filter> = filters.into_iter().map(Filter::parse).collect();
    let clouds = fleet.clouds(&names)?;
    let answers = clouds.iter().map(|cloud| images(fleet, cloud, options.all_projects));
    let answers = futures_util::future::join_all(answers).await;
    let mut values = Vec::new();
    let heads: Vec<&str> = columns.iter().map(|(_, head, _)| *head).collect();
    let mut table = Table::new(&heads);
    let mut first_failure = None;
    for (cloud, answer) in clouds.iter().zip(answers) {
        match answer.with_context(|| cloud.name.clone()) {
            Ok(mut images) => {
                images.retain(|image| filters.iter().all(|filter| filter.fits(image)));
                images.sort_by_cached_key(|image| (shortest(image), image.fingerprint.clone()));
                for image in images {
                    table.row(columns.iter().map(|(_, _, cell)| cell(&cloud.name, &image)));
                    values.push(value(cloud, &image)?);
                }
            }
            // The others are shown all the same.
            Err(error) => {
                let failure = Failure::of(&error);
                report(&failure);
                first_failure.get_or_insert(failure.code);
            }
        }
    }
    if !values.is_empty() || first_failure.is_none() {
        out.list(&values, &table, "no images")?;
    }
    Ok(first_failure.map_or(ExitCode::SUCCESS, ExitCode::from))
}

async fn images(fleet: &Fleet, cloud: &CloudConfig, all_projects: bool) -> anyhow::Result<Vec<Image>> {
    let client = fleet.client(cloud).await?;
    if !all_projects {
        return Ok(client.images().await?);
    }
    if client.server().await?.has_extension("images_all_projects") {
        return Ok(client.images().all_projects().await?);
    }
    // Older servers list them one by one.
    let projects = client.projects().await?;
    let each = projects.iter().map(async |project| {
        let mut images: Vec<Image> = client.project(&project.name).images().await?;
        for image in &mut images {
            image.rest.entry("project").or_insert_with(|| project.name.clone().into());
        }
        // One that uses the images of the default project lists those.
        let own =
            project.name == "default" || project.config.get("features.images").is_some_and(|v| v == "true");
        Ok::<_, lxd_client::Error>(if own { images } else { Vec::new() })
    });
    Ok(futures_util::future::try_join_all(each).await?.concat())
}

/// What a server says of it, with the cloud.
fn value(cloud: &CloudConfig, image: &Image) -> anyhow::Result<Value> {
    let mut value = serde_json::to_value(image)?;
    value["cloud"] = cloud.name.clone().into();
    value["aliases"] = image
        .aliases
        .iter()
        .map(|alias| json!({"name": alias.name, "description": alias.description}))
        .collect();
    Ok(value)
}

fn columns(letters: &str) -> anyhow::Result<Vec<&'static Column>> {
    let letters = letters.chars().filter(|letter| *letter != ',');
    let column = |letter| COLUMNS.iter().find(|(known, ..)| *known == letter);
    letters
        .map(|letter| {
            column(letter).ok_or_else(|| usage(format!("there is no column {letter:?}; see --help")))
        })
        .collect()
}

fn aliases(image: &Image) -> Vec<&str> {
    image.aliases.iter().map(|alias| alias.name.as_str()).collect()
}

/// The shortest alias, and how many more there are.
fn shortest(image: &Image) -> String {
    let Some(shortest) = aliases(image).into_iter().min_by_key(|name| name.len()) else {
        return String::new();
    };
    match image.aliases.len() {
        1 => shortest.to_owned(),
        more => format!("{shortest} ({} more)", more - 1),
    }
}

/// One condition for an image, as `lxc image list` has them.
enum Filter {
    /// A part of an alias or of the fingerprint.
    Part(String),
    /// A property, of which each part may be shortened, with a value that is an expression; or a field.
    Property { key: String, value: String, pattern: Option<Regex> },
}

impl Filter {
    fn parse(text: &str) -> Filter {
        let Some((key, value)) = text.split_once('=') else { return Filter::Part(text.to_owned()) };
        let anchored = if value.contains(['^', '$']) { value.to_owned() } else { format!("^(?:{value})$") };
        Filter::Property { key: key.to_owned(), value: value.to_owned(), pattern: Regex::new(&anchored).ok() }
    }

    fn fits(&self, image: &Image) -> bool {
        match self {
            Filter::Part(part) => {
                image.fingerprint.contains(part)
                    || image.aliases.iter().any(|alias| alias.name.contains(part))
            }
            Filter::Property { key, value, pattern } => {
                let matched =
                    |found: &str| pattern.as_ref().map_or(found == value, |pattern| pattern.is_match(found));
                property(&image.properties, key).any(matched)
                    || field(image, key).is_some_and(|found| found == *value)
            }
        }
    }
}

/// The properties that a key stands for: `o` is short for `os`.
fn property<'a>(all: &'a BTreeMap<String, String>, key: &str) -> impl Iterator<Item = &'a str> {
    let parts: Vec<String> = key.split('.').map(str::to_owned).collect();
    all.iter().filter_map(move |(full, value)| {
        let full: Vec<&str> = full.split('.').collect();
        let fits =
            full.len() == parts.len() && full.iter().zip(&parts).all(|(full, part)| full.starts_with(part));
        fits.then_some(value.as_str())
    })
}

/// A field of the image itself, such as `type`.
fn field(image: &Image, key: &str) -> Option<String> {
    Some(match key {
        "architecture" => image.architecture.clone(),
        "type" => image.kind.clone(),
        "fingerprint" => image.fingerprint.clone(),
        "public" => image.public.to_string(),
        "auto_update" => image.auto_update.to_string(),
        "size" => image.size.to_string(),
        other => match image.rest.get(other)? {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image() -> Image {
        let json = json!({
            "fingerprint": "d52ac81e04ae", "type": "container", "architecture": "x86_64", "public": true, "cached": false,
            "properties": {"os": "Debian", "user.kind.x": "a"}, "aliases": [{"name": "debian/12"}, {"name": "d"}],
        });
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn filters_are_those_of_lxc() {
        for (filter, fits) in [
            ("deb", true),
            ("2ac", true),
            ("nothing", false),
            ("os=Debian", true),
            ("o=Debian", true),
            ("os=Deb", false),
            ("os=^Deb", true),
            ("os=Deb.*", true),
            ("os=[", false),
            ("u.k.x=a", true),
            ("user.kind=a", false),
            ("type=container", true),
            ("type=virtual-machine", false),
            ("public=true", true),
            ("cached=true", false),
        ] {
            assert_eq!(Filter::parse(filter).fits(&image()), fits, "{filter}");
        }
    }

    #[test]
    fn columns_are_chosen_by_letters() {
        let heads =
            |letters| columns(letters).map(|all| all.iter().map(|(_, head, _)| *head).collect::<Vec<_>>());
        assert_eq!(heads("l,f").unwrap(), ["ALIAS", "FINGERPRINT"]);
        assert!(heads("lX").unwrap_err().to_string().contains("'X'"));
        assert_eq!(shortest(&image()), "d (1 more)");
    }
}
