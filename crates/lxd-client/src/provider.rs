//! What does the cryptography of TLS: named wherever it is needed, so that no other crate's choice of a default matters.

#[cfg(feature = "aws-lc-rs")]
pub(crate) use rustls::crypto::aws_lc_rs::{default_provider, sign};
#[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
pub(crate) use rustls::crypto::ring::{default_provider, sign};

#[cfg(not(any(feature = "ring", feature = "aws-lc-rs")))]
compile_error!("lxd-client needs one of its features `ring` and `aws-lc-rs`");
