//! What stands between the network and every public router.
//!
//! [`Server`] listens: it bounds connections, headers and idle time. [`Edge`] is put around the routes: it bounds bodies,
//! time and concurrency, names and counts each request, and turns every failure into a [`Problem`]. Handlers take
//! [`Json`], [`Query`] and [`Path`] from here, whose refusals quote nothing.
//!
//! A request whose client hangs up is dropped where it stands. Work that must go on then belongs into a task of its
//! own (`tokio::spawn`), which the handler waits for, together with the request's [`Admission`].
//!
//! hyper answers by itself, without a body, what never becomes a request: 431 for too many or too long headers, 414 for
//! an endless address, 400 for what is not HTTP.

pub use self::{
    admission::Admission,
    deadline::Deadline,
    edge::Edge,
    extract::{Json, Path, Query},
    json::parse as parse_json,
    kind::Kind,
    peer::Peer,
    problem::{PROBLEM_JSON, Problem},
    request_id::{RequestId, X_REQUEST_ID},
    server::{BindError, Server},
};

pub(crate) use self::{edge::outside, server::evictions};

mod admission;
mod body;
mod deadline;
mod edge;
mod extract;
mod fallback;
mod fields;
mod json;
mod kind;
mod limits;
pub mod local;
mod metrics;
mod peer;
mod problem;
mod record;
mod request_id;
mod sent;
mod server;
mod trace;
