//! `KEY=VALUE` arguments.

use std::io::Read;

use anyhow::Context;

use crate::actions::objects::Settings;
use crate::cli::exit::usage;
use crate::node::blocking;

/// The settings of arguments such as `limits.cpu=2`; also of the two arguments `limits.cpu 2`. The value `-` stands for the
/// standard input.
pub(super) async fn settings(arguments: &[String]) -> anyhow::Result<Settings> {
    let pairs: Vec<(&str, &str)> = match arguments {
        [key, value] if !key.contains('=') => vec![(key, value)],
        all => all.iter().map(|text| pair(text)).collect::<anyhow::Result<_>>()?,
    };
    let mut settings = Settings::new();
    for (key, value) in pairs {
        let value = if value == "-" { stdin().await? } else { value.to_owned() };
        settings.insert(key.to_owned(), value);
    }
    Ok(settings)
}

fn pair(text: &str) -> anyhow::Result<(&str, &str)> {
    text.split_once('=').ok_or_else(|| usage(format!("{text:?} is no setting: write KEY=VALUE")))
}

/// All of the standard input.
pub(super) async fn stdin() -> anyhow::Result<String> {
    let text = blocking(|| {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    });
    text.await.context("cannot read the standard input")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn settings_are_pairs_or_one_key_and_its_value() {
        let read = async |texts: &[&str]| {
            let texts: Vec<String> = texts.iter().map(|&text| text.to_owned()).collect();
            settings(&texts).await.map(|settings| format!("{settings:?}")).map_err(|e| e.to_string())
        };
        assert_eq!(read(&["a=1", "b=x=y", "c="]).await.unwrap(), r#"{"a": "1", "b": "x=y", "c": ""}"#);
        assert_eq!(read(&["a", "1=2"]).await.unwrap(), r#"{"a": "1=2"}"#);
        assert!(read(&["a"]).await.unwrap_err().contains("KEY=VALUE"));
        assert!(read(&["a=1", "b"]).await.unwrap_err().contains("\"b\" is no setting"));
    }
}
