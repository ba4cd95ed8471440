//! `cargo xtask serve`: a matrix while it trains, and its report, in a browser.
//!
//! Only this machine is served. The page is told of every change by server-sent events.

use std::io::Write;
use std::net::Ipv4Addr;
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use kindling_spec::Layout;
use tiny_http::{Header, Request, Response, Server};

use crate::flags::Serve;
use crate::select::tree;
use crate::state::State;
use crate::stop::{Outcome, Stop};
use crate::{say, signal};

/// The page that shows the matrix.
const PAGE: &str = include_str!("serve.html");
/// Time between two looks at the files.
const EVERY: Duration = Duration::from_secs(1);
/// Looks without a change after which a sign of life is sent, by which a browser that
/// has gone is noticed.
const SILENT: u32 = 15;

/// Serves until Ctrl-C.
pub fn run(flags: &Serve) -> Outcome {
    let layout = tree(&flags.tree)?;
    let server = Server::http((Ipv4Addr::LOCALHOST, flags.port)).map_err(|error| {
        Stop::BadInput(anyhow!(
            "--port {}: {error}; choose another, or 0 for any that is free",
            flags.port
        ))
    })?;
    let port = server
        .server_addr()
        .to_ip()
        .map_or(flags.port, |addr| addr.port());
    say::out(format_args!("http://127.0.0.1:{port}/   (Ctrl-C ends it)"));
    signal::count();
    let layout = Arc::new(layout);
    while signal::pressed() == 0 {
        if let Some(request) = server.recv_timeout(Duration::from_millis(100))? {
            let layout = layout.clone();
            // A browser that reads slowly keeps nobody waiting.
            std::thread::spawn(move || answer(request, &layout, port));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn answer(request: Request, layout: &Layout, port: u16) {
    // A page from elsewhere that has its name point here is not for us to answer.
    let host = request
        .headers()
        .iter()
        .find(|header| header.field.equiv("Host"));
    let known = [format!("127.0.0.1:{port}"), format!("localhost:{port}")];
    let is_known = host.is_some_and(|host| known.iter().any(|name| host.value == name.as_str()));
    let path = request.url().split(['?', '#']).next().unwrap_or_default();
    // Whoever has asked may have gone.
    let _ = match path {
        _ if !is_known => request.respond(status(403, "this is served to this machine alone")),
        "/" => request.respond(page(PAGE.as_bytes().to_vec(), "text/html; charset=utf-8")),
        "/state" => match state(layout) {
            Ok(json) => request.respond(page(json.into_bytes(), "application/json")),
            Err(why) => request.respond(status(404, &why)),
        },
        "/events" => events(request, layout),
        path => match file(path, layout) {
            Some((path, kind)) => match std::fs::read(&path) {
                Ok(bytes) => request.respond(page(bytes, kind)),
                Err(_) => request.respond(status(404, "there is no report yet")),
            },
            None => request.respond(status(404, "there is nothing of that name")),
        },
    };
}

/// The state as JSON, or why there is none.
fn state(layout: &Layout) -> Result<String, String> {
    let state = State::read(layout).map_err(|error| format!("{error:#}"))?;
    serde_json::to_string(&state).map_err(|error| error.to_string())
}

/// Tells of every change until the browser is gone.
fn events(request: Request, layout: &Layout) -> std::io::Result<()> {
    let mut browser = request.into_writer();
    browser.write_all(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n\
          Connection: close\r\n\r\n",
    )?;
    let (mut told, mut silent) = (String::new(), 0);
    while signal::pressed() == 0 {
        let event = match state(layout) {
            Ok(json) => format!("event: state\ndata: {json}\n\n"),
            Err(why) => format!("event: none\ndata: {}\n\n", why.replace('\n', " ")),
        };
        if event != told {
            browser.write_all(event.as_bytes())?;
            browser.flush()?;
            (told, silent) = (event, 0);
        } else if silent >= SILENT {
            browser.write_all(b": still here\n\n")?;
            browser.flush()?;
            silent = 0;
        }
        silent += 1;
        std::thread::sleep(EVERY);
    }
    Ok(())
}

/// A file of the report, and its type.
fn file(path: &str, layout: &Layout) -> Option<(PathBuf, &'static str)> {
    let below = Path::new(path.strip_prefix("/report/")?);
    let is_plain = |part: Component| matches!(part, Component::Normal(_));
    if !below.components().all(is_plain) {
        return None;
    }
    let kind = match below.extension()?.to_str()? {
        "html" => "text/html; charset=utf-8",
        "svg" => "image/svg+xml",
        "md" => "text/markdown; charset=utf-8",
        "csv" => "text/csv; charset=utf-8",
        _ => return None,
    };
    Some((layout.report().join(below), kind))
}

type Bytes = Response<std::io::Cursor<Vec<u8>>>;

fn page(bytes: Vec<u8>, kind: &str) -> Bytes {
    let response = Response::from_data(bytes);
    // Of ASCII, a header is one.
    let header = |name: &str, value: &str| Header::from_bytes(name, value).ok();
    [
        header("Content-Type", kind),
        header("Cache-Control", "no-store"),
    ]
    .into_iter()
    .flatten()
    .fold(response, |response, header| response.with_header(header))
}

fn status(code: u16, why: &str) -> Bytes {
    page(why.as_bytes().to_vec(), "text/plain; charset=utf-8").with_status_code(code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kindling_spec::Size;

    #[test]
    fn no_path_leads_out_of_the_report() {
        let layout = Layout::new(Path::new("out"), Size::Full);
        let of = |path: &str| file(path, &layout).map(|(path, _)| path);
        assert_eq!(
            of("/report/index.html"),
            Some("out/report/index.html".into())
        );
        assert_eq!(
            of("/report/figures/a.svg"),
            Some("out/report/figures/a.svg".into())
        );
        for path in [
            "/report/../results.csv",
            "/report//etc/passwd.csv",
            "/report/figures/../../results.csv",
            "/results.csv",
            "/report/config.toml",
            "/report/",
        ] {
            assert_eq!(of(path), None, "{path}");
        }
    }
}
