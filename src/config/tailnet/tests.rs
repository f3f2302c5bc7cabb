//! The section in whole files, right and wrong.

use super::{Confirm, Development};
use crate::config::tests::load;
use crate::config::{Config, ConfigError, Loaded, Names, Principal, Verb};

fn loaded(tailnet: &str) -> Loaded {
    load(&format!("state_dir: /s\ntailnet:\n{tailnet}clouds:\n  - {{name: berlin, address: 'a:1'}}\n"), &[])
        .unwrap()
}

#[test]
fn there_is_no_page_unless_the_file_says_so() {
    assert_eq!(load("state_dir: s\n", &[]).unwrap().config.tailnet, None);
    assert_eq!(load("state_dir: s\ntailnet:\n", &[]).unwrap().config.tailnet, None);
}

#[test]
fn the_whole_section_is_understood_and_shown() {
    let loaded = loaded(
        "  listen: 80\n  tls: 443\n  service: svc:kolaboree\n  hosts: [clouds.example.com]\n  access:\n\
         \x20   - {who: [user:alice@example.com, tag:ops], clouds: [berlin], projects: [web], verbs: [view, operate]}\n\
         \x20   - {who: ['user:*'], clouds: ['*'], projects: ['*'], verbs: [view]}\n\
         \x20 links: {grafana: 'https://grafana.example/d/1?var-name={instance}&cloud={cloud}'}\n  confirm: [delete, stop]\n\
         \x20 development: {listen: '127.0.0.1:8080', user: dev@example.com, verbs: [view]}\n",
    );
    let tailnet = loaded.config.tailnet.as_ref().unwrap();
    assert_eq!(
        (tailnet.listen, tailnet.tls, tailnet.service.as_deref()),
        (Some(80), Some(443), Some("svc:kolaboree"))
    );
    let [first, second] = &tailnet.access[..] else { panic!("{tailnet:?}") };
    let alice = Principal::User("alice@example.com".to_owned());
    assert_eq!(first.who, [alice, Principal::Tag("tag:ops".to_owned())]);
    assert_eq!(first.grant.clouds, Names::Only(vec!["berlin".to_owned()]));
    assert!(first.grant.verbs.contains(Verb::Operate) && !first.grant.verbs.contains(Verb::Exec));
    assert_eq!((&second.who[..], &second.grant.clouds), (&[Principal::AnyUser][..], &Names::All));
    assert_eq!(tailnet.confirm, [Confirm::Delete, Confirm::Stop]);
    let development = tailnet.development.as_ref().unwrap();
    assert_eq!(
        (development.grant.verbs.iter().collect(), &development.grant.projects),
        (vec![Verb::View], &Names::All)
    );
    let shown: Vec<(&str, &str, String)> = loaded
        .settings
        .iter()
        .filter(|setting| setting.key.starts_with("tailnet"))
        .map(|setting| (&*setting.key, &*setting.value, setting.source.to_string()))
        .collect();
    let lines: Vec<&str> = shown.iter().map(|(.., from)| from.rsplit_once(':').unwrap().1).collect();
    assert_eq!(lines, ["3", "4", "5", "6", "8", "9", "10", "11", "12"], "{shown:?}");
    assert_eq!(shown[4].0, "tailnet.access[0]");
    assert_eq!(shown[4].1, "user:alice@example.com tag:ops: view operate; clouds: berlin; projects: web");
    assert_eq!(shown[8].1, "127.0.0.1:8080 as dev@example.com: view; clouds: *; projects: *");
}

#[test]
fn what_is_probably_not_meant_is_warned_of() {
    let warned = loaded(
        "  listen: 80\n  service: svc:a\n  access: [{who: ['user:*'], clouds: [berlni], projects: ['*'], verbs: [view]}]\n\
         \x20 development: {listen: '[::1]:8080', user: dev}\n",
    )
    .warnings
    .join("\n");
    for part in
        ["acts as dev", "svc:a, which a node with tags", "tailnet.access[0].clouds: no cloud is named berlni"]
    {
        assert!(warned.contains(part), "{part}: {warned}");
    }
}

#[test]
fn each_wrong_value_is_told_with_its_line_and_what_to_do() {
    let access =
        |text: &str| format!("listen: 80\n  access:\n    - who: [user:a]\n      clouds: [a]\n{text}");
    let development = |text: &str| format!("listen: 80\n  development:\n{text}");
    let cases: Vec<(String, usize, &str)> = vec![
        ("listen: 0".into(), 2, "from 1 to 65535"),
        ("listen: 65536".into(), 2, "from 1 to 65535"),
        ("tls: https".into(), 2, "from 1 to 65535"),
        ("listen: 80\n  tls: 80".into(), 3, "that listen has not"),
        ("hosts: [a]".into(), 2, "listen or tls"),
        ("listen: 80\n  funnel: true".into(), 3, "known here are"),
        ("listen: 80\n  servcie: svc:a".into(), 3, "write service"),
        ("service: svc:a".into(), 2, "listen: 80 or tls: 443 beside it"),
        ("listen: 80\n  service: kolaboree".into(), 3, "svc:kolaboree"),
        ("listen: 80\n  service: svc:A".into(), 3, "svc:kolaboree"),
        ("listen: 80\n  hosts: ['a:80']".into(), 3, "without ports"),
        ("listen: 80\n  access: user:a".into(), 3, "each item has who:"),
        (
            "listen: 80\n  access:\n    - {who: [user:a], clouds: [a], projects: [a]}".into(),
            4,
            "each item has who:",
        ),
        (
            "listen: 80\n  access:\n    - {who: [], clouds: [a], projects: [a], verbs: [view]}".into(),
            4,
            "name users",
        ),
        (
            "listen: 80\n  access:\n    - {who: [alice], clouds: [a], projects: [a], verbs: [view]}".into(),
            4,
            "name users",
        ),
        (
            "listen: 80\n  access:\n    - {who: [group:a], clouds: [a], projects: [a], verbs: [view]}".into(),
            4,
            "name users",
        ),
        (access("      projects: [a]\n      verbs: [root]"), 7, "list of view, operate"),
        (access("      projects: [a]\n      verbs: []"), 7, "list of view, operate"),
        (access("      projects: []\n      verbs: [view]"), 6, "names of projects"),
        (access("      projects: [a]\n      verbs: [view]\n      cloud: b"), 8, "write clouds"),
        (access("      projects:\n        - a\n        - b*\n      verbs: [view]"), 8, "names of projects"),
        (access("      projects: [*]\n      verbs: [view]"), 6, "begins with *"),
        ("listen: 80\n  links: {grafana: grafana.example}".into(), 3, "links: {grafana:"),
        ("listen: 80\n  links: {grafana: 'https://a/{host}'}".into(), 3, "links: {grafana:"),
        ("listen: 80\n  confirm: [explode]".into(), 3, "confirm: [delete, stop]"),
        (development("    listen: 0.0.0.0:8080\n    user: a"), 4, "loopback"),
        (development("    listen: ':8080'\n    user: a"), 4, "loopback"),
        (development("    listen: 100.64.0.1:8080\n    user: a"), 4, "loopback"),
        (development("    listen: localhost:8080"), 4, "listen and user"),
        (development("    listen: localhost:8080\n    user: '*'"), 5, "a login name"),
        (development("    listen: localhost:1\n    user: a\nlocal:\n  listen: 127.0.0.1:1"), 4, "loopback"),
    ];
    for (text, line, remedy) in cases {
        let text = format!("tailnet:\n  {text}\nstate_dir: s\n");
        let problems = match load(&text, &[]) {
            Err(ConfigError::Problems(problems)) => problems,
            other => panic!("{text}\n{other:?}"),
        };
        let told =
            problems.iter().any(|p| p.place.is_some_and(|(l, _)| l == line) && p.remedy.contains(remedy));
        assert!(told, "{text}\nexpected line {line} and {remedy:?}: {problems:#?}");
    }
}

#[test]
fn where_it_listens_changes_at_the_next_start_and_the_rest_at_once() {
    let config = |text: &str| loaded(text).config;
    let restart = |old: &Config, new: &Config| old.needs_restart(new);
    let old = config("  listen: 80\n  development: {listen: '127.0.0.1:1', user: a}\n");
    let rights = "  access: [{who: [user:a], clouds: ['*'], projects: ['*'], verbs: [view]}]\n";
    let live = config(&format!(
        "  listen: 80\n  hosts: [a]\n  confirm: [stop]\n  links: {{a: 'https://a'}}\n  development: {{listen: '127.0.0.1:1', user: a}}\n{rights}"
    ));
    assert_eq!(restart(&old, &live), [""; 0]);
    let mut new = config("  listen: 81\n  tls: 443\n  service: svc:a\n");
    let all = ["tailnet.listen", "tailnet.tls", "tailnet.service", "tailnet.development"];
    assert_eq!(restart(&old, &new), all);
    new.tailnet = None;
    assert_eq!(restart(&old, &new), ["tailnet.listen", "tailnet.development"]);
    let fewer = Development {
        grant: config(&format!("  listen: 80\n{rights}")).tailnet.unwrap().access[0].grant.clone(),
        ..old.tailnet.clone().unwrap().development.unwrap()
    };
    let mut changed = old.clone();
    changed.tailnet.as_mut().unwrap().development = Some(fewer);
    assert_eq!(restart(&old, &changed), ["tailnet.development"]);
}
