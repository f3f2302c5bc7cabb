//! Files from servers that want to write where they should not, or break off.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::Duration;

use http::Response;
use lxd_client::{Client, Error, Progress};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::server::{Answer, error, socket, sync, unix};
use crate::streams::{head, raw};

/// What the server says is at a path: a folder with names, or a file or link with a text.
enum Said {
    Folder(Value),
    File(&'static str),
    Link(&'static str),
}

/// A server whose instances have these files, all with the mode 7777, and no SFTP.
async fn serving(said: impl Fn(&str) -> Said + Send + Sync + 'static) -> (tempfile::TempDir, Client) {
    unix(move |asked| -> Answer {
        let Some(path) = asked.query.strip_prefix("path=") else { return error(404, 404, "not found") };
        let path = path.replace("%2F", "/");
        let (kind, mut answer) = match said(&path) {
            Said::Folder(names) => ("directory", sync(names)),
            Said::File(text) => ("file", Response::new(text.into())),
            Said::Link(target) => ("symlink", Response::new(target.into())),
        };
        answer.headers_mut().insert("x-lxd-type", kind.parse().unwrap());
        answer.headers_mut().insert("x-lxd-mode", "7777".parse().unwrap());
        answer
    })
    .await
}

async fn pull(client: &Client, to: &Path) -> Result<Progress, Error> {
    client.instance("x").files().pull("/d", to, |_| ()).await
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn mode(path: &Path) -> u32 {
    std::fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

#[tokio::test]
async fn a_link_and_then_a_folder_of_its_name_lead_nowhere() {
    let here = tempfile::tempdir().unwrap();
    let (outside, to) = (here.path().join("outside"), here.path().join("to"));
    std::fs::create_dir(&outside).unwrap();
    let target: &'static str = outside.to_str().unwrap().to_owned().leak();

    let (_folder, client) = serving(move |path| match path {
        "/d" => Said::Folder(json!(["a", "a"])),
        _ => Said::Link(target),
    })
    .await;
    let twice = pull(&client, &to).await.unwrap_err();
    assert!(matches!(&twice, Error::Protocol { message, .. } if message.contains("of its own")), "{twice:?}");

    let (_folder, client) = serving(move |path| match path {
        "/d" => Said::Folder(json!(["a"])),
        _ => Said::Link(target),
    })
    .await;
    pull(&client, &to).await.unwrap();
    assert_eq!(std::fs::read_link(to.join("a")).unwrap(), outside);
    let (_folder, client) = serving(|path| match path {
        "/d" => Said::Folder(json!(["a"])),
        "/d/a" => Said::Folder(json!(["escaped"])),
        _ => Said::File("escaped"),
    })
    .await;
    let through = pull(&client, &to).await.unwrap_err();
    assert!(matches!(&through, Error::Local { message, .. } if message.ends_with("to/a")), "{through:?}");
    assert!(names(&outside).is_empty());
}

#[tokio::test]
async fn what_is_there_is_replaced_and_nothing_is_written_through_it() {
    let here = tempfile::tempdir().unwrap();
    let at = |name: &str| here.path().join(name);
    std::fs::create_dir(at("to")).unwrap();
    std::fs::write(at("outside"), "as it was").unwrap();
    std::fs::write(at("to/old"), "old").unwrap();
    symlink(at("outside"), at("to/link")).unwrap();
    symlink("old", at("to/moved")).unwrap();
    let (_folder, client) = serving(|path| match path {
        "/d" => Said::Folder(json!(["old", "link", "moved", "new"])),
        "/d/moved" => Said::Link("/elsewhere"),
        _ => Said::File("new"),
    })
    .await;
    for _ in 0..2 {
        pull(&client, &at("to")).await.unwrap();
    }
    assert_eq!(names(&at("to")), ["link", "moved", "new", "old"]);
    for name in ["old", "link", "new"] {
        assert!(std::fs::symlink_metadata(at("to").join(name)).unwrap().is_file(), "{name}");
        assert_eq!(std::fs::read_to_string(at("to").join(name)).unwrap(), "new");
    }
    assert_eq!(std::fs::read_link(at("to/moved")).unwrap().to_str(), Some("/elsewhere"));
    assert_eq!(std::fs::read_to_string(at("outside")).unwrap(), "as it was");

    std::fs::remove_file(at("to/new")).unwrap();
    std::fs::create_dir(at("to/new")).unwrap();
    let error = pull(&client, &at("to")).await.unwrap_err();
    assert!(matches!(&error, Error::Local { message, .. } if message.ends_with("to/new")), "{error:?}");
    let (_folder, client) = serving(|path| match path {
        "/d" => Said::Folder(json!(["old"])),
        _ => Said::Folder(json!([])),
    })
    .await;
    let error = pull(&client, &at("to")).await.unwrap_err();
    assert!(matches!(&error, Error::Local { message, .. } if message.ends_with("to/old")), "{error:?}");
}

#[tokio::test]
async fn a_server_sets_no_permissions_of_what_was_there_and_none_that_the_umask_forbids() {
    let here = tempfile::tempdir().unwrap();
    let at = |name: &str| here.path().join(name);
    for (folder, mode) in [("to", 0o700), ("to/mine", 0o750)] {
        std::fs::create_dir(at(folder)).unwrap();
        std::fs::set_permissions(at(folder), std::fs::Permissions::from_mode(mode)).unwrap();
    }
    std::fs::write(at("to/file"), "").unwrap();
    std::fs::set_permissions(at("to/file"), std::fs::Permissions::from_mode(0o600)).unwrap();
    let (_folder, client) = serving(|path| match path {
        "/d" => Said::Folder(json!(["mine", "made", "file", "new"])),
        "/d/mine" | "/d/made" => Said::Folder(json!([])),
        _ => Said::File("x"),
    })
    .await;
    pull(&client, &at("to")).await.unwrap();
    assert_eq!((mode(&at("to")), mode(&at("to/mine")), mode(&at("to/file"))), (0o700, 0o750, 0o600));
    // As this process itself makes them, with all that the umask lets through.
    std::fs::create_dir(at("a folder")).unwrap();
    std::fs::write(at("a file"), "").unwrap();
    assert_eq!(mode(&at("to/made")), mode(&at("a folder")));
    assert_eq!(mode(&at("to/new")), mode(&at("a file")) | (mode(&at("a folder")) & 0o111));
}

#[tokio::test]
async fn folders_in_folders_without_end_end() {
    let (_folder, client) = serving(|path| match path.len() {
        0..5000 => Said::Folder(json!(["a".repeat(250)])),
        _ => panic!("it goes on"),
    })
    .await;
    let here = tempfile::tempdir().unwrap();
    let error = pull(&client, &here.path().join("to")).await.unwrap_err();
    assert!(matches!(&error, Error::Protocol { message, .. } if message.contains("4096 bytes")), "{error:?}");
}

/// An SFTP packet of a kind, about the request of that number.
fn packet(kind: u8, number: u32, body: &[u8]) -> Vec<u8> {
    let mut packet = (body.len() as u32 + 5).to_be_bytes().to_vec();
    packet.push(kind);
    packet.extend(number.to_be_bytes());
    packet.extend(body);
    packet
}

#[tokio::test]
async fn sftp_that_is_wrong_or_breaks_off_is_told_and_never_waited_for() {
    let version = packet(2, 3, b"");
    let attributes = |bytes: &[u8]| (version.clone(), packet(105, 1, bytes));
    for (said, told) in [
        // A named pipe, which is never asked for.
        (attributes(&[0, 0, 0, 4, 0, 0, 0x11, 0xa4]), "a named pipe"),
        // Less than it promises, more than there is, and nothing.
        (attributes(&[0, 0, 0, 4]), "broke"),
        (attributes(&[0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 9]), "broke"),
        ((version.clone(), vec![0xff; 8]), "broke"),
        ((version.clone(), Vec::new()), "broke"),
        // Where there is no SFTP, the files themselves are asked for.
        ((packet(1, 3, b""), Vec::new()), "the files"),
        ((Vec::new(), Vec::new()), "the files"),
    ] {
        let serve = move |mut stream: tokio::io::BufReader<tokio::net::UnixStream>| {
            let (greeting, answer) = said.clone();
            async move {
                while let Some(first) = head(&mut stream).await.first() {
                    let text = if first.contains("/sftp") {
                        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: sftp\r\nconnection: upgrade\r\n\r\n"
                            .to_vec()
                    } else {
                        let json = r#"{"type":"error","error":"the files","error_code":400}"#;
                        format!("HTTP/1.1 400 Bad\r\ncontent-length: {}\r\n\r\n{json}", json.len()).into()
                    };
                    let _ = stream.get_mut().write_all(&text).await;
                    if first.contains("/sftp") {
                        let _ = stream.read_exact(&mut [0; 9]).await;
                        let _ = stream.get_mut().write_all(&greeting).await;
                        if !answer.is_empty() {
                            let _ = stream.read_exact(&mut [0; 15]).await; // about /d
                            let _ = stream.get_mut().write_all(&answer).await;
                        }
                        return;
                    }
                }
            }
        };
        let (_folder, client) = raw(serve, Duration::from_secs(20));
        let here = tempfile::tempdir().unwrap();
        let began = std::time::Instant::now();
        let error = pull(&client, &here.path().join("to")).await.unwrap_err().to_string();
        assert!(error.contains(told), "{error}, not {told}");
        assert!(began.elapsed() < Duration::from_secs(15), "{told}: it was waited for");
    }
}

#[tokio::test]
async fn links_that_lead_to_links_without_end_are_told() {
    let (_folder, client) = serving(|_| Said::Link("/d")).await;
    let here = tempfile::tempdir().unwrap();
    let error = pull(&client, &here.path().join("to")).await.unwrap_err();
    assert!(matches!(&error, Error::Config { message, .. } if message.contains("without end")), "{error:?}");
    assert!(!client.instance("x").files().is_dir("/d").await.unwrap());
    assert!(names(here.path()).is_empty());
}

#[tokio::test]
async fn a_file_that_breaks_off_leaves_nothing_and_what_was_there() {
    let (_folder, path, listener) = socket();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let head = "HTTP/1.1 200 OK\r\nx-lxd-type: file\r\ncontent-length: 1000\r\n\r\nhalf";
            let _ = stream.write_all(head.as_bytes()).await;
        }
    });
    let client = Client::unix(&path, Duration::from_secs(5)).unwrap();
    let here = tempfile::tempdir().unwrap();
    let to = here.path().join("to");
    assert!(matches!(pull(&client, &to).await, Err(Error::Local { .. })));
    assert!(names(here.path()).is_empty());
    std::fs::write(&to, "before").unwrap();
    assert!(matches!(pull(&client, &to).await, Err(Error::Local { .. })));
    assert_eq!(
        (names(here.path()), std::fs::read_to_string(&to).unwrap()),
        (vec!["to".to_owned()], "before".to_owned())
    );
}

/// LXD writes it into a header as it is.
#[tokio::test]
async fn a_file_whose_name_has_control_characters_is_fetched() {
    let (_folder, path, listener) = socket();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let head = "HTTP/1.1 200 OK\r\nX-LXD-type: file\r\n\
                Content-Disposition: inline;filename=\x1b[31mred\r\nContent-Length: 3\r\n\r\nred";
            let _ = stream.write_all(head.as_bytes()).await;
        }
    });
    let client = Client::unix(&path, Duration::from_secs(5)).unwrap();
    let here = tempfile::tempdir().unwrap();
    let to = here.path().join("to");
    pull(&client, &to).await.unwrap();
    assert_eq!(std::fs::read_to_string(&to).unwrap(), "red");
}

#[tokio::test]
async fn what_cannot_be_read_here_is_told_by_its_name() {
    let (_folder, client) = unix(|asked| match asked.path.as_str() {
        _ if asked.method == "HEAD" => error(404, 404, "not found"),
        "/1.0" => sync(json!({"auth": "trusted", "environment": {"server": "lxd"}})),
        _ => sync(json!({})),
    })
    .await;
    let here = tempfile::tempdir().unwrap();
    let files = client.instance("x").files();
    let push = async |from: &Path| files.push(from, "/d", &Default::default(), |_| ()).await;
    let missing = push(&here.path().join("none")).await.unwrap_err();
    assert!(matches!(&missing, Error::Local { message, .. } if message.ends_with("/none")), "{missing:?}");
    // Nobody may read that, root neither.
    let unreadable = push("/proc/self/mem".as_ref()).await.unwrap_err();
    assert!(matches!(&unreadable, Error::Local { .. }), "{unreadable:?}");
    symlink("nowhere", here.path().join("dangling")).unwrap();
    assert!(push(&here.path().join("dangling")).await.is_err());
    // In a folder it is a link as any other.
    push(here.path()).await.unwrap();
}
