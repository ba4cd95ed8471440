//! Pictures as people make them, through the real binary; and what it does where output
//! cannot be written or a run is somewhere else.

mod common;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use common::{kindling, train_well, write_config, write_images};
use image::imageops::{FilterType, resize};
use image::{DynamicImage, GrayImage, Luma};
use kindling_formats::RunDir;

const TRAIN: &str = "[train]\nepochs = 3\nbatch_size = 50\n\
                     optimizer.sgd = { learning_rate = 0.05, momentum = 0.9 }";

fn classifier(dir: &Path, data: &str) -> RunDir {
    let task = format!("[data]\n{data}\n[model]\nhidden = [64]\ndropout = 0.0\n{TRAIN}");
    let run = write_config(dir, "classifier", &task);
    train_well(&run);
    run
}

fn pca(dir: &Path) -> RunDir {
    let task = "[data]\ntrain = 100\ntest = 50\n[model]\ncomponents = 2\n[scatter]\nimages = 20";
    let run = write_config(dir, "pca", task);
    train_well(&run);
    run
}

fn run<I: AsRef<std::ffi::OsStr>>(words: impl IntoIterator<Item = I>) -> Output {
    kindling().args(words).output().expect("kindling starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

fn save(image: GrayImage, path: PathBuf) -> PathBuf {
    image.save(&path).expect("a picture");
    path
}

type Line = &'static [(f64, f64)];

/// The digits as people draw them, without lifting the pen much.
const DIGITS: [&[Line]; 10] = [
    &[&[
        (5., 2.),
        (3., 3.),
        (2., 6.),
        (2., 10.),
        (4., 13.),
        (6., 13.),
        (8., 10.),
        (8., 6.),
        (7., 3.),
        (5., 2.),
    ]],
    &[&[(5., 2.), (5., 13.)]],
    &[&[
        (2., 4.),
        (4., 2.),
        (7., 2.),
        (8., 5.),
        (6., 8.),
        (2., 13.),
        (9., 13.),
    ]],
    &[&[
        (2., 3.),
        (5., 2.),
        (8., 4.),
        (7., 7.),
        (4., 7.),
        (7., 7.),
        (9., 10.),
        (7., 13.),
        (4., 13.),
        (2., 12.),
    ]],
    &[&[(3., 2.), (2., 8.), (8., 8.)], &[(7., 2.), (7., 14.)]],
    &[&[
        (8., 2.),
        (3., 2.),
        (3., 7.),
        (6., 6.),
        (8., 9.),
        (7., 12.),
        (5., 13.),
        (2., 12.),
    ]],
    &[&[
        (7., 2.),
        (4., 5.),
        (2., 9.),
        (3., 12.),
        (5., 13.),
        (8., 11.),
        (7., 9.),
        (4., 8.),
        (2., 10.),
    ]],
    &[&[(2., 2.), (9., 2.), (6., 7.), (4., 14.)]],
    &[&[
        (5., 7.),
        (3., 5.),
        (4., 2.),
        (7., 2.),
        (8., 5.),
        (5., 7.),
        (2., 10.),
        (3., 13.),
        (7., 13.),
        (8., 10.),
        (5., 7.),
    ]],
    &[&[
        (8., 4.),
        (6., 2.),
        (3., 3.),
        (2., 6.),
        (4., 8.),
        (7., 7.),
        (8., 4.),
        (7., 9.),
        (6., 14.),
    ]],
];

/// A digit in 28x28 pixels, `size` times as large as above, from (`left`, `top`) on, with
/// a pen of so many pixels.
fn drawn(digit: usize, left: f64, top: f64, size: f64, pen: u32) -> GrayImage {
    let mut image = GrayImage::new(28, 28);
    for pair in DIGITS[digit].iter().flat_map(|line| line.windows(2)) {
        let [(from_x, from_y), (to_x, to_y)] = [pair[0], pair[1]];
        for step in 0..=60 {
            let part = f64::from(step) / 60.0;
            let x = left + size * (from_x + (to_x - from_x) * part);
            let y = top + size * (from_y + (to_y - from_y) * part);
            for (right, down) in (0..pen * pen).map(|at| (at % pen, at / pen)) {
                let (x, y) = (x as u32 + right, y as u32 + down);
                if let Some(pixel) = image.get_pixel_mut_checked(x, y) {
                    *pixel = Luma([255]);
                }
            }
        }
    }
    image
}

fn twenty() -> Vec<(usize, GrayImage)> {
    (0..10)
        .flat_map(|digit| {
            [
                (digit, drawn(digit, 1.0, 10.0, 1.0, 1)),
                (digit, drawn(digit, 11.0, 1.0, 1.4, 2)),
            ]
        })
        .collect()
}

#[test]
fn a_drawing_is_read_alike_at_any_size() {
    let folder = tempfile::tempdir().expect("a folder");
    let network = classifier(&folder.path().join("run"), "train = 6000\ntest = 100");
    let labels = |pictures: &[PathBuf]| -> Vec<u64> {
        let words = ["predict", text(network.path()), "--json"].map(PathBuf::from);
        let output = run(words.iter().chain(pictures));
        assert!(output.status.success(), "{}", stderr(&output));
        let label = |line: &str| {
            let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
            line["label"].as_u64().expect("a label")
        };
        stdout(&output).lines().map(label).collect()
    };
    let seen = |picture: &Path| {
        let seen = folder.path().join("seen.png");
        let words = [
            "predict",
            text(network.path()),
            text(picture),
            "--debug-image",
            text(&seen),
        ];
        assert!(run(words).status.success());
        image::open(seen).expect("a picture").to_luma8()
    };
    let at_scale = |scale: u32| -> Vec<PathBuf> {
        let scaled = |(index, (_, image)): (usize, (usize, GrayImage))| {
            let side = 28 * scale;
            let large = resize(&image, side, side, FilterType::Nearest);
            save(large, folder.path().join(format!("{index}-{scale}.png")))
        };
        twenty().into_iter().enumerate().map(scaled).collect()
    };
    let small = at_scale(1);
    let expected = labels(&small);
    let drawings = twenty();
    let right = drawings
        .iter()
        .zip(&expected)
        .filter(|(drawn, label)| drawn.0 as u64 == **label);
    let right = right.count();
    assert!(
        right >= 18,
        "{right} of 20 are read as what they are: {expected:?}"
    );
    for scale in [2, 3, 5, 10] {
        let large = at_scale(scale);
        assert_eq!(labels(&large), expected, "{scale} times as large");
        for (small, large) in small.iter().zip(&large).step_by(6) {
            let (small, large) = (seen(small), seen(large));
            assert_eq!(small.dimensions(), (280, 280));
            assert_eq!(small, large, "{scale} times as large");
        }
    }
}

#[test]
fn one_bad_picture_stops_no_command() {
    let folder = tempfile::tempdir().expect("a folder");
    let network = classifier(&folder.path().join("run"), "train = 200\ntest = 50");
    let coder = pca(&folder.path().join("pca"));
    let good = save(drawn(5, 1.0, 10.0, 1.0, 1), folder.path().join("good.png"));
    let blank = save(GrayImage::new(28, 28), folder.path().join("blank.png"));
    let large = save(GrayImage::new(280, 280), folder.path().join("large.png"));
    let folder_text = text(folder.path()).to_string();
    for (command, dir) in [
        ("predict", &network),
        ("embed", &coder),
        ("reconstruct", &coder),
    ] {
        let mut words = vec![
            command,
            text(dir.path()),
            text(&blank),
            text(&large),
            text(&good),
        ];
        if command == "reconstruct" {
            words.extend(["--to", &folder_text]);
        }
        let output = run(words);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{command}: {said}");
        assert_eq!(
            said.matches("there is nothing on it").count(),
            2,
            "{command}: {said}"
        );
        assert!(
            said.contains("blank.png: ") && said.contains("2 of 3 pictures"),
            "{said}"
        );
        assert!(stdout(&output).contains("good"), "{command}");
    }
    assert!(folder.path().join("good.reconstructed.png").exists());
}

#[test]
fn what_does_not_fit_together_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let coder = pca(&folder.path().join("pca"));
    let picture = |name: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        save(drawn(5, 1.0, 10.0, 1.0, 1), path)
    };
    let (a, b) = (picture("a/1.png"), picture("b/1.png"));
    let back = picture("to/1.reconstructed.png");
    let to = folder.path().join("to");
    let refused = |words: &[&str], names: &[&str]| {
        let before = std::fs::read(&back).expect("reads");
        let output = run(words);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{words:?}: {said}");
        assert!(names.iter().all(|name| said.contains(name)), "{said}");
        assert_eq!(stdout(&output), "");
        assert_eq!(std::fs::read(&back).expect("reads"), before);
        assert_eq!(std::fs::read_dir(&to).expect("lists").count(), 1);
    };
    let dir = text(coder.path());
    let (a, b, back_text, to_text) = (text(&a), text(&b), text(&back), text(&to));
    refused(&["reconstruct", dir, a, b, "--to", to_text], &[a, b]);
    refused(&["reconstruct", dir, a, a, "--to", to_text], &[a]);
    refused(
        &["reconstruct", dir, back_text, a, "--to", to_text],
        &[a, back_text],
    );
    refused(&["reconstruct", dir, a, b, "--to", "-"], &["--to -"]);
    refused(&["embed", dir, "-", a, "-"], &["standard input"]);
    refused(
        &["embed", dir, a, b, "--debug-image", "x.png"],
        &["--debug-image"],
    );
    refused(
        &["embed", dir, "--debug-image", "x.png"],
        &["--debug-image"],
    );
    refused(
        &["embed", dir, back_text, "--debug-image", back_text],
        &["overwrite"],
    );
    // One picture may go to standard output, and nothing else does then.
    let output = run(["reconstruct", dir, a, "--to", "-"]);
    assert!(output.status.success() && output.stdout.starts_with(b"\x89PNG"));
    assert!(image::load_from_memory(&output.stdout).is_ok());
}

#[test]
fn weights_go_to_standard_output_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let network = classifier(&folder.path().join("run"), "train = 200\ntest = 50");
    let export = |more: &[&str]| {
        let mut command = kindling();
        command.args(["export", text(network.path())]).args(more);
        command
            .current_dir(folder.path())
            .output()
            .expect("kindling starts")
    };
    for format in ["json", "safetensors"] {
        let output = export(&["--format", format, "--to", "-"]);
        assert!(output.status.success(), "{}", stderr(&output));
        assert!(
            export(&["--format", format, "--to", "file"])
                .status
                .success()
        );
        let file = std::fs::read(folder.path().join("file")).expect("reads");
        // JSON is the same to the byte; the metadata of safetensors is in any order.
        assert_eq!(output.stdout.len(), file.len());
        assert!(format != "json" || output.stdout == file);
    }
    assert!(!folder.path().join("-").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_on_standard_output_is_an_error_and_a_closed_pipe_is_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let network = classifier(&folder.path().join("run"), "train = 200\ntest = 50");
    let coder = pca(&folder.path().join("pca"));
    let picture = save(drawn(5, 1.0, 10.0, 1.0, 1), folder.path().join("a.png"));
    let (network, coder, picture) = (text(network.path()), text(coder.path()), text(&picture));
    let to = text(folder.path());
    for words in [
        vec!["predict", network, picture],
        vec!["predict", network, picture, "--json"],
        vec!["embed", coder],
        vec!["embed", coder, picture],
        vec!["reconstruct", coder, picture, "--to", to],
        vec!["reconstruct", coder, picture, "--to", "-"],
        vec!["export", network, "--to", "-"],
        vec!["data"],
        vec![
            "parity",
            network,
            common::BACKEND,
            common::BACKEND,
            "--steps",
            "2",
        ],
        vec!["completions", "bash"],
        vec!["man"],
        vec!["--help"],
        vec!["--version"],
        vec!["predict", "--help"],
    ] {
        let full = File::options()
            .write(true)
            .open("/dev/full")
            .expect("opens");
        let output = kindling().args(&words).stdout(full).output();
        let output = output.expect("kindling starts");
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{words:?}: {said}");
        assert!(
            said.contains("standard output") && said.contains("No space left"),
            "{words:?}: {said}"
        );
        let mut child = kindling()
            .args(&words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("kindling starts");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("ends");
        assert!(output.status.success(), "{words:?}: {}", stderr(&output));
        assert_eq!(stderr(&output), "", "{words:?}");
    }
}

#[test]
fn a_run_that_is_elsewhere_is_named_with_its_flags() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let at = |place: &str| out.join(place);
    let whole = classifier(&at("train/runs/mlp/seed-1"), "train = 100\ntest = 50");
    let copy = |place: &str| {
        let to = at(place);
        std::fs::create_dir_all(&to).expect("a folder");
        for file in std::fs::read_dir(whole.path()).expect("lists").flatten() {
            if file.path().is_file() {
                std::fs::copy(file.path(), to.join(file.file_name())).expect("copies");
            }
        }
    };
    let picture = save(drawn(5, 1.0, 10.0, 1.0, 1), folder.path().join("a.png"));
    let predict = |cell: &str, more: &[&str]| {
        let words = ["predict", cell, text(&picture)];
        run(words.iter().chain(more))
    };
    let out_text = text(&out).to_string();
    let refused = |cell: &str, more: &[&str]| {
        let output = predict(cell, &[&["--out", &out_text], more].concat());
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        said
    };
    // Each line of flags, as it is, names a run.
    for place in [
        "quick/runs/mlp/seed-0",
        "smoke/runs/mlp/seed-2",
        "variants/wide/quick/runs/mlp/seed-3",
    ] {
        copy(place);
    }
    let said = refused("mlp", &[]);
    let lines: Vec<&str> = said
        .lines()
        .filter(|line| line.starts_with("  mlp"))
        .collect();
    assert_eq!(lines.len(), 4, "{said}");
    for line in lines {
        let words: Vec<&str> = line.split_whitespace().collect();
        let output = predict(words[0], &words[1..]);
        assert!(output.status.success(), "{line}: {}", stderr(&output));
    }
    // At most five.
    for seed in 4..9 {
        copy(&format!("runs/mlp/seed-{seed}"));
    }
    let said = refused("mlp", &["--seed", "77"]);
    assert_eq!(said.matches("\n  mlp ").count(), 5, "{said}");
    assert!(refused("mpl", &[]).contains("runs of mlp are"));
    let said = refused("convnet", &[]);
    assert!(
        said.contains("cargo xtask experiments --cell convnet"),
        "{said}"
    );
    assert!(!said.contains("runs of"), "{said}");
}

#[test]
fn a_network_of_other_data_is_said_to_be_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let images = write_images(&folder.path().join("images"), 60, 20);
    let data = format!("dir = {images:?}");
    let network = classifier(&folder.path().join("run"), &data);
    let picture = save(drawn(5, 1.0, 10.0, 1.0, 1), folder.path().join("a.png"));
    let output = run(["predict", text(network.path()), text(&picture)]);
    let said = stderr(&output);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("has learnt from") && said.lines().count() == 1,
        "{said}"
    );
    let network = classifier(&folder.path().join("own"), "train = 100\ntest = 50");
    let output = run(["predict", text(network.path()), text(&picture)]);
    assert_eq!(stderr(&output), "");
    assert!(stdout(&run(["predict", "--help"])).contains("EMNIST"));
}

#[test]
fn a_picture_that_would_fill_the_memory_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let network = classifier(&folder.path().join("run"), "train = 100\ntest = 50");
    let small = save(drawn(5, 1.0, 10.0, 1.0, 1), folder.path().join("a.png"));
    // The head says 20,000x20,000; there is no need for the rest.
    let mut bytes = std::fs::read(small).expect("reads");
    let side = 20_000u32.to_be_bytes();
    bytes[16..20].copy_from_slice(&side);
    bytes[20..24].copy_from_slice(&side);
    let mut crc = flate2::Crc::new();
    crc.update(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&crc.sum().to_be_bytes());
    let path = folder.path().join("huge.png");
    std::fs::write(&path, bytes).expect("writes");
    let refused = |output: Output, words: &str| {
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(words) && !said.contains("panicked"), "{said}");
    };
    let dir = text(network.path());
    refused(run(["predict", dir, text(&path)]), "20000x20000 pixels");
    #[cfg(unix)]
    {
        let endless = |file: &str| {
            let mut command = kindling();
            command.args(["predict", dir, "-"]);
            command.stdin(File::open(file).expect("opens"));
            command.output().expect("kindling starts")
        };
        refused(endless("/dev/zero"), "a PNG or a JPEG");
        refused(endless("/dev/null"), "it is empty");
        refused(run(["predict", dir, "/dev/zero"]), "a PNG or a JPEG");
    }
}

#[test]
fn a_photo_is_turned_as_its_camera_says() {
    use image::ImageEncoder;
    use image::codecs::{jpeg::JpegEncoder, png::PngEncoder};
    let folder = tempfile::tempdir().expect("a folder");
    let coder = pca(&folder.path().join("pca"));
    let upright = resize(&drawn(5, 1.0, 10.0, 1.0, 1), 280, 280, FilterType::Nearest);
    // Orientation 6: to be turned by a quarter, clockwise. 3: upside down.
    for (orientation, stored) in [
        (6u8, image::imageops::rotate270(&upright)),
        (3, image::imageops::rotate180(&upright)),
    ] {
        let mut exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
        exif.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
        let file = |name: &str| folder.path().join(name);
        let mut encoder = PngEncoder::new(File::create(file("p.png")).expect("a file"));
        encoder.set_exif_metadata(exif.clone()).expect("EXIF");
        let (width, height) = stored.dimensions();
        let kind = image::ExtendedColorType::L8;
        encoder
            .write_image(&stored, width, height, kind)
            .expect("a PNG");
        let mut encoder =
            JpegEncoder::new_with_quality(File::create(file("j.jpg")).expect("a file"), 100);
        encoder.set_exif_metadata(exif).expect("EXIF");
        encoder
            .write_image(&stored, width, height, kind)
            .expect("a JPEG");
        save(upright.clone(), file("u.png"));
        let seen = |name: &str| {
            let seen = file("seen.png");
            let words = [
                "embed",
                text(coder.path()),
                text(&file(name)),
                "--debug-image",
                text(&seen),
            ]
            .map(str::to_string);
            let output = run(words);
            assert!(output.status.success(), "{}", stderr(&output));
            let image: DynamicImage = image::open(seen).expect("a picture");
            image.to_luma8()
        };
        let expected = seen("u.png");
        assert_eq!(seen("p.png"), expected);
        let pairs = expected.pixels().zip(seen("j.jpg").into_raw());
        let gap: f64 = pairs.map(|(a, b)| f64::from(a.0[0].abs_diff(b))).sum();
        assert!(gap / 78_400.0 < 4.0, "{}", gap / 78_400.0);
    }
}
