//! The rules that Go checks, too: both sides are tested with one table.

use super::check;

#[test]
fn a_text_is_accepted_or_refused_as_the_table_of_rules_says() {
    let table = include_str!("../../vendor/libtailscale/testdata/rules.json");
    let rules: serde_json::Value = serde_json::from_str(table).unwrap();
    for (rule, texts) in rules.as_object().unwrap() {
        let is_accepted = |text: &str| match rule.as_str() {
            "hostname" => check::hostname(text).is_ok(),
            "tag" => check::tag(text).is_ok(),
            "control_url" => check::control_url(text).is_ok(),
            other => panic!("nothing here checks {other}"),
        };
        for (list, accepted) in [("accepted", true), ("refused", false)] {
            for text in texts[list].as_array().unwrap() {
                let text = text.as_str().unwrap();
                assert_eq!(is_accepted(text), accepted, "{rule} {text:?}");
            }
        }
    }
}
