//! What is answered in place of what was asked for.

use bytes::Bytes;
use http::{HeaderName, StatusCode, header};
use http_body_util::{BodyExt, Full};

use super::{Elsewhere, MOVED, ProvokedStatus, RedirectStatus, Reply};
use crate::protocol::{ApiVersion, ErrorCode, MeshError, Operation};

/// As a gateway says it that knows nothing of MESH's bodies: answers above 500 are not always JSON.
const UNAVAILABLE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">
  <soap:Body>
    <soap:Fault>
      <faultcode>soap:Server</faultcode>
      <faultstring>Service Unavailable</faultstring>
    </soap:Fault>
  </soap:Body>
</soap:Envelope>
"#;

/// 429 and 503.
pub(super) fn of_gateway(status: ProvokedStatus, retry_after: Option<u32>) -> Option<Reply> {
    let reply = match status {
        ProvokedStatus::Unavailable => Reply {
            body: Full::new(Bytes::from_static(UNAVAILABLE.as_bytes()))
                .map_err(|never| match never {})
                .boxed_unsync(),
            ..Reply::empty(StatusCode::SERVICE_UNAVAILABLE).with(header::CONTENT_TYPE, "text/xml")
        },
        ProvokedStatus::TooMany => Reply::empty(StatusCode::TOO_MANY_REQUESTS),
        _ => return None,
    };
    Some(match retry_after {
        Some(seconds) => reply.with(header::RETRY_AFTER, &seconds.to_string()),
        None => reply,
    })
}

/// To the same path at another host, below a folder, so that nobody takes it for a call of the API's.
pub(super) fn redirect(status: RedirectStatus, to: Elsewhere, operation: &Operation) -> Option<Reply> {
    let (_, path) = operation.request();
    let status = StatusCode::from_u16(status.number()).ok()?;
    Some(Reply::empty(status).with(header::LOCATION, &format!("{to}{MOVED}{path}")))
}

/// The others, with the bodies that the OpenAPI has for them: none for 403 and 423.
pub(super) fn of_mesh(status: ProvokedStatus, operation: &Operation, version: ApiVersion) -> Option<Reply> {
    let message_id = operation.message().cloned();
    let told = |status, code| Reply::mesh_error(status, version, &MeshError { code, message_id });
    match status {
        ProvokedStatus::Forbidden => Some(Reply::empty(StatusCode::FORBIDDEN)),
        ProvokedStatus::Complete => Some(Reply::empty(StatusCode::LOCKED)),
        ProvokedStatus::NotFound => Some(told(StatusCode::NOT_FOUND, ErrorCode::MessageDoesNotExist)),
        ProvokedStatus::Gone => Some(told(StatusCode::GONE, ErrorCode::MessageDoesNotExist)),
        ProvokedStatus::NotAccepted => {
            Some(told(StatusCode::EXPECTATION_FAILED, ErrorCode::SenderNotAllowed))
        }
        ProvokedStatus::TooMany | ProvokedStatus::Unavailable => None,
    }
}

/// Headers that no document has. Some begin like those of MESH, for whoever compares only beginnings.
pub(super) fn with_unknown_headers(reply: Reply) -> Reply {
    let unknown = [
        ("mex-messagetype-hint", "REPORT"),
        ("mex-chunk-range-hint", "1:2"),
        ("mex-messageid-hint", "20000101000000000000_000000"),
        ("content-encoding-hint", "gzip"),
        ("x-correlation-id", "11111111-2222-3333-4444-555555555555"),
        ("x-empty", ""),
    ];
    let reply = unknown
        .into_iter()
        .fold(reply, |reply, (name, value)| reply.with(HeaderName::from_static(name), value));
    reply.with(header::VIA, "1.1 gateway")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{MailboxId, MessageId};

    async fn told(reply: Reply) -> (u16, String, String) {
        let media_type = reply.headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap());
        let (status, media_type) = (reply.status.as_u16(), media_type.unwrap_or_default().to_owned());
        let body = reply.body.collect().await.unwrap().to_bytes();
        (status, media_type, String::from_utf8(body.to_vec()).unwrap())
    }

    fn download() -> Operation {
        let id = MessageId::parse("20260101000000000000_000001").unwrap();
        Operation::GetMessage(MailboxId::parse("PRODUCT").unwrap(), id)
    }

    #[tokio::test]
    async fn a_gateway_speaks_xml_and_says_when_to_come_back() {
        let reply = of_gateway(ProvokedStatus::Unavailable, Some(7)).unwrap();
        assert_eq!(reply.headers[header::RETRY_AFTER], "7");
        let (status, media_type, body) = told(reply).await;
        assert_eq!((status, media_type.as_str()), (503, "text/xml"));
        assert!(body.starts_with("<?xml") && body.contains("<faultcode>"), "{body}");
        let reply = of_gateway(ProvokedStatus::TooMany, None).unwrap();
        assert!(!reply.headers.contains_key(header::RETRY_AFTER));
        assert_eq!(told(reply).await, (429, String::new(), String::new()));
    }

    /// OpenAPI, "Get Message": schema MeshError in both versions; 403 and 423 have no schema.
    #[tokio::test]
    async fn mesh_speaks_the_version_and_has_bodies_where_the_openapi_has_them() {
        let of = |status, version| told(of_mesh(status, &download(), version).unwrap());
        let (status, _, body) = of(ProvokedStatus::Gone, ApiVersion::V2).await;
        assert_eq!(status, 410);
        assert!(body.contains(r#""code":"20""#) && body.contains("message_id"), "{body}");
        let (status, _, body) = of(ProvokedStatus::NotFound, ApiVersion::V1).await;
        assert_eq!(status, 404);
        assert!(body.contains(r#""errorCode":"20""#), "{body}");
        let (status, _, body) = of(ProvokedStatus::NotAccepted, ApiVersion::V2).await;
        assert_eq!(status, 417);
        assert!(body.contains(r#""code":"16""#), "{body}");
        assert_eq!(of(ProvokedStatus::Forbidden, ApiVersion::V2).await, (403, String::new(), String::new()));
        assert_eq!(of(ProvokedStatus::Complete, ApiVersion::V2).await, (423, String::new(), String::new()));
    }

    #[test]
    fn a_redirect_names_the_same_path_elsewhere() {
        for (encrypted, location) in [
            (true, "https://localhost:8701/moved/messageexchange/PRODUCT/inbox"),
            (false, "http://localhost:8701/moved/messageexchange/PRODUCT/inbox"),
        ] {
            let list = Operation::CheckInbox(MailboxId::parse("PRODUCT").unwrap());
            let to = Elsewhere { port: 8701, encrypted };
            let reply = redirect(RedirectStatus::Permanent, to, &list).unwrap();
            assert_eq!(reply.status, 308);
            assert_eq!(reply.headers[header::LOCATION], location);
        }
        for status in RedirectStatus::ALL {
            assert_eq!(RedirectStatus::of(status.number()), Some(status));
        }
    }

    #[test]
    fn each_status_is_answered_by_the_gateway_or_by_mesh() {
        for status in ProvokedStatus::ALL {
            let by_gateway = of_gateway(status, None).is_some();
            assert_eq!(by_gateway, of_mesh(status, &download(), ApiVersion::V2).is_none(), "{status:?}");
        }
    }
}
