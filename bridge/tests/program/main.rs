//! `shm-bridge` between two channels of one machine, over the loopback.
//!
//! | exit | shown in |
//! | --- | --- |
//! | 0 | `layouts` |
//! | 1, 2 | `options` |
//! | 3 | `deaths` |
//! | 4, 5, 6 | `refused` |
//! | 124, 128+n | `waits` |
//!
//! `killed` kills the bridges themselves, `removed` removes the rings under them, and in `next` the machine of the sender is restarted. Two hosts, and a network that loses, are in `tests/hosts`.

mod deaths;
mod killed;
mod layouts;
mod network;
mod next;
mod options;
mod refused;
mod removed;
mod support;
mod waits;
