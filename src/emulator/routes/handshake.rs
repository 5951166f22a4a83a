//! "Validate a mailbox".

use http::{StatusCode, request::Parts};

use super::Reply;
use crate::protocol::{
    ValidationError,
    headers::{MEX_CLIENT_VERSION, MEX_OS_NAME, MEX_OS_VERSION},
};

/// 200 without a body, if the client says what it is (OpenAPI, required headers of the operation).
pub fn validate(parts: &Parts) -> Reply {
    for name in [MEX_CLIENT_VERSION, MEX_OS_NAME, MEX_OS_VERSION] {
        if !parts.headers.contains_key(&name) {
            return Reply::invalid(&ValidationError::missing("header", name.as_str()));
        }
    }
    Reply::empty(StatusCode::OK)
}
