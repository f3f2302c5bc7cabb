//! Refusals and failures, as RFC 9457 has them.

use std::error::Error as StdError;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lxd_client::{Error as CloudError, one_line};
use serde::Serialize;
use utoipa::ToSchema;

use crate::actions::ActionError;
use crate::remedy;

/// Why a request was refused, or failed: `application/problem+json`.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub(in crate::api) struct Problem(Box<ProblemDetails>);

/// Why a request was refused, or failed: `application/problem+json`.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(in crate::api) struct ProblemDetails {
    /// The HTTP status.
    status: u16,
    /// The kind of problem, for people.
    title: &'static str,
    /// The kind of problem, for programs.
    code: Code,
    /// What is wrong here.
    detail: String,
    /// The cloud that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    cloud: Option<String>,
    /// The node that it belongs to, where that is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
    /// Who asked, where the problem is about rights.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    caller: Option<serde_json::Value>,
    /// The grants that would let the caller in, to paste: for the tailnet's policy, and for `kolaboree.yaml`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    grant: Option<serde_json::Value>,
}

/// The kinds of problems. More may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::api) enum Code {
    /// The request makes no sense.
    Invalid,
    /// The caller may not do that.
    Forbidden,
    /// A web page of somebody else's sent it.
    ForeignOrigin,
    /// It was asked for by a name that is not this node's.
    WrongHost,
    /// There is no such thing.
    NotFound,
    /// It belongs to another node: one of the replicas behind a service.
    OtherNode,
    /// The path is there, but not with this method.
    MethodNotAllowed,
    /// It contradicts what is there.
    Conflict,
    /// Somebody else changed it meanwhile.
    Changed,
    /// It repeats the key of another request.
    Mismatch,
    /// The body is too large.
    TooLarge,
    /// The body is of a type that is not taken here.
    UnsupportedType,
    /// Nothing was heard of the client for too long.
    Silent,
    /// The caller has too many requests or streams under way.
    TooMany,
    /// It was cancelled.
    Cancelled,
    /// The other side was silent for too long.
    Idle,
    /// The file has no such bytes.
    NoSuchPart,
    /// The cloud refused it.
    Refused,
    /// The cloud cannot be reached.
    Unreachable,
    /// The cloud does not let this node do that.
    NotTrusted,
    /// The cloud gave no answer in time.
    Timeout,
    /// This node cannot do it now.
    Unavailable,
    /// Anything else.
    Failed,
}

impl Code {
    fn title(self) -> &'static str {
        match self {
            Code::Invalid => "The request makes no sense",
            Code::Forbidden => "Not allowed",
            Code::ForeignOrigin => "Sent by another site",
            Code::WrongHost => "Not this node's name",
            Code::NotFound => "Not found",
            Code::OtherNode => "Another node's",
            Code::MethodNotAllowed => "Not with this method",
            Code::Conflict => "It contradicts what is there",
            Code::Changed => "Changed by somebody else",
            Code::Mismatch => "The key of another request",
            Code::TooLarge => "Too large",
            Code::UnsupportedType => "Not a type that is taken here",
            Code::Silent => "Silent for too long",
            Code::TooMany => "Too many at once",
            Code::Cancelled => "Cancelled",
            Code::Idle => "Silent for too long",
            Code::NoSuchPart => "No such part of the file",
            Code::Refused => "The cloud refused it",
            Code::Unreachable => "The cloud cannot be reached",
            Code::NotTrusted => "The cloud does not let this node do that",
            Code::Timeout => "No answer in time",
            Code::Unavailable => "Not possible now",
            Code::Failed => "Failed",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Code::Invalid => StatusCode::BAD_REQUEST,
            Code::Forbidden | Code::ForeignOrigin => StatusCode::FORBIDDEN,
            // RFC 9110: the same request is right at another server.
            Code::WrongHost | Code::OtherNode => StatusCode::MISDIRECTED_REQUEST,
            Code::NotFound => StatusCode::NOT_FOUND,
            Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Code::Conflict | Code::Cancelled => StatusCode::CONFLICT,
            Code::Idle => StatusCode::REQUEST_TIMEOUT,
            Code::NoSuchPart => StatusCode::RANGE_NOT_SATISFIABLE,
            Code::Changed => StatusCode::PRECONDITION_FAILED,
            Code::Mismatch => StatusCode::UNPROCESSABLE_ENTITY,
            Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Code::UnsupportedType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Code::Silent => StatusCode::REQUEST_TIMEOUT,
            Code::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Code::Refused | Code::NotTrusted => StatusCode::BAD_GATEWAY,
            Code::Timeout => StatusCode::GATEWAY_TIMEOUT,
            Code::Unreachable | Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Code::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl Problem {
    pub(in crate::api) fn new(code: Code, detail: impl Into<String>) -> Problem {
        Problem(Box::new(ProblemDetails {
            status: code.status().as_u16(),
            title: code.title(),
            code,
            detail: detail.into(),
            cloud: None,
            node: None,
            remedy: None,
            caller: None,
            grant: None,
        }))
    }

    /// There is no such thing, or none that the caller may see.
    pub(in crate::api) fn not_found(what: impl Into<String>) -> Problem {
        Problem::new(Code::NotFound, what)
    }

    pub(in crate::api) fn invalid(what: impl Into<String>) -> Problem {
        Problem::new(Code::Invalid, what)
    }

    pub(in crate::api) fn of_cloud(mut self, cloud: &str) -> Problem {
        self.0.cloud = Some(cloud.to_owned());
        self
    }

    pub(in crate::api) fn of_node(mut self, node: &str) -> Problem {
        self.0.node = Some(node.to_owned());
        self
    }

    pub(in crate::api) fn remedy(mut self, remedy: impl Into<String>) -> Problem {
        self.0.remedy = Some(remedy.into()).filter(|remedy| !remedy.is_empty());
        self
    }

    /// Tells who asked, and which grant is missing.
    pub(in crate::api) fn of_caller(
        mut self,
        caller: serde_json::Value,
        grant: serde_json::Value,
    ) -> Problem {
        (self.0.caller, self.0.grant) = (Some(caller), Some(grant));
        self
    }

    pub(in crate::api) fn is_not_found(&self) -> bool {
        self.0.code == Code::NotFound
    }

    pub(in crate::api) fn code(&self) -> Code {
        self.0.code
    }

    pub(in crate::api) fn status(&self) -> u16 {
        self.0.status
    }

    pub(in crate::api) fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The remedy that the commands give for an error, too.
    fn with_remedy_of(self, error: &(dyn StdError + 'static)) -> Problem {
        let known = lxd_client::chain(error).find_map(remedy::of);
        self.remedy(known.map_or("", |(_, remedy)| remedy))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self)).into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}

impl From<CloudError> for Problem {
    fn from(error: CloudError) -> Problem {
        let code = match &error {
            CloudError::Api { code, .. } => match code {
                400 => Code::Invalid,
                404 => Code::NotFound,
                409 | 423 => Code::Conflict,
                412 => Code::Changed,
                _ => Code::Refused,
            },
            CloudError::Operation { .. } | CloudError::Protocol { .. } | CloudError::Unsupported { .. } => {
                Code::Refused
            }
            CloudError::NotTrusted { .. } | CloudError::NotAllowed { .. } => Code::NotTrusted,
            CloudError::Timeout { .. } => Code::Timeout,
            CloudError::Connect { .. } | CloudError::WrongFingerprint { .. } | CloudError::Broken { .. } => {
                Code::Unreachable
            }
            CloudError::Config { .. } => Code::Invalid,
            _ => Code::Failed,
        };
        Problem::new(code, one_line(&error)).with_remedy_of(&error)
    }
}

impl From<ActionError> for Problem {
    fn from(error: ActionError) -> Problem {
        let code = match &error {
            ActionError::Cloud(_) => return unwrapped(error),
            ActionError::Refused(_) => Code::Conflict,
            ActionError::NotFound(_) => Code::NotFound,
            ActionError::Conflict(_) => Code::Changed,
            ActionError::Cancelled(_) => Code::Cancelled,
            ActionError::Unverified(_) | ActionError::HalfDone { .. } => Code::Failed,
        };
        Problem::new(code, one_line(&error)).with_remedy_of(&error)
    }
}

fn unwrapped(error: ActionError) -> Problem {
    match error {
        ActionError::Cloud(error) => error.into(),
        error => Problem::new(Code::Failed, one_line(&error)),
    }
}
