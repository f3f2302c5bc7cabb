//! The one place where Rust meets the C archive, and the only `unsafe` of this crate.
//!
//! An operation's context is a boxed sender. Go calls [`done`] exactly once for each operation that it
//! accepted, also after a cancel; `done` takes the box back, copies the result and sends it.

#![allow(unsafe_code)]

use std::ffi::{c_char, c_void};
use std::future::Future;
use std::net::SocketAddr;
use std::os::fd::{FromRawFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Once};
use std::task::{Context, Poll};
use std::time::Duration;
use std::{ptr, slice};

use libtailscale_sys as sys;
use tokio::sync::oneshot;

use crate::{StateStore, log, store};

/// A code of `enum tailscale_code`, other than OK, with its message.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: sys::tailscale_code,
    pub(crate) message: String,
    /// NEEDS_LOGIN: the URL; LOCAL_API: the HTTP status.
    pub(crate) data: String,
}

impl Failure {
    fn of_code(code: i32) -> Failure {
        let code = code.unsigned_abs();
        let message = match code {
            sys::TAILSCALE_INVALID_ARGUMENT => "an argument was refused",
            sys::TAILSCALE_BAD_HANDLE => "the node was closed",
            sys::TAILSCALE_WRONG_STATE => "too late or too early for that",
            _ => "the call was refused",
        };
        // The handles of this crate are always of the right kind: one that is refused was closed.
        let code = if code == sys::TAILSCALE_BAD_HANDLE { sys::TAILSCALE_CLOSED } else { code };
        Failure { code, message: message.to_owned(), data: String::new() }
    }
}

/// Proof that the linked library is the one that the declarations are of; nothing else of it may be called without.
pub(crate) struct Library(());

impl Library {
    /// Compares the versions; the error is the library's.
    pub(crate) fn check() -> Result<Library, u32> {
        // SAFETY: no arguments. Every version of the library has this function.
        match unsafe { sys::tailscale_abi_version() } {
            sys::TAILSCALE_ABI_VERSION => Ok(Library(())),
            other => Err(other),
        }
    }
}

/// What a successful operation gave.
#[derive(Debug)]
pub(crate) struct Success {
    pub(crate) data: String,
    pub(crate) stream: Option<RawStream>,
    pub(crate) listener: Option<RawListener>,
}

/// What the network has carried for a node.
pub(crate) use sys::tailscale_counters as RawCounters;

/// A listener, and where it listens.
#[derive(Debug)]
pub(crate) struct RawListener {
    pub(crate) listener: Listener,
    pub(crate) local: Option<SocketAddr>,
}

/// The handle of a listener; dropping it closes the listener.
#[derive(Debug)]
pub(crate) struct Listener(sys::tailscale_listener);

impl Listener {
    pub(crate) fn accept(&self) -> Result<Operation, Failure> {
        // SAFETY: the arguments are `submit`'s.
        submit(|context, op| unsafe { sys::tailscale_accept(self.0, Some(done), context, op) })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // SAFETY: takes a number; one that is no listener's is refused.
        unsafe { sys::tailscale_listener_close(self.0) };
    }
}

/// A stream, or a packet socket, which has no `remote`. `conn` is dropped before `fd`: Go must
/// learn that the stream closes before it reads the end of the descriptor.
#[derive(Debug)]
pub(crate) struct RawStream {
    pub(crate) conn: Conn,
    pub(crate) fd: OwnedFd,
    pub(crate) local: Option<SocketAddr>,
    pub(crate) remote: Option<SocketAddr>,
}

/// The handle of a stream. Dropping it tells Go that this side closes the descriptor.
#[derive(Debug)]
pub(crate) struct Conn(sys::tailscale_conn);

impl Conn {
    /// Why the stream broke, `TAILSCALE_OK` while it did not.
    pub(crate) fn error(&self) -> sys::tailscale_code {
        // SAFETY: takes a number; one that is no stream's is refused.
        unsafe { sys::tailscale_conn_error(self.0) }.unsigned_abs()
    }

    /// Resets the stream.
    pub(crate) fn abort(&self) {
        // SAFETY: takes a number; one that is no stream's is refused.
        unsafe { sys::tailscale_conn_abort(self.0) };
    }

    /// Has the network ask a silent peer for a sign of life; 0 seconds: never.
    pub(crate) fn keepalive(&self, seconds: u32) -> Result<(), Failure> {
        // SAFETY: takes numbers; one that is no stream's is refused.
        match unsafe { sys::tailscale_conn_keepalive(self.0, seconds) } {
            0 => Ok(()),
            code => Err(Failure::of_code(code)),
        }
    }
}

impl Drop for Conn {
    fn drop(&mut self) {
        // SAFETY: takes a number; one that is no stream's is refused.
        unsafe { sys::tailscale_conn_close(self.0) };
    }
}

/// An operation under way. Dropping it asks for its end.
#[derive(Debug)]
pub(crate) struct Operation {
    op: sys::tailscale_op,
    result: oneshot::Receiver<Result<Success, Failure>>,
    finished: bool,
}

impl Future for Operation {
    type Output = Result<Success, Failure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.result).poll(cx).map(|received| {
            self.finished = true;
            // The sender only goes away unused if `done` was never called, against its contract.
            received.unwrap_or_else(|_| Err(Failure::of_code(i32::MAX)))
        })
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        if !self.finished {
            // SAFETY: takes a number; one whose operation has ended is refused.
            unsafe { sys::tailscale_cancel(self.op) };
        }
    }
}

/// A function of tailscale.h that starts an operation on a node.
type Plain =
    unsafe extern "C" fn(sys::tailscale, sys::tailscale_done, *mut c_void, *mut sys::tailscale_op) -> i32;

/// One that takes a text as well.
type WithText = unsafe extern "C" fn(
    sys::tailscale,
    *const c_char,
    usize,
    sys::tailscale_done,
    *mut c_void,
    *mut sys::tailscale_op,
) -> i32;

/// The handle of a node. Dropping it closes the node in the background.
#[derive(Debug)]
pub(crate) struct Node {
    handle: sys::tailscale,
    has_store: AtomicBool,
}

impl Node {
    pub(crate) fn new(_: Library) -> Result<Node, Failure> {
        static LOG: Once = Once::new();
        LOG.call_once(|| {
            // SAFETY: `log_line` is a function and lives as long as the process.
            unsafe { sys::tailscale_set_log(Some(log_line)) };
        });
        let mut node = 0;
        // SAFETY: `node` outlives the call.
        match unsafe { sys::tailscale_new(&raw mut node) } {
            0 => Ok(Node { handle: node, has_store: AtomicBool::new(false) }),
            code => Err(Failure::of_code(code)),
        }
    }

    /// The number by which log lines name the node.
    pub(crate) fn id(&self) -> u64 {
        self.handle
    }

    /// Starts an operation that takes nothing else.
    fn submit_plain(&self, call: Plain) -> Result<Operation, Failure> {
        // SAFETY: the arguments are `submit`'s.
        submit(|context, op| unsafe { call(self.handle, Some(done), context, op) })
    }

    /// Starts an operation that takes one text.
    fn submit_text(&self, call: WithText, argument: &str) -> Result<Operation, Failure> {
        submit(|context, op| {
            // SAFETY: `argument` outlives the call, which copies it; the rest is `submit`'s.
            unsafe { call(self.handle, text(argument), argument.len(), Some(done), context, op) }
        })
    }

    pub(crate) fn configure(&self, json: &str) -> Result<Operation, Failure> {
        self.submit_text(sys::tailscale_configure, json)
    }

    /// Has the node keep its state in `store`, which held `state` (JSON of base64) before.
    pub(crate) fn set_store(&self, state: &str, store: Arc<dyn StateStore>) -> Result<(), Failure> {
        let context: *mut Arc<dyn StateStore> = Box::into_raw(Box::new(store));
        // SAFETY: `state` outlives the call, which copies it; `context` is valid until `store_release` takes it back.
        let code = unsafe {
            sys::tailscale_set_store(
                self.handle,
                text(state),
                state.len(),
                Some(store_write),
                Some(store_release),
                context.cast(),
            )
        };
        if code == 0 {
            self.has_store.store(true, Ordering::Relaxed);
            return Ok(());
        }
        // SAFETY: the call was refused, so nothing else knows the box.
        drop(unsafe { Box::from_raw(context) });
        Err(Failure::of_code(code))
    }

    pub(crate) fn login(&self, key: &str, timeout: Duration) -> Result<Operation, Failure> {
        let ms = milliseconds(timeout);
        submit(|context, op| {
            // SAFETY: `key` outlives the call, which copies it; the rest is `submit`'s.
            unsafe { sys::tailscale_login(self.handle, text(key), key.len(), ms, Some(done), context, op) }
        })
    }

    pub(crate) fn logout(&self) -> Result<Operation, Failure> {
        self.submit_plain(sys::tailscale_logout)
    }

    pub(crate) fn netcheck(&self) -> Result<Operation, Failure> {
        self.submit_plain(sys::tailscale_netcheck)
    }

    pub(crate) fn serve_local_api(&self, path: &str) -> Result<Operation, Failure> {
        self.submit_text(sys::tailscale_serve_local_api, path)
    }

    pub(crate) fn counters(&self) -> RawCounters {
        let mut counters = RawCounters::default();
        // SAFETY: `counters` outlives the call. A closed node leaves it as it is.
        unsafe { sys::tailscale_get_counters(self.handle, &raw mut counters) };
        counters
    }

    /// Whether the tailnet has the address.
    pub(crate) fn contains(&self, ip: &str) -> Result<(), Failure> {
        // SAFETY: `ip` outlives the call.
        match unsafe { sys::tailscale_contains(self.handle, text(ip), ip.len()) } {
            0 => Ok(()),
            code => Err(Failure::of_code(code)),
        }
    }

    pub(crate) fn listen_packet(&self, address: &str) -> Result<Operation, Failure> {
        self.submit_text(sys::tailscale_listen_packet, address)
    }

    pub(crate) fn start(&self) -> Result<Operation, Failure> {
        self.submit_plain(sys::tailscale_start)
    }

    pub(crate) fn up(&self, timeout: Duration) -> Result<Operation, Failure> {
        let ms = milliseconds(timeout);
        // SAFETY: the arguments are `submit`'s.
        submit(|context, op| unsafe { sys::tailscale_up(self.handle, ms, Some(done), context, op) })
    }

    pub(crate) fn watch(&self, seen: u64) -> Result<Operation, Failure> {
        // SAFETY: the arguments are `submit`'s.
        submit(|context, op| unsafe { sys::tailscale_watch(self.handle, seen, Some(done), context, op) })
    }

    pub(crate) fn status(&self) -> Result<Operation, Failure> {
        self.submit_plain(sys::tailscale_status)
    }

    pub(crate) fn resolve(&self, host: &str, timeout: Duration) -> Result<Operation, Failure> {
        let ms = milliseconds(timeout);
        submit(|context, op| {
            // SAFETY: `host` outlives the call, which copies it; the rest is `submit`'s.
            unsafe {
                sys::tailscale_resolve(self.handle, text(host), host.len(), ms, Some(done), context, op)
            }
        })
    }

    pub(crate) fn dial(&self, address: &str, timeout: Duration) -> Result<Operation, Failure> {
        let ms = milliseconds(timeout);
        submit(|context, op| {
            // SAFETY: `address` outlives the call, which copies it; the rest is `submit`'s.
            unsafe {
                sys::tailscale_dial(self.handle, text(address), address.len(), ms, Some(done), context, op)
            }
        })
    }

    pub(crate) fn local_api(
        &self,
        method: &str,
        path: &str,
        body: &str,
        timeout: Duration,
    ) -> Result<Operation, Failure> {
        let ms = milliseconds(timeout);
        let (m, p, b) = ((text(method), method.len()), (text(path), path.len()), (text(body), body.len()));
        submit(|context, op| {
            // SAFETY: the three texts outlive the call, which copies them; the rest is `submit`'s.
            unsafe {
                sys::tailscale_local_api(
                    self.handle,
                    m.0,
                    m.1,
                    p.0,
                    p.1,
                    b.0,
                    b.1,
                    ms,
                    Some(done),
                    context,
                    op,
                )
            }
        })
    }

    pub(crate) fn listen(&self, options: &str) -> Result<Operation, Failure> {
        self.submit_text(sys::tailscale_listen, options)
    }

    /// Closes the node and waits until it has gone, also when that has begun before. Refused once it has gone.
    pub(crate) fn close(&self, timeout: Duration) -> Result<Operation, Failure> {
        self.report_closing();
        close(self.handle, timeout)
    }

    fn report_closing(&self) {
        if self.has_store.load(Ordering::Relaxed) {
            store::closes(self.handle);
        }
    }
}

/// As [`Node::close`], for a node that may be dropped already.
pub(crate) fn close(node: u64, timeout: Duration) -> Result<Operation, Failure> {
    let ms = milliseconds(timeout);
    // SAFETY: takes numbers, of which one that is no node's is refused; the rest is `submit`'s.
    submit(|context, op| unsafe { sys::tailscale_close(node, ms, Some(done), context, op) })
}

impl Drop for Node {
    fn drop(&mut self) {
        log::forget(self.handle);
        self.report_closing();
        // Refused when the node has gone. Nobody waits for the end, so the deadline is no matter.
        // SAFETY: `ignore` does nothing with the null context; the operation's number is not wanted.
        unsafe { sys::tailscale_close(self.handle, 1, Some(ignore), ptr::null_mut(), ptr::null_mut()) };
    }
}

/// Starts an operation: `start` gets the context to pass with [`done`], and where its number goes.
fn submit(start: impl FnOnce(*mut c_void, *mut sys::tailscale_op) -> i32) -> Result<Operation, Failure> {
    let (sender, result) = oneshot::channel();
    let context: *mut Sender = Box::into_raw(Box::new(sender));
    let mut op = 0;
    match start(context.cast(), &raw mut op) {
        0 => Ok(Operation { op, result, finished: false }),
        code => {
            // SAFETY: the call was refused, so `done` is never called and the box is still ours.
            drop(unsafe { Box::from_raw(context) });
            Err(Failure::of_code(code))
        }
    }
}

type Sender = oneshot::Sender<Result<Success, Failure>>;

/// Called by Go, on a thread of Go's, exactly once for each accepted operation.
unsafe extern "C" fn done(context: *mut c_void, result: *const sys::tailscale_result) {
    // SAFETY: `context` is the box that `submit` gave away, and this is the only call that gets it.
    let sender = unsafe { Box::from_raw(context.cast::<Sender>()) };
    // SAFETY: `result` points to a result that is valid until this function returns.
    let result = unsafe { &*result };
    // SAFETY: so are its slices, and this call hands its descriptor and stream over.
    let outcome = unsafe { copy_result(result) };
    // A waker is foreign code. When nobody waits any more the outcome is dropped here, stream and all.
    drop(catch_unwind(AssertUnwindSafe(|| sender.send(outcome).is_ok())));
}

unsafe extern "C" fn ignore(_: *mut c_void, _: *const sys::tailscale_result) {}

/// # Safety
/// The slices of `result` must be valid, and its descriptor and handles handed over by this call.
unsafe fn copy_result(result: &sys::tailscale_result) -> Result<Success, Failure> {
    let copy = |slice: &sys::tailscale_slice| {
        // SAFETY: the caller vouches for the slices.
        unsafe { copy_text(slice.ptr, slice.len) }
    };
    if result.code != 0 {
        return Err(Failure {
            code: result.code.unsigned_abs(),
            message: copy(&result.message),
            data: copy(&result.data),
        });
    }
    let stream = (result.fd >= 0).then(|| RawStream {
        conn: Conn(result.conn),
        // SAFETY: the descriptor is open, and from here on nobody else's.
        fd: unsafe { OwnedFd::from_raw_fd(result.fd) },
        local: copy(&result.local).parse().ok(),
        remote: copy(&result.remote).parse().ok(),
    });
    let listener = (result.listener != 0).then(|| RawListener {
        listener: Listener(result.listener),
        local: copy(&result.local).parse().ok(),
    });
    Ok(Success { data: copy(&result.data), stream, listener })
}

/// Called by Go, on a thread of Go's, which may wait for it.
unsafe extern "C" fn store_write(
    context: *mut c_void,
    id: *const c_char,
    id_len: usize,
    value: *const c_char,
    value_len: usize,
) -> i32 {
    // SAFETY: the box that `set_store` gave away lives until `store_release`.
    let store = unsafe { &*context.cast::<Arc<dyn StateStore>>() };
    // SAFETY: the text is valid until this function returns.
    let id = unsafe { copy_text(id, id_len) };
    let value = match (value.is_null(), value_len) {
        (true, _) => None,
        (false, 0) => Some(&[][..]),
        // SAFETY: so is the value.
        (false, len) => Some(unsafe { slice::from_raw_parts(value.cast::<u8>(), len) }),
    };
    // A store is foreign code.
    let outcome = catch_unwind(AssertUnwindSafe(|| store.write(&id, value)));
    match outcome {
        Ok(Ok(())) => 0,
        Ok(Err(error)) => {
            tracing::warn!("the state store did not keep {id:?}: {error}");
            1
        }
        Err(_) => 1,
    }
}

/// Called by Go, once.
unsafe extern "C" fn store_release(context: *mut c_void) {
    // SAFETY: the box that `set_store` gave away comes back, and nobody uses it any more.
    let store = unsafe { Box::from_raw(context.cast::<Arc<dyn StateStore>>()) };
    drop(catch_unwind(AssertUnwindSafe(|| drop(store))));
}

/// Called by Go for each log line.
unsafe extern "C" fn log_line(node: sys::tailscale, level: i32, line: *const c_char, len: usize) {
    // A subscriber is foreign code.
    drop(catch_unwind(AssertUnwindSafe(|| {
        if log::wanted(level) {
            // SAFETY: the line is valid until this function returns.
            log::emit(node, level, &unsafe { copy_text(line, len) });
        }
    })));
}

/// # Safety
/// `ptr` must be valid for `len` bytes, or `len` 0.
unsafe fn copy_text(ptr: *const c_char, len: usize) -> String {
    if len == 0 {
        return String::new();
    }
    // SAFETY: the caller vouches for it.
    let bytes = unsafe { slice::from_raw_parts(ptr.cast::<u8>(), len) };
    String::from_utf8_lossy(bytes).into_owned()
}

fn text(s: &str) -> *const c_char {
    s.as_ptr().cast()
}

/// For C, where 0 means no deadline.
fn milliseconds(timeout: Duration) -> u32 {
    u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX).max(1)
}
