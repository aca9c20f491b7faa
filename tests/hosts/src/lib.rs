//! Hosts without machines: network and IPC namespaces, and a wire between them that treats packets as bad networks do.
//!
//! Two programs stand on it: `hosts`, which tests shm-bridge between such hosts, and `benches/bridge`, which measures it there.
//! Everything lives in namespaces without a name, which the kernel removes with the last process that holds them. A killed
//! test leaves nothing behind.
#![allow(clippy::disallowed_types)] // no protocol stands here, and no checker behind it

pub mod host;
pub mod wire;

/// Whether hosts and a wire can be made here.
///
/// # Errors
/// Why not.
pub fn probe() -> Result<(), Unavailable> {
    let (one, other) = (host::Host::new()?, host::Host::new()?);
    wire::Wire::lay("wire", (&one, "10.77.0.1"), (&other, "10.77.0.2"), 0).map(drop)
}

/// Why no host can be made here, to be said after `NOT CHECKED`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unavailable(pub String);

impl std::fmt::Display for Unavailable {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str(&self.0)
    }
}

impl std::error::Error for Unavailable {}
