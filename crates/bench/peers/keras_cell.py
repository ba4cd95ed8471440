"""Trains one cell of the study in Keras, as the resolved config of a run describes it.

    python keras_cell.py CONFIG.toml DATA_DIR EPOCHS

DATA_DIR holds MNIST's four IDX files, compressed by gzip. The script prints one line of
JSON: the seconds of each epoch, and the test loss and accuracy of the last epoch. The
seconds include the evaluation on the test images. The script always trains on all images of
DATA_DIR, and ignores the table [data] of the config.
"""

import gzip
import json
import os
import sys
import time
import tomllib

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import keras
import numpy as np
from keras import layers


def idx(path, header):
    """Returns the bytes of an IDX file after its header of `header` bytes."""
    with gzip.open(path) as file:
        return np.frombuffer(file.read(), np.uint8, offset=header)


def images(folder, kind):
    """Returns the pixels in [0, 1], `[n, 784]`, and the labels, `[n]`, of the split `kind`."""
    pixels = idx(f"{folder}/{kind}-images-idx3-ubyte.gz", 16).reshape(-1, 784)
    labels = idx(f"{folder}/{kind}-labels-idx1-ubyte.gz", 8)
    return pixels.astype(np.float32) / 255, labels.astype(np.int64)


def classifier(model):
    """Makes the network that a classifier's table [model] describes."""
    stack = [keras.Input((784,))]
    if "conv" in model:
        stack.append(layers.Reshape((28, 28, 1)))
        kernel = model["conv"]["kernel"]
        for block in model["conv"]["blocks"]:
            for width in block:
                stack.append(layers.Conv2D(width, kernel, activation="relu"))
            stack.append(layers.MaxPooling2D(2))
        stack.append(layers.Flatten())
    for width in model["hidden"]:
        stack.append(layers.Dense(width, activation="relu"))
        if model["dropout"] > 0:
            stack.append(layers.Dropout(model["dropout"]))
    stack.append(layers.Dense(10))
    return keras.Sequential(stack)


def autoencoder(model):
    """Makes the network that an autoencoder's table [model] describes."""
    between = None if model["activation"] == "none" else "relu"
    on_code = None if model["code_activation"] == "none" else "relu"
    output = "sigmoid" if model["output"] == "sigmoid" else None
    channels = model.get("conv", {}).get("channels", [])
    side = 28 // 2 ** len(channels)
    stack = [keras.Input((784,))]
    if channels:
        stack.append(layers.Reshape((28, 28, 1)))
        for width in channels:
            stack.append(layers.Conv2D(width, 3, padding="same", activation=between))
            stack.append(layers.MaxPooling2D(2))
        stack.append(layers.Flatten())
    for width in model["hidden"]:
        stack.append(layers.Dense(width, activation=between))
    stack.append(layers.Dense(model["code"], activation=on_code))
    for width in reversed(model["hidden"]):
        stack.append(layers.Dense(width, activation=between))
    if channels:
        stack.append(layers.Dense(channels[-1] * side * side, activation=between))
        stack.append(layers.Reshape((side, side, channels[-1])))
        for width in reversed(channels[:-1]):
            stack.append(layers.UpSampling2D(2))
            stack.append(layers.Conv2D(width, 3, padding="same", activation=between))
        stack.append(layers.UpSampling2D(2))
        stack.append(layers.Conv2D(1, 3, padding="same", activation=output))
        stack.append(layers.Flatten())
    else:
        stack.append(layers.Dense(784, activation=output))
    return keras.Sequential(stack)


def optimizer(train):
    """Makes the optimizer that the table [train] describes."""
    ((name, values),) = train["optimizer"].items()
    # Keras has another weight decay for SGD, and other schedules.
    if values.get("weight_decay", 0.0) != 0.0 or "schedule" in train or "clip" in train:
        raise SystemExit("the comparison knows no weight decay, schedule or clipping")
    if name == "sgd":
        return keras.optimizers.SGD(
            values["learning_rate"], momentum=values["momentum"], nesterov=values["nesterov"]
        )
    return keras.optimizers.Adam(
        values["learning_rate"],
        beta_1=values["beta_1"],
        beta_2=values["beta_2"],
        epsilon=values["epsilon"],
    )


class EpochTimer(keras.callbacks.Callback):
    """Measures the seconds of each epoch."""

    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds.append(time.perf_counter() - self.start)


def main():
    config_path, folder, epochs = sys.argv[1:]
    with open(config_path, "rb") as file:
        config = tomllib.load(file)
    x, labels = images(folder, "train")
    x_test, labels_test = images(folder, "t10k")
    keras.utils.set_random_seed(config["seed"])
    timer = EpochTimer()
    if config["family"] == "classifier":
        model = classifier(config["model"])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        y, y_test, metrics = labels, labels_test, ["accuracy"]
    else:
        model = autoencoder(config["model"])
        loss, y, y_test, metrics = "mse", x, x_test, []
    model.compile(optimizer(config["train"]), loss, metrics=metrics)
    history = model.fit(
        x,
        y,
        batch_size=config["train"]["batch_size"],
        epochs=int(epochs),
        validation_data=(x_test, y_test),
        validation_batch_size=1000,
        verbose=0,
        callbacks=[timer],
    ).history
    print(
        json.dumps(
            {
                "seconds": timer.seconds,
                "test_loss": history["val_loss"][-1],
                "test_accuracy": history.get("val_accuracy", [None])[-1],
            }
        )
    )


if __name__ == "__main__":
    main()
