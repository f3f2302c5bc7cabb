//! What the C boundary promises: bad arguments are codes, operations complete exactly once, and the
//! bindings are those of the header.

mod random;

use std::ffi::{OsString, c_char, c_void};
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use libtailscale_sys::*;
use sha2::{Digest, Sha256};

const HANG: Duration = Duration::from_secs(60);

/// Sends what an operation ended with to the channel that `context` points to.
unsafe extern "C" fn report(context: *mut c_void, result: *const tailscale_result) {
    // SAFETY: the tests leak their senders, and the result is valid for the time of the call.
    let (sender, result) = unsafe { (&*context.cast::<Sender<(i32, String)>>(), &*result) };
    let message = match result.message.len {
        0 => String::new(),
        // SAFETY: as above.
        len => String::from_utf8_lossy(unsafe { std::slice::from_raw_parts(result.message.ptr.cast(), len) })
            .into_owned(),
    };
    sender.send((result.code, message)).expect("the test listens");
}

/// A context for `report`, and what it reports.
fn reports() -> (*mut c_void, Receiver<(i32, String)>) {
    let (sender, receiver) = channel::<(i32, String)>();
    (Box::into_raw(Box::new(sender)).cast(), receiver)
}

fn new_node() -> tailscale {
    let mut node = 0;
    // SAFETY: `node` outlives the call.
    assert_eq!(unsafe { tailscale_new(&mut node) }, TAILSCALE_OK as i32);
    node
}

fn text(s: &str) -> (*const c_char, usize) {
    (s.as_ptr().cast(), s.len())
}

unsafe extern "C" fn never_write(
    _: *mut c_void,
    _: *const c_char,
    _: usize,
    _: *const c_char,
    _: usize,
) -> i32 {
    panic!("the store was refused")
}

unsafe extern "C" fn never_release(_: *mut c_void) {
    panic!("the store was refused")
}

/// Calls every function that takes a handle with `h`, which no function may accept.
fn codes_for_handle(h: u64) -> Vec<i32> {
    let ((config, len), done) = (text("{}"), Some(report as _));
    let none = null_mut();
    let mut counters = tailscale_counters::default();
    // SAFETY: the text and the counters outlive the calls; a refused call uses neither callback nor context.
    unsafe {
        vec![
            tailscale_configure(h, config, len, done, none, null_mut()),
            tailscale_start(h, done, none, null_mut()),
            tailscale_up(h, 1, done, none, null_mut()),
            tailscale_watch(h, 0, done, none, null_mut()),
            tailscale_status(h, done, none, null_mut()),
            tailscale_dial(h, config, len, 1, done, none, null_mut()),
            tailscale_resolve(h, config, len, 1, done, none, null_mut()),
            tailscale_close(h, 1, done, none, null_mut()),
            tailscale_local_api(h, config, len, config, len, config, len, 1, done, none, null_mut()),
            tailscale_listen(h, config, len, done, none, null_mut()),
            tailscale_listen_packet(h, config, len, done, none, null_mut()),
            tailscale_login(h, config, len, 1000, done, none, null_mut()),
            tailscale_logout(h, done, none, null_mut()),
            tailscale_netcheck(h, done, none, null_mut()),
            tailscale_serve_local_api(h, config, len, done, none, null_mut()),
            tailscale_set_store(h, config, len, Some(never_write), Some(never_release), none),
            tailscale_get_counters(h, &mut counters),
            tailscale_contains(h, config, len),
            tailscale_conn_keepalive(h, 1),
            tailscale_conn_abort(h),
            tailscale_accept(h, done, none, null_mut()),
            tailscale_listener_close(h),
            tailscale_conn_error(h),
            tailscale_conn_close(h),
            tailscale_cancel(h),
        ]
    }
}

#[test]
fn the_library_is_the_one_of_the_header() {
    // SAFETY: no arguments.
    assert_eq!(unsafe { tailscale_abi_version() }, TAILSCALE_ABI_VERSION);
}

#[test]
fn the_bindings_are_those_of_the_header() {
    let header = include_bytes!("../../libtailscale/tailscale.h");
    let sum: String = Sha256::digest(header).iter().map(|byte| format!("{byte:02x}")).collect();
    let bindings = include_str!("../../src/bindings.rs");
    assert!(
        bindings.contains(&sum),
        "src/bindings.rs is out of date: LIBTAILSCALE_UPDATE_BINDINGS=1 cargo build -p kolaboree-libtailscale-sys --features bindgen"
    );
}

#[cfg(feature = "bindgen")]
#[test]
fn the_bindings_are_what_bindgen_makes() {
    assert_eq!(include_str!("../../src/bindings.rs"), include_str!(concat!(env!("OUT_DIR"), "/bindings.rs")));
}

#[test]
fn unknown_handles_are_refused_by_every_function() {
    for h in [0, u64::MAX, 1 << 63, 123_456_789] {
        assert_eq!(codes_for_handle(h), [TAILSCALE_BAD_HANDLE as i32; 25], "handle {h}");
    }
}

#[test]
fn a_handle_of_another_kind_is_refused() {
    let node = new_node();
    let (context, reported) = reports();
    let mut op = 0;
    // SAFETY: `op` outlives the call, and the context lives for ever.
    let code = unsafe { tailscale_watch(node, u64::MAX, Some(report), context, &mut op) };
    assert_eq!(code, TAILSCALE_OK as i32);
    // SAFETY: plain numbers.
    let codes = unsafe {
        [
            tailscale_start(op, Some(report), null_mut(), null_mut()),
            tailscale_conn_error(node),
            tailscale_conn_close(node),
            tailscale_conn_close(op),
            tailscale_cancel(node),
        ]
    };
    assert_eq!(codes, [TAILSCALE_BAD_HANDLE as i32; 5]);
    // SAFETY: a plain number.
    assert_eq!(unsafe { tailscale_cancel(op) }, TAILSCALE_OK as i32);
    assert_eq!(reported.recv_timeout(HANG).unwrap().0, TAILSCALE_CANCELED as i32);
    // SAFETY: a plain number.
    assert_eq!(unsafe { tailscale_cancel(op) }, TAILSCALE_BAD_HANDLE as i32, "it has ended");
    close(node);
}

fn close(node: tailscale) {
    let (context, reported) = reports();
    // SAFETY: the context lives for ever.
    let code = unsafe { tailscale_close(node, 10_000, Some(report), context, null_mut()) };
    assert_eq!(code, TAILSCALE_OK as i32);
    assert_eq!(reported.recv_timeout(HANG).unwrap().0, TAILSCALE_OK as i32);
}

#[test]
fn null_and_senseless_arguments_are_refused() {
    // SAFETY: a null pointer is an argument like others here.
    assert_eq!(unsafe { tailscale_new(null_mut()) }, TAILSCALE_INVALID_ARGUMENT as i32);
    let node = new_node();
    let not_utf8 = [0xff_u8, 0xfe];
    let ok = text("{}");
    // SAFETY: the texts outlive the calls; a null one is never read.
    let codes = unsafe {
        [
            tailscale_configure(node, null(), 5, Some(report), null_mut(), null_mut()),
            tailscale_configure(node, not_utf8.as_ptr().cast(), 2, Some(report), null_mut(), null_mut()),
            tailscale_configure(node, ok.0, usize::MAX, Some(report), null_mut(), null_mut()),
            tailscale_configure(node, ok.0, ok.1, None, null_mut(), null_mut()),
            tailscale_start(node, None, null_mut(), null_mut()),
            tailscale_dial(node, null(), 1, 1, Some(report), null_mut(), null_mut()),
            tailscale_close(node, 1, None, null_mut(), null_mut()),
        ]
    };
    assert_eq!(codes, [TAILSCALE_INVALID_ARGUMENT as i32; 7]);
    close(node);
}

#[test]
fn a_bad_configuration_is_told_without_its_secret() {
    let node = new_node();
    for (config, expected) in [
        ("", "EOF"),
        ("[]", "configuration"),
        ("{}{}", "more than one"),
        (r#"{"hostnme":"x"}"#, "hostnme"),
        (r#"{"port":70000}"#, "port"),
        (r#"{"auth_key":" hush ","ephemeral":true}"#, "white space"),
        (r#"{"auth_key":["hush"]}"#, "auth_key"),
        (r#"{"control_url":"http://user:hush@","ephemeral":true}"#, "control_url"),
    ] {
        let (context, reported) = reports();
        let (ptr, len) = text(config);
        // SAFETY: the text outlives the call and the context lives for ever.
        let code = unsafe { tailscale_configure(node, ptr, len, Some(report), context, null_mut()) };
        assert_eq!(code, TAILSCALE_OK as i32);
        let (code, message) = reported.recv_timeout(HANG).unwrap();
        assert_eq!(code, TAILSCALE_INVALID_ARGUMENT as i32, "{config}: {message}");
        assert!(message.contains(expected) && !message.contains("hush"), "{config}: {message}");
    }
    close(node);
}

#[test]
fn calls_in_the_wrong_order_are_told() {
    let node = new_node();
    let (address, len) = text("127.0.0.1:80");
    let calls: [&dyn Fn(*mut c_void) -> i32; 5] = [
        // SAFETY: the texts outlive the calls and the contexts live for ever.
        &|context| unsafe { tailscale_start(node, Some(report), context, null_mut()) },
        // SAFETY: as above.
        &|context| unsafe { tailscale_up(node, 1000, Some(report), context, null_mut()) },
        // SAFETY: as above.
        &|context| unsafe { tailscale_status(node, Some(report), context, null_mut()) },
        // SAFETY: as above.
        &|context| unsafe { tailscale_dial(node, address, len, 1000, Some(report), context, null_mut()) },
        // SAFETY: as above.
        &|context| unsafe { tailscale_resolve(node, address, len, 1000, Some(report), context, null_mut()) },
    ];
    for (index, call) in calls.iter().enumerate() {
        let (context, reported) = reports();
        assert_eq!(call(context), TAILSCALE_OK as i32);
        assert_eq!(reported.recv_timeout(HANG).unwrap().0, TAILSCALE_WRONG_STATE as i32, "call {index}");
        assert!(reported.try_recv().is_err(), "it completed twice");
    }
    close(node);
    assert_eq!(codes_for_handle(node), [TAILSCALE_BAD_HANDLE as i32; 25], "it is closed");
}

#[test]
fn closing_completes_every_operation_exactly_once() {
    let node = new_node();
    let waiting: Vec<_> = (0..100)
        .map(|_| {
            let (context, reported) = reports();
            // SAFETY: the context lives for ever.
            let code = unsafe { tailscale_watch(node, u64::MAX, Some(report), context, null_mut()) };
            assert_eq!(code, TAILSCALE_OK as i32);
            reported
        })
        .collect();
    close(node);
    for reported in &waiting {
        assert_eq!(reported.recv_timeout(HANG).unwrap().0, TAILSCALE_CLOSED as i32);
    }
    assert!(waiting.iter().all(|reported| reported.try_recv().is_err()), "one completed twice");
}

/// The names of the environment's variables, as C sees it.
fn environment() -> Vec<OsString> {
    std::env::vars_os().map(|(name, _)| name).collect()
}

#[test]
fn a_node_leaves_the_programs_environment_alone_which_other_threads_read() {
    let before = environment();
    assert!(
        !before.contains(&"TS_DISABLE_PORTMAPPER".into()),
        "the test needs it unset, also when it begins"
    );
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    // SAFETY: the name ends with a zero byte, and the value is only compared with null.
                    let value = unsafe { getenv(c"LIBTAILSCALE_NO_SUCH_VARIABLE".as_ptr()) };
                    assert!(value.is_null());
                }
            });
        }
        let node = new_node();
        // By these settings Tailscale's code is told what it knows as variables of the environment.
        let (config, len) =
            text(r#"{"ephemeral":true,"control_url":"http://127.0.0.1:9","port_mapping":false}"#);
        let calls: [&dyn Fn(*mut c_void) -> i32; 2] = [
            // SAFETY: the text outlives the call and the context lives for ever.
            &|context| unsafe { tailscale_configure(node, config, len, Some(report), context, null_mut()) },
            // SAFETY: the context lives for ever.
            &|context| unsafe { tailscale_start(node, Some(report), context, null_mut()) },
        ];
        for call in calls {
            let (context, reported) = reports();
            assert_eq!(call(context), TAILSCALE_OK as i32);
            assert_eq!(reported.recv_timeout(HANG).unwrap(), (TAILSCALE_OK as i32, String::new()));
        }
        close(node);
        over.store(true, Ordering::Relaxed);
    });
    assert_eq!(environment(), before);
}

unsafe extern "C" {
    /// C's own, which takes no lock of Rust's.
    fn getenv(name: *const c_char) -> *const c_char;
}
