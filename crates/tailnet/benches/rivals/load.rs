//! What a client does with its network, and the lines of JSON by which it is told. The client of the libtailscale
//! crate includes this file too, and `vendor/libtailscale/cmd/bench` does the same in Go.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::io::{
    AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, Lines, Stdin,
};
use tokio::task::JoinSet;

/// The first line: what the client is to join, and where in it the peer's services are.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Join {
    pub control_url: String,
    pub auth_key: String,
    pub hostname: String,
    pub echo: SocketAddr,
    pub discard: SocketAddr,
    pub generate: SocketAddr,
    /// Where a SOCKS5 server is, for the client that needs one.
    pub socks: Option<SocketAddr>,
}

/// Every further line.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Load {
    /// Streams that send and streams that receive as fast as they can.
    Transfer { up: usize, down: usize, warm_up: f64, seconds: f64 },
    /// One request after the other on one stream, each answered with as much.
    Echo { size: usize, count: usize },
    /// Streams that are made, used for one byte there and back, and closed.
    Dial { count: usize, parallel: usize },
    /// Streams that are made, used for one byte there and back, and kept until the next load.
    Hold { count: usize },
}

/// What a client answers: `begin` once it has prepared, `end` at the end.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Answer {
    pub error: Option<String>,
    #[serde(default)]
    pub begin: bool,
    #[serde(default)]
    pub seconds: f64,
    /// Bytes or dials.
    #[serde(default)]
    pub done: u64,
    /// Dials that took longer than two seconds.
    #[serde(default)]
    pub failed: u64,
    /// Of one request or one dial with its byte, in microseconds.
    #[serde(default)]
    pub p50: f64,
    #[serde(default)]
    pub p99: f64,
}

/// A way to reach the peer.
pub trait Network: Clone + Send + Sync + 'static {
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    fn dial(&self, to: SocketAddr) -> impl Future<Output = Result<Self::Stream, String>> + Send;
}

const DIAL_DEADLINE: Duration = Duration::from_secs(2);
const BUFFER: usize = 64 << 10;

/// The lines from the coordinator.
pub type Input = Lines<BufReader<Stdin>>;

/// Begins to read them; the first one.
pub async fn input() -> Result<(Join, Input), String> {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let line = lines.next_line().await.map_err(text)?.ok_or("no first line")?;
    Ok((serde_json::from_str(&line).map_err(text)?, lines))
}

/// Does what it is told until the input ends.
pub async fn serve<N: Network>(
    join: Join,
    mut lines: Input,
    network: Result<N, String>,
) -> Result<(), String> {
    // The byte by which the time from start to first byte is told.
    let network = match network {
        Ok(network) => ping(&network, join.echo).await.map(|_| network),
        Err(error) => Err(error),
    };
    let mut held = Vec::new();
    match network {
        Err(error) => answer(&Answer { error: Some(error), ..Answer::default() }),
        Ok(network) => {
            answer(&Answer::default());
            while let Some(line) = lines.next_line().await.map_err(text)? {
                held.clear();
                let load = serde_json::from_str(&line).map_err(text)?;
                // As a task: what waits in `main` itself is woken by way of another thread.
                let (join, network) = (join.clone(), network.clone());
                let (end, kept) = tokio::spawn(run(join, network, load)).await.map_err(text)?;
                held = kept;
                answer(&end.unwrap_or_else(|e| Answer { error: Some(e), ..Answer::default() }));
            }
        }
    }
    Ok(())
}

/// Does one thing; the streams are those to keep.
async fn run<N: Network>(join: Join, network: N, load: Load) -> (Result<Answer, String>, Vec<N::Stream>) {
    let mut held = Vec::new();
    let end = match load {
        Load::Transfer { up, down, warm_up, seconds } => {
            transfer(&join, &network, (up, down), warm_up, seconds).await
        }
        Load::Echo { size, count } => echo(&join, &network, size, count).await,
        Load::Dial { count, parallel } => dial(&join, &network, count, parallel, None).await,
        Load::Hold { count } => dial(&join, &network, count, 32, Some(&mut held)).await,
    };
    (end, held)
}

async fn transfer<N: Network>(
    join: &Join,
    network: &N,
    (up, down): (usize, usize),
    warm_up: f64,
    seconds: f64,
) -> Result<Answer, String> {
    let bytes = Arc::new(AtomicU64::new(0));
    // All of them first: a dial among streams at full speed would wait for what they have under way.
    let mut dialled = Vec::new();
    for to in std::iter::repeat_n(join.discard, up).chain(std::iter::repeat_n(join.generate, down)) {
        dialled.push(network.dial(to).await?);
    }
    let mut streams = JoinSet::new();
    for mut stream in dialled.drain(..up) {
        let bytes = bytes.clone();
        streams.spawn(async move {
            let zeros = vec![0; BUFFER];
            loop {
                let n = stream.write(&zeros).await.map_err(text)?;
                bytes.fetch_add(n as u64, Ordering::Relaxed);
            }
        });
    }
    for mut stream in dialled {
        let bytes = bytes.clone();
        streams.spawn(async move {
            let mut buffer = vec![0; BUFFER];
            loop {
                match stream.read(&mut buffer).await.map_err(text)? {
                    0 => return Err::<(), _>("the peer ended the stream".to_owned()),
                    n => bytes.fetch_add(n as u64, Ordering::Relaxed),
                };
            }
        });
    }
    tokio::time::sleep(Duration::from_secs_f64(warm_up)).await;
    begin();
    let (began, before) = (Instant::now(), bytes.load(Ordering::Relaxed));
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
    let (seconds, done) = (began.elapsed().as_secs_f64(), bytes.load(Ordering::Relaxed) - before);
    if let Some(ended) = streams.try_join_next() {
        return Err(format!("a stream ended: {ended:?}"));
    }
    streams.shutdown().await;
    Ok(Answer { seconds, done, ..Answer::default() })
}

async fn echo<N: Network>(join: &Join, network: &N, size: usize, count: usize) -> Result<Answer, String> {
    let mut stream = network.dial(join.echo).await?;
    let mut buffer = vec![0; size];
    let mut times = Vec::with_capacity(count);
    let warm_up = count / 10;
    for i in 0..warm_up + count {
        if i == warm_up {
            begin();
        }
        let began = Instant::now();
        stream.write_all(&buffer).await.map_err(text)?;
        stream.read_exact(&mut buffer).await.map_err(text)?;
        if i >= warm_up {
            times.push(began.elapsed());
        }
    }
    Ok(percentiles(times, Answer::default()))
}

async fn dial<N: Network>(
    join: &Join,
    network: &N,
    count: usize,
    parallel: usize,
    held: Option<&mut Vec<N::Stream>>,
) -> Result<Answer, String> {
    let left = Arc::new(AtomicUsize::new(count));
    let keep = held.is_some();
    begin();
    let began = Instant::now();
    let mut workers = JoinSet::new();
    for _ in 0..parallel {
        let (left, network, echo) = (left.clone(), network.clone(), join.echo);
        workers.spawn(async move {
            let (mut streams, mut times, mut failed) = (Vec::new(), Vec::new(), 0);
            while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1)).is_ok() {
                let began = Instant::now();
                match tokio::time::timeout(DIAL_DEADLINE, ping(&network, echo)).await {
                    Ok(Ok(stream)) => {
                        times.push(began.elapsed());
                        if keep {
                            streams.push(stream);
                        }
                    }
                    Ok(Err(_)) | Err(_) => failed += 1,
                }
            }
            (streams, times, failed)
        });
    }
    let (mut streams, mut times, mut failed) = (Vec::new(), Vec::new(), 0);
    for (s, t, f) in workers.join_all().await {
        streams.extend(s);
        times.extend(t);
        failed += f;
    }
    let seconds = began.elapsed().as_secs_f64();
    if let Some(held) = held {
        *held = streams;
    }
    Ok(percentiles(times, Answer { seconds, failed, ..Answer::default() }))
}

/// A stream that has carried one byte there and back.
async fn ping<N: Network>(network: &N, echo: SocketAddr) -> Result<N::Stream, String> {
    let mut stream = network.dial(echo).await?;
    stream.write_all(&[1]).await.map_err(text)?;
    stream.read_exact(&mut [0]).await.map_err(text)?;
    Ok(stream)
}

fn percentiles(mut times: Vec<Duration>, answer: Answer) -> Answer {
    times.sort();
    let at = |part: f64| {
        let last = times.len().saturating_sub(1);
        times.get((last as f64 * part) as usize).map_or(f64::NAN, |t| t.as_secs_f64() * 1e6)
    };
    Answer { done: times.len() as u64, p50: at(0.5), p99: at(0.99), ..answer }
}

fn begin() {
    answer(&Answer { begin: true, ..Answer::default() });
}

fn answer(answer: &Answer) {
    println!("{}", serde_json::to_string(answer).expect("it is plain data"));
}

pub fn text(error: impl ToString) -> String {
    error.to_string()
}
