//! The built page, which is part of the program. Its sources are in the folder `web`.
//!
//! A debug build reads the files of the checkout when they are asked for, so that a change of the page needs no compiler.

use std::borrow::Cow;

use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "web/dist"]
struct Built;

/// The document that loads all else.
const INDEX: &str = "index.html";

/// Where the document wants the nonce of its answer, and the number of its build.
const NONCE: &str = "{{nonce}}";
const BUILD: &str = "{{build}}";

/// A file of the page. Its name changes whenever its content does.
#[derive(Debug)]
pub(crate) struct Asset {
    pub(crate) content: Cow<'static, [u8]>,
    pub(crate) content_type: &'static str,
    /// What tells this content from any other.
    pub(crate) tag: String,
}

/// The asset of that name, such as `main-ABCD.js`.
pub(crate) fn asset(name: &str) -> Option<Asset> {
    let file = Built::get(&format!("assets/{name}"))?;
    Some(Asset { content_type: content_type(name)?, tag: number(&file), content: file.data })
}

/// The document, for an answer with that nonce.
pub(crate) fn index(nonce: &str) -> Option<String> {
    let file = Built::get(INDEX)?;
    let text = String::from_utf8_lossy(&file.data);
    Some(text.replace(NONCE, nonce).replace(BUILD, &number(&file)))
}

/// The number of the page's build: a page that has another one is to be loaded anew. It names all assets by their content.
pub(crate) fn build() -> String {
    Built::get(INDEX).map(|file| number(&file)).unwrap_or_default()
}

fn number(file: &EmbeddedFile) -> String {
    file.metadata.sha256_hash()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn content_type(name: &str) -> Option<&'static str> {
    Some(match name.rsplit_once('.')?.1 {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_built_asset_is_served_and_the_document_names_only_those() {
        let names: Vec<String> = Built::iter().map(String::from).collect();
        let assets: Vec<&str> = names.iter().filter_map(|name| name.strip_prefix("assets/")).collect();
        assert!(!assets.is_empty(), "{names:?}");
        for name in &assets {
            assert!(asset(name).is_some(), "{name}");
        }
        let document = index("n0nce").unwrap();
        assert!(document.contains(r#"nonce="n0nce""#) && document.contains(&build()), "{document}");
        for (_, rest) in
            document.match_indices("/assets/").map(|(at, found)| document.split_at(at + found.len()))
        {
            let name = rest.split('"').next().unwrap();
            assert!(assets.contains(&name), "{name}");
        }
        assert!(asset("../index.html").is_none() && asset("missing.js").is_none());
    }
}
