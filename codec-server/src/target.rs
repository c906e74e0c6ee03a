//! What a request asks for, and in which namespace: all that its path and one header say.

use std::borrow::Cow;

use axum::http::HeaderMap;
use sealane_service::{
    auth::Role,
    http::{Kind, Problem},
};

/// Header with which the Web UI and the CLI name the namespace.
pub(crate) const X_NAMESPACE: &str = "x-namespace";

/// What a codec server does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Operation {
    Encode,
    Decode,
    /// Decode, with what payloads refer to in their place.
    Download,
}

/// With this in the query, which the Web UI always sends, references are decoded to themselves.
const PRESERVE: &str = "preserveStorageRefs=true";

impl Operation {
    pub(crate) const ALL: [Self; 3] = [Self::Encode, Self::Decode, Self::Download];

    /// Only the last segment of a path decides, so that the server may stand behind any prefix.
    pub(crate) fn of(path: &str) -> Option<Self> {
        match path.rsplit_once('/')?.1 {
            "encode" => Some(Self::Encode),
            "decode" => Some(Self::Decode),
            "download" => Some(Self::Download),
            _ => None,
        }
    }

    /// Who encodes can feed workflows under our key; who decodes only looks.
    pub(crate) fn role(self) -> Role {
        match self {
            Self::Encode => Role::Writer,
            Self::Decode | Self::Download => Role::Reader,
        }
    }

    /// Name of the operation as a label of a metric.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Encode => "encode",
            Self::Decode => "decode",
            Self::Download => "download",
        }
    }

    /// Whether what payloads refer to is fetched, given the query of the request.
    pub(crate) fn fetches(self, query: Option<&str>) -> bool {
        let mut query = query.unwrap_or_default().split('&');
        match self {
            Self::Encode => false,
            Self::Decode => !query.any(|pair| pair == PRESERVE),
            Self::Download => true,
        }
    }
}

/// The namespace that a request names.
///
/// `X-Namespace` does, and so does the segment of the path before the operation. With the header there, that
/// segment may as well be part of a prefix.
#[derive(Debug)]
pub(crate) struct Named<'a> {
    in_header: Option<&'a str>,
    in_path: Option<Cow<'a, str>>,
}

impl<'a> Named<'a> {
    /// Reads both.
    ///
    /// # Errors
    ///
    /// A problem of kind [`Kind::BadRequest`] for a name that is no text, or a header that is there twice.
    pub(crate) fn of(path: &'a str, headers: &'a HeaderMap) -> Result<Self, Problem> {
        Ok(Self {
            in_header: in_header(headers)?,
            in_path: before_operation(path)?,
        })
    }

    /// The namespace, `None` if there is no name.
    pub(crate) fn namespace(&self) -> Option<&str> {
        self.in_header.or(self.in_path.as_deref())
    }

    /// Refuses header and path that name different namespaces: the segment of the path is one if `is_theirs`
    /// finds that the caller may be told so.
    ///
    /// # Errors
    ///
    /// A problem of kind [`Kind::BadRequest`].
    pub(crate) fn agrees(&self, is_theirs: impl Fn(&str) -> bool) -> Result<(), Problem> {
        match (self.in_header, self.in_path.as_deref()) {
            (Some(header), Some(path)) if path != header && is_theirs(path) => Err(bad(
                "the path and X-Namespace name different namespaces, expected the same one or only one of them",
            )),
            _ => Ok(()),
        }
    }
}

fn in_header(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let mut values = headers.get_all(X_NAMESPACE).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(bad("X-Namespace is there twice, expected it once"));
    }
    let text = first.map(|value| str::from_utf8(value.as_bytes()));
    let text = text.transpose();
    let text = text.map_err(|_| bad("X-Namespace is not UTF-8"))?;
    // A page that shows no namespace sends the header empty.
    Ok(text.filter(|name| !name.is_empty()))
}

fn before_operation(path: &str) -> Result<Option<Cow<'_, str>>, Problem> {
    let segment = path.rsplit('/').nth(1).filter(|name| !name.is_empty());
    let name = segment.map(decoded).transpose();
    name.map_err(|Malformed| bad("the namespace in the path is not percent-encoded UTF-8"))
}

struct Malformed;

/// Undoes percent encoding.
fn decoded(segment: &str) -> Result<Cow<'_, str>, Malformed> {
    if !segment.contains('%') {
        return Ok(segment.into());
    }
    let mut parts = segment.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).ok_or(Malformed)?;
        let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let byte = u8::from_str_radix(digits, 16).ok().filter(|_| is_hex);
        bytes.push(byte.ok_or(Malformed)?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    let name = String::from_utf8(bytes).map_err(|_| Malformed)?;
    Ok(name.into())
}

fn bad(detail: &str) -> Problem {
    Problem::new(Kind::BadRequest, detail)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue};

    use super::{Named, Operation};

    fn named(path: &str, header: Option<&str>) -> Result<Option<String>, String> {
        let mut headers = HeaderMap::new();
        if let Some(name) = header {
            let name = HeaderValue::from_bytes(name.as_bytes()).unwrap();
            headers.insert("x-namespace", name);
        }
        let words = |problem: sealane_service::http::Problem| problem.detail().to_owned();
        let named = Named::of(path, &headers).map_err(words)?;
        named.agrees(|name| name == "payments").map_err(words)?;
        Ok(named.namespace().map(str::to_owned))
    }

    fn some(name: &str) -> Result<Option<String>, String> {
        Ok(Some(name.to_owned()))
    }

    #[test]
    fn the_last_segment_is_the_operation_at_any_depth() {
        for path in ["/decode", "/orders/decode", "/a/b/c/decode", "//decode"] {
            assert_eq!(Operation::of(path), Some(Operation::Decode), "{path}");
        }
        assert_eq!(Operation::of("/decode/encode"), Some(Operation::Encode));
        assert_eq!(Operation::of("/a/download"), Some(Operation::Download));
        for path in [
            "/",
            "/decode/",
            "/xdecode",
            "/Decode",
            "/decode/x",
            "decode",
        ] {
            assert_eq!(Operation::of(path), None, "{path}");
        }
    }

    #[test]
    fn references_are_kept_only_by_a_decode_that_is_told_to() {
        let preserve = Some("preserveStorageRefs=true");

        assert!(Operation::Decode.fetches(None));
        assert!(Operation::Decode.fetches(Some("preserveStorageRefs=false")));
        assert!(!Operation::Decode.fetches(preserve));
        assert!(!Operation::Decode.fetches(Some("a=b&preserveStorageRefs=true")));
        assert!(Operation::Download.fetches(preserve));
        assert!(!Operation::Encode.fetches(None));
    }

    #[test]
    fn path_or_header_name_the_namespace() {
        assert_eq!(named("/decode", None), Ok(None));
        assert_eq!(named("/decode", Some("")), Ok(None));
        assert_eq!(named("/decode", Some("orders")), some("orders"));
        assert_eq!(named("/orders/decode", None), some("orders"));
        assert_eq!(named("/any/prefix/orders/decode", None), some("orders"));
        assert_eq!(named("/orders/decode", Some("orders")), some("orders"));
        assert_eq!(named("/a%20b/decode", None), some("a b"));
        assert_eq!(
            named("/gr%C3%B6%c3%9fe/decode", Some("größe")),
            some("größe")
        );
    }

    #[test]
    fn beside_the_header_a_prefix_is_no_namespace() {
        assert_eq!(named("/codec/decode", Some("orders")), some("orders"));
        assert_eq!(named("/codec/decode", None), some("codec"));
    }

    #[test]
    fn two_different_names_are_a_contradiction() {
        let refused = named("/payments/decode", Some("orders")).unwrap_err();

        assert!(refused.contains("different namespaces"), "{refused}");
    }

    #[test]
    fn what_is_not_percent_encoded_utf8_is_refused() {
        for path in [
            "/%/decode",
            "/%4/decode",
            "/%zz/decode",
            "/%+1/decode",
            "/%ff/decode",
            "/%ä/decode",
        ] {
            assert!(named(path, None).is_err(), "{path}");
        }
    }
}
