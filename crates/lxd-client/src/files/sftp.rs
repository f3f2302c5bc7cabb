//! The part of SFTP, version 3, that lists folders, reads links, and renames and removes what is in them (draft-ietf-secsh-filexfer-02).

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use super::Files;
use crate::{Error, RawStream};

const INIT: u8 = 1;
const VERSION: u8 = 2;
const CLOSE: u8 = 4;
const LSTAT: u8 = 7;
const OPENDIR: u8 = 11;
const READDIR: u8 = 12;
const REMOVE: u8 = 13;
const RMDIR: u8 = 15;
const RENAME: u8 = 18;
const READLINK: u8 = 19;
const STATUS: u8 = 101;
const HANDLE: u8 = 102;
const NAME: u8 = 104;
const ATTRS: u8 = 105;

/// No packet of a server is that long.
const MAX_PACKET: usize = 1 << 20;

/// No list of one folder is that long.
const MAX_NAMES: usize = 64 << 20;

/// The requests that wait for their answers, by number; `None` once the connection has ended.
type Waiting = Arc<Mutex<Option<HashMap<u32, oneshot::Sender<Packet>>>>>;

/// A session, in which several requests may wait at the same time.
#[derive(Debug)]
pub(super) struct Sftp {
    writer: tokio::sync::Mutex<WriteHalf<RawStream>>,
    waiting: Waiting,
    next: AtomicU32,
    timeout: Duration,
    reader: AbortHandle,
}

/// The length of what is at a path, its owner, its permissions with its type, and when it was changed; 0 where the server
/// gives none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Attributes {
    pub(super) size: u64,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) permissions: u32,
    /// In seconds since 1970.
    pub(super) modified: u32,
}

/// An answer: its kind, and what follows its number.
#[derive(Debug)]
struct Packet {
    kind: u8,
    body: Bytes,
}

impl Drop for Sftp {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Sftp {
    pub(super) async fn open(files: &Files) -> Result<Sftp, Error> {
        let timeout = files.client.timeout();
        let server = files.client.name();
        let opening = async {
            let mut stream = files.instance.sftp().await?;
            let broken = |e| files.client.broken(e);
            stream.write_all(&[0, 0, 0, 5, INIT, 0, 0, 0, 3]).await.map_err(broken)?;
            match read_packet(&mut stream).await.map_err(broken)?.kind {
                VERSION => Ok(stream),
                _ => Err(files.client.protocol("no SFTP")),
            }
        };
        let stream = tokio::time::timeout(timeout, opening)
            .await
            .map_err(|_| Error::Timeout { server: server.to_owned(), after: timeout })??;
        let (reading, writer) = tokio::io::split(stream);
        let waiting = Waiting::new(Mutex::new(Some(HashMap::new())));
        let reader = tokio::spawn(read(reading, Arc::clone(&waiting))).abort_handle();
        Ok(Sftp { writer: writer.into(), waiting, next: AtomicU32::new(1), timeout, reader })
    }

    /// What is at a path; of a link itself. `None` when nothing is, or the server does not tell.
    pub(super) async fn attributes(&self, path: &str) -> io::Result<Option<Attributes>> {
        let mut answer = self.ask(LSTAT, path.as_bytes()).await?;
        match answer.kind {
            ATTRS => attributes(&mut answer.body).map(Some),
            _ => Ok(None),
        }
    }

    /// Where a link leads, as it is written in the link. `None` of what is no link, or is not there.
    pub(super) async fn link(&self, path: &str) -> io::Result<Option<Bytes>> {
        let mut answer = self.ask(READLINK, path.as_bytes()).await?;
        if answer.kind != NAME || number(&mut answer.body)? != 1 {
            return Ok(None);
        }
        text(&mut answer.body).map(Some)
    }

    /// Gives what is at a path another one, in place of a file that is there.
    pub(super) async fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let answer = self.send_all(RENAME, &[from.as_bytes(), to.as_bytes()]).await?;
        done(self.wait(answer).await?)
    }

    /// Removes a file or a link.
    pub(super) async fn remove(&self, path: &str) -> io::Result<()> {
        done(self.ask(REMOVE, path.as_bytes()).await?)
    }

    /// Removes a folder that is empty.
    pub(super) async fn remove_dir(&self, path: &str) -> io::Result<()> {
        done(self.ask(RMDIR, path.as_bytes()).await?)
    }

    /// Whether the connection is still there.
    pub(super) fn is_alive(&self) -> bool {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Calls `entry` with each name in a folder and its permissions. Of what is no folder it does nothing.
    pub(super) async fn read_dir(&self, folder: &str, mut entry: impl FnMut(&[u8], u32)) -> io::Result<()> {
        self.list(folder.as_bytes(), |name, found| entry(name, found.permissions)).await.map(drop)
    }

    /// Calls `entry` with each name in a folder and what it is; gives `false` of what is no folder, or cannot be opened.
    pub(super) async fn list(
        &self,
        folder: &[u8],
        mut entry: impl FnMut(&[u8], Attributes),
    ) -> io::Result<bool> {
        let mut opened = self.ask(OPENDIR, folder).await?;
        if opened.kind != HANDLE {
            return Ok(false);
        }
        let handle = text(&mut opened.body)?;
        let mut length = 0;
        // One request ahead: most folders need two, of which the second says that there are no more names.
        let mut ahead = self.send(READDIR, &handle).await?;
        loop {
            let after = self.send(READDIR, &handle).await?;
            let mut answer = self.wait(ahead).await?;
            ahead = after;
            let names = if answer.kind == NAME { number(&mut answer.body)? } else { 0 };
            if names == 0 {
                break;
            }
            length += answer.body.len();
            if length > MAX_NAMES {
                return Err(io::Error::other("a folder without end"));
            }
            for _ in 0..names {
                let name = text(&mut answer.body)?;
                text(&mut answer.body)?; // as `ls -l` shows it
                entry(&name, attributes(&mut answer.body)?);
            }
        }
        self.send(CLOSE, &handle).await?;
        Ok(true)
    }

    async fn ask(&self, kind: u8, about: &[u8]) -> io::Result<Packet> {
        let answer = self.send(kind, about).await?;
        self.wait(answer).await
    }

    /// Sends a request that has one text.
    async fn send(&self, kind: u8, about: &[u8]) -> io::Result<oneshot::Receiver<Packet>> {
        self.send_all(kind, &[about]).await
    }

    /// Sends a request that has these texts.
    async fn send_all(&self, kind: u8, about: &[&[u8]]) -> io::Result<oneshot::Receiver<Packet>> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        match &mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(waiting) => drop(waiting.insert(number, sender)),
            None => return Err(io::ErrorKind::ConnectionReset.into()),
        }
        let length: usize = 5 + about.iter().map(|text| 4 + text.len()).sum::<usize>();
        let mut packet = Vec::with_capacity(4 + length);
        packet.extend((length as u32).to_be_bytes());
        packet.push(kind);
        packet.extend(number.to_be_bytes());
        for text in about {
            packet.extend((text.len() as u32).to_be_bytes());
            packet.extend(*text);
        }
        let writing = async { self.writer.lock().await.write_all(&packet).await };
        tokio::time::timeout(self.timeout, writing).await.map_err(|_| io::ErrorKind::TimedOut)??;
        Ok(answer)
    }

    async fn wait(&self, answer: oneshot::Receiver<Packet>) -> io::Result<Packet> {
        let answer = tokio::time::timeout(self.timeout, answer).await.map_err(|_| io::ErrorKind::TimedOut)?;
        answer.map_err(|_| io::ErrorKind::ConnectionReset.into())
    }
}

/// Gives each answer to the request that waits for it, until the connection ends.
async fn read(mut stream: ReadHalf<RawStream>, waiting: Waiting) {
    while let Ok(mut packet) = read_packet(&mut stream).await {
        let Ok(number) = number(&mut packet.body) else { break };
        let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let asker = waiting.as_mut().and_then(|waiting| waiting.remove(&number));
        let _ = asker.map(|asker| asker.send(packet));
    }
    *waiting.lock().unwrap_or_else(PoisonError::into_inner) = None;
}

async fn read_packet(stream: &mut (impl AsyncReadExt + Unpin)) -> io::Result<Packet> {
    let length = stream.read_u32().await? as usize;
    if length == 0 || length > MAX_PACKET {
        return Err(malformed());
    }
    let mut packet = vec![0; length];
    stream.read_exact(&mut packet).await?;
    Ok(Packet { kind: packet[0], body: Bytes::from(packet).slice(1..) })
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "no SFTP")
}

fn number(body: &mut Bytes) -> io::Result<u32> {
    body.try_get_u32().map_err(|_| malformed())
}

fn text(body: &mut Bytes) -> io::Result<Bytes> {
    let length = number(body)? as usize;
    if length > body.len() {
        return Err(malformed());
    }
    Ok(body.split_to(length))
}

/// The error of an answer that has no more than a status.
fn done(mut answer: Packet) -> io::Result<()> {
    if answer.kind != STATUS {
        return Err(malformed());
    }
    match number(&mut answer.body)? {
        0 => Ok(()),
        2 => Err(io::ErrorKind::NotFound.into()),
        _ => Err(io::Error::other(String::from_utf8_lossy(&text(&mut answer.body)?).into_owned())),
    }
}

fn attributes(body: &mut Bytes) -> io::Result<Attributes> {
    let flags = number(body)?;
    let mut found = Attributes::default();
    let present = |flag: u32| flags & flag != 0;
    if present(1) {
        found.size = body.try_get_u64().map_err(|_| malformed())?;
    }
    if present(2) {
        (found.uid, found.gid) = (number(body)?, number(body)?);
    }
    if present(4) {
        found.permissions = number(body)?;
    }
    if present(8) {
        number(body)?; // when it was read
        found.modified = number(body)?;
    }
    if present(0x8000_0000) {
        for _ in 0..number(body)? {
            text(body)?;
            text(body)?;
        }
    }
    Ok(found)
}
