//! Fuzz targets, and files that claim more than they hold. `crates/formats/tests/hostile.rs` says
//! how to search for more inputs.

use super::*;

/// The error of a file, which is refused with little memory.
#[track_caller]
fn refused(file: Vec<u8>) -> String {
    let folder = Folder::new(&file);
    let mut error = String::new();
    let used = allocation_counter::measure(|| error = folder.error());
    assert!(used.bytes_max <= BASE as u64, "{} bytes", used.bytes_max);
    error
}

#[test]
fn a_small_file_cannot_fill_the_memory() {
    for (count, expected) in [
        (
            3_000_000_000u32,
            "has 12000000000 bytes of arrays, more than 4294967296; save fewer images",
        ),
        (1_000_000, "bytes unpack to 4000000; copy the file again"),
    ] {
        // The headers have the same length, so the files have the same size.
        let images = npy("'|u1'", &format!("{count}, 1, 1"), &[0]);
        let labels = npy("'|u1'", &format!("{count},     "), &[0]);
        let arrays = [
            ("x_train", images.clone()),
            ("y_train", labels.clone()),
            ("x_test", images.clone()),
            ("y_test", labels),
        ];
        let size = count + images.len() as u32 - 1;
        let error = refused(patch(zip(&arrays, METHODS[1]), 24, &size.to_le_bytes()));
        assert!(error.ends_with(expected), "{error}");
    }

    // Ten megabytes of zeros where the header and the ZIP file give eight bytes.
    let bomb = npy("'|u1'", "2, 2, 2", &vec![0; 10_000_000]);
    let size = (bomb.len() - 10_000_000 + 8) as u32;
    let mut file = zip(&with("x_train", bomb), METHODS[1]);
    let mut names = file.windows(11);
    let name = names.rposition(|name| name == b"x_train.npy");
    let header = name.expect("the central header") - 46;
    file[header + 24..header + 28].copy_from_slice(&size.to_le_bytes());
    let error = refused(file);
    let start = "data.npz: array `x_train` cannot be unpacked (File is larger than its declared";
    assert!(error.starts_with(start), "{error}");

    // Less than the headers say. The packed size stands before the unpacked one.
    for size in [0u32, 1, 75] {
        let error = refused(patch(zip(&arrays(), METHODS[0]), 20, &size.to_le_bytes()));
        assert!(error.contains("_train` cannot be unpacked ("), "{error}");
    }
}

/// The small data set with other training images and labels.
fn with_both(images: Vec<u8>, labels: Vec<u8>) -> Vec<(&'static str, Vec<u8>)> {
    let mut arrays = with("x_train", images);
    arrays.retain(|(name, _)| *name != "y_train");
    arrays.push(("y_train", labels));
    arrays
}

#[test]
fn reading_takes_the_memory_of_the_data() {
    let pixels: Vec<u8> = (0..3_072_000u32).map(|at| (at % 251) as u8).collect();
    let labels: Vec<u8> = (0..1000u64)
        .flat_map(|at| (at % 10).to_le_bytes())
        .collect();
    let images = npy("'|u1'", "1000, 32, 32, 3", &pixels);
    let arrays = with_both(images, npy("'<i8'", "1000,", &labels));
    for method in METHODS {
        let folder = Folder::new(&zip(&arrays, method));
        let used = allocation_counter::measure(|| drop(folder.source()));
        let limit = pixels.len() + BASE;
        assert!(used.bytes_max <= limit as u64, "{} bytes", used.bytes_max);
    }
}

/// Reads a file, and checks that it takes at most the memory to which deflate can unpack it, once
/// more for an image whose channels are moved, and [`BASE`].
fn is_read(file: &[u8]) -> bool {
    let mut is_read = false;
    let used = allocation_counter::measure(|| {
        let path = Path::new("data.npz");
        let npz = Npz::new(path, Cursor::new(file), file.len() as u64);
        let Ok(splits) = npz.and_then(|mut npz| npz.splits(0, &mut Vec::new())) else {
            return;
        };
        is_read = true;
        for split in [&splits.train, &splits.test]
            .into_iter()
            .chain(&splits.validation)
        {
            let images = &split.images;
            let numbers = images.labels().len() * images.shape().numbers();
            assert_eq!(images.all_pixels().len(), numbers);
        }
    });
    let (used, limit) = (used.bytes_max, 2 * 1032 * file.len() + BASE);
    assert!(
        used <= limit as u64,
        "{used} bytes where {limit} are enough"
    );
    is_read
}

/// Any bytes are refused or read: as a whole file, as changes of a file, and as an array in a
/// file.
#[test]
fn npz_files() {
    assert!(is_read(KERAS) && is_read(MEDMNIST));
    bolero::check!().for_each(|bytes| {
        is_read(bytes);
        let count = usize::from(bytes.first().copied().unwrap_or(0) % 8);
        for sample in [KERAS, MEDMNIST] {
            let mut file = sample.to_vec();
            for change in bytes.chunks_exact(3).take(count) {
                let at = usize::from(u16::from_le_bytes([change[0], change[1]]));
                let at = at % file.len();
                file[at] = change[2];
            }
            is_read(&file);
            is_read(&[&file, bytes].concat());
        }
        let text = String::from_utf8_lossy(bytes);
        for method in METHODS {
            for name in ["x_train", "y_train"] {
                is_read(&zip(&with(name, bytes.to_vec()), method));
                is_read(&zip(&with(name, headed(&text, bytes)), method));
            }
        }
    });
}

/// Images of any type and shape are read if they can be images. Files whose directory gives
/// another size are refused.
#[test]
fn npz_images() {
    type Input = (u8, Vec<u64>, Vec<u8>, Vec<u8>, u32);
    let types = ["|u1", "<i8", ">u2", "<f4", "|O", "|i1"];
    let numbers = |sizes: &[u64]| {
        let product = sizes
            .iter()
            .fold(1u64, |all, &size| all.saturating_mul(size));
        (1..=1 << 32).contains(&product)
    };
    let check = |(kind, large, small, data, size): &Input| {
        let kind = types[usize::from(*kind) % types.len()];
        let small: Vec<u64> = small.iter().map(|&size| u64::from(size % 5)).collect();
        for sizes in [large, &small] {
            let all = sizes.iter();
            let product = all.fold(1u64, |all, &size| all.saturating_mul(size));
            let mut data = data.clone();
            data.resize(product.min(1000) as usize, 7);
            let shape: Vec<String> = sizes.iter().map(u64::to_string).collect();
            let images = npy(&format!("'{kind}'"), &shape.join(","), &data);
            let count = sizes.first().copied().unwrap_or(0).min(1000);
            let labels = npy("'|u1'", &format!("{count},"), &vec![0; count as usize]);
            let is_shape = match sizes[..] {
                [_, height, width] => numbers(&[height, width]),
                [_, a, b, c] => numbers(&[a, b, c]) && [1, 3].iter().any(|n| [a, c].contains(n)),
                _ => false,
            };
            let arrays = with_both(images, labels);
            for method in METHODS {
                let file = zip(&arrays, method);
                let expected = kind == "|u1" && is_shape && product <= 1000;
                assert_eq!(is_read(&file), expected, "{kind} {sizes:?}");
                assert!(!is_read(&patch(file, 24, &size.to_le_bytes())));
            }
        }
    };
    bolero::check!().with_type::<Input>().for_each(check);
}

/// Labels of any type are read if all are from 0 to 255.
#[test]
fn npz_labels() {
    let types = ["|u1", "|i1", "<u2", ">i2", ">u4", "<i4", "<i8", ">u8"];
    bolero::check!()
        .with_type::<(u8, Vec<i16>)>()
        .for_each(|(kind, numbers)| {
            let kind = types[usize::from(*kind) % types.len()];
            let size = usize::from(kind.as_bytes()[2] - b'0');
            let data = numbers.iter().flat_map(|&number| {
                let mut bytes = i64::from(number).to_le_bytes()[..size].to_vec();
                if kind.starts_with('>') {
                    bytes.reverse();
                }
                bytes
            });
            let data: Vec<u8> = data.collect();
            let count = numbers.len();
            let labels = npy(&format!("'{kind}'"), &format!("{count}, 1"), &data);
            let images = npy("'|u1'", &format!("{count}, 1, 1"), &vec![0; count]);
            // A number that its type cannot hold becomes another one.
            let is_label = |&number: &i16| match kind {
                "|u1" => true,
                "|i1" => number as i8 >= 0,
                _ => (0..=255).contains(&number),
            };
            let expected = numbers.iter().all(is_label);
            let file = zip(&with_both(images, labels), METHODS[1]);
            assert_eq!(is_read(&file), expected, "{kind} {numbers:?}");
        });
}
