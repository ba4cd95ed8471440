//! The command line, as types.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use kindling_formats::{DeviceName, Size};

/// Where runs are unless `--out` says otherwise.
pub const DEFAULT_OUT: &str = "artifacts";

/// Train one run of a study, and use what was trained.
///
/// `cargo xtask` calls it to train; call it yourself to repeat a single run, or to
/// use a network.
#[derive(Parser)]
#[command(
    name = "kindling",
    version,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 done; 1 the training, a picture or standard output failed; 2 the arguments, the config, \
                  the data or the device are wrong; 130 it was stopped, and the same command goes on.\n\n\
                  Examples:\n  \
                  kindling train artifacts/runs/mlp/seed-0\n  \
                  kindling predict convnet digit.png\n  \
                  kindling embed ae > codes.csv"
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Subcommand)]
pub enum Command {
    /// Train the run whose config.toml lies in DIR, and leave its record there
    #[command(after_help = "Example:\n  kindling train artifacts/runs/mlp/seed-0")]
    Train {
        /// Folder of the run
        dir: PathBuf,
        /// Another device than the config's backend has, as in wgpu:1; it becomes
        /// the config's [default: what BURN_DEVICE says]
        #[arg(long, value_name = "NAME")]
        device: Option<DeviceName>,
        /// Print progress as lines of JSON, and end when standard input closes
        #[arg(long)]
        progress: bool,
        /// Write nothing for TensorBoard
        #[arg(long)]
        no_tensorboard: bool,
    },
    /// Say what digits are in pictures
    #[command(after_help = "\
A picture is a PNG or JPEG of any size up to 50 million pixels, with one digit, light
on dark or dark on light. The digit is cut out, scaled and centred as those of MNIST
were, whatever the picture's size; an enlarged drawing is read as the small one is.
Paper is what fills more of the picture and of its border. Frames, lines along the
border, soft shadows, specks and whatever lies far from the digit are left out;
--debug-image shows what is left. A picture is refused as blank if its digit does not
differ from the paper by 2 % of the way from black to white, and by four times the
paper's noise. A photo is turned as its camera says (EXIF).

A network that was trained on other images than the repository's MNIST gets pictures
made like MNIST's digits, too. EMNIST's files hold their images transposed, so a network
trained on them reads upright pictures wrongly.

A picture that cannot be read is named, and the others go on; the exit code is 1 then.

Examples:
  kindling predict convnet digit.png photo.jpg
  kindling predict mlp --seed 2 --json *.png
  kindling predict mlp photo.jpg --debug-image seen.png
  curl -s https://example.org/7.png | kindling predict mlp -")]
    Predict {
        #[command(flatten)]
        model: Model,
        /// PNG or JPEG files; - for one on standard input
        #[arg(required = true)]
        images: Vec<PathBuf>,
        /// Write what the network sees of the picture, ten times as large, as a PNG;
        /// for one picture alone
        #[arg(long, value_name = "FILE")]
        debug_image: Option<PathBuf>,
        /// Print a line of JSON for each picture
        #[arg(long)]
        json: bool,
    },
    /// Print the codes of an autoencoder or a PCA as CSV
    #[command(after_help = "\
Examples:
  kindling embed ae > codes.csv            of the test images, with their labels
  kindling embed pca one.png two.png       of pictures, with their names")]
    Embed {
        #[command(flatten)]
        model: Model,
        /// PNG or JPEG files, - for one on standard input [default: the test images]
        images: Vec<PathBuf>,
        /// Write what the network sees of the picture, ten times as large, as a PNG;
        /// for one picture alone
        #[arg(long, value_name = "FILE")]
        debug_image: Option<PathBuf>,
    },
    /// Write what comes back from a code: NAME.reconstructed.png for every picture
    #[command(after_help = "\
Nothing is written if two pictures would come back as one file, as a/1.png and b/1.png,
1.png and 1.jpg or a.png and A.png would.

Examples:
  kindling reconstruct ae digit.png --to pictures
  kindling reconstruct ae digit.png --to - > back.png")]
    Reconstruct {
        #[command(flatten)]
        model: Model,
        /// PNG or JPEG files; - for one on standard input
        #[arg(required = true)]
        images: Vec<PathBuf>,
        /// Folder to write to; - for one picture on standard output
        #[arg(long, value_name = "DIR", default_value = ".")]
        to: PathBuf,
        /// Write what the network sees of the picture, ten times as large, as a PNG;
        /// for one picture alone
        #[arg(long, value_name = "FILE")]
        debug_image: Option<PathBuf>,
    },
    /// Write the trained weights for other programs
    #[command(after_help = "\
Weights of fully connected layers are [inputs, outputs], those of convolutions
[outputs, inputs, side, side], as in PyTorch. The config is in the file.

Examples:
  kindling export convnet
  kindling export mlp --seed 1 --format json --to mlp.json
  kindling export mlp --format json --to - | jq .config")]
    Export {
        #[command(flatten)]
        model: Model,
        /// Format of the file
        #[arg(long, value_enum, default_value_t = Format::Safetensors)]
        format: Format,
        /// The file, - for standard output [default: CELL-seed-N and the format's name]
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// Check a set of images and print its fingerprint as JSON
    #[command(after_help = "Example:\n  kindling data --dir fashion-mnist")]
    Data {
        /// Folder of IDX files, gzipped or not [default: MNIST]
        #[arg(long)]
        dir: Option<PathBuf>,
    },
    /// Check that a device is there
    #[command(after_help = "Example:\n  kindling open wgpu:1")]
    Open {
        /// As in flex, wgpu or wgpu:1
        device: DeviceName,
    },
    /// Print what this build can compute on, and how fast, as JSON
    #[command(after_help = "Example:\n  kindling devices")]
    Devices,
    /// Train the run of DIR on two devices in lockstep; print each step as JSON
    #[command(
        after_help = "Example:\n  kindling parity artifacts/runs/mlp/seed-0 flex ndarray --steps 10"
    )]
    Parity {
        /// Folder of the run; nothing is written to it
        dir: PathBuf,
        /// How.
        #[command(flatten)]
        flags: Parity,
    },
    /// Print a script by which a shell completes the commands
    #[command(after_help = "Example:\n  source <(kindling completions bash)")]
    Completions {
        /// Whose
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    #[command(after_help = "Example:\n  kindling man > kindling.1 && man ./kindling.1")]
    Man,
}

/// Which trained run.
#[derive(Args)]
pub struct Model {
    /// A cell that is trained, as convnet, or the folder of a run
    pub cell: String,
    /// Which of its runs
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Where the runs are
    #[arg(long, value_name = "DIR", default_value = DEFAULT_OUT)]
    pub out: PathBuf,
    /// Among the quick runs
    #[arg(long)]
    pub quick: bool,
    /// What computes [default: the backend it was trained on, or else the build's]
    #[arg(long, value_name = "NAME")]
    pub device: Option<DeviceName>,
}

impl Model {
    /// Of which size the run is.
    pub fn size(&self) -> Size {
        if self.quick { Size::Quick } else { Size::Full }
    }
}

/// What weights are written as.
#[derive(Clone, Copy, ValueEnum)]
pub enum Format {
    /// One tensor a parameter: <https://huggingface.co/docs/safetensors>
    Safetensors,
    /// Shape and values of each parameter
    Json,
}

/// How to follow a run on two devices.
#[derive(Args)]
pub struct Parity {
    /// The first device
    pub first: DeviceName,
    /// The second
    pub second: DeviceName,
    /// Steps to take
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub steps: usize,
    /// Drop units out as the config says
    #[arg(long)]
    pub dropout: bool,
    /// Let each go its own way: by default the second takes over the first's
    /// weights after every step
    #[arg(long)]
    pub drift: bool,
    /// Let GPUs multiply in mixed precision
    #[arg(long)]
    pub mixed: bool,
}
