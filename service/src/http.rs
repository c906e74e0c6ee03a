//! What stands between the network and every public router.
//!
//! [`Server`] listens: it bounds connections, headers and idle time. [`Edge`] is put around the routes: it bounds bodies,
//! time and concurrency, names and counts each request, and turns every failure into a [`Problem`]. Handlers take
//! [`Json`], [`Query`] and [`Path`] from here, whose refusals quote nothing.
//!
//! A request whose client hangs up is dropped where it stands. Work that must go on then belongs into a task of its
//! own (`tokio::spawn`), which the handler waits for.
//!
//! hyper answers by itself, without a body, what never becomes a request: 431 for too many or too long headers, 414 for
//! an endless address, 400 for what is not HTTP.

pub use self::{
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

pub(crate) use self::edge::outside;

mod body;
mod deadline;
mod edge;
mod extract;
mod fallback;
mod json;
mod kind;
mod limits;
mod metrics;
mod peer;
mod problem;
mod record;
mod request_id;
mod server;
mod trace;
