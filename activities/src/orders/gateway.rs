//! Requests to the gateway, and what its answers mean.

use std::time::{Duration, SystemTime};

use reqwest::{
    Client, Response, StatusCode,
    header::{HeaderMap, HeaderName},
    redirect::Policy,
};
use sealane_workflows::orders::{OrderId, TrackingId};
use serde::{Deserialize, Serialize};
use url::{Url, form_urlencoded};

use super::{Code, GatewayError, NoAnswer, SetupError, retry_after::retry_after};

/// How long a request may take from start to end.
///
/// Less than an attempt's `start_to_close` timeout, so that silence is reported by us, as `Unanswered`, and not by the
/// server, as a timeout without an explanation.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(8);

/// How long a connection may take to come about. A gateway that is up accepts at once, even across continents.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long packing one parcel may take. Hands are slower than computers, and the activity heartbeats meanwhile.
pub const PARCEL_TIMEOUT: Duration = Duration::from_mins(15);

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A connection pool and where it leads.
#[derive(Debug)]
pub(super) struct Gateway {
    http: Client,
    base: Url,
}

/// What can be asked of the gateway.
#[derive(Clone, Copy, Debug)]
pub(super) enum Operation {
    ReserveStock,
    ChargeCard,
    OpenShipment,
    PackParcel,
    RecallShipment,
    RefundCharge,
    ReleaseStock,
}

/// One thing asked for one order, the same on every attempt.
#[derive(Debug)]
pub(super) struct Call<'a> {
    operation: Operation,
    order: &'a OrderId,
    /// Id of the reservation, charge or shipment, which the answer must confirm.
    id: &'a str,
    /// Which part of it is meant, if it has parts.
    part: Option<usize>,
}

/// The gateway's word that it did what it was asked.
#[derive(Debug, Deserialize)]
pub(super) struct Confirmation {
    id: String,
    pub(super) tracking_id: Option<TrackingId>,
}

#[derive(Deserialize)]
struct Refusal {
    code: String,
}

#[derive(Serialize)]
struct Nothing {}

impl Gateway {
    pub(super) fn new(base: Url) -> Result<Self, SetupError> {
        if !matches!(base.scheme(), "http" | "https") {
            let scheme = base.scheme().to_owned();
            return Err(SetupError::NotHttp { scheme });
        }
        let http = Client::builder()
            .timeout(REQUEST_TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            // A redirected POST arrives as a GET, which would look like success.
            .redirect(Policy::none())
            .build()?;
        Ok(Self { http, base })
    }

    /// Asks for `call` at `path` and returns the gateway's confirmation.
    pub(super) async fn post(
        &self,
        path: &[&str],
        call: &Call<'_>,
        body: &impl Serialize,
    ) -> Result<Confirmation, GatewayError> {
        let request = self
            .http
            .post(self.url(path))
            .timeout(call.operation.timeout())
            .header(IDEMPOTENCY_KEY, call.key())
            .json(body);
        let response = request.send().await.map_err(|error| call.cut_off(error))?;
        call.read(response).await
    }

    /// Asks for something to be undone. If the gateway has never heard of it, there is nothing to undo.
    pub(super) async fn undo(&self, path: &[&str], call: &Call<'_>) -> Result<(), GatewayError> {
        match self.post(path, call, &Nothing {}).await {
            Ok(_) => Ok(()),
            Err(GatewayError::Rejected { status, .. }) if status == StatusCode::NOT_FOUND => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        // Always possible with http and https. Escapes what ids may hold.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }
}

impl Operation {
    /// This operation on the thing called `id`, for `order`.
    pub(super) fn on<'a>(self, order: &'a OrderId, id: &'a str) -> Call<'a> {
        Call {
            operation: self,
            order,
            id,
            part: None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::ReserveStock => "reserve stock",
            Self::ChargeCard => "charge the card",
            Self::OpenShipment => "open a shipment",
            Self::PackParcel => "pack a parcel",
            Self::RecallShipment => "recall the shipment",
            Self::RefundCharge => "refund the charge",
            Self::ReleaseStock => "release stock",
        }
    }

    fn timeout(self) -> Duration {
        match self {
            Self::PackParcel => PARCEL_TIMEOUT,
            _ => REQUEST_TIMEOUT,
        }
    }
}

impl Call<'_> {
    /// The same call for part `number` of the thing.
    pub(super) fn part(self, number: usize) -> Self {
        Self {
            part: Some(number),
            ..self
        }
    }

    /// `refund-the-charge/charge-5f0c…`: what is asked, of which thing, and of which part of it.
    fn key(&self) -> String {
        let id: String = form_urlencoded::byte_serialize(self.id.as_bytes()).collect();
        let operation = self.operation.name().replace(' ', "-");
        match self.part {
            Some(number) => format!("{operation}/{id}/{number}"),
            None => format!("{operation}/{id}"),
        }
    }

    async fn read(&self, response: Response) -> Result<Confirmation, GatewayError> {
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response
            .bytes()
            .await
            .map_err(|error| self.cut_off(error))?;
        if status.is_success() {
            return self.confirmed(&body);
        }
        Err(self.refused(status, &headers, &body))
    }

    /// A success counts only if it is about the thing we asked for: a proxy's login page is a success too.
    fn confirmed(&self, body: &[u8]) -> Result<Confirmation, GatewayError> {
        match serde_json::from_slice::<Confirmation>(body) {
            Ok(confirmation) if confirmation.id == self.id => Ok(confirmation),
            Ok(_) | Err(_) => Err(self.unanswered(NoAnswer::Unreadable)),
        }
    }

    fn refused(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> GatewayError {
        let code = serde_json::from_slice::<Refusal>(body)
            .map_or_else(|_| Code::from(""), |refusal| Code::from(&*refusal.code));
        let order = self.order.clone();
        let operation = self.operation.name();
        let retry_after = retry_after(headers, SystemTime::now());
        match status {
            StatusCode::PAYMENT_REQUIRED => GatewayError::Declined { order, code },
            StatusCode::CONFLICT if code.as_str() == "out_of_stock" => {
                GatewayError::OutOfStock { order }
            }
            StatusCode::TOO_MANY_REQUESTS => self.throttled(retry_after),
            StatusCode::SERVICE_UNAVAILABLE if retry_after.is_some() => self.throttled(retry_after),
            StatusCode::REQUEST_TIMEOUT => self.unanswered(NoAnswer::Status(status)),
            status if status.is_server_error() => self.unanswered(NoAnswer::Status(status)),
            status => GatewayError::Rejected {
                operation,
                order,
                status,
                code,
            },
        }
    }

    fn throttled(&self, retry_after: Option<Duration>) -> GatewayError {
        GatewayError::Throttled {
            operation: self.operation.name(),
            order: self.order.clone(),
            retry_after,
        }
    }

    /// The address is left out: it repeats the id, and may hold a password.
    fn cut_off(&self, error: reqwest::Error) -> GatewayError {
        self.unanswered(NoAnswer::Connection(error.without_url()))
    }

    /// A success without what we needed from it.
    pub(super) fn unanswered(&self, source: NoAnswer) -> GatewayError {
        GatewayError::Unanswered {
            operation: self.operation.name(),
            order: self.order.clone(),
            source,
        }
    }
}

#[cfg(test)]
mod tests;
