//! Pings on a websocket, between the frames that are written, and an end to a connection on which nothing is received.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// A ping without a payload, as a client sends it: masked, by a mask of zeros (RFC 6455, section 5.2).
const PING: [u8; 6] = [0x89, 0x80, 0, 0, 0, 0];

/// A ping is sent after this part of the silence that ends a connection.
const PARTS: u32 = 3;

/// The stream of a websocket to a server, which ends with an error when the server has been silent for too long.
///
/// Whatever is received is a sign of life. After a third of the allowed silence a ping is sent. Its pong is passed on to
/// the reader: every websocket ignores a pong that it did not ask for. No ping is sent while nobody reads, or while a
/// frame is half written: a server that takes no more for a while is not dead.
///
/// A read also writes pings. So reader and writer must be one task, as with `copy_bidirectional`, or wake each other, as
/// a `WebSocketStream` does.
#[derive(Debug)]
pub(crate) struct KeepAlive<S> {
    io: S,
    /// `None` on this machine, where the kernel reports a server that is gone.
    watch: Option<Watch>,
}

#[derive(Debug)]
struct Watch {
    silence: Duration,
    timer: Pin<Box<Sleep>>,
    heard: Instant,
    /// When the first ping since the last sign of life was sent, or would have been.
    asked: Option<Instant>,
    /// Where somebody else decides when the server has been silent for too long.
    told: Option<Heard>,
    written: Frames,
    /// The rest of a ping that is half written.
    ping: &'static [u8],
}

/// How far the frame is that is being written.
#[derive(Debug, Default)]
struct Frames {
    head: Vec<u8>,
    /// How many bytes of the mask and the payload are missing.
    left: u64,
    /// The close frame was written. Nothing may follow it.
    closed: bool,
}

impl<S> KeepAlive<S> {
    /// Watches the server, unless it is on this machine (`None`).
    pub(crate) fn new(io: S, silence: Option<Duration>) -> KeepAlive<S> {
        let watch = silence.map(|silence| Watch {
            silence,
            timer: Box::pin(tokio::time::sleep(silence / PARTS)),
            heard: Instant::now(),
            asked: None,
            told: None,
            written: Frames::default(),
            ping: &[],
        });
        KeepAlive { io, watch }
    }

    /// The same, which is not ended by a silence: whoever has what is given decides that. None on this machine.
    #[cfg_attr(not(feature = "facade"), allow(dead_code))]
    pub(crate) fn unending(io: S, silence: Option<Duration>) -> (KeepAlive<S>, Option<Heard>) {
        let mut keepalive = KeepAlive::new(io, silence);
        let heard = keepalive.watch.as_mut().map(|watch| {
            let heard = Heard(Arc::new(Mutex::new(watch.heard)));
            watch.told.insert(heard).clone()
        });
        (keepalive, heard)
    }
}

/// When a server was heard last.
#[derive(Clone, Debug)]
pub(crate) struct Heard(Arc<Mutex<Instant>>);

impl Heard {
    #[cfg_attr(not(feature = "facade"), allow(dead_code))]
    pub(crate) fn elapsed(&self) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    pub(crate) fn now(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

impl Watch {
    /// Prepares a ping when it is time for one. Ready when the server has been silent for too long.
    fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let pause = self.silence / PARTS;
        loop {
            ready!(self.timer.as_mut().poll(cx));
            let now = Instant::now();
            if now < self.heard + pause {
                self.timer.as_mut().reset(self.heard + pause);
                continue;
            }
            let is_silent = self.asked.is_some_and(|asked| now >= asked + (self.silence - pause));
            if is_silent && self.told.is_none() {
                let silent = format!("the server has been silent for {} s", self.silence.as_secs_f32());
                return Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, silent));
            }
            if self.written.closed {
                self.asked.get_or_insert(now);
            } else if self.written.is_between() && self.ping.is_empty() {
                self.ping = &PING;
            }
            self.timer.as_mut().reset(now + pause);
        }
    }
}

impl<S: AsyncWrite + Unpin> KeepAlive<S> {
    /// Writes the rest of a ping.
    fn poll_ping(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(watch) = &mut self.watch else { return Poll::Ready(Ok(())) };
        if watch.ping.is_empty() {
            return Poll::Ready(Ok(()));
        }
        while !watch.ping.is_empty() {
            let written = ready!(Pin::new(&mut self.io).poll_write(cx, watch.ping))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            watch.ping = &watch.ping[written..];
        }
        watch.asked.get_or_insert_with(Instant::now);
        // What is not flushed now is with what is written next.
        let _ = Pin::new(&mut self.io).poll_flush(cx)?;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for KeepAlive<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let read = Pin::new(&mut this.io).poll_read(cx, buf);
        let Some(watch) = &mut this.watch else { return read };
        if read.is_ready() {
            (watch.heard, watch.asked) = (Instant::now(), None);
            if let Some(told) = &watch.told {
                told.now();
            }
            return read;
        }
        if let Poll::Ready(silent) = watch.poll_silence(cx) {
            return Poll::Ready(Err(silent));
        }
        match this.poll_ping(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            _ => Poll::Pending,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for KeepAlive<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        ready!(this.poll_ping(cx))?;
        let written = ready!(Pin::new(&mut this.io).poll_write(cx, data))?;
        if let Some(watch) = &mut this.watch {
            watch.written.pass(&data[..written]);
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_ping(cx))?;
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_ping(cx))?;
        if let Some(watch) = &mut self.watch {
            watch.written.closed = true;
        }
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

impl Frames {
    fn pass(&mut self, mut data: &[u8]) {
        while let [first, ..] = data {
            if self.left > 0 {
                let passed = data.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
                self.left -= passed as u64;
                data = &data[passed..];
                continue;
            }
            self.head.push(*first);
            data = &data[1..];
            if let Some(left) = payload(&self.head) {
                self.left = left;
                self.closed |= self.head[0] & 0x0f == 8;
                self.head.clear();
            }
        }
    }

    /// Whether a frame of another kind can be written here.
    fn is_between(&self) -> bool {
        self.head.is_empty() && self.left == 0 && !self.closed
    }
}

/// What follows a frame's head, once the head is whole: the mask and the payload.
fn payload(head: &[u8]) -> Option<u64> {
    let second = *head.get(1)?;
    let mask = if second & 0x80 == 0 { 0 } else { 4 };
    let length = match second & 0x7f {
        126 => u16::from_be_bytes(head.get(2..4)?.try_into().ok()?).into(),
        127 => u64::from_be_bytes(head.get(2..10)?.try_into().ok()?),
        short => short.into(),
    };
    Some(length.saturating_add(mask))
}

#[cfg(test)]
mod tests {
    use futures_util::{SinkExt, StreamExt};
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio_tungstenite::WebSocketStream;
    use tokio_tungstenite::tungstenite::protocol::Role;
    use tokio_tungstenite::tungstenite::{Error as WsError, Message};

    use super::*;

    const SILENCE: Duration = Duration::from_secs(30);

    type Client = WebSocketStream<KeepAlive<DuplexStream>>;

    /// A websocket, and the bytes of its other end.
    async fn pair(buffer: usize) -> (Client, DuplexStream) {
        let (here, there) = duplex(buffer);
        let here = KeepAlive::new(here, Some(SILENCE));
        (WebSocketStream::from_raw_socket(here, Role::Client, None).await, there)
    }

    fn timed_out(error: &WsError) -> bool {
        matches!(error, WsError::Io(error) if error.kind() == io::ErrorKind::TimedOut)
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_falls_silent_is_given_up_in_time() {
        let (mut client, mut there) = pair(1024).await;
        let began = Instant::now();
        let error = client.next().await.unwrap().unwrap_err();
        assert!(timed_out(&error), "{error:?}");
        assert_eq!(began.elapsed().as_secs(), SILENCE.as_secs());
        assert_eq!(error.to_string(), "IO error: the server has been silent for 30 s");
        let mut asked = vec![0; 2 * PING.len()];
        there.read_exact(&mut asked).await.unwrap();
        assert_eq!(asked, [PING, PING].concat());
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_answers_pings_may_be_idle_for_ever() {
        let (mut client, there) = pair(1024).await;
        let mut server = WebSocketStream::from_raw_socket(there, Role::Server, None).await;
        let serving = tokio::spawn(async move {
            let quiet = tokio::time::sleep(Duration::from_secs(3600));
            let mut pings = 0;
            tokio::pin!(quiet);
            loop {
                tokio::select! {
                    message = server.next() => match message.unwrap().unwrap() {
                        Message::Ping(_) => pings += 1,
                        other => panic!("{other:?}"),
                    },
                    () = &mut quiet => break,
                }
            }
            server.send(Message::text("hello")).await.unwrap();
            pings
        });
        let said = loop {
            match client.next().await.unwrap().unwrap() {
                Message::Pong(_) => {}
                other => break other,
            }
        };
        assert_eq!(said, Message::text("hello"));
        assert!((300..=360).contains(&serving.await.unwrap()));
    }

    /// LXD pings by itself.
    #[tokio::test(start_paused = true)]
    async fn a_server_that_pings_is_not_asked() {
        let (mut client, there) = pair(1024).await;
        let mut server = WebSocketStream::from_raw_socket(there, Role::Server, None).await;
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(SILENCE / 4).await;
                server.send(Message::Ping(Default::default())).await.unwrap();
                let answer = server.next().await.unwrap().unwrap();
                assert!(matches!(answer, Message::Pong(_)), "{answer:?}");
            }
        });
        let hour = Instant::now() + Duration::from_secs(3600);
        while Instant::now() < hour {
            assert!(matches!(client.next().await.unwrap().unwrap(), Message::Ping(_)));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_pauses_finds_the_server_alive() {
        let (mut client, there) = pair(1024).await;
        let mut server = WebSocketStream::from_raw_socket(there, Role::Server, None).await;
        tokio::spawn(async move { while server.next().await.is_some() {} });
        for _ in 0..10 {
            tokio::time::sleep(4 * SILENCE).await;
            // A moment only: it is the first look after a long pause that must not end it.
            let looked = tokio::time::timeout(SILENCE / 2, client.next()).await;
            assert!(matches!(looked, Ok(Some(Ok(Message::Pong(_))))), "{looked:?}");
        }
    }

    /// A frame of which the server has taken half is no place for a ping, and its slowness no silence.
    #[tokio::test(start_paused = true)]
    async fn a_server_that_takes_no_more_for_a_while_gets_what_was_written_whole() {
        let (client, mut there) = pair(64).await;
        let (mut sink, mut stream) = client.split();
        let sent: Vec<u8> = (0..100_000_u32).map(|n| (n % 251) as u8).collect();
        let message = Message::binary(sent.clone());
        let writing = tokio::spawn(async move { sink.send(message).await.map(|()| sink) });
        let reading = tokio::spawn(async move { while let Some(Ok(_)) = stream.next().await {} });
        tokio::time::sleep(20 * SILENCE).await;
        assert!(!reading.is_finished());
        let mut first = [0; 10];
        there.read_exact(&mut first).await.unwrap();
        tokio::time::sleep(20 * SILENCE).await;
        assert!(!reading.is_finished());
        let mut rest = vec![0; 4 + sent.len()];
        there.read_exact(&mut rest).await.unwrap();
        let (mask, masked) = rest.split_at(4);
        let got: Vec<u8> = masked.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
        assert!(got == sent);
        let _sink = writing.await.unwrap().unwrap();
        // It is asked again now that the frame is whole.
        let mut ping = [0; PING.len()];
        there.read_exact(&mut ping).await.unwrap();
        assert_eq!(ping, PING);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_follows_the_frame_that_closes() {
        let (mut client, mut there) = pair(1024).await;
        client.close(None).await.unwrap();
        let error = client.next().await.unwrap().unwrap_err();
        assert!(timed_out(&error), "{error:?}");
        drop(client);
        let mut all = Vec::new();
        there.read_to_end(&mut all).await.unwrap();
        assert_eq!((all.len(), all[0]), (6, 0x88), "{all:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn where_somebody_else_decides_a_silence_ends_nothing() {
        let (here, mut there) = duplex(1024);
        let (mut here, heard) = KeepAlive::unending(here, Some(SILENCE));
        let heard = heard.unwrap();
        let hour = Duration::from_secs(3600);
        assert!(tokio::time::timeout(hour, here.read_u8()).await.is_err());
        assert!(heard.elapsed() >= hour);
        there.write_u8(7).await.unwrap();
        assert_eq!(here.read_u8().await.unwrap(), 7);
        assert!(heard.elapsed() < SILENCE);
        // A server that has gone without a word is found by what is sent there.
        let mut pings = [0; 100 * PING.len()];
        there.read_exact(&mut pings).await.unwrap();
        assert_eq!(pings, [PING; 100].concat()[..]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_on_this_machine_may_be_silent() {
        let (here, _there) = duplex(64);
        let mut here = KeepAlive::new(here, None);
        let read = tokio::time::timeout(Duration::from_secs(3600), here.read_u8()).await;
        assert!(read.is_err());
    }

    /// Bytes that are carried as they are, as a façade does.
    #[tokio::test(start_paused = true)]
    async fn a_stream_that_is_carried_is_watched_too() {
        let (mut client, mut here) = duplex(64);
        let (there, mut server) = duplex(64);
        let carrying = tokio::spawn(async move {
            let mut there = KeepAlive::new(there, Some(SILENCE));
            tokio::io::copy_bidirectional(&mut here, &mut there).await
        });
        // Half a frame, and the rest later.
        client.write_all(&[0x82, 0x82, 0, 0]).await.unwrap();
        tokio::time::sleep(2 * SILENCE).await;
        client.write_all(&[0, 0, b'h', b'i']).await.unwrap();
        let mut got = vec![0; 8 + PING.len()];
        server.read_exact(&mut got).await.unwrap();
        assert_eq!(got, [&[0x82, 0x82, 0, 0, 0, 0, b'h', b'i'], &PING[..]].concat());
        let ended = carrying.await.unwrap().unwrap_err();
        assert_eq!(ended.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn frames_of_each_length_are_told_apart_however_they_are_cut() {
        for length in [0_usize, 1, 125, 126, 65_535, 65_536, 100_000] {
            let mut frame = vec![0x82];
            match length {
                0..=125 => frame.push(0x80 | length as u8),
                126..=0xffff => frame.extend([&[0x80 | 126], &(length as u16).to_be_bytes()[..]].concat()),
                _ => frame.extend([&[0x80 | 127], &(length as u64).to_be_bytes()[..]].concat()),
            }
            frame.extend([0; 4]);
            frame.extend(vec![7; length]);
            for cut in [1, 3, 1000, frame.len()] {
                let mut frames = Frames::default();
                let mut left = 2 * frame.len();
                for piece in frame.repeat(2).chunks(cut) {
                    frames.pass(piece);
                    left -= piece.len();
                    assert_eq!(
                        frames.is_between(),
                        left % frame.len() == 0,
                        "{length} by {cut}, {left} left"
                    );
                }
            }
        }
    }
}
