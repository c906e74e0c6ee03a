//! Which problems there are.

use axum::http::StatusCode;

/// What went wrong, in a form that clients may branch on. Each kind has one `type` for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// The request makes no sense as it stands (400).
    BadRequest,
    /// Nobody knows who asks (401).
    Unauthorized,
    /// It is known who asks, and they may not (403).
    Forbidden,
    /// There is nothing at this address (404).
    NotFound,
    /// There is something at this address, but not for this method (405).
    MethodNotAllowed,
    /// The request did not arrive in time (408).
    Timeout,
    /// The request contradicts what is there already (409).
    Conflict,
    /// The request is larger than this process takes (413).
    PayloadTooLarge,
    /// The body is in a format that is not read here (415).
    UnsupportedMediaType,
    /// The request is well formed and means nothing (422).
    Unprocessable,
    /// Too much at once, or too often: later it would be answered (429).
    TooManyRequests,
    /// A fault of this process (500).
    Internal,
    /// Something that is needed for the answer cannot be reached (503).
    Unavailable,
    /// The answer did not come in time (504).
    GatewayTimeout,
    /// One that only one service has.
    Other {
        /// Last part of the `type`, in kebab case.
        slug: &'static str,
        /// The kind in a few words, the same for each problem of it.
        title: &'static str,
        /// Status of the answer.
        status: StatusCode,
    },
}

impl Kind {
    /// The kinds that every service has: all but [`Other`](Self::Other).
    pub const COMMON: [Self; 14] = [
        Self::BadRequest,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Timeout,
        Self::Conflict,
        Self::PayloadTooLarge,
        Self::UnsupportedMediaType,
        Self::Unprocessable,
        Self::TooManyRequests,
        Self::Internal,
        Self::Unavailable,
        Self::GatewayTimeout,
    ];

    /// Returns the last part of the `type`.
    pub fn slug(self) -> &'static str {
        self.parts().0
    }

    /// Returns the kind in a few words.
    pub fn title(self) -> &'static str {
        self.parts().1
    }

    /// Returns the status of the answer.
    pub fn status(self) -> StatusCode {
        self.parts().2
    }

    /// Returns the `type`: `urn:sealane:problem:` and the slug.
    pub fn uri(self) -> String {
        format!("urn:sealane:problem:{}", self.slug())
    }

    #[rustfmt::skip]
    fn parts(self) -> (&'static str, &'static str, StatusCode) {
        match self {
            Self::BadRequest => ("bad-request", "The request makes no sense", StatusCode::BAD_REQUEST),
            Self::Unauthorized => ("unauthorized", "Credentials are missing or not accepted", StatusCode::UNAUTHORIZED),
            Self::Forbidden => ("forbidden", "Not allowed", StatusCode::FORBIDDEN),
            Self::NotFound => ("not-found", "Nothing here", StatusCode::NOT_FOUND),
            Self::MethodNotAllowed => ("method-not-allowed", "Not with this method", StatusCode::METHOD_NOT_ALLOWED),
            Self::Timeout => ("request-timeout", "The request did not arrive in time", StatusCode::REQUEST_TIMEOUT),
            Self::Conflict => ("conflict", "Contradicts what is there", StatusCode::CONFLICT),
            Self::PayloadTooLarge => ("payload-too-large", "The request is too large", StatusCode::PAYLOAD_TOO_LARGE),
            Self::UnsupportedMediaType => ("unsupported-media-type", "The body has a format that is not read here", StatusCode::UNSUPPORTED_MEDIA_TYPE),
            Self::Unprocessable => ("unprocessable", "The request cannot be carried out as it is", StatusCode::UNPROCESSABLE_ENTITY),
            Self::TooManyRequests => ("too-many-requests", "Too many requests", StatusCode::TOO_MANY_REQUESTS),
            Self::Internal => ("internal", "A fault of the server", StatusCode::INTERNAL_SERVER_ERROR),
            Self::Unavailable => ("unavailable", "Not available now", StatusCode::SERVICE_UNAVAILABLE),
            Self::GatewayTimeout => ("timeout", "The answer did not come in time", StatusCode::GATEWAY_TIMEOUT),
            Self::Other { slug, title, status } => (slug, title, status),
        }
    }
}
