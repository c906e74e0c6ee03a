//! The HTTP API, as far as validate talks to it.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::{Value, json};

/// A request.
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) bearer: Option<String>,
    pub(super) body: Value,
}

/// Status and document.
pub(super) type Answer = (u16, Value);

type Override = Box<dyn Fn(&Request) -> Option<Answer> + Send>;

/// An API on a port of its own, which completes whatever is started. Clones share it.
#[derive(Clone)]
pub(super) struct Api {
    pub(super) port: u16,
    /// Ids and words of what was started.
    pub(super) started: Arc<Mutex<Vec<(String, String)>>>,
    overrides: Arc<Mutex<Vec<Override>>>,
}

impl Api {
    /// Listens until the process ends, and answers those who bring `token`.
    pub(super) fn start(token: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let api = Self {
            port: listener.local_addr().unwrap().port(),
            started: Arc::default(),
            overrides: Arc::default(),
        };
        let serving = api.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                serving.serve(stream, token);
            }
        });
        api
    }

    /// Answers some requests differently.
    pub(super) fn instead(&self, answer: impl Fn(&Request) -> Option<Answer> + Send + 'static) {
        self.overrides.lock().unwrap().push(Box::new(answer));
    }

    fn serve(&self, mut stream: TcpStream, token: &str) -> Option<()> {
        let request = read(&mut BufReader::new(stream.try_clone().ok()?))?;
        let overrides = self.overrides.lock().unwrap();
        let other = overrides.iter().rev().find_map(|answer| answer(&request));
        let (status, document) = other.unwrap_or_else(|| self.answer(&request, token));
        let body = document.to_string();
        let length = body.len();
        write!(
            stream,
            "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
        )
        .ok()
    }

    fn answer(&self, request: &Request, token: &str) -> Answer {
        if request.bearer.as_deref() != Some(token) {
            return (
                401,
                json!({"type": "urn:sealane:problem:unauthorized", "status": 401}),
            );
        }
        let path = request.path.split('?').next().unwrap_or_default();
        let parts: Vec<_> = path.split('/').skip(1).collect();
        match (request.method.as_str(), parts.as_slice()) {
            ("POST", ["api", "v1", "workflows"]) => {
                let (id, word) = (&request.body["workflowId"], &request.body["input"][0]);
                self.note(id, word);
                (
                    202,
                    json!({"workflowId": id, "runId": "1", "started": true}),
                )
            }
            ("POST", ["orders"]) => {
                let (id, word) = (&request.body["id"], &request.body["address"]["name"]);
                self.note(id, word);
                (
                    202,
                    json!({"order_id": id, "workflow_id": "x", "run_id": "1"}),
                )
            }
            ("GET", ["api", "v1", "workflows"]) => (200, json!({"workflows": []})),
            ("GET", ["api", "v1", "workflows", id, "result"]) => {
                let result = format!("Final result: Processed: Hello, {}!", self.word(id));
                (
                    200,
                    json!({"workflowId": id, "runId": "1", "status": "COMPLETED", "result": result}),
                )
            }
            ("GET", ["orders", id]) => {
                let receipt = json!({"status": "shipped", "order_id": id});
                (
                    200,
                    json!({"order_id": id, "workflow_id": "x", "status": "COMPLETED", "receipt": receipt}),
                )
            }
            _ => (
                404,
                json!({"type": "urn:sealane:problem:not-found", "status": 404}),
            ),
        }
    }

    fn note(&self, id: &Value, word: &Value) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        self.started.lock().unwrap().push((text(id), text(word)));
    }

    /// The word that went into the workflow `id`.
    pub(super) fn word(&self, id: &str) -> String {
        let started = self.started.lock().unwrap();
        started
            .iter()
            .find(|it| it.0 == id)
            .map(|it| it.1.clone())
            .unwrap_or_default()
    }
}

fn read(stream: &mut impl BufRead) -> Option<Request> {
    let mut line = String::new();
    stream.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let (mut bearer, mut length) = (None, 0);
    loop {
        line.clear();
        stream.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(": ") else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "authorization" => bearer = value.strip_prefix("Bearer ").map(str::to_owned),
            "content-length" => length = value.parse().ok()?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    let body = serde_json::from_slice(&body).unwrap_or_default();
    Some(Request {
        method,
        path,
        bearer,
        body,
    })
}
