//! The contract of the API: each answer that a test gets is as `kolaboree.openapi.json` has it.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use crate::api::Answer;

/// The document of the repository, whose schemas allow only what they name.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/kolaboree.openapi.json"));
    let mut document = serde_json::from_str(text).unwrap();
    close(&mut document);
    document
});

/// Forbids properties that an object does not name.
fn close(document: &mut Value) {
    let mut parts = Vec::new();
    collect_parts(document, &mut parts);
    close_but(document, &parts);
}

/// The schemas that are a part of another one (`allOf`): each names only some of the properties, so it stays open.
fn collect_parts(value: &Value, parts: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            let all = object.get("allOf").and_then(Value::as_array);
            parts
                .extend(all.into_iter().flatten().filter_map(|part| Some(part["$ref"].as_str()?.to_owned())));
            object.values().for_each(|value| collect_parts(value, parts));
        }
        Value::Array(values) => values.iter().for_each(|value| collect_parts(value, parts)),
        _ => {}
    }
}

fn close_but(value: &mut Value, parts: &[String]) {
    match value {
        Value::Object(object) => {
            for (name, value) in object.iter_mut().filter(|(name, _)| *name != "allOf") {
                if !parts.iter().any(|part| part.ends_with(&format!("/schemas/{name}"))) {
                    close_but(value, parts);
                }
            }
            if object.get("properties").is_some_and(Value::is_object) || object.contains_key("allOf") {
                object.entry("unevaluatedProperties").or_insert(json!(false));
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| close_but(value, parts)),
        _ => {}
    }
}

/// The operations of the path in the document that is that of a URL.
fn operations(url: &str) -> Option<&'static Map<String, Value>> {
    let path = url.split_once("://").map_or(url, |(_, rest)| &rest[rest.find('/').unwrap_or(rest.len())..]);
    let path: Vec<_> = path.split(['?', '#']).next()?.split('/').collect();
    let is_it = |template: &str| {
        let parts: Vec<_> = template.split('/').collect();
        parts.len() == path.len()
            && parts.iter().zip(&path).all(|(part, given)| part.starts_with('{') || part == given)
    };
    // A path of words comes before one with a name in it.
    let found = DOCUMENT["paths"].as_object()?.iter().filter(|(template, _)| is_it(template));
    found.min_by_key(|(template, _)| template.matches('{').count())?.1.as_object()
}

/// Fails the test where the answer is not what the document says of this method and URL.
#[track_caller]
pub(crate) fn keeps(method: &str, url: &str, answer: &Answer) {
    let Some(operation) = operations(url).and_then(|all| all.get(&method.to_ascii_lowercase())) else {
        // The page, and requests that are refused because there is no such thing.
        return;
    };
    let responses = &operation["responses"];
    let kind = answer.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default();
    let described = responses.get(answer.status.to_string()).or_else(|| {
        let is_refusal = answer.status >= 400 && kind == "application/problem+json";
        is_refusal.then(|| &responses["default"])
    });
    let described = described.unwrap_or_else(|| {
        panic!("{method} {url} answers {} as {kind:?}, which the document does not say", answer.status)
    });
    let Some(content) = described.get("content").and_then(Value::as_object) else {
        assert!(
            answer.body.is_empty(),
            "{method} {url} has a body, which the document does not say: {answer:?}"
        );
        return;
    };
    let Some(content) = content.get(kind) else {
        panic!("{method} {url} answers {} as {kind:?}, which the document does not say", answer.status)
    };
    let (true, Some(schema)) = (kind.ends_with("json"), content.get("schema")) else { return };
    let mut whole = json!({"components": DOCUMENT["components"]});
    whole.as_object_mut().unwrap().extend(schema.as_object().unwrap().clone());
    let validator = jsonschema::draft202012::new(&whole).unwrap();
    let (value, mut told) = (answer.json(), String::new());
    for error in validator.iter_errors(&value) {
        told += &format!("\n{}: {error}", error.instance_path());
    }
    assert!(told.is_empty(), "{method} {url} answers otherwise than the document says:{told}\n{value}");
}
