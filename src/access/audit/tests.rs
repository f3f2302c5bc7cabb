//! The audit on a disk: what is there after each way to end.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::entry::EntryNode;
use super::writer::{Open, Writer};
use super::*;
use crate::config::Verb;

/// An entry with this action.
pub(super) fn entry(action: &str) -> Entry {
    Entry {
        request: "r1".to_owned(),
        user: Some(entry::EntryUser { id: 5, login: "alice@example.com".to_owned() }),
        node: EntryNode { id: "n1".to_owned(), name: "laptop.tail1.ts.net".to_owned() },
        tags: Vec::new(),
        address: "100.64.0.7".parse().unwrap(),
        verb: Verb::Operate,
        action: action.to_owned(),
        cloud: Some("berlin".to_owned()),
        project: Some("web".to_owned()),
        object: Some("c1".to_owned()),
        detail: None,
    }
}

fn with_small_files(state_dir: &Path, largest: u64) -> Audit {
    let (folder, open) = (state_dir.join("audit"), Open::default());
    let writer = Writer::open(&folder, open.clone()).unwrap().with_largest(largest).start().unwrap();
    Audit(Arc::new(Inner { folder, writer, open }))
}

async fn all(audit: &Audit) -> Vec<Record> {
    audit.records(None, 1000, Filter::default()).await.unwrap().records
}

/// Actions and results, the newest first.
async fn told(audit: &Audit) -> Vec<(String, RecordResult)> {
    all(audit).await.into_iter().map(|record| (record.entry.action, record.result)).collect()
}

fn file(state_dir: &Path) -> PathBuf {
    state_dir.join("audit/00000001.jsonl")
}

#[tokio::test]
async fn each_change_is_one_record_with_who_and_how_it_ended() {
    let folder = tempfile::tempdir().unwrap();
    let audit = Audit::open(folder.path()).unwrap();
    let mut done = audit.begin(entry("start").detail("--force")).await.unwrap();
    done.operation("op-1");
    done.operation("op-2");
    let failed = audit.begin(entry("stop")).await.unwrap();
    failed.end(Outcome::Failed("the server says no".to_owned())).await;
    done.end(Outcome::Done).await;
    audit.begin(entry("delete")).await.unwrap().end(Outcome::Cancelled).await;
    audit.denied(entry("exec")).await.unwrap();
    let running = audit.begin(entry("copy")).await.unwrap();
    let records = all(&audit).await;
    let results: Vec<(&str, RecordResult)> =
        records.iter().map(|record| (&*record.entry.action, record.result)).collect();
    assert_eq!(
        results,
        [
            ("copy", RecordResult::Running),
            ("exec", RecordResult::Denied),
            ("delete", RecordResult::Cancelled),
            ("stop", RecordResult::Failed),
            ("start", RecordResult::Done),
        ]
    );
    assert_eq!(records[4].operations, ["op-1", "op-2"]);
    assert_eq!(records[4].entry, entry("start").detail("--force"));
    assert_eq!(records[3].error.as_deref(), Some("the server says no"));
    assert!(records[3].ended.as_deref().is_some_and(|ended| ended.ends_with('Z') && ended.len() == 24));
    let ids: HashSet<&str> = records.iter().map(|record| record.id.as_str()).collect();
    assert_eq!(ids.len(), 5);
    running.end(Outcome::Done).await;
    assert_eq!(told(&audit).await[0].1, RecordResult::Done);
}

#[tokio::test]
async fn a_change_begins_only_when_its_line_is_on_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let audit = Audit::open(folder.path()).unwrap();
    let pending = audit.begin(entry("start")).await.unwrap();
    let text = fs::read_to_string(file(folder.path())).unwrap();
    assert!(text.starts_with(r#"{"event":"begun""#) && text.ends_with("}\n"), "{text}");
    pending.end(Outcome::Done).await;

    let full = tempfile::tempdir().unwrap();
    fs::create_dir(full.path().join("audit")).unwrap();
    symlink("/dev/full", file(full.path())).unwrap();
    let audit = Audit::open(full.path()).unwrap();
    let error = audit.begin(entry("start")).await.unwrap_err();
    assert!(matches!(error, AuditError::Disk { .. }), "{error}");
    assert!(audit.0.open.all().is_empty());
}

#[tokio::test]
async fn a_change_that_is_dropped_counts_as_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let audit = Audit::open(folder.path()).unwrap();
    let mut pending = audit.begin(entry("start")).await.unwrap();
    pending.operation("op-1");
    drop(pending);
    // The next line comes after that of the drop.
    audit.begin(entry("stop")).await.unwrap().end(Outcome::Done).await;
    assert_eq!(told(&audit).await[1], ("start".to_owned(), RecordResult::Cancelled));
    assert_eq!(all(&audit).await[1].operations, ["op-1"]);
}

#[tokio::test]
async fn a_change_of_a_node_that_died_is_unknown_and_has_its_operations() {
    let folder = tempfile::tempdir().unwrap();
    let audit = Audit::open(folder.path()).unwrap();
    let mut pending = audit.begin(entry("start")).await.unwrap();
    pending.operation("op-1");
    audit.begin(entry("stop")).await.unwrap().end(Outcome::Done).await;
    std::mem::forget(pending);
    let again = Audit::open(folder.path()).unwrap();
    let records = all(&again).await;
    assert_eq!(
        (records[1].result, &records[1].operations[..]),
        (RecordResult::Unknown, &["op-1".to_owned()][..])
    );
    // It is told once, however often the node starts: before what that writes itself. Two never write side by side.
    again.begin(entry("next")).await.unwrap().end(Outcome::Done).await;
    for _ in 0..2 {
        let again = Audit::open(folder.path()).unwrap();
        again.begin(entry("next")).await.unwrap().end(Outcome::Done).await;
        assert_eq!(told(&again).await.last(), Some(&("start".to_owned(), RecordResult::Unknown)));
        let text = fs::read_to_string(file(folder.path())).unwrap();
        assert_eq!(text.matches(r#"{"event":"unknown""#).count(), 1, "{text}");
    }
}

#[tokio::test]
async fn a_node_that_dies_at_any_byte_leaves_an_audit_that_is_read_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let audit = Audit::open(folder.path()).unwrap();
    audit.begin(entry("start")).await.unwrap().end(Outcome::Done).await;
    audit.begin(entry("stop")).await.unwrap().end(Outcome::Failed("no".to_owned())).await;
    let text = fs::read(file(folder.path())).unwrap();
    for length in (0..text.len()).step_by(7).chain([text.len() - 1]) {
        // A line that lacks no more than its end is whole.
        let died = tempfile::tempdir().unwrap();
        fs::create_dir(died.path().join("audit")).unwrap();
        fs::write(file(died.path()), &text[..length]).unwrap();
        let whole = text[..=length].iter().filter(|byte| **byte == b'\n').count();
        let audit = Audit::open(died.path()).unwrap();
        audit.begin(entry("new")).await.unwrap().end(Outcome::Done).await;
        let expected = [
            &[][..],
            &[("start", RecordResult::Unknown)],
            &[("start", RecordResult::Done)],
            &[("stop", RecordResult::Unknown), ("start", RecordResult::Done)],
            &[("stop", RecordResult::Failed), ("start", RecordResult::Done)],
        ][whole];
        let told = told(&audit).await;
        let told: Vec<(&str, RecordResult)> =
            told.iter().map(|(action, result)| (&**action, *result)).collect();
        assert_eq!(told[0], ("new", RecordResult::Done), "after {length} bytes");
        assert_eq!(&told[1..], expected, "after {length} bytes");
    }
}

#[tokio::test]
async fn old_files_go_and_the_newest_records_stay() {
    let folder = tempfile::tempdir().unwrap();
    let audit = with_small_files(folder.path(), 2000);
    for number in 0..100 {
        audit.begin(entry(&format!("a{number}"))).await.unwrap().end(Outcome::Done).await;
    }
    let files: Vec<u64> = fs::read_dir(folder.path().join("audit"))
        .unwrap()
        .map(|f| f.unwrap().metadata().unwrap().len())
        .collect();
    assert_eq!(files.len(), 8);
    assert!(files.iter().all(|length| *length <= 2000), "{files:?}");
    let records = told(&audit).await;
    assert!(records.len() > 15 && records.len() < 100, "{}", records.len());
    for (place, (action, result)) in records.iter().enumerate() {
        assert_eq!((action, result), (&format!("a{}", 99 - place), &RecordResult::Done));
    }
    // The next node goes on where this one has stopped.
    drop(audit);
    let again = with_small_files(folder.path(), 2000);
    again.denied(entry("next")).await.unwrap();
    assert_eq!(told(&again).await[0].0, "next");
    assert_eq!(told(&again).await[1].0, "a99");
}

#[tokio::test]
async fn pages_have_each_record_once_while_more_are_added() {
    let folder = tempfile::tempdir().unwrap();
    let audit = with_small_files(folder.path(), 4000);
    let long = audit.begin(entry("long")).await.unwrap();
    for number in 0..20 {
        audit.begin(entry(&format!("a{number}"))).await.unwrap().end(Outcome::Done).await;
    }
    let (mut seen, mut before) = (Vec::new(), None);
    let mut long = Some(long);
    loop {
        let page = audit.records(before, 3, Filter::default()).await.unwrap();
        seen.extend(page.records.into_iter().map(|record| (record.entry.action, record.result)));
        before = page.next.map(|next| next.to_string().parse().unwrap());
        if before.is_none() {
            break;
        }
        audit.begin(entry("more")).await.unwrap().end(Outcome::Done).await;
        if let Some(long) = long.take() {
            long.end(Outcome::Done).await; // behind the cursor, for a record that comes last
        }
    }
    let mut expected: Vec<_> = (0..20).rev().map(|n| (format!("a{n}"), RecordResult::Done)).collect();
    expected.push(("long".to_owned(), RecordResult::Done));
    assert_eq!(seen, expected);
    assert!("3-x".parse::<Cursor>().is_err() && "".parse::<Cursor>().is_err());
}

#[tokio::test]
async fn a_flood_of_denied_requests_is_one_record_with_a_count() {
    let folder = tempfile::tempdir().unwrap();
    let audit = Audit::open(folder.path()).unwrap();
    for _ in 0..5000 {
        audit.denied(entry("exec")).await.unwrap();
    }
    assert!(fs::metadata(file(folder.path())).unwrap().len() < 2000);
    // The count is written at the end of the minute, or when the node stops.
    let open = file(folder.path());
    drop(audit);
    let counted = || fs::read_to_string(&open).unwrap().contains("again");
    for _ in 0..600 {
        if counted() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let again = Audit::open(folder.path()).unwrap();
    let records = all(&again).await;
    assert_eq!((records.len(), records[0].count, records[0].result), (1, 5000, RecordResult::Denied));
}

#[tokio::test]
async fn records_are_found_by_what_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let audit = Audit::open(folder.path()).unwrap();
    let mut other = entry("start").cloud("paris").project("db").object("c2");
    other.user = None;
    other.node = EntryNode { id: "n2".to_owned(), name: "ci.tail1.ts.net".to_owned() };
    audit.begin(other).await.unwrap().end(Outcome::Failed(String::new())).await;
    audit.begin(entry("stop")).await.unwrap().end(Outcome::Done).await;
    let text = |text: &str| Some(text.to_owned());
    let none = Filter::default;
    for (filter, found) in [
        (none(), &["stop", "start"][..]),
        (Filter { user: text("alice@example.com"), ..none() }, &["stop"]),
        (Filter { node: text("n2"), ..none() }, &["start"]),
        (Filter { node: text("ci.tail1.ts.net"), ..none() }, &["start"]),
        (Filter { action: text("stop"), ..none() }, &["stop"]),
        (Filter { cloud: text("paris"), ..none() }, &["start"]),
        (Filter { project: text("web"), ..none() }, &["stop"]),
        (Filter { object: text("c2"), ..none() }, &["start"]),
        (Filter { result: Some(RecordResult::Failed), ..none() }, &["start"]),
        (Filter { cloud: text("paris"), action: text("stop"), ..none() }, &[]),
    ] {
        let page = audit.records(None, 10, filter.clone()).await.unwrap();
        let actions: Vec<&str> = page.records.iter().map(|record| record.entry.action.as_str()).collect();
        assert_eq!(actions, found, "{filter:?}");
    }
}

#[tokio::test]
async fn only_this_user_may_read_it_and_a_long_text_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let audit = Audit::open(folder.path()).unwrap();
    audit.begin(entry("exec").detail(&"ñ".repeat(100_000))).await.unwrap().end(Outcome::Done).await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder.path().join("audit")), mode(&file(folder.path()))), (0o700, 0o600));
    assert!(fs::metadata(file(folder.path())).unwrap().len() < 10_000);
    let detail = all(&audit).await[0].entry.detail.clone().unwrap();
    assert!(detail.starts_with("ñññ") && detail.ends_with('…'));
}
