//! The errors of refusals: the server does not trust the client, or trusts it for some projects only.

use http::HeaderMap;

use crate::envelope::Envelope;
use crate::path::name_in;
use crate::{Client, Error, OidcLogin};

/// The project of a request that names none.
const DEFAULT: &str = "default";

/// The error that a server answered with.
pub(crate) fn refusal(code: u16, message: String, headers: &HeaderMap) -> Error {
    let login = OidcLogin::of(headers).filter(|_| code == 401);
    match (code, login) {
        (_, Some(login)) => Error::LoginRequired { login: Box::new(login) },
        (401 | 403, None) => Error::NotTrusted { message },
        _ => Error::Api { code, message },
    }
}

impl Client {
    /// The error that a server answered with. When it is about permissions, the server is asked for the projects that the
    /// client may use.
    pub(crate) async fn refused(&self, code: u16, message: String, headers: &HeaderMap) -> Error {
        let message = match refusal(code, message, headers) {
            Error::NotTrusted { message } => message,
            Error::Api { message, .. } if is_permission(&message) => message,
            other => return other,
        };
        match self.allowed_projects().await {
            Some(allowed) => {
                let project = self.own_project().unwrap_or(DEFAULT).to_owned();
                Error::NotAllowed { message, project, allowed }
            }
            None => refusal(code, message, headers),
        }
    }

    /// The projects that a client may use, which the server tells only a client that it trusts.
    async fn allowed_projects(&self) -> Option<Vec<String>> {
        let (envelope, _) = self.get(["projects"]).unscoped().answer().await.ok()?;
        let Envelope::Sync(projects) = envelope else { return None };
        let urls: Vec<String> = projects.read().ok()?;
        Some(urls.iter().map(|url| name_in(url)).collect())
    }
}

/// Whether a message is about permissions. Incus sends some with the code 500.
fn is_permission(message: &str) -> bool {
    ["User does not have permission", "Certificate is restricted"].iter().any(|words| message.contains(words))
}
