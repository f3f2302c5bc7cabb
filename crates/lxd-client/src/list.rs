//! Lists of things, in one request.

use std::future::IntoFuture;
use std::marker::PhantomData;
use std::pin::Pin;

use serde::de::DeserializeOwned;

use crate::path::name_in;
use crate::request::Request;
use crate::{Error, Filter};

/// A list that is asked for by `.await`, in one round trip; before that it can be narrowed.
///
/// ```no_run
/// # async fn example(client: lxd_client::Client) -> Result<(), lxd_client::Error> {
/// use lxd_client::Filter;
///
/// for instance in client.instances().filter(Filter::eq("status", "Running")).all_projects().await? {
///     println!("{} in {}", instance.name, instance.project);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a list is not asked for until it is awaited"]
pub struct List<T> {
    request: Request,
    recursion: u8,
    item: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> List<T> {
    pub(crate) fn new(request: Request) -> List<T> {
        List { request, recursion: 1, item: PhantomData }
    }

    /// Only what fits this, chosen by the server. Not all lists have filters; some servers ignore them there.
    pub fn filter(mut self, filter: Filter) -> List<T> {
        self.request = match filter.check() {
            Ok(()) => self.request.query("filter", filter),
            Err(message) => self.request.refuse(message),
        };
        self
    }

    /// Those of all projects, where the list is one of a project's things.
    pub fn all_projects(mut self) -> List<T> {
        self.request = self.request.query("all-projects", true);
        self
    }

    /// Adds to the query.
    pub fn query(mut self, name: &str, value: impl ToString) -> List<T> {
        self.request = self.request.query(name, value);
        self
    }

    pub(crate) fn recursion(mut self, recursion: u8) -> List<T> {
        self.recursion = recursion;
        self
    }

    /// Their names only, which is a smaller answer.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn names(self) -> Result<Vec<String>, Error> {
        let urls: Vec<String> = self.request.list().await?;
        Ok(urls.iter().map(|url| name_in(url)).collect())
    }
}

impl<T: DeserializeOwned + Send + 'static> IntoFuture for List<T> {
    type Output = Result<Vec<T>, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.request.query("recursion", self.recursion).list())
    }
}
