//! The messages of Envoy's external authorization (`envoy/service/auth/v3`), as far as this door reads and writes
//! them (ADR 24); what is not named here is skipped.
//!
//! What a client chooses is bytes here, which is the same on the wire as text: text that is no UTF-8 would make the
//! whole message unreadable, and what cannot be read passes wherever Envoy's `failure_mode_allow` is on.

use bytes::Bytes;
use std::collections::BTreeMap;
use std::fmt;

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct CheckRequest {
    #[prost(message, optional, tag = "1")]
    pub(super) attributes: Option<AttributeContext>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct AttributeContext {
    #[prost(message, optional, tag = "1")]
    pub(super) source: Option<Peer>,
    #[prost(message, optional, tag = "4")]
    pub(super) request: Option<Request>,
    /// What the proxy's own configuration says besides; no client can write it.
    #[prost(message, repeated, tag = "10")]
    pub(super) context_extensions: Vec<Entry>,
}

/// Who sent the request to the proxy: the other end of the connection.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Peer {
    #[prost(message, optional, tag = "1")]
    pub(super) address: Option<Address>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Address {
    #[prost(message, optional, tag = "1")]
    pub(super) socket_address: Option<SocketAddress>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct SocketAddress {
    #[prost(string, tag = "2")]
    pub(super) address: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Request {
    #[prost(message, optional, tag = "2")]
    pub(super) http: Option<HttpRequest>,
}

#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(super) struct HttpRequest {
    #[prost(bytes = "bytes", tag = "2")]
    pub(super) method: Bytes,
    /// By default: one value for each name, joined by commas.
    #[prost(message, repeated, tag = "3")]
    pub(super) headers: Vec<Entry>,
    /// With its query.
    #[prost(bytes = "bytes", tag = "4")]
    pub(super) path: Bytes,
    /// With `encode_raw_headers`: each as it came.
    #[prost(message, optional, tag = "13")]
    pub(super) header_map: Option<HeaderMap>,
}

/// One entry of a map of texts.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(super) struct Entry {
    #[prost(bytes = "bytes", tag = "1")]
    pub(super) key: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    pub(super) value: Bytes,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct HeaderMap {
    #[prost(message, repeated, tag = "1")]
    pub(super) headers: Vec<HeaderValue>,
}

#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(super) struct HeaderValue {
    #[prost(bytes = "bytes", tag = "1")]
    pub(super) key: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    pub(super) value: Bytes,
    #[prost(bytes = "bytes", tag = "3")]
    pub(super) raw_value: Bytes,
}

/// Keys stand in these: they are never printed.
macro_rules! unprinted {
    ($($Message:ident),+) => {
        $(impl fmt::Debug for $Message {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($Message)).finish_non_exhaustive()
            }
        })+
    };
}

unprinted!(HttpRequest, Entry, HeaderValue);

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct CheckResponse {
    #[prost(message, optional, tag = "1")]
    pub(super) status: Option<Status>,
    /// This or [`Self::ok_response`].
    #[prost(message, optional, tag = "2")]
    pub(super) denied_response: Option<DeniedHttpResponse>,
    #[prost(message, optional, tag = "3")]
    pub(super) ok_response: Option<OkHttpResponse>,
    #[prost(message, optional, tag = "4")]
    pub(super) dynamic_metadata: Option<Struct>,
}

/// `google.rpc.Status`
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Status {
    #[prost(int32, tag = "1")]
    pub(super) code: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct DeniedHttpResponse {
    #[prost(message, optional, tag = "1")]
    pub(super) status: Option<HttpStatus>,
    #[prost(message, repeated, tag = "2")]
    pub(super) headers: Vec<HeaderValueOption>,
    #[prost(string, tag = "3")]
    pub(super) body: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct HttpStatus {
    #[prost(int32, tag = "1")]
    pub(super) code: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct OkHttpResponse {
    #[prost(message, repeated, tag = "2")]
    pub(super) headers: Vec<HeaderValueOption>,
    #[prost(string, repeated, tag = "5")]
    pub(super) headers_to_remove: Vec<String>,
    #[prost(message, repeated, tag = "6")]
    pub(super) response_headers_to_add: Vec<HeaderValueOption>,
    #[prost(string, repeated, tag = "8")]
    pub(super) query_parameters_to_remove: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct HeaderValueOption {
    #[prost(message, optional, tag = "1")]
    pub(super) header: Option<HeaderValue>,
    #[prost(int32, tag = "3")]
    pub(super) append_action: i32,
}

/// `google.protobuf.Struct`
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Struct {
    #[prost(btree_map = "string, message", tag = "1")]
    pub(super) fields: BTreeMap<String, Value>,
}

/// `google.protobuf.Value`, where it is text.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Value {
    #[prost(string, optional, tag = "3")]
    pub(super) string_value: Option<String>,
}
