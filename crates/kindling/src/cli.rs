//! The raw command line: commands and flags as types, with their help texts. Nothing here
//! touches a file or a device.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use kindling_formats::{DeviceName, Layout, Protocol, Setting, Size};

/// The default of `--out`, the folder that holds the trained runs.
pub const DEFAULT_OUT: &str = "artifacts";

/// Train one run of a study, and use trained networks.
///
/// `cargo xtask experiments` starts this program once for each run. Start it yourself to
/// train a single run again, or to use a trained network.
#[derive(Parser)]
#[command(
    name = "kindling",
    version,
    arg_required_else_help = true,
    after_help = "\
Exit codes: 0 done; 1 the training failed, a picture could not be read, or standard
output could not be written; 2 the arguments, the config, the data or the device are
wrong; 130 the training was stopped, and the same command resumes it.

Examples:
  kindling train artifacts/runs/mlp/seed-0
  kindling predict convnet digit.png
  kindling embed ae > codes.csv"
)]
pub struct Cli {
    /// The command to run.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Subcommand)]
pub enum Command {
    /// Train the run that DIR/config.toml describes, and write its results to DIR
    #[command(after_help = "\
A training that was stopped is resumed after the last epoch that it finished.

Example:
  kindling train artifacts/runs/mlp/seed-0")]
    Train {
        /// Folder of the run
        dir: PathBuf,
        /// Device to train on, such as flex, wgpu or wgpu:1. Its backend replaces the one
        /// in config.toml [default: the environment variable BURN_DEVICE, or else the
        /// backend in config.toml]
        #[arg(long, value_name = "NAME")]
        device: Option<DeviceName>,
        /// Print progress as lines of JSON, and read commands from standard input: the line
        /// `stop` ends the training after the current epoch, and the end of the input ends it
        /// at once
        #[arg(long)]
        progress: bool,
        /// Do not write logs for TensorBoard
        #[arg(long)]
        no_tensorboard: bool,
    },
    /// Recognise what pictures show
    #[command(after_help = "\
A picture is a PNG or JPEG file with at most 50 million pixels. A photo is rotated by the
orientation in its EXIF data.

For a network that learned from MNIST, the picture shows one digit, either light on dark or
dark on light. Before the network sees it, the digit is cut out, scaled and centred in the
same way as the digits of MNIST. The size of the picture does not matter: an enlarged
drawing gives the same result as the original.

Any other network sees the whole picture, resized to the size of the images that it learned
from. If these are handwriting like MNIST's, as those of EMNIST, --as-digits prepares the
picture like a digit of MNIST.

The paper is taken to be the shade that covers most of the picture and of its border.
Frames, lines along the border, soft shadows, specks, and marks far from the digit are
ignored. Use --debug-image to see what is left. A picture is refused as blank if the
brightness of the digit and of the paper differ by less than 2 % of the range from black
to white, or by less than four times the noise of the paper.

The files of EMNIST hold transposed images. Train on them with data.transpose = true, or
the network misclassifies upright pictures.

If a picture cannot be read, an error names it, the other pictures are still processed,
and the exit code is 1.

Examples:
  kindling predict convnet digit.png photo.jpg
  kindling predict mlp --seed 2 --json *.png
  kindling predict mlp --protocol tuned digit.png
  kindling predict mlp photo.jpg --debug-image seen.png
  curl -s https://example.org/7.png | kindling predict mlp -")]
    Predict {
        #[command(flatten)]
        run: TrainedRunFlags,
        /// PNG or JPEG files, or - to read one from standard input
        #[arg(required = true)]
        images: Vec<PathBuf>,
        #[command(flatten)]
        pictures: PictureFlags,
        /// Print one line of JSON for each picture
        #[arg(long)]
        json: bool,
    },
    /// Score a classifier on labelled images
    #[command(after_help = "\
The images must have the shape of those that the network learned from, and their classes must
be among its classes.

Examples:
  kindling evaluate convnet                       its own test images
  kindling evaluate convnet --data my-digits
  kindling evaluate convnet --data letters --set first_label=1 --split train --json")]
    Evaluate {
        #[command(flatten)]
        run: TrainedRunFlags,
        /// Folder of images [default: the images of the run]
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
        /// Set a key of the table data of a config, as in form=npz; repeatable
        #[arg(long, value_name = "KEY=VALUE", requires = "data")]
        set: Vec<Setting>,
        /// Which images of the folder
        #[arg(long, value_enum, value_name = "NAME", default_value_t = EvaluatedSplit::Test)]
        split: EvaluatedSplit,
        /// Print JSON, with the number of images by label and prediction
        #[arg(long)]
        json: bool,
    },
    /// Print the codes of images as CSV, computed by an autoencoder or by PCA
    #[command(after_help = "\
Examples:
  kindling embed ae > codes.csv            codes of the test images, with their labels
  kindling embed pca one.png two.png       codes of pictures, with their file names")]
    Embed {
        #[command(flatten)]
        run: TrainedRunFlags,
        /// PNG or JPEG files, or - to read one from standard input [default: the test
        /// images]
        images: Vec<PathBuf>,
        #[command(flatten)]
        pictures: PictureFlags,
    },
    /// Encode pictures, decode them again, and write the result as PNG files
    #[command(after_help = "\
The result of NAME.png is written to NAME.reconstructed.png. If two pictures would be
written to the same file, such as a/1.png and b/1.png, 1.png and 1.jpg, or a.png and
A.png, the command writes nothing.

Examples:
  kindling reconstruct ae digit.png --to pictures
  kindling reconstruct ae digit.png --to - > back.png")]
    Reconstruct {
        #[command(flatten)]
        run: TrainedRunFlags,
        /// PNG or JPEG files, or - to read one from standard input
        #[arg(required = true)]
        images: Vec<PathBuf>,
        /// Folder for the results, or - to write one to standard output
        #[arg(long, value_name = "DIR", default_value = ".")]
        to: PathBuf,
        #[command(flatten)]
        pictures: PictureFlags,
    },
    /// Write trained weights in a format that other programs can read
    #[command(after_help = "\
The weights of fully connected layers have the shape [inputs, outputs]. The weights of
convolutions have the shape [outputs, inputs, side, side], as in PyTorch. The file also
holds the config.

Examples:
  kindling export convnet
  kindling export mlp --seed 1 --format json --to mlp.json
  kindling export mlp --format json --to - | jq .config")]
    Export {
        #[command(flatten)]
        run: TrainedRunFlags,
        /// Format of the file
        #[arg(long, value_enum, default_value_t = WeightFormat::Safetensors)]
        format: WeightFormat,
        /// File to write, or - for standard output [default: CELL-seed-N.safetensors or
        /// CELL-seed-N.json]
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// Check a folder of images, and print what they are and a fingerprint as JSON
    #[command(after_help = "\
Examples:
  kindling data --dir fashion-mnist
  kindling data --dir letters --set first_label=1 --set transpose=true
  kindling data --dir flowers --repeated")]
    Data {
        /// Folder of images [default: the MNIST images of this repository]
        #[arg(long)]
        dir: Option<PathBuf>,
        /// Set a key of the table data of a config, as in form=npz; repeatable
        #[arg(long, value_name = "KEY=VALUE")]
        set: Vec<Setting>,
        /// List the images that stand in two splits instead, one pair a line
        #[arg(long)]
        repeated: bool,
    },
    /// Check that a device can be used
    #[command(after_help = "Example:\n  kindling open wgpu:1")]
    Open {
        /// Name of the device, such as flex, wgpu or wgpu:1
        device: DeviceName,
    },
    /// Measure the speed of every device that this build can use, and print it as JSON
    #[command(after_help = "Example:\n  kindling devices")]
    Devices,
    /// Train a run on two devices, and print how far they differ after each step as JSON
    #[command(
        after_help = "Example:\n  kindling parity artifacts/runs/mlp/seed-0 flex ndarray --steps 10"
    )]
    Parity {
        /// Folder of the run. Its config.toml is read, and nothing is written
        dir: PathBuf,
        #[command(flatten)]
        flags: ParityFlags,
    },
    /// Print a script that makes a shell complete the commands and flags
    #[command(after_help = "Example:\n  source <(kindling completions bash)")]
    Completions {
        /// Shell to complete for
        shell: clap_complete::Shell,
    },
}

/// The images of a data set on which a network is scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum EvaluatedSplit {
    /// The training images
    Train,
    /// The test images
    Test,
}

/// Flags that name a trained run.
#[derive(Args)]
pub struct TrainedRunFlags {
    /// Name of a trained cell, such as convnet, or the folder of a run
    pub cell: String,
    /// Seed of the run
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Folder that holds the trained runs
    #[arg(long, value_name = "DIR", default_value = DEFAULT_OUT)]
    pub out: PathBuf,
    /// Use a run that was trained with --quick
    #[arg(long)]
    pub quick: bool,
    /// Use a run with this protocol: written (default), or tuned
    #[arg(
        long,
        value_name = "NAME",
        default_value = "written",
        hide_default_value = true
    )]
    pub protocol: Protocol,
    /// Device to compute on [default: the backend that trained the run if this build has
    /// it, or else the first backend of this build]
    #[arg(long, value_name = "NAME")]
    pub device: Option<DeviceName>,
}

impl TrainedRunFlags {
    /// The size of the run.
    pub fn size(&self) -> Size {
        if self.quick { Size::Quick } else { Size::Full }
    }

    /// The tree that holds the run.
    pub fn layout(&self) -> Layout {
        Layout::of(&self.out, self.size(), self.protocol.into())
    }
}

/// Flags of commands that read pictures.
#[derive(Args)]
pub struct PictureFlags {
    /// Prepare pictures like the digits of MNIST, although the network learned from other images of
    /// handwriting: cut out the digit, scale and centre it
    #[arg(long)]
    pub as_digits: bool,
    /// Write the prepared picture, ten times enlarged, as a PNG file. This works with one
    /// picture only
    #[arg(long, value_name = "FILE")]
    pub debug_image: Option<PathBuf>,
}

/// The file formats that weights can be exported to.
#[derive(Clone, Copy, ValueEnum)]
pub enum WeightFormat {
    /// One tensor for each parameter: <https://huggingface.co/docs/safetensors>
    Safetensors,
    /// Shape and values of each parameter
    Json,
}

/// Flags of `kindling parity`.
#[derive(Args)]
pub struct ParityFlags {
    /// First device, such as flex
    pub first: DeviceName,
    /// Second device, such as ndarray
    pub second: DeviceName,
    /// Number of training steps
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub steps: usize,
    /// Use dropout as the config says
    #[arg(long)]
    pub dropout: bool,
    /// Let the two trainings drift apart. Without this flag the second device takes the
    /// weights of the first device after every step
    #[arg(long)]
    pub drift: bool,
    /// Let GPUs multiply in mixed precision
    #[arg(long)]
    pub mixed: bool,
}
