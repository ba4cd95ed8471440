//! Reading folders of IDX files: gzipped, with checksums, with other names, and with something
//! that is not a file in the place of a file.

use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::{Compression, write::GzEncoder};
use kindling_datasets::{DataError, ImageSet, load_images};
use kindling_formats::{ImageData, hex};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

const IMAGES: &str = "train-images-idx3-ubyte";
const FILES: [&str; 4] = [
    IMAGES,
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// The bytes of a file with three images or labels. No test image is a training image.
fn content(name: &str) -> Vec<u8> {
    let (magic, dimensions): (u32, &[u32]) = if name.contains("images") {
        (0x803, &[3, 28, 28])
    } else {
        (0x801, &[3])
    };
    let count: u32 = dimensions.iter().product();
    let mut bytes = magic.to_be_bytes().to_vec();
    bytes.extend(dimensions.iter().flat_map(|size| size.to_be_bytes()));
    let first = u32::from(name.starts_with("t10k-images"));
    bytes.extend((0..count).map(|at| ((first + at) % 10) as u8));
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("compresses");
    encoder.finish().expect("compresses")
}

fn sum(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// A temporary folder with the four files.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().expect("a folder"));
        for name in FILES {
            folder.write(name, content(name));
        }
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn at(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.at(name), bytes).expect("writes");
    }

    fn remove(&self, name: &str) {
        std::fs::remove_file(self.at(name)).expect("removes");
    }

    /// Replaces a plain file by a gzipped one.
    fn pack(&self, name: &str, packed: impl AsRef<[u8]>) {
        self.remove(name);
        self.write(&format!("{name}.gz"), packed);
    }

    fn load(&self) -> Result<ImageSet, DataError> {
        load_images(&ImageData::all(Some(self.path().to_path_buf())))
    }

    /// Loads the images, checks that they are those of [`Folder::new`], and returns the
    /// warnings without the path of the folder.
    #[track_caller]
    fn warnings(&self) -> Vec<String> {
        let set = self.load().expect("loads");
        let usual = Self::new().load().expect("loads");
        assert_eq!(
            (&set.train, &set.evaluated),
            (&usual.train, &usual.evaluated)
        );
        self.cut(set.warnings)
    }

    #[track_caller]
    fn error(&self) -> String {
        let error = self.load().expect_err("must be refused").to_string();
        self.cut(vec![error]).remove(0)
    }

    fn cut(&self, texts: Vec<String>) -> Vec<String> {
        let folder = format!("{}/", self.path().display());
        let texts = texts.into_iter();
        texts.map(|text| text.replace(&folder, "")).collect()
    }
}

#[test]
fn a_plain_folder_gives_no_warning() {
    let folder = Folder::new();
    assert!(folder.warnings().is_empty());
    let set = load_images(&ImageData::all(None));
    assert!(set.expect("MNIST").warnings.is_empty());
}

#[test]
fn a_gzip_file_may_have_several_members_and_a_tail() {
    let folder = Folder::new();
    let plain = content(IMAGES);
    let (head, rest) = plain.split_at(5);
    let (middle, tail) = rest.split_at(1000);
    let members = [gzip(head), gzip(middle), gzip(tail)].concat();
    let empty = gzip(&[]);
    folder.pack(IMAGES, &members);
    for packed in [
        members.clone(),
        // An empty member at the end, as bgzip writes it, and several empty members.
        [members.clone(), empty.clone()].concat(),
        [empty.clone(), gzip(head), empty.repeat(9), gzip(rest)].concat(),
        // Bytes after the last member, which gzip ignores too.
        [members.clone(), vec![0; 512]].concat(),
        [members.clone(), b"garbage".to_vec()].concat(),
        [members.clone(), vec![0x1f]].concat(),
        [gzip(&plain), b"\0\0garbage".to_vec()].concat(),
    ] {
        folder.write(&format!("{IMAGES}.gz"), packed);
        assert!(folder.warnings().is_empty());
    }
    let mut wrong_sum = members.clone();
    let at = gzip(head).len() - 6;
    wrong_sum[at] ^= 1;
    let mut wrong_tail = members.clone();
    wrong_tail.truncate(members.len() - 3);
    for (packed, words) in [
        (wrong_sum, "gzip data is damaged"),
        (wrong_tail, "gzip data is damaged"),
        // The magic number of a member without a header.
        (
            [gzip(head), vec![0x1f, 0x8b, 9, 9]].concat(),
            "gzip data is damaged",
        ),
        (
            [gzip(head), gzip(middle)].concat(),
            "header says 2352 bytes",
        ),
        ([members, gzip(b"x")].concat(), "header says 2352 bytes"),
        (gzip(&gzip(&plain)), "is gzipped twice; unpack it once"),
        (Vec::new(), "ends inside its header"),
        (empty, "ends inside its header"),
    ] {
        folder.write(&format!("{IMAGES}.gz"), packed);
        let error = folder.error();
        assert!(error.starts_with(&format!("{IMAGES}.gz: ")), "{error}");
        assert!(error.contains(words), "`{words}` in: {error}");
    }
}

#[test]
fn sums_in_every_notation_are_checked() {
    let plain = content(IMAGES);
    let (right, wrong) = (sum(&plain), sum(b"another"));
    // Writes a line for the first file and lines for the others, and checks that loading
    // accepts the right sum and refuses a wrong one.
    let check = |folder: &Folder, line: &dyn Fn(&str) -> String, right: &str, bytes: &str| {
        let others: String = FILES[1..]
            .iter()
            .map(|name| format!("{}  {name}\n", sum(&content(name))))
            .collect();
        folder.write("SHA256SUMS", line(right) + &others);
        assert_eq!(folder.warnings(), [""; 0], "{}", line(right));
        folder.write("SHA256SUMS", line(&wrong) + &others);
        let error = folder.error();
        let expected =
            format!(": its {bytes} have SHA-256 {right}, not {wrong}; the file was changed");
        assert!(error.contains(&expected), "{}: {error}", line(right));
    };
    let folder = Folder::new();
    let named: [&dyn Fn(&str) -> String; 9] = [
        &|sum| format!("{sum}  {IMAGES}\n"),
        &|sum| format!("{sum} *./{IMAGES}\n"),
        &|sum| format!("{sum}  data/{IMAGES}\r\n"),
        &|sum| format!("{sum}  C:\\data\\{IMAGES}\n"),
        &|sum| format!("\\{sum}  a\\nb/{IMAGES}\n"),
        &|sum| format!("SHA256 ({IMAGES}) = {sum}\n"),
        &|sum| format!("{}  {IMAGES}\n", sum.to_uppercase()),
        &|sum| format!("\u{feff}# sums\r\n\r\n{sum}  {IMAGES}\n"),
        // A comment and an empty line are skipped.
        &|sum| format!("{sum}  {IMAGES}\n\n# of another\n"),
    ];
    for line in named {
        check(&folder, line, &right, "unpacked bytes");
    }
    let packed = gzip(&plain);
    folder.pack(IMAGES, &packed);
    for line in &named[..3] {
        check(&folder, line, &right, "unpacked bytes");
    }
    let of_packed = sum(&packed);
    for path in ["", "./", "data/"] {
        let line = |sum: &str| format!("{sum}  {path}{IMAGES}.gz\n");
        check(&folder, &line, &of_packed, "bytes");
        let both = |sum: &str| format!("{right}  {IMAGES}\n{sum}  {path}{IMAGES}.gz\n");
        check(&folder, &both, &of_packed, "bytes");
    }
    // A gzipped file without `.gz` in its name: the sums of both bytes are right.
    folder.remove(&format!("{IMAGES}.gz"));
    folder.write(IMAGES, &packed);
    for right in [&right, &of_packed] {
        folder.write("SHA256SUMS", format!("{right}  {IMAGES}\n"));
        assert_eq!(folder.warnings().len(), 1);
    }
}

#[test]
fn a_check_that_is_not_made_gives_a_warning() {
    let folder = Folder::new();
    let right = sum(&content(IMAGES));
    let rest = "train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte";
    let warnings = |sums: String| {
        folder.write("SHA256SUMS", sums);
        folder.warnings()
    };
    assert_eq!(
        warnings(format!("{right}  {IMAGES}\n")),
        [format!(
            "SHA256SUMS: files without a line here were not checked: {rest}"
        )]
    );
    assert_eq!(
        warnings(String::new()),
        [format!(
            "SHA256SUMS: files without a line here were not checked: {IMAGES}, {rest}"
        )]
    );
    // The line names the gzipped file, but the plain file is read.
    let unused = "SHA256SUMS: the sums in";
    assert_eq!(
        warnings(format!("{right}  {IMAGES}.gz\n")),
        [
            format!(
                "{unused} line 1 (`{IMAGES}.gz`) were not used, because no file with such a name \
                 was read"
            ),
            format!("SHA256SUMS: files without a line here were not checked: {IMAGES}, {rest}"),
        ]
    );
    let mut many: String = FILES
        .iter()
        .map(|name| format!("{}  {name}\n", sum(&content(name))))
        .collect();
    assert_eq!(warnings(many.clone()), [""; 0]);
    // A line for a file of the same name in another folder, and lines that name no file.
    many += &format!("{}  fashion/{IMAGES}\n", sum(b"another"));
    many += &format!("{right}  odd\u{1b}name\n").repeat(7);
    let odd = |line: usize| format!("line {line} (`odd\\u{{1b}}name`)");
    assert_eq!(
        warnings(many),
        [format!(
            "{unused} line 5 (`fashion/{IMAGES}`), {}, {}, {}, {} and 3 more \
             were not used, because no file with such a name was read",
            odd(6),
            odd(7),
            odd(8),
            odd(9)
        )]
    );
    folder.remove("SHA256SUMS");
    folder.write("sha256sums.txt", "");
    let [warning] = folder.warnings().try_into().expect("one");
    assert!(
        warning.ends_with(
            "`sha256sums.txt` is not read; sums are checked from a file named `SHA256SUMS`"
        ),
        "{warning}"
    );
    for (sums, line) in [
        (format!("{right}  x\n{right}\n"), 2),
        (format!("\n\n{}  {IMAGES}\n", &right[1..]), 3),
        (format!("SHA1 ({IMAGES}) = {right}\n"), 1),
    ] {
        folder.write("SHA256SUMS", sums);
        let expected = format!("SHA256SUMS: line {line} is not `<SHA-256");
        assert!(folder.error().starts_with(&expected), "{}", folder.error());
    }
}

#[test]
fn labels_may_begin_with_a_byte_order_mark_and_end_with_blank_lines() {
    let folder = Folder::new();
    let names: Vec<String> = (0..3).map(|label| format!("class {label}")).collect();
    let (unix, windows) = (names.join("\n"), names.join("\r\n"));
    let mut fingerprints = Vec::new();
    for text in [
        unix.clone(),
        format!("{unix}\n"),
        format!("{unix}\n\n  \n"),
        format!("\u{feff}{unix}\n"),
        format!("\u{feff}{windows}\r\n\r\n"),
    ] {
        folder.write("labels.txt", text);
        let set = folder.load().expect("loads");
        assert_eq!(set.info.classes, names);
        fingerprints.push(set.fingerprint);
    }
    fingerprints.dedup();
    assert_eq!(fingerprints.len(), 1);
    for text in [
        String::new(),
        "\u{feff}".into(),
        unix.replace("class 1", ""),
        format!("\n{unix}"),
        unix.replace("class 1", &"x".repeat(41)),
        "x\n".repeat(257),
    ] {
        folder.write("labels.txt", text);
        let expected = "labels.txt: each line must be the name of a class";
        assert!(folder.error().starts_with(expected), "{}", folder.error());
    }
    folder.write("labels.txt", names[..2].join("\n"));
    assert_eq!(
        folder.error(),
        "train-labels-idx1-ubyte: label 2 at position 2 is no class: there are 2 classes, with \
         labels from 0"
    );
    folder.write("labels.txt", format!("{unix}\na fourth"));
    assert_eq!(
        folder.error(),
        "train-labels-idx1-ubyte: the class `a fourth` has no training image; leave it out, or \
         add images"
    );
    folder.write("labels.txt", b"\xff\xfea\0b\0");
    assert!(
        folder
            .error()
            .starts_with("labels.txt is not text in UTF-8; save")
    );
    folder.write("labels.txt", vec![b'\n'; (1 << 20) + 1]);
    assert!(
        folder
            .error()
            .starts_with("labels.txt has more than 1048576 bytes")
    );
    // A line of SHA256SUMS may name labels.txt.
    folder.write("labels.txt", &unix);
    let mut sums: String = FILES
        .iter()
        .map(|name| format!("{}  {name}\n", sum(&content(name))))
        .collect();
    folder.write("SHA256SUMS", &sums);
    assert_eq!(
        folder.warnings(),
        ["SHA256SUMS: files without a line here were not checked: labels.txt"]
    );
    folder.write(
        "SHA256SUMS",
        format!("{sums}{}  labels.txt\n", sum(unix.as_bytes())),
    );
    assert_eq!(folder.warnings(), [""; 0]);
    sums += &format!("{}  labels.txt\n", sum(b"other"));
    folder.write("SHA256SUMS", sums);
    assert!(
        folder.error().starts_with("labels.txt: its "),
        "{}",
        folder.error()
    );
}

#[test]
fn a_file_with_a_name_like_labels_gives_a_warning() {
    let folder = Folder::new();
    folder.write("Labels.txt", "");
    let [warning] = folder.warnings().try_into().expect("one");
    assert!(warning.contains("`Labels.txt` is not read"), "{warning}");
}

/// A function that puts something that is not a file at a path.
#[cfg(unix)]
type Put<'a> = &'a dyn Fn(&Path);

#[cfg(unix)]
#[test]
fn a_path_that_is_not_a_file_gives_a_warning_if_the_gzipped_file_is_read() {
    let put: [(&str, Put); 3] = [
        ("a folder", &|path| {
            std::fs::create_dir(path).expect("makes")
        }),
        ("a link to a file that is not there", &|path| {
            std::os::unix::fs::symlink("nowhere", path).expect("links");
        }),
        ("a pipe or a device", &|path| {
            let made = std::process::Command::new("mkfifo").arg(path).status();
            assert!(made.expect("mkfifo").success());
        }),
    ];
    for (what, put) in put {
        let folder = Folder::new();
        folder.pack(IMAGES, gzip(&content(IMAGES)));
        put(&folder.at(IMAGES));
        let expected = format!("{IMAGES} is {what}, so {IMAGES}.gz is read instead");
        assert_eq!(folder.warnings(), [expected]);
        folder.remove(&format!("{IMAGES}.gz"));
        let error = folder.error();
        assert!(
            error.ends_with(&format!("in the same format; {IMAGES} is {what}")),
            "{error}"
        );
        for text in ["SHA256SUMS", "labels.txt"] {
            let folder = Folder::new();
            put(&folder.at(text));
            let expected = format!("{text} is {what}; put a file there, or remove it");
            assert_eq!(folder.error(), expected);
        }
    }
    // A link to a file is read as the file.
    let folder = Folder::new();
    std::fs::rename(folder.at(IMAGES), folder.at("elsewhere")).expect("moves");
    std::os::unix::fs::symlink("elsewhere", folder.at(IMAGES)).expect("links");
    assert_eq!(folder.warnings(), [""; 0]);
}

#[cfg(unix)]
#[test]
fn the_error_names_an_unreadable_file() {
    use std::os::unix::fs::PermissionsExt;
    for name in [IMAGES, "SHA256SUMS", "labels.txt"] {
        let folder = Folder::new();
        folder.write(name, content(IMAGES));
        let nobody = std::fs::Permissions::from_mode(0o000);
        std::fs::set_permissions(folder.at(name), nobody).expect("changes");
        if std::fs::File::open(folder.at(name)).is_ok() {
            return; // An administrator can read every file.
        }
        let error = folder.error();
        assert!(
            error.starts_with(&format!("cannot read {name}: ")),
            "{error}"
        );
    }
}

#[test]
fn the_error_names_a_missing_file_and_a_similar_one() {
    let folder = Folder::new();
    let usual = "in the same format";
    folder.remove(IMAGES);
    assert!(folder.error().ends_with(usual), "{}", folder.error());
    for (there, target) in [
        ("train-images.idx3-ubyte", IMAGES.to_string()),
        ("Train-Images-Idx3-Ubyte", IMAGES.to_string()),
        ("train-images-idx3-ubyte.gzip", format!("{IMAGES}.gz")),
    ] {
        folder.write(there, "");
        let expected = format!("{usual}; there is `{there}`: rename it to `{target}`");
        assert!(folder.error().ends_with(&expected), "{}", folder.error());
        folder.remove(there);
    }
    // Some archives of MNIST put each file into a folder of its name.
    std::fs::create_dir(folder.at(IMAGES)).expect("makes");
    folder.write(&format!("{IMAGES}/{IMAGES}"), content(IMAGES));
    let expected = format!(
        "; {IMAGES} is a folder; there is {IMAGES}/{IMAGES}: move it one folder up, or use \
         its folder"
    );
    assert!(folder.error().ends_with(&expected), "{}", folder.error());
}
