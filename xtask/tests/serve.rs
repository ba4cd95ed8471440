//! Watching the progress of a matrix: as text in a terminal, as events, and in a browser.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::{Place, interrupt, stderr, stdout, wait_until};
use kindling_formats::VERSION;

/// Starts a matrix of four runs, two at a time. Returns when two of them wait for the file `hold`.
fn begin(place: &Place) -> Child {
    let child = place
        .xtask("experiments --only mlp --seeds 2 --jobs 2")
        .env("FAKE_HOLD", place.path("hold"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_until(|| {
        let log = std::fs::read_to_string(place.path("log")).unwrap_or_default();
        log.lines().count() == 2
    });
    child
}

/// Writes the file `hold`, so that the runs continue, and waits for the end of the matrix.
fn finish(place: &Place, mut matrix: Child) {
    std::fs::write(place.path("hold"), "").unwrap();
    assert!(matrix.wait().unwrap().success());
}

/// A running server. Ctrl-C ends it when this value is dropped.
struct Serving {
    child: Child,
    port: u16,
}

impl Serving {
    fn start(place: &Place) -> Self {
        let mut command = place.xtask("serve --port 0");
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut printed = BufReader::new(child.stdout.take().unwrap());
        printed.read_line(&mut line).unwrap();
        let port = line.split(['/', ':']).find_map(|part| part.parse().ok());
        Self {
            port: port.unwrap_or_else(|| panic!("no port in {line}")),
            child,
        }
    }

    /// Sends a request for a path. The caller reads the response from the connection.
    fn request(&self, port: u16, path: &str, host: &str) -> BufReader<TcpStream> {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        BufReader::new(stream)
    }

    fn get(&self, path: &str) -> String {
        let mut answer = String::new();
        let host = format!("127.0.0.1:{}", self.port);
        self.request(self.port, path, &host)
            .read_to_string(&mut answer)
            .unwrap();
        answer
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        interrupt(&self.child);
        let _ = self.child.wait();
    }
}

#[test]
fn a_matrix_is_watched_as_it_trains() {
    let place = Place::new();
    let watch = || place.xtask("watch --once").output().unwrap();
    let none = watch();
    assert_eq!(none.status.code(), Some(2));
    assert!(
        stderr(&none).contains("no matrix has been started"),
        "{}",
        stderr(&none)
    );
    let matrix = begin(&place);
    let printed = stdout(&watch());
    assert!(
        printed.starts_with("0 of 4 done, 2 begun, 0 failed, 2 waiting"),
        "{printed}"
    );
    finish(&place, matrix);
    let printed = stdout(&watch());
    assert!(
        printed.starts_with("4 of 4 done, 0 begun, 0 failed, 0 waiting"),
        "{printed}"
    );
    assert!(
        printed.contains("  mlp 1     done in 0:02  test 0.1500  92.00 %"),
        "{printed}"
    );
    // Runs with a changed config have their own folder.
    let failed = place
        .xtask("experiments --only mlp-10 --set dropout=0.5 --seeds 1")
        .env("FAKE_FAIL", "mlp-10 0")
        .env("FAKE_HOLD", place.path("hold"))
        .env("FAKE_VERSION", VERSION)
        .output()
        .unwrap();
    assert_eq!(failed.status.code(), Some(1));
    let there = place
        .xtask("watch --once --variant dropout=0.5")
        .output()
        .unwrap();
    let printed = stdout(&there);
    assert!(
        printed.contains("failed: the loss is NaN in epoch 1"),
        "{printed}"
    );
}

#[test]
fn the_server_sends_every_change_and_serves_only_the_report() {
    let place = Place::new();
    let matrix = begin(&place);
    let serving = Serving::start(&place);
    let host = format!("localhost:{}", serving.port);
    let mut events = serving.request(serving.port, "/events", &host).lines();
    let mut next = |words: &str| {
        let found = events.find(|line| line.as_ref().unwrap().contains(words));
        assert!(found.is_some(), "no {words}");
    };
    next("text/event-stream");
    next("\"done\":0,\"begun\":2");
    finish(&place, matrix);
    next("\"done\":4,\"begun\":0");
    assert!(serving.get("/state").contains("\"done\":4"));
    assert!(serving.get("/").contains("EventSource"));
    assert!(
        serving
            .get("/report/index.html")
            .starts_with("HTTP/1.1 200")
    );
    for path in ["/report/../results.csv", "/results.csv", "/report/none.svg"] {
        assert!(serving.get(path).starts_with("HTTP/1.1 404"), "{path}");
    }
    // A tunnel may have another port. A request with the host name of another site is refused.
    for (name, status) in [
        ("localhost:9000", 200),
        ("127.0.0.1:1", 200),
        ("[::1]:8088", 200),
        ("localhost", 200),
        ("example.org", 403),
        ("localhost.example.org:8088", 403),
        ("example.org:8088", 403),
    ] {
        let mut answer = String::new();
        let mut asked = serving.request(serving.port, "/state", name);
        asked.read_to_string(&mut answer).unwrap();
        let expected = format!("HTTP/1.1 {status} ");
        assert!(answer.starts_with(&expected), "{name}: {answer}");
    }
    // A second server cannot use the same port.
    let second = place
        .xtask(&format!("serve --port {}", serving.port))
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(2));
    assert!(
        stderr(&second).contains("choose another"),
        "{}",
        stderr(&second)
    );
}

/// The number of threads of a process, read from `/proc`.
#[cfg(target_os = "linux")]
fn threads(process: &Child) -> usize {
    std::fs::read_dir(format!("/proc/{}/task", process.id()))
        .unwrap()
        .count()
}

#[cfg(target_os = "linux")]
#[test]
fn many_connections_do_not_delay_others() {
    let place = Place::new();
    let matrix = begin(&place);
    let serving = Serving::start(&place);
    let host = format!("127.0.0.1:{}", serving.port);
    // A response that takes longer than a minute fails the test.
    let page = || {
        let answer = serving.get("/");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    };
    // When the server sends its first response, it has started all its threads.
    page();
    let before = threads(&serving.child);
    // Half of these connections send nothing. The others send only a part of their request.
    let connect = || TcpStream::connect(("127.0.0.1", serving.port)).unwrap();
    let mut silent: Vec<TcpStream> = (0..200).map(|_| connect()).collect();
    for half in silent.iter_mut().step_by(2) {
        let _ = half.write_all(b"GET / HTTP/1.1\r\nHost: ");
    }
    page();
    // A limited number of connections receive events. The others are refused at once.
    let mut followers: Vec<BufReader<TcpStream>> = (0..200)
        .map(|_| serving.request(serving.port, "/events", &host))
        .collect();
    let mut served = Vec::new();
    for mut follower in followers.drain(..) {
        let mut line = String::new();
        // A connection that was replaced by a newer one is closed without a response.
        if follower.read_line(&mut line).is_ok() && line.contains("200") {
            served.push(follower);
        } else {
            assert!(line.is_empty() || line.contains("503"), "{line}");
        }
    }
    assert!((1..=64).contains(&served.len()), "{}", served.len());
    page();
    // Connections that do not read their response do not delay others either.
    let lazy = (0..200).map(|_| serving.request(serving.port, "/", &host));
    let lazy: Vec<BufReader<TcpStream>> = lazy.collect();
    page();
    assert_eq!(threads(&serving.child), before);
    drop((silent, lazy));
    // All subscribers receive the last event.
    finish(&place, matrix);
    for mut follower in served {
        let mut line = String::new();
        while !line.contains("\"done\":4") {
            line.clear();
            assert!(follower.read_line(&mut line).unwrap() > 0, "it was closed");
        }
    }
    page();
}

#[test]
fn malformed_requests_are_refused() {
    let place = Place::new();
    let serving = Serving::start(&place);
    let long = "a".repeat(20_000);
    for (request, status) in [
        ("GET / HTTP/1.1\r\n\r\n", 400),
        (
            "GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
            400,
        ),
        ("nonsense\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
        (&format!("GET /{long} HTTP/1.1\r\n"), 431),
        ("HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n", 200),
        // The header is in lower case, and the version is HTTP/1.0, as some proxies send them.
        ("GET /state?now HTTP/1.0\r\nhost: LOCALHOST\r\n\r\n", 404),
    ] {
        let mut stream = TcpStream::connect(("127.0.0.1", serving.port)).unwrap();
        let patience = Some(Duration::from_secs(60));
        stream.set_read_timeout(patience).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        let begin = &request[..request.len().min(60)];
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{begin}: {answer}"
        );
        if request.starts_with("HEAD") {
            assert!(answer.ends_with("\r\n\r\n"), "{answer}");
        }
    }
}

/// Starts Chromium without a window. Returns the process, and the port on which it lists the
/// titles of its pages. `None` if there is no browser.
#[track_caller]
fn browser(place: &Place, url: &str) -> Option<(Child, u16)> {
    let profile = place.path("profile");
    let child = Command::new(kindling_testing::browser()?)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--remote-debugging-port=0",
        ])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(url)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut port = None;
    wait_until(|| {
        let text = std::fs::read_to_string(profile.join("DevToolsActivePort"));
        port = text.ok().and_then(|text| text.lines().next()?.parse().ok());
        port.is_some()
    });
    Some((child, port.unwrap()))
}

#[test]
fn a_page_in_a_browser_follows_the_matrix() {
    let place = Place::new();
    let matrix = begin(&place);
    let serving = Serving::start(&place);
    let url = format!("http://127.0.0.1:{}/", serving.port);
    let Some((mut browser, port)) = browser(&place, &url) else {
        finish(&place, matrix);
        return;
    };
    let titled = |title: &str| {
        wait_until(|| {
            // Chromium keeps the connection open, so reading ends with the timeout.
            let mut pages = Vec::new();
            let mut answer = serving.request(port, "/json/list", "127.0.0.1");
            let patience = Some(Duration::from_millis(300));
            answer.get_ref().set_read_timeout(patience).unwrap();
            let _ = answer.read_to_end(&mut pages);
            String::from_utf8_lossy(&pages).contains(title)
        });
    };
    titled("0 of 4 done - Kindling");
    finish(&place, matrix);
    titled("4 of 4 done - Kindling");
    browser.kill().unwrap();
    browser.wait().unwrap();
}
