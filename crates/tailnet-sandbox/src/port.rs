//! A free port on loopback.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

/// A port of the loopback interface that is free, and stays free until a program listens there, now or when it starts
/// again: it is below the ports that the system gives to connections and to listeners on port 0.
///
/// # Panics
/// When a thousand ports in a row are taken.
#[must_use]
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    (0..1000)
        .find_map(|_| {
            // The process's number keeps the ports of test programs that run at the same time apart.
            let next =
                std::process::id().wrapping_mul(101).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
            let port = u16::try_from(12_000 + next % 20_000).ok()?;
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok().then_some(port)
        })
        .expect("a port below those of the system is free")
}
