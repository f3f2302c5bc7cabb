//! Keeps `kolaboree.schema.json` what the code reads.

use super::file::File;

#[test]
fn the_schema_in_the_repository_is_what_the_code_reads() {
    let schema = serde_json::to_string_pretty(&schemars::schema_for!(File)).unwrap() + "\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/kolaboree.schema.json");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(path, &schema).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap();
    assert_eq!(kept, schema, "UPDATE_SCHEMA=1 cargo test -p kolaboree-node --lib schema writes it anew");
}
