//! Values with the version that an update can be made conditional on.

use std::ops::{Deref, DerefMut};

/// A value as the server had it, with the version by which an update tells that nobody changed it since.
///
/// Read it, change it, give it back: what this crate does not know of it is sent back unchanged. When
/// somebody else was faster, the update ends with
/// [`Error::is_changed_meanwhile`](crate::Error::is_changed_meanwhile). A version does not cover all
/// fields: an instance's description, for one, is outside.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Versioned<T> {
    /// The value.
    pub value: T,
    /// Its version, `ETag` in HTTP; without one an update overwrites.
    pub etag: Option<String>,
}

impl<T> Versioned<T> {
    /// A value for an update that overwrites whatever is there.
    pub fn unconditional(value: T) -> Versioned<T> {
        Versioned { value, etag: None }
    }
}

impl<T> Deref for Versioned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Versioned<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}
