//! Tests of reading CIFAR.

use kindling_formats::hex;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::*;

/// A temporary folder.
struct Folder(TempDir);

/// A record of CIFAR-10: red pixels of `label`, green of 100, and blue of 200.
fn record(label: u8) -> Vec<u8> {
    let mut record = vec![label];
    for value in [label, 100, 200] {
        record.extend([value; 1024]);
    }
    record
}

fn batch(labels: &[u8]) -> Vec<u8> {
    labels.iter().copied().flat_map(record).collect()
}

impl Folder {
    fn empty() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    /// CIFAR-10 with three classes and two training files.
    fn new(inner: &str) -> Self {
        let folder = Self::empty();
        for (name, labels) in [
            ("data_batch_1.bin", &[2, 0][..]),
            ("data_batch_2.bin", &[1]),
            ("test_batch.bin", &[1, 2]),
        ] {
            folder.write(&format!("{inner}{name}"), batch(labels));
        }
        folder.write(
            &format!("{inner}batches.meta.txt"),
            "airplane\nautomobile\nbird\n\n",
        );
        folder
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.at(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, bytes).expect("writes");
    }

    fn remove(&self, name: &str) {
        std::fs::remove_file(self.at(name)).expect("removes");
    }

    #[track_caller]
    fn source(&self) -> Source {
        read(self.0.path()).expect("reads")
    }

    fn cut(&self, text: &str) -> String {
        let folder = self.0.path().display().to_string();
        text.replace(&format!("{folder}/"), "")
            .replace(&folder, "DIR")
    }

    #[track_caller]
    fn error(&self) -> String {
        let error = read(self.0.path()).expect_err("must be refused");
        self.cut(&error.to_string())
    }

    fn warnings(&self) -> Vec<String> {
        let warnings = self.source().warnings;
        warnings.iter().map(|text| self.cut(text)).collect()
    }
}

#[test]
fn cifar_10_is_read_from_its_folder_and_from_the_one_above() {
    for inner in ["", "cifar-10-batches-bin/"] {
        let folder = Folder::new(inner);
        assert!(is_there(folder.0.path()));
        let source = folder.source();
        assert_eq!(<[usize; 3]>::from(source.shape()), [3, 32, 32]);
        assert_eq!(source.train.images.labels(), [2, 0, 1]);
        assert_eq!(source.test.images.labels(), [1, 2]);
        assert!(source.validation.is_none());
        assert_eq!(source.classes, ["airplane", "automobile", "bird"]);
        for (index, label) in [2, 0, 1].into_iter().enumerate() {
            let pixels = source.train.images.pixels(index);
            assert_eq!(pixels, &record(label)[1..]);
        }
        assert_eq!(
            folder.cut(&source.train.place),
            format!("{inner}data_batch_*.bin")
        );
        let place = if inner.is_empty() {
            "DIR"
        } else {
            inner.trim_end_matches('/')
        };
        assert_eq!(
            folder.warnings(),
            [format!(
                "{place}: CIFAR-10 has 5 training files, and only the first 2 are there"
            )]
        );
        for number in 3..=5 {
            folder.write(
                &format!("{inner}data_batch_{number}.bin"),
                batch(&[number % 3]),
            );
        }
        let source = folder.source();
        assert_eq!(source.train.images.labels(), [2, 0, 1, 0, 1, 2]);
        assert!(source.warnings.is_empty());
    }
}

#[test]
fn cifar_100_has_the_labels_of_its_classes() {
    for inner in ["", "cifar-100-binary/"] {
        let folder = Folder::empty();
        // The label of the superclass comes first.
        let image = |superclass, label| [&[superclass], &record(label)[..]].concat();
        let train = [image(9, 1), image(8, 0)].concat();
        folder.write(&format!("{inner}train.bin"), train);
        folder.write(&format!("{inner}test.bin"), image(7, 1));
        folder.write(&format!("{inner}fine_label_names.txt"), "apple\nbear\n");
        folder.write(&format!("{inner}coarse_label_names.txt"), "food\n");
        assert!(is_there(folder.0.path()));
        let source = folder.source();
        assert_eq!(source.train.images.labels(), [1, 0]);
        assert_eq!(source.train.images.pixels(1), &record(0)[1..]);
        assert_eq!(source.test.images.labels(), [1]);
        assert_eq!(source.classes, ["apple", "bear"]);
        assert_eq!(folder.cut(&source.train.place), format!("{inner}train.bin"));
        assert!(source.warnings.is_empty());
    }
}

#[test]
fn classes_have_other_names_or_numbers() {
    let folder = Folder::new("cifar-10-batches-bin/");
    folder.write("labels.txt", "a\nb\nc\n");
    assert_eq!(folder.source().classes, ["a", "b", "c"]);
    folder.remove("labels.txt");
    let names = "cifar-10-batches-bin/batches.meta.txt";
    folder.write(names, "a\n\nb\n");
    let error = folder.error();
    let start = format!("{names}: each line must be the name of a class");
    assert!(error.starts_with(&start), "{error}");
    folder.remove(names);
    assert_eq!(folder.source().classes, ["0", "1", "2"]);
    assert_eq!(
        folder.warnings()[1],
        "cifar-10-batches-bin: there is no batches.meta.txt, so the names of the classes are \
         numbers"
    );
}

#[test]
fn sums_are_checked() {
    let folder = Folder::new("cifar-10-batches-bin/");
    let mut lines = String::new();
    for name in [
        "data_batch_1.bin",
        "data_batch_2.bin",
        "test_batch.bin",
        "batches.meta.txt",
    ] {
        let name = format!("cifar-10-batches-bin/{name}");
        let bytes = std::fs::read(folder.at(&name)).expect("reads");
        lines += &format!("{}  {name}\n", hex(&Sha256::digest(bytes)));
    }
    folder.write("SHA256SUMS", &lines);
    assert_eq!(folder.warnings().len(), 1);
    folder.write("cifar-10-batches-bin/data_batch_2.bin", batch(&[0]));
    let error = folder.error();
    let start = "cifar-10-batches-bin/data_batch_2.bin: its bytes have SHA-256 ";
    assert!(error.starts_with(start), "{error}");
}

#[test]
fn missing_files_are_named() {
    let remedy = "copy this file of the binary version of CIFAR-10 into the folder";
    for name in ["data_batch_1.bin", "test_batch.bin"] {
        let folder = Folder::new("");
        folder.remove(name);
        assert_eq!(folder.error(), format!("DIR has no {name}; {remedy}"));
    }
    let folder = Folder::new("cifar-10-batches-bin/");
    folder.write("cifar-10-batches-bin/data_batch_5.bin", batch(&[0]));
    assert_eq!(
        folder.error(),
        format!("cifar-10-batches-bin has no data_batch_3.bin; {remedy}")
    );
    let folder = Folder::empty();
    assert!(!is_there(folder.0.path()));
    assert_eq!(
        folder.error(),
        "DIR has no data_batch_1.bin (CIFAR-10) and no train.bin (CIFAR-100); `data.dir` must be a \
         folder with the binary version of CIFAR"
    );
}

#[test]
fn wrong_files_are_refused() {
    let folder = Folder::new("");
    let name = "data_batch_2.bin";
    for (size, count) in [(0, 0), (1, 0), (3072, 0), (3074, 1), (9000, 2)] {
        folder.write(name, &batch(&[0, 1, 2])[..size]);
        assert_eq!(
            folder.error(),
            format!(
                "{name} ends inside an image, at byte {size}, after {count} whole images of 3073 \
                 bytes each; copy the file again"
            )
        );
    }
    // A file with a hole takes no room on the disk.
    let file = File::create(folder.at(name)).expect("a file");
    file.set_len(MAX_FILE + 1).expect("sets the length");
    assert_eq!(
        folder.error(),
        format!("{name} has more than 1073741824 bytes; is it the right file?")
    );
    folder.remove(name);
    std::fs::create_dir(folder.at(name)).expect("a folder");
    assert_eq!(
        folder.error(),
        format!("{name} is a folder; put a file there, or remove it")
    );
    folder.write("cifar-100-binary/train.bin", batch(&[0]));
    assert_eq!(
        folder.error(),
        "DIR holds CIFAR-10 in DIR and CIFAR-100 in cifar-100-binary; leave one"
    );
}

/// Files of any bytes are refused or read as whole images, with the memory of the pixels and
/// labels, and some for buffers. `crates/formats/tests/hostile.rs` says how to search for more
/// inputs.
#[test]
fn cifar_files() {
    let folders = [Folder::new(""), Folder::empty()];
    folders[1].write("test.bin", [0; 3074]);
    bolero::check!().for_each(|bytes| {
        let (records, rest) = bytes.split_at(bytes.len() / 2);
        // Whole records with labels from the input, or these and a rest.
        for (folder, name, labels) in [
            (&folders[0], "data_batch_1.bin", 1),
            (&folders[1], "train.bin", 2),
        ] {
            for rest in [&[][..], rest] {
                let mut file = Vec::new();
                for (index, &byte) in records.iter().take(20).enumerate() {
                    let mut record = vec![byte; labels + BYTES];
                    record[labels - 1] = index as u8;
                    file.extend(record);
                }
                file.extend(rest);
                folder.write(name, &file);
                let used = allocation_counter::measure(|| {
                    let Ok(source) = read(folder.0.path()) else {
                        return;
                    };
                    let count = file.len() / (labels + BYTES);
                    let others = if labels == 1 { 1 } else { 0 };
                    assert_eq!(source.train.images.labels().len(), count + others);
                    for index in 0..count {
                        let image = &file[index * (labels + BYTES)..][..labels + BYTES];
                        assert_eq!(source.train.images.labels()[index], image[labels - 1]);
                        assert_eq!(source.train.images.pixels(index), &image[labels..]);
                    }
                });
                let (used, limit) = (used.bytes_max, file.len() + 120_000);
                assert!(
                    used <= limit as u64,
                    "{used} bytes where {limit} are enough"
                );
            }
        }
    });
}
