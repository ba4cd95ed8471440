//! An HTTP server for a few browsers on this machine, on one thread.
//!
//! The thread never waits for a connection. It reads and writes each connection as far as
//! possible without waiting, and then turns to the next. The number of connections is limited,
//! and so is the time in which a browser has to send its request or to read a part of the
//! response. So neither silent connections nor slow readers delay the responses to others.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// Largest number of connections. A further connection replaces the one that was silent for the
/// longest time.
const MAX_CONNECTIONS: usize = 128;
/// Largest number of connections that receive events. A further one is refused.
const MAX_SUBSCRIBERS: usize = 64;
/// Largest size of a request in bytes. The requests of our page have no body.
const MAX_REQUEST: usize = 16 << 10;
/// Time in which a connection has to send its request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// Time in which a connection has to read the next part of the response.
const READ_TIMEOUT: Duration = Duration::from_secs(15);
/// Time in which a connection has to read a whole page.
const PAGE_TIMEOUT: Duration = Duration::from_secs(600);
/// After this time without an event, the server sends a comment to a subscriber. If sending
/// fails, the subscriber has closed the connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Shortest time between two checks for a new event.
const EVENT_INTERVAL: Duration = Duration::from_secs(1);
/// Time between two turns while a connection is being served.
const BUSY_PAUSE: Duration = Duration::from_millis(5);
/// Time between two turns while no connection is being served.
const IDLE_PAUSE: Duration = Duration::from_millis(50);

/// A request of a browser.
#[derive(Debug)]
pub struct Request<'a> {
    /// The path, without the query after `?`.
    pub path: &'a str,
    /// The header `Host`: the name, and possibly the port, that the browser used for this server.
    pub host: &'a str,
}

/// The response to a request.
#[derive(Debug)]
pub enum Response {
    /// A page.
    Page {
        /// The HTTP status, such as 200.
        status: u16,
        /// The media type of `body`, such as `text/html`.
        kind: &'static str,
        /// The content.
        body: Vec<u8>,
    },
    /// All events from now on, as server-sent events.
    Events,
}

/// A connection and its state.
struct Connection {
    stream: TcpStream,
    stage: Stage,
    /// When the connection was accepted, its response began, or bytes were last sent.
    since: Instant,
}

enum Stage {
    /// The request is being read. It holds the bytes that have arrived.
    Request(Vec<u8>),
    /// The response is being sent.
    Response {
        /// The bytes to send.
        bytes: Vec<u8>,
        /// How many of them are sent.
        sent: usize,
        /// For a subscriber, the number of the last event that it was sent.
        last_event: Option<u64>,
        /// When the response began.
        begun: Instant,
    },
}

/// The newest event.
#[derive(Default)]
struct LatestEvent {
    /// The number of the event, counted from 1; 0 if there is none.
    number: u64,
    text: String,
    /// When the server last checked for a new event.
    checked: Option<Instant>,
}

impl LatestEvent {
    /// Checks for a new event, unless the last check was less than [`EVENT_INTERVAL`] ago.
    fn update(&mut self, event: &mut impl FnMut() -> String) {
        if self
            .checked
            .is_some_and(|when| when.elapsed() < EVENT_INTERVAL)
        {
            return;
        }
        let text = event();
        if text != self.text || self.number == 0 {
            self.text = text;
            self.number += 1;
        }
        self.checked = Some(Instant::now());
    }
}

/// Serves the connections of `listener` until `should_end` returns true. `respond` makes the
/// response to a request. `event` returns the newest event as text. Subscribers receive it
/// whenever it has changed.
///
/// # Errors
///
/// If the listener cannot be set to non-blocking mode.
pub fn serve(
    listener: &TcpListener,
    mut respond: impl FnMut(&Request) -> Response,
    mut event: impl FnMut() -> String,
    should_end: impl Fn() -> bool,
) -> std::io::Result<()> {
    listener.set_nonblocking(true)?;
    let mut connections: Vec<Connection> = Vec::new();
    let mut latest = LatestEvent::default();
    while !should_end() {
        // After an error, accepting is tried again in the next turn: the error concerns a single
        // connection, or it is temporary.
        while let Ok((stream, _)) = listener.accept() {
            if connections.len() >= MAX_CONNECTIONS {
                make_room(&mut connections);
            }
            if stream.set_nonblocking(true).is_ok() {
                connections.push(Connection {
                    stream,
                    stage: Stage::Request(Vec::new()),
                    since: Instant::now(),
                });
            }
        }
        let subscribers = connections.iter().filter(|one| one.is_subscriber());
        let mut subscribers = subscribers.count();
        connections.retain_mut(|one| {
            if let Some(received) = one.read_request() {
                let reply = received.reply(&mut respond, subscribers < MAX_SUBSCRIBERS);
                subscribers += usize::from(reply.subscribes);
                one.begin_response(reply);
            }
            if one.is_subscriber() {
                latest.update(&mut event);
                one.send_event(&latest);
            }
            one.write_response()
        });
        let is_busy = connections.iter().any(|one| !one.waits_for_events());
        std::thread::sleep(if is_busy { BUSY_PAUSE } else { IDLE_PAUSE });
    }
    Ok(())
}

/// Closes the connection that has been silent for the longest time, unless it receives
/// events.
fn make_room(connections: &mut Vec<Connection>) {
    let others = connections.iter().enumerate();
    let others = others.filter(|(_, one)| !one.is_subscriber());
    // Connections without a complete request are closed first, before slow readers.
    let longest = others.min_by_key(|(_, one)| (!one.is_in_request(), one.since));
    if let Some((index, _)) = longest {
        connections.swap_remove(index);
    }
}

/// A request as it was received.
enum Received {
    /// The bytes of a complete request.
    Whole(Vec<u8>),
    /// A request that is refused with this status.
    Refused(u16),
}

/// The bytes that are sent for a request.
struct Reply {
    bytes: Vec<u8>,
    /// Whether events follow.
    subscribes: bool,
}

impl Received {
    fn reply(self, respond: &mut impl FnMut(&Request) -> Response, may_subscribe: bool) -> Reply {
        let bytes = match self {
            Received::Refused(status) => return Reply::status(status, true),
            Received::Whole(bytes) => bytes,
        };
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut parsed = httparse::Request::new(&mut headers);
        if parsed.parse(&bytes).is_err() {
            return Reply::status(400, true);
        }
        let (method, target) = (
            parsed.method.unwrap_or_default(),
            parsed.path.unwrap_or_default(),
        );
        let with_body = match method {
            "GET" => true,
            "HEAD" => false,
            _ => return Reply::status(405, true),
        };
        let hosts = parsed.headers.iter();
        let mut hosts = hosts.filter(|header| header.name.eq_ignore_ascii_case("host"));
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return Reply::status(400, with_body);
        };
        let request = Request {
            path: target.split(['?', '#']).next().unwrap_or_default(),
            host: std::str::from_utf8(host.value).unwrap_or_default(),
        };
        match respond(&request) {
            Response::Page { status, kind, body } => Reply::page(status, kind, &body, with_body),
            Response::Events if may_subscribe => Reply::events(with_body),
            Response::Events => Reply::status(503, with_body),
        }
    }
}

impl Reply {
    fn page(status: u16, kind: &str, body: &[u8], with_body: bool) -> Self {
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status} {}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
             Cache-Control: no-store\r\nConnection: close\r\n\r\n",
            reason(status)
        );
        let body = if with_body { body } else { &[] };
        Self {
            bytes: [head.as_bytes(), body].concat(),
            subscribes: false,
        }
    }

    fn status(status: u16, with_body: bool) -> Self {
        let body = format!("{}\n", reason(status));
        Self::page(status, "text/plain", body.as_bytes(), with_body)
    }

    fn events(with_body: bool) -> Self {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\
                    Cache-Control: no-store\r\nConnection: close\r\n\r\n";
        Self {
            bytes: head.into(),
            subscribes: with_body,
        }
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        431 => "Request Header Fields Too Large",
        503 => "Too many pages are open",
        _ => "Error",
    }
}

impl Connection {
    fn is_in_request(&self) -> bool {
        matches!(self.stage, Stage::Request(_))
    }

    fn is_subscriber(&self) -> bool {
        matches!(
            self.stage,
            Stage::Response {
                last_event: Some(_),
                ..
            }
        )
    }

    /// Whether the connection was sent all events and waits for the next one.
    fn waits_for_events(&self) -> bool {
        match &self.stage {
            Stage::Request(_) => false,
            Stage::Response {
                bytes,
                sent,
                last_event,
                ..
            } => last_event.is_some() && *sent == bytes.len(),
        }
    }

    /// Reads the bytes that have arrived. Returns the request when it is complete or refused.
    fn read_request(&mut self) -> Option<Received> {
        let Stage::Request(bytes) = &mut self.stage else {
            return None;
        };
        let mut part = [0; 4096];
        let ended = loop {
            match self.stream.read(&mut part) {
                Ok(0) => break true,
                Ok(count) => bytes.extend_from_slice(&part[..count]),
                Err(error) => break error.kind() != ErrorKind::WouldBlock,
            }
            if bytes.len() > MAX_REQUEST {
                return Some(Received::Refused(431));
            }
        };
        let mut headers = [httparse::EMPTY_HEADER; 64];
        match httparse::Request::new(&mut headers).parse(bytes) {
            Ok(httparse::Status::Partial) if ended => Some(Received::Refused(400)),
            Ok(httparse::Status::Partial) => None,
            Ok(httparse::Status::Complete(_)) => Some(Received::Whole(std::mem::take(bytes))),
            Err(httparse::Error::TooManyHeaders) => Some(Received::Refused(431)),
            Err(_) => Some(Received::Refused(400)),
        }
    }

    fn begin_response(&mut self, reply: Reply) {
        self.since = Instant::now();
        self.stage = Stage::Response {
            bytes: reply.bytes,
            sent: 0,
            last_event: reply.subscribes.then_some(0),
            begun: self.since,
        };
    }

    /// Sends the newest event to a subscriber that has read the event before. A slow reader
    /// misses some events.
    fn send_event(&mut self, latest: &LatestEvent) {
        let is_silent = self.since.elapsed() >= KEEP_ALIVE;
        if let Stage::Response {
            bytes,
            sent,
            last_event: Some(number),
            ..
        } = &mut self.stage
            && *sent == bytes.len()
        {
            if *number != latest.number {
                *bytes = latest.text.clone().into_bytes();
                *number = latest.number;
            } else if is_silent {
                *bytes = b": still here\n\n".into();
            } else {
                return;
            }
            *sent = 0;
            self.since = Instant::now();
        }
    }

    /// Writes as much of the response as possible. Returns whether to keep the connection.
    fn write_response(&mut self) -> bool {
        let Stage::Response {
            bytes,
            sent,
            last_event,
            begun,
        } = &mut self.stage
        else {
            return self.since.elapsed() < REQUEST_TIMEOUT;
        };
        if begun.elapsed() >= PAGE_TIMEOUT && last_event.is_none() {
            return false;
        }
        // Further input is ignored, but its end shows that the browser has closed the
        // connection. Only one part is read in each turn, so that endless input does not delay
        // other connections.
        match self.stream.read(&mut [0; 4096]) {
            Ok(0) if last_event.is_some() => return false,
            Err(error) if error.kind() != ErrorKind::WouldBlock => return false,
            _ => {}
        }
        while *sent < bytes.len() {
            match self.stream.write(&bytes[*sent..]) {
                Ok(count @ 1..) => {
                    *sent += count;
                    self.since = Instant::now();
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return self.since.elapsed() < READ_TIMEOUT;
                }
                Ok(_) | Err(_) => return false,
            }
        }
        last_event.is_some()
    }
}
