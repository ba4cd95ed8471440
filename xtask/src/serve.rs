//! `cargo xtask serve`: a matrix while it trains, and its report, in a browser.
//!
//! Only this machine is served. The page is told of every change by server-sent events.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;

use anyhow::anyhow;
use kindling_formats::Layout;

use crate::flags::Serve;
use crate::http::{self, Answer, Asked};
use crate::select::tree;
use crate::state::State;
use crate::stop::{Outcome, Stop};
use crate::{say, signal};

/// The page that shows the matrix.
const PAGE: &str = include_str!("serve.html");
/// The names of this machine to itself.
const HERE: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// Serves until Ctrl-C.
pub fn run(flags: &Serve) -> Outcome {
    let layout = tree(&flags.tree)?;
    let refused = |error: std::io::Error| {
        Stop::BadInput(anyhow!(
            "--port {}: {error}; choose another, or 0 for any that is free",
            flags.port
        ))
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, flags.port)).map_err(refused)?;
    let port = listener.local_addr()?.port();
    say::out(format_args!("http://127.0.0.1:{port}/   (Ctrl-C ends it)"));
    signal::count();
    http::serve(
        &listener,
        |asked| answer(asked, &layout),
        || event(&layout),
        || signal::pressed() > 0,
    )?;
    Ok(ExitCode::SUCCESS)
}

fn answer(asked: &Asked, layout: &Layout) -> Answer {
    if !is_here(asked.host) {
        return text(403, "this is served to this machine alone");
    }
    match asked.path {
        "/" => page(PAGE.into(), "text/html; charset=utf-8"),
        "/state" => match state(layout) {
            Ok(json) => page(json.into_bytes(), "application/json"),
            Err(why) => text(404, &why),
        },
        "/events" => Answer::Events,
        path => match file(path, layout) {
            Some((path, kind)) => match std::fs::read(&path) {
                Ok(bytes) => page(bytes, kind),
                Err(_) => text(404, "there is no report yet"),
            },
            None => text(404, "there is nothing of that name"),
        },
    }
}

/// Whether a browser calls this server by a name of this machine, on any port: behind a
/// tunnel (`ssh -L`) it is another than ours. A page from elsewhere that has its own name
/// lead here is not for us to answer.
fn is_here(host: &str) -> bool {
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let name = match host.rsplit_once(':') {
        Some((name, port)) if is_port(port) => name,
        _ => host,
    };
    HERE.iter().any(|here| name.eq_ignore_ascii_case(here))
}

/// The state as JSON, or why there is none.
fn state(layout: &Layout) -> Result<String, String> {
    let state = State::read(layout).map_err(|error| format!("{error:#}"))?;
    serde_json::to_string(&state).map_err(|error| error.to_string())
}

/// The state as a server-sent event.
fn event(layout: &Layout) -> String {
    match state(layout) {
        Ok(json) => format!("event: state\ndata: {json}\n\n"),
        Err(why) => format!("event: none\ndata: {}\n\n", why.replace('\n', " ")),
    }
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

fn page(body: Vec<u8>, kind: &'static str) -> Answer {
    Answer::Page {
        status: 200,
        kind,
        body,
    }
}

fn text(status: u16, why: &str) -> Answer {
    Answer::Page {
        status,
        kind: "text/plain; charset=utf-8",
        body: why.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kindling_formats::Size;

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

    #[test]
    fn only_names_of_this_machine_are_answered() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:8088",
            "localhost:9000",
            "LocalHost",
            "[::1]",
            "[::1]:8088",
        ] {
            assert!(is_here(host), "{host}");
        }
        for host in [
            "",
            ":8088",
            "example.org",
            "localhost.example.org:8088",
            "example.org:localhost",
            "127.0.0.1.example.org",
            "127.0.0.1:80:80",
            "::1",
            "localhost:80@example.org",
        ] {
            assert!(!is_here(host), "{host}");
        }
    }
}
