//! Pictures as people make them: drawings, photos, and files that are no pictures, through
//! the real binary.

mod common;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Output;

use common::drawn_digits::{drawn_digit, drawn_five};
use common::{
    kindling, run, save, stderr, stdout, text, train_classifier, train_pca, write_images,
};
use image::imageops::{FilterType, resize};
use image::{DynamicImage, GrayImage};

/// Each digit, drawn small with a thin pen and larger with a thick one.
fn twenty_drawings() -> Vec<(usize, GrayImage)> {
    (0..10)
        .flat_map(|digit| {
            [
                (digit, drawn_digit(digit, 1.0, 10.0, 1.0, 1)),
                (digit, drawn_digit(digit, 11.0, 1.0, 1.4, 2)),
            ]
        })
        .collect()
}

#[test]
fn a_drawing_gives_the_same_prediction_at_any_size() {
    let folder = tempfile::tempdir().expect("a folder");
    let network = train_classifier(&folder.path().join("run"), "train = 6000\ntest = 100");
    let labels = |pictures: &[PathBuf]| -> Vec<u64> {
        let arguments = ["predict", text(network.path()), "--json"].map(PathBuf::from);
        let output = run(arguments.iter().chain(pictures));
        assert!(output.status.success(), "{}", stderr(&output));
        let label = |line: &str| {
            let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
            line["label"].as_u64().expect("a label")
        };
        stdout(&output).lines().map(label).collect()
    };
    let prepared = |picture: &Path| {
        let prepared = folder.path().join("prepared.png");
        let arguments = [
            "predict",
            text(network.path()),
            text(picture),
            "--debug-image",
            text(&prepared),
        ];
        assert!(run(arguments).status.success());
        image::open(prepared).expect("a picture").to_luma8()
    };
    let at_scale = |scale: u32| -> Vec<PathBuf> {
        let scaled = |(index, (_, image)): (usize, (usize, GrayImage))| {
            let side = 28 * scale;
            let large = resize(&image, side, side, FilterType::Nearest);
            save(large, folder.path().join(format!("{index}-{scale}.png")))
        };
        twenty_drawings()
            .into_iter()
            .enumerate()
            .map(scaled)
            .collect()
    };
    let small = at_scale(1);
    let expected = labels(&small);
    let drawings = twenty_drawings();
    let right = drawings
        .iter()
        .zip(&expected)
        .filter(|(drawn, label)| drawn.0 as u64 == **label);
    let right = right.count();
    assert!(
        right >= 18,
        "{right} of 20 drawings are classified correctly: {expected:?}"
    );
    for scale in [2, 3, 5, 10] {
        let large = at_scale(scale);
        assert_eq!(labels(&large), expected, "{scale} times as large");
        for (small, large) in small.iter().zip(&large).step_by(6) {
            let (small, large) = (prepared(small), prepared(large));
            assert_eq!(small.dimensions(), (280, 280));
            assert_eq!(small, large, "{scale} times as large");
        }
    }
}

#[test]
fn a_bad_picture_is_named_and_the_others_are_processed() {
    let folder = tempfile::tempdir().expect("a folder");
    let network = train_classifier(&folder.path().join("run"), "train = 200\ntest = 50");
    let coder = train_pca(&folder.path().join("pca"));
    let good = save(drawn_five(), folder.path().join("good.png"));
    let blank = save(GrayImage::new(28, 28), folder.path().join("blank.png"));
    let large = save(GrayImage::new(280, 280), folder.path().join("large.png"));
    let folder_text = text(folder.path()).to_string();
    for (command, dir) in [
        ("predict", &network),
        ("embed", &coder),
        ("reconstruct", &coder),
    ] {
        let mut arguments = vec![
            command,
            text(dir.path()),
            text(&blank),
            text(&large),
            text(&good),
        ];
        if command == "reconstruct" {
            arguments.extend(["--to", &folder_text]);
        }
        let output = run(arguments);
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{command}: {message}");
        assert_eq!(
            message.matches("there is nothing on it").count(),
            2,
            "{command}: {message}"
        );
        assert!(
            message.contains("blank.png: ") && message.contains("2 of 3 pictures"),
            "{message}"
        );
        assert!(stdout(&output).contains("good"), "{command}");
    }
    assert!(folder.path().join("good.reconstructed.png").exists());
}

#[test]
fn a_note_is_printed_if_the_network_was_not_trained_on_mnist() {
    let folder = tempfile::tempdir().expect("a folder");
    let images = write_images(&folder.path().join("images"), 60, 20);
    let data = format!("dir = {images:?}");
    let network = train_classifier(&folder.path().join("run"), &data);
    let picture = save(drawn_five(), folder.path().join("a.png"));
    let output = run(["predict", text(network.path()), text(&picture)]);
    let message = stderr(&output);
    assert!(output.status.success(), "{message}");
    assert!(
        message.contains("was trained on") && message.lines().count() == 1,
        "{message}"
    );
    let resized = stdout(&output);
    // With the flag, the digit is cut out, as for a network that learned from MNIST.
    let output = run([
        "predict",
        "--as-digits",
        text(network.path()),
        text(&picture),
    ]);
    assert_eq!(stderr(&output), "");
    assert_ne!(stdout(&output), resized);
    let network = train_classifier(&folder.path().join("own"), "train = 100\ntest = 50");
    let output = run(["predict", text(network.path()), text(&picture)]);
    assert_eq!(stderr(&output), "");
    assert!(stdout(&run(["predict", "--help"])).contains("EMNIST"));
}

#[test]
fn a_picture_that_is_too_large_for_memory_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let network = train_classifier(&folder.path().join("run"), "train = 100\ntest = 50");
    let small = save(drawn_five(), folder.path().join("a.png"));
    // The header declares 20,000x20,000 pixels, which the file does not hold.
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
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(
            message.contains(words) && !message.contains("panicked"),
            "{message}"
        );
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
fn a_photo_is_rotated_as_its_exif_data_says() {
    use image::ImageEncoder;
    use image::codecs::{jpeg::JpegEncoder, png::PngEncoder};
    let folder = tempfile::tempdir().expect("a folder");
    let coder = train_pca(&folder.path().join("pca"));
    let upright = resize(&drawn_five(), 280, 280, FilterType::Nearest);
    // EXIF orientation 6 asks for a clockwise quarter turn, and 3 for a half turn.
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
        let prepared = |name: &str| {
            let prepared = file("prepared.png");
            let arguments = [
                "embed",
                text(coder.path()),
                text(&file(name)),
                "--debug-image",
                text(&prepared),
            ]
            .map(str::to_string);
            let output = run(arguments);
            assert!(output.status.success(), "{}", stderr(&output));
            let image: DynamicImage = image::open(prepared).expect("a picture");
            image.to_luma8()
        };
        let expected = prepared("u.png");
        assert_eq!(prepared("p.png"), expected);
        let pairs = expected.pixels().zip(prepared("j.jpg").into_raw());
        let difference: f64 = pairs.map(|(a, b)| f64::from(a.0[0].abs_diff(b))).sum();
        assert!(difference / 78_400.0 < 4.0, "{}", difference / 78_400.0);
    }
}
