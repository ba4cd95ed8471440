//! `cargo xtask serve`: shows the progress of a matrix, and its report, in a browser.
//!
//! Only browsers on this machine can open the page. The page receives every change as a
//! server-sent event.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;

use kindling_formats::{Layout, TreeKind};
use kindling_runner::{RunnerError, Snapshot, Watcher};

use super::http::{self, Request, Response};
use crate::cli::Serve;
use crate::error::{CommandError, CommandResult};
use crate::steps::{results_of, results_of_kind};
use crate::ui::{interrupt, output};

/// The page that shows the progress.
const PAGE: &str = include_str!("serve.html");
/// The host names that stand for this machine.
const LOCAL_NAMES: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// Serves until Ctrl-C is pressed.
pub fn serve(flags: &Serve) -> CommandResult {
    let layout = match flags.trials {
        true => results_of_kind(&flags.tree, TreeKind::Trials)?,
        false => results_of(&flags.tree)?,
    };
    let refused = |error: std::io::Error| {
        CommandError::bad_input(format!(
            "--port {}: {error}; choose another port, or 0 for any free one",
            flags.port
        ))
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, flags.port)).map_err(refused)?;
    let port = listener.local_addr()?.port();
    output::print(format_args!("http://127.0.0.1:{port}/   (Ctrl-C ends it)"));
    interrupt::start_counting();
    let mut watcher = Watcher::new(&layout);
    http::serve(
        &listener,
        |request| respond(request, &layout),
        || event(watcher.snapshot()),
        interrupt::is_pressed,
    )?;
    Ok(ExitCode::SUCCESS)
}

fn respond(request: &Request, layout: &Layout) -> Response {
    if !is_local(request.host) {
        return text(403, "only browsers on this machine are served");
    }
    match request.path {
        "/" => page(PAGE.into(), "text/html; charset=utf-8"),
        "/state" => match json(Snapshot::read(layout)) {
            Ok(json) => page(json.into_bytes(), "application/json"),
            Err(reason) => text(404, &reason),
        },
        "/events" => Response::Events,
        path => match file(path, layout) {
            Some((path, kind)) => match std::fs::read(&path) {
                Ok(bytes) => page(bytes, kind),
                Err(_) => text(404, "there is no report yet"),
            },
            None => text(404, "there is no such page"),
        },
    }
}

/// Whether the header `Host` has a local name. This refuses requests of other sites whose own
/// name resolves to this machine (DNS rebinding). Any port is allowed, because a tunnel
/// (`ssh -L`) has another port than this server.
fn is_local(host: &str) -> bool {
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let name = match host.rsplit_once(':') {
        Some((name, port)) if is_port(port) => name,
        _ => host,
    };
    LOCAL_NAMES
        .iter()
        .any(|local| name.eq_ignore_ascii_case(local))
}

/// A snapshot of the matrix as JSON, or the reason why there is none.
fn json(snapshot: Result<Snapshot, RunnerError>) -> Result<String, String> {
    let snapshot = snapshot.map_err(|error| CommandError::from(error).text())?;
    serde_json::to_string(&snapshot).map_err(|error| error.to_string())
}

/// A snapshot of the matrix as a server-sent event.
fn event(snapshot: Result<Snapshot, RunnerError>) -> String {
    match json(snapshot) {
        Ok(json) => format!("event: state\ndata: {json}\n\n"),
        Err(reason) => format!("event: none\ndata: {}\n\n", reason.replace('\n', " ")),
    }
}

/// The file of the report at the path of a request, and its media type. `None` if the path is
/// outside the report, or if the file is of another type.
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

fn page(body: Vec<u8>, kind: &'static str) -> Response {
    Response::Page {
        status: 200,
        kind,
        body,
    }
}

fn text(status: u16, body: &str) -> Response {
    Response::Page {
        status,
        kind: "text/plain; charset=utf-8",
        body: body.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kindling_formats::Size;

    #[test]
    fn paths_outside_the_report_are_refused() {
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
    fn only_local_host_names_are_accepted() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:8088",
            "localhost:9000",
            "LocalHost",
            "[::1]",
            "[::1]:8088",
        ] {
            assert!(is_local(host), "{host}");
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
            assert!(!is_local(host), "{host}");
        }
    }
}
