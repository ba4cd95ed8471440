//! HTTP for a few browsers on this machine, on one thread.
//!
//! No connection is ever waited for: each is read and written as far as it goes, and
//! then the next has its turn. Their number is bounded, and so is the time in which one
//! has to ask, or to read a part of its answer. So neither silent connections nor slow
//! readers, however many, keep others from an answer.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// Connections at a time. One more takes the place of the one that waits longest.
const MOST: usize = 128;
/// Of these, connections that follow events. One more is refused.
const MOST_FOLLOWERS: usize = 64;
/// Bytes of a request at most. Ours have no body.
const LONGEST: usize = 16 << 10;
/// Time in which a connection has to ask.
const TO_ASK: Duration = Duration::from_secs(5);
/// Time in which a connection has to read a part of what was sent to it.
const TO_READ: Duration = Duration::from_secs(15);
/// Time in which it has to read all of a page.
const TO_READ_ALL: Duration = Duration::from_secs(600);
/// Time without an event after which a follower is sent a sign of life, by which one
/// that has gone is noticed.
const SILENT: Duration = Duration::from_secs(15);
/// Time between two looks whether there is an event.
const EVERY: Duration = Duration::from_secs(1);
/// Time between two turns while somebody is served, and while nobody is.
const TURN: Duration = Duration::from_millis(5);
const IDLE: Duration = Duration::from_millis(50);

/// What a browser asks for.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The path, without what follows a `?`.
    pub path: &'a str,
    /// The server's name as the browser knows it, with the port.
    pub host: &'a str,
}

/// What it gets.
#[derive(Debug)]
pub enum Answer {
    /// A page.
    Page {
        /// The status, as 200.
        status: u16,
        /// The type of `body`, as `text/html`.
        kind: &'static str,
        /// What is sent.
        body: Vec<u8>,
    },
    /// Every event from now on, as server-sent events.
    Events,
}

/// A connection, and how far it is.
struct Connection {
    stream: TcpStream,
    stage: Stage,
    /// When it last went on.
    since: Instant,
}

enum Stage {
    /// It asks. What has come of the request:
    Asking(Vec<u8>),
    /// It is answered.
    Answered {
        /// What has to be sent,
        bytes: Vec<u8>,
        /// of which so many bytes are.
        sent: usize,
        /// For a follower of events: the number of the last one that it was sent.
        follows: Option<u64>,
        /// Since when.
        begun: Instant,
    },
}

/// The newest event.
#[derive(Default)]
struct News {
    number: u64,
    text: String,
    looked: Option<Instant>,
}

impl News {
    /// Looks for a new event, unless that was done just now.
    fn look(&mut self, event: &mut impl FnMut() -> String) {
        if self.looked.is_some_and(|when| when.elapsed() < EVERY) {
            return;
        }
        let text = event();
        if text != self.text || self.number == 0 {
            self.text = text;
            self.number += 1;
        }
        self.looked = Some(Instant::now());
    }
}

/// Answers what comes to `listener` by `answer`, and tells followers of every `event`,
/// until `ends`.
///
/// # Errors
///
/// If the listener cannot be used.
pub fn serve(
    listener: &TcpListener,
    mut answer: impl FnMut(&Asked) -> Answer,
    mut event: impl FnMut() -> String,
    ends: impl Fn() -> bool,
) -> std::io::Result<()> {
    listener.set_nonblocking(true)?;
    let mut connections: Vec<Connection> = Vec::new();
    let mut news = News::default();
    while !ends() {
        // An error is of one connection, which has gone again, or of the moment.
        while let Ok((stream, _)) = listener.accept() {
            if connections.len() >= MOST {
                make_room(&mut connections);
            }
            if stream.set_nonblocking(true).is_ok() {
                connections.push(Connection {
                    stream,
                    stage: Stage::Asking(Vec::new()),
                    since: Instant::now(),
                });
            }
        }
        let mut followers = connections.iter().filter(|one| one.follows()).count();
        connections.retain_mut(|one| {
            if let Some(asked) = one.ask() {
                let reply = asked.reply(&mut answer, followers < MOST_FOLLOWERS);
                followers += usize::from(reply.follows);
                one.begin(reply);
            }
            if one.follows() {
                news.look(&mut event);
                one.tell(&news);
            }
            one.goes_on()
        });
        let is_busy = connections.iter().any(|one| !one.waits_for_events());
        std::thread::sleep(if is_busy { TURN } else { IDLE });
    }
    Ok(())
}

/// Ends a connection for another: the one that has not gone on for the longest time,
/// among those that follow no events.
fn make_room(connections: &mut Vec<Connection>) {
    let others = connections.iter().enumerate();
    let others = others.filter(|(_, one)| !one.follows());
    // Of the silent ones first: who reads an answer slowly has asked.
    let longest = others.min_by_key(|(_, one)| (!one.is_asking(), one.since));
    if let Some((index, _)) = longest {
        connections.swap_remove(index);
    }
}

/// A request, or why it is none.
enum Heard {
    /// Whole: its bytes.
    Whole(Vec<u8>),
    /// It will not be answered but with this status.
    Wrong(u16),
}

/// What is sent for a request.
struct Reply {
    bytes: Vec<u8>,
    follows: bool,
}

impl Heard {
    fn reply(self, answer: &mut impl FnMut(&Asked) -> Answer, may_follow: bool) -> Reply {
        let bytes = match self {
            Heard::Wrong(status) => return Reply::status(status, true),
            Heard::Whole(bytes) => bytes,
        };
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut request = httparse::Request::new(&mut headers);
        if request.parse(&bytes).is_err() {
            return Reply::status(400, true);
        }
        let (method, target) = (
            request.method.unwrap_or_default(),
            request.path.unwrap_or_default(),
        );
        let with_body = match method {
            "GET" => true,
            "HEAD" => false,
            _ => return Reply::status(405, true),
        };
        let hosts = request.headers.iter();
        let mut hosts = hosts.filter(|header| header.name.eq_ignore_ascii_case("host"));
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return Reply::status(400, with_body);
        };
        let asked = Asked {
            path: target.split(['?', '#']).next().unwrap_or_default(),
            host: std::str::from_utf8(host.value).unwrap_or_default(),
        };
        match answer(&asked) {
            Answer::Page { status, kind, body } => Reply::page(status, kind, &body, with_body),
            Answer::Events if may_follow => Reply::events(with_body),
            Answer::Events => Reply::status(503, with_body),
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
            follows: false,
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
            follows: with_body,
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
    fn is_asking(&self) -> bool {
        matches!(self.stage, Stage::Asking(_))
    }

    fn follows(&self) -> bool {
        matches!(
            self.stage,
            Stage::Answered {
                follows: Some(_),
                ..
            }
        )
    }

    /// Whether it has all that there is for it, and waits for the next event.
    fn waits_for_events(&self) -> bool {
        match &self.stage {
            Stage::Asking(_) => false,
            Stage::Answered {
                bytes,
                sent,
                follows,
                ..
            } => follows.is_some() && *sent == bytes.len(),
        }
    }

    /// Reads on, and returns the request once it is whole.
    fn ask(&mut self) -> Option<Heard> {
        let Stage::Asking(bytes) = &mut self.stage else {
            return None;
        };
        let mut part = [0; 4096];
        let ended = loop {
            match self.stream.read(&mut part) {
                Ok(0) => break true,
                Ok(count) => bytes.extend_from_slice(&part[..count]),
                Err(error) => break error.kind() != ErrorKind::WouldBlock,
            }
            if bytes.len() > LONGEST {
                return Some(Heard::Wrong(431));
            }
        };
        let mut headers = [httparse::EMPTY_HEADER; 64];
        match httparse::Request::new(&mut headers).parse(bytes) {
            Ok(httparse::Status::Partial) if ended => Some(Heard::Wrong(400)),
            Ok(httparse::Status::Partial) => None,
            Ok(httparse::Status::Complete(_)) => Some(Heard::Whole(std::mem::take(bytes))),
            Err(httparse::Error::TooManyHeaders) => Some(Heard::Wrong(431)),
            Err(_) => Some(Heard::Wrong(400)),
        }
    }

    fn begin(&mut self, reply: Reply) {
        self.since = Instant::now();
        self.stage = Stage::Answered {
            bytes: reply.bytes,
            sent: 0,
            follows: reply.follows.then_some(0),
            begun: self.since,
        };
    }

    /// Has a follower sent the newest event, once it has read the one before: who reads
    /// slowly misses some.
    fn tell(&mut self, news: &News) {
        let silent = self.since.elapsed() >= SILENT;
        if let Stage::Answered {
            bytes,
            sent,
            follows: Some(number),
            ..
        } = &mut self.stage
            && *sent == bytes.len()
        {
            if *number != news.number {
                *bytes = news.text.clone().into_bytes();
                *number = news.number;
            } else if silent {
                *bytes = b": still here\n\n".into();
            } else {
                return;
            }
            *sent = 0;
            self.since = Instant::now();
        }
    }

    /// Sends on. Returns whether the connection is still of use.
    fn goes_on(&mut self) -> bool {
        let Stage::Answered {
            bytes,
            sent,
            follows,
            begun,
        } = &mut self.stage
        else {
            return self.since.elapsed() < TO_ASK;
        };
        if begun.elapsed() >= TO_READ_ALL && follows.is_none() {
            return false;
        }
        // Whatever else comes is of no use, but its end is: the browser has gone. A part
        // a turn, or one that sends without end would hold up the others.
        match self.stream.read(&mut [0; 4096]) {
            Ok(0) if follows.is_some() => return false,
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
                    return self.since.elapsed() < TO_READ;
                }
                Ok(_) | Err(_) => return false,
            }
        }
        follows.is_some()
    }
}
