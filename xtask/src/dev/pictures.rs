//! `cargo xtask pictures`: makes the two pictures of the README. Chromium opens the report, and
//! tmux is the terminal in which a network trains.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use kindling_formats::{Layout, Size, write_atomic};

use crate::cli::Pictures;
use crate::error::{CommandError, CommandResult};
use crate::steps::workspace;
use crate::ui::{self, output};

/// The environment variable that names the browser to use in place of Chromium.
const BROWSER: &str = "KINDLING_BROWSER";
/// The size of the picture of the report, in pixels.
const SCREEN: (u32, u32) = (1280, 812);
/// The size of the terminal, in columns and lines.
const TERMINAL: (u32, u32) = (116, 34);
/// The cell that trains in the terminal, and what the dashboard shows when the picture is taken.
const CELL: (&str, &str) = ("mlp", "12/20");
/// How long the training may take until then.
const LONGEST: Duration = Duration::from_secs(300);

/// Makes the pictures.
pub fn pictures(flags: &Pictures) -> CommandResult {
    let out = workspace::folder(flags.out.as_deref(), "artifacts")?;
    let page = Layout::new(&out, Size::Full).report().join("index.html");
    if !page.exists() {
        return Err(CommandError::bad_input(format!(
            "{}: there is no such file; run `cargo xtask experiments` first, or name its results \
             by --out",
            ui::path(&page)
        )));
    }
    let folder = workspace::folder(flags.to.as_deref(), "docs/pictures")?;
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make {}", ui::path(&folder)))?;
    let report = folder.join("report.png");
    report_screen(&page, &report)?;
    output::print(ui::path(&report));
    let dashboard = folder.join("dashboard.svg");
    write_atomic(&dashboard, dashboard_screen()?.as_bytes()).map_err(anyhow::Error::from)?;
    output::print(ui::path(&dashboard));
    Ok(ExitCode::SUCCESS)
}

/// Writes the first screen of the page to the file `to`.
fn report_screen(page: &Path, to: &Path) -> anyhow::Result<()> {
    let named = std::env::var_os(BROWSER).unwrap_or("chromium".into());
    let new = tempfile::Builder::new().suffix(".png").tempfile()?;
    let mut browser = Command::new(&named);
    browser
        .args(["--headless", "--no-sandbox", "--hide-scrollbars"])
        .arg(format!("--window-size={},{}", SCREEN.0, SCREEN.1))
        .arg(format!("--screenshot={}", new.path().display()))
        .arg(format!("file://{}", page.display()));
    let remedy = format!("install Chromium, or name a browser in {BROWSER}");
    run(&mut browser, &remedy)?;
    let picture = std::fs::read(new.path())?;
    ensure!(!picture.is_empty(), "the browser made no picture");
    write_atomic(to, &picture)?;
    Ok(())
}

/// The dashboard of a training as SVG.
fn dashboard_screen() -> anyhow::Result<String> {
    let folder = tempfile::tempdir()?;
    let terminal = Terminal::open(folder.path())?;
    let start = Instant::now();
    let (cell, moment) = CELL;
    loop {
        let screen = terminal.tmux(&["capture-pane", "-p", "-e"])?;
        let screen = String::from_utf8_lossy(&screen.stdout).into_owned();
        if screen.contains(moment) {
            return Ok(anstyle_svg::Term::new().render_svg(&screen));
        }
        ensure!(
            start.elapsed() < LONGEST,
            "the dashboard of {cell} did not show {moment}; it showed:\n{screen}"
        );
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// A terminal in which a network trains. The training ends when this value is dropped.
struct Terminal {
    socket: PathBuf,
}

impl Terminal {
    /// Opens the terminal. The results of the training go to `folder`.
    fn open(folder: &Path) -> anyhow::Result<Self> {
        let terminal = Self {
            socket: folder.join("tmux"),
        };
        let xtask = std::env::current_exe()?;
        let size = [TERMINAL.0, TERMINAL.1].map(|size| size.to_string());
        let mut tmux = terminal.command();
        // Without the user's settings. With the variable CI, there would be no dashboard.
        tmux.env_remove("CI")
            .args(["-f", "/dev/null", "new-session", "-d", "-x", &size[0]])
            .args(["-y", &size[1]])
            .arg(xtask)
            .args(["train", CELL.0, "--out"])
            .arg(folder.join("out"));
        run(&mut tmux, "install tmux")?;
        Ok(terminal)
    }

    fn command(&self) -> Command {
        let mut command = Command::new("tmux");
        command.arg("-S").arg(&self.socket);
        command
    }

    fn tmux(&self, words: &[&str]) -> anyhow::Result<Output> {
        run(self.command().args(words), "the training has ended early")
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // If this fails, the training is over already.
        let _ = self.tmux(&["kill-server"]);
    }
}

/// Runs a command. `remedy` says what to do if it cannot be run.
fn run(command: &mut Command, remedy: &str) -> anyhow::Result<Output> {
    let name = command.get_program().display().to_string();
    let output = command
        .output()
        .with_context(|| format!("cannot run {name}; {remedy}"))?;
    ensure!(
        output.status.success(),
        "{name} failed: {}; {remedy}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(output)
}
