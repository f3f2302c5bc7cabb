//! Handles of things: what their requests have in common.

/// Defines a handle of one thing: the struct, and those of the five usual methods that its endpoint has.
///
/// ```ignore
/// handle! {
///     /// One profile, which may or may not exist; from [`Client::profile`].
///     ProfileHandle of Profile as "/1.0/profiles/{name}": get, update, patch, rename, delete
/// }
/// ```
///
/// After the path, `needs "extension"` has all of them refused where the server lacks that.
macro_rules! handle {
    ($(#[$doc:meta])* $handle:ident of $thing:ty as $path:literal $(needs $extension:literal)?: $($method:ident),+) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $handle {
            pub(crate) client: $crate::Client,
            pub(crate) path: Vec<String>,
        }

        impl $handle {
            pub(crate) fn new(client: &$crate::Client, path: Vec<String>) -> $handle {
                $handle { client: client.clone(), path }
            }

            fn ask(&self, method: http::Method) -> $crate::Request {
                let request = self.client.request(method, &self.path[..]);
                $(let request = request.needs($extension);)?
                request
            }

            $($crate::handle::handle!(@$method $thing, $path);)+
        }
    };
    (@get $thing:ty, $path:literal) => {
        #[doc = concat!("`GET ", $path, "`. Cancel safe.")]
        ///
        /// # Errors
        /// [`Error::is_not_found`](crate::Error::is_not_found) when there is none of that name.
        pub async fn get(&self) -> Result<$crate::Versioned<$thing>, $crate::Error> {
            self.ask(http::Method::GET).versioned().await
        }
    };
    (@update $thing:ty, $path:literal) => {
        #[doc = concat!("`PUT ", $path, "`: replaces what can be changed of it.")]
        ///
        /// # Errors
        /// [`Error::is_changed_meanwhile`](crate::Error::is_changed_meanwhile) when somebody else changed it
        /// since it was read.
        pub async fn update(&self, new: &$crate::Versioned<$thing>) -> Result<(), $crate::Error> {
            self.ask(http::Method::PUT).if_match(new).json(&new.value).done().await
        }
    };
    (@patch $thing:ty, $path:literal) => {
        #[doc = concat!("`PATCH ", $path, "`: sets what is in `changes` and leaves the rest.")]
        ///
        /// LXD 5.0 empties a description, and lists such as rules and ports, that are not among them.
        ///
        /// # Errors
        /// See [`Error`](crate::Error).
        pub async fn patch(&self, changes: &impl serde::Serialize) -> Result<(), $crate::Error> {
            self.ask(http::Method::PATCH).json(changes).done().await
        }
    };
    (@rename $thing:ty, $path:literal) => {
        #[doc = concat!("`POST ", $path, "`: gives it another name.")]
        ///
        /// # Errors
        /// [`Error::is_conflict`](crate::Error::is_conflict) when the new name is taken.
        pub async fn rename(&self, name: &str) -> Result<(), $crate::Error> {
            self.ask(http::Method::POST).json(&serde_json::json!({"name": name})).done().await
        }
    };
    (@delete $thing:ty, $path:literal) => {
        #[doc = concat!("`DELETE ", $path, "`.")]
        ///
        /// # Errors
        /// When something uses it, or there is none of that name.
        pub async fn delete(&self) -> Result<(), $crate::Error> {
            self.ask(http::Method::DELETE).done().await
        }
    };
}

pub(crate) use handle;
