"""What the peers share: their arguments, the images, the learning rates and the result.

Each peer is a script with the same arguments:

    python PEER_cell.py CONFIG.toml DATA_DIR EPOCHS [THREADS [DEVICE]]

CONFIG.toml is the resolved config of a run. DATA_DIR holds MNIST's four IDX files, compressed
by gzip. DEVICE is cpu, which is the default, or cuda, which JAX and PyTorch know. The script
trains the cell for EPOCHS epochs, and prints one line of JSON: the seconds of each epoch, and the
test loss and accuracy of the last epoch. The seconds include the evaluation on the test images.
A script always trains on all images of DATA_DIR, and ignores the table [data] of the config.
"""

import gzip
import json
import math
import os
import sys
import tomllib

import numpy as np

# Images in a batch of the evaluation.
TEST_BATCH = 1000


class Arguments:
    """The arguments of a script."""

    def __init__(self):
        config, self.folder, epochs, *rest = sys.argv[1:]
        with open(config, "rb") as file:
            self.config = tomllib.load(file)
        self.epochs = int(epochs)
        self.threads = int(rest[0]) if rest else os.cpu_count()
        self.device = rest[1] if len(rest) > 1 else "cpu"
        self.is_classifier = self.config["family"] == "classifier"


def idx(path, header):
    """Returns the bytes of an IDX file after its header of `header` bytes."""
    with gzip.open(path) as file:
        return np.frombuffer(file.read(), np.uint8, offset=header)


def images(folder, kind):
    """Returns the pixels in [0, 1], `[n, 784]`, and the labels, `[n]`, of the split `kind`."""
    pixels = idx(f"{folder}/{kind}-images-idx3-ubyte.gz", 16).reshape(-1, 784)
    labels = idx(f"{folder}/{kind}-labels-idx1-ubyte.gz", 8)
    return pixels.astype(np.float32) / 255, labels.astype(np.int64)


def optimizer(train):
    """Returns the name of the optimizer of the table [train], and its values."""
    ((name, values),) = train["optimizer"].items()
    return name, values


def rates(train, steps):
    """Returns the learning rate of each of all `steps`, `[steps]`, by the table [train]."""
    rate = optimizer(train)[1]["learning_rate"]
    ((kind, schedule),) = train.get("schedule", {"constant": {"warmup": 0.0}}).items()
    return np.array([rate * share(kind, schedule, step, steps) for step in range(1, steps + 1)])


def share(kind, schedule, step, steps):
    """Returns the share of the learning rate that `step` of `steps` has, counted from 1."""
    warm_up = whole(schedule["warmup"] * steps)
    if step < warm_up:
        return step / warm_up
    if kind == "constant":
        return 1.0
    if kind == "step":
        changes = sum(step > whole(at * steps) for at in schedule["at"])
        return schedule["factor"] ** changes
    first, end = max(warm_up, 1), schedule["end"]
    passed = (step - first) / max(steps - first, 1)
    return end + (1 - end) * 0.5 * (1 + math.cos(math.pi * passed))


def whole(number):
    """Rounds a positive number to the next whole number; a half is rounded up."""
    return math.floor(number + 0.5)


def coder(model):
    """Returns the layers that an autoencoder's table [model] describes.

    These are the channels of its convolutions, the side of the image after them, and the widths
    and the activations of its fully connected layers. The first width is that of the input.
    """
    channels = model.get("conv", {}).get("channels", [])
    side = 28 // 2 ** len(channels)
    inner = channels[-1] * side * side if channels else 784
    hidden = model["hidden"]
    widths = [inner, *hidden, model["code"], *reversed(hidden), inner]
    between = model["activation"]
    activations = [between] * (len(widths) - 1)
    activations[len(hidden)] = model["code_activation"]
    if not channels:
        activations[-1] = model["output"]
    return channels, side, widths, activations


def finish(seconds, loss, accuracy):
    """Prints the result: the seconds of each epoch, and the last test loss and accuracy."""
    accuracy = None if accuracy is None else float(accuracy)
    result = {"seconds": seconds, "test_loss": float(loss), "test_accuracy": accuracy}
    print(json.dumps(result))
