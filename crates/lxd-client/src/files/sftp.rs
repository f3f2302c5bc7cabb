//! The part of SFTP, version 3, that lists folders (draft-ietf-secsh-filexfer-02).

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

    /// The permissions of what is at a path, with its type. `None` when the server gives none.
    pub(super) async fn permissions(&self, path: &str) -> io::Result<Option<u32>> {
        let mut answer = self.ask(LSTAT, path.as_bytes()).await?;
        match answer.kind {
            ATTRS => permissions(&mut answer.body).map(Some),
            _ => Ok(None),
        }
    }

    /// Calls `entry` with each name in a folder and its permissions. Of what is no folder it does nothing.
    pub(super) async fn read_dir(&self, folder: &str, mut entry: impl FnMut(&[u8], u32)) -> io::Result<()> {
        let mut opened = self.ask(OPENDIR, folder.as_bytes()).await?;
        if opened.kind != HANDLE {
            return Ok(());
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
                entry(&name, permissions(&mut answer.body)?);
            }
        }
        self.send(CLOSE, &handle).await?;
        Ok(())
    }

    async fn ask(&self, kind: u8, about: &[u8]) -> io::Result<Packet> {
        let answer = self.send(kind, about).await?;
        self.wait(answer).await
    }

    /// Sends a request that has one text.
    async fn send(&self, kind: u8, about: &[u8]) -> io::Result<oneshot::Receiver<Packet>> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        match &mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(waiting) => drop(waiting.insert(number, sender)),
            None => return Err(io::ErrorKind::ConnectionReset.into()),
        }
        let mut packet = Vec::with_capacity(about.len() + 13);
        for part in [about.len() as u32 + 9, number, about.len() as u32] {
            packet.extend(part.to_be_bytes());
        }
        packet.insert(4, kind);
        packet.extend(about);
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

/// The permissions among an entry's attributes; 0 where it has none.
fn permissions(body: &mut Bytes) -> io::Result<u32> {
    let flags = number(body)?;
    let mut permissions = 0;
    for (flag, numbers) in [(1, 2), (2, 2), (4, 1), (8, 2)] {
        for _ in 0..(if flags & flag == 0 { 0 } else { numbers }) {
            let value = number(body)?;
            if flag == 4 {
                permissions = value;
            }
        }
    }
    if flags & 0x8000_0000 != 0 {
        for _ in 0..number(body)? {
            text(body)?;
            text(body)?;
        }
    }
    Ok(permissions)
}
