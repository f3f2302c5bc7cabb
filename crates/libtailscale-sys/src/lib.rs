//! Raw bindings to a Tailscale node that runs inside the process.
//!
//! The node is Tailscale's own Go code (`tsnet`), built by this crate's build script as a C archive behind
//! the small contract of `tailscale.h`: handles that are never reused, operations that complete by a
//! callback exactly once, and no other way out than the tailnet. For a safe, asynchronous interface use
//! the crate `tailnet`.
//!
//! ```
//! let mut node = 0;
//! // SAFETY: `node` outlives the call.
//! let code = unsafe { libtailscale_sys::tailscale_new(&mut node) };
//! assert_eq!(code, libtailscale_sys::TAILSCALE_OK as i32);
//! ```
//!
//! # Building
//!
//! Go (the version in `libtailscale/go.mod`, or any since 1.21 that may download it) and a C compiler are
//! needed. `GO` names another go command; `LIBTAILSCALE_LIB_DIR` names a folder with a `libtailscale.a`
//! that was built before, from the same sources: compare `tailscale_abi_version()` with
//! `TAILSCALE_ABI_VERSION` before anything else is called, as `tailnet` does. If the archive's `tailscale.h`
//! lies beside it, the build script compares too. The declarations are checked in, so libclang is needed
//! only to make them anew (feature `bindgen`).
//!
//! # Licences
//!
//! The archive contains `tailscale.com` (BSD-3-Clause), gVisor (Apache-2.0), wireguard-go (MIT) and Go's
//! standard library (BSD-3-Clause).

#[cfg(not(feature = "bindgen"))]
#[rustfmt::skip]
#[allow(missing_docs, non_camel_case_types, clippy::all)]
mod bindings;
#[cfg(feature = "bindgen")]
#[allow(missing_docs, non_camel_case_types, clippy::all)]
mod bindings {
    include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
}

pub use bindings::*;

impl Default for tailscale_counters {
    /// Counters that have counted nothing.
    fn default() -> Self {
        tailscale_counters {
            dials: 0,
            dial_failures: 0,
            accepted: 0,
            open_streams: 0,
            bytes_sent: 0,
            bytes_received: 0,
        }
    }
}

/// Compiles the example of the crate's README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
