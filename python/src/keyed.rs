//! An endpoint at a key, which its errors name.

use crate::endpoint::Endpoint;
use crate::error;
use pyo3::prelude::*;
use std::ops::Deref;

pub(crate) struct Keyed<E: shm_handoff_async::Endpoint, S> {
    endpoint: Endpoint<E, S>,
    key: u32,
}

impl<E: shm_handoff_async::Endpoint, S> Keyed<E, S> {
    pub(crate) fn new(end: E, noted: S, key: u32) -> Self {
        Self { endpoint: Endpoint::new(end, noted), key }
    }

    pub(crate) fn key(&self) -> u32 {
        self.key
    }

    /// As [`Endpoint::with`].
    #[inline]
    pub(crate) fn with<T>(&self, call: impl FnOnce(&mut E, &mut S) -> PyResult<T>) -> PyResult<T> {
        self.endpoint.with(call).map_err(|error| error::at(self.key, error))
    }

    /// What `repr()` says of a side: its class, its key, its `layout` unless another thread is in a call with it, and whether
    /// it was closed.
    pub(crate) fn repr(&self, class: &str, layout: PyResult<String>) -> String {
        let state = match layout {
            _ if self.endpoint.is_closed() => ", closed".to_owned(),
            Ok(layout) => format!(", {layout}"),
            Err(_) => String::new(),
        };
        format!("<shm_handoff.{class} of {}{state}>", shm_handoff::error::Place::Key(self.key))
    }
}

impl<E: shm_handoff_async::Endpoint, S> Deref for Keyed<E, S> {
    type Target = Endpoint<E, S>;

    fn deref(&self) -> &Endpoint<E, S> {
        &self.endpoint
    }
}
