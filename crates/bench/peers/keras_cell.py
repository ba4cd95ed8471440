"""Trains one cell of the study in Keras on TensorFlow. `cell.py` has the arguments and the output."""

import os
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import keras
import tensorflow as tf
from keras import layers

import cell


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
    channels, side, widths, activations = cell.coder(model)
    between, output = model["activation"], model["output"]
    stack = [keras.Input((784,))]
    if channels:
        stack.append(layers.Reshape((28, 28, 1)))
        for width in channels:
            stack.append(layers.Conv2D(width, 3, padding="same", activation=named(between)))
            stack.append(layers.MaxPooling2D(2))
        stack.append(layers.Flatten())
    for width, activation in zip(widths[1:], activations):
        stack.append(layers.Dense(width, activation=named(activation)))
    if channels:
        stack.append(layers.Reshape((side, side, channels[-1])))
        for width in reversed(channels[:-1]):
            stack.append(layers.UpSampling2D(2))
            stack.append(layers.Conv2D(width, 3, padding="same", activation=named(between)))
        stack.append(layers.UpSampling2D(2))
        stack.append(layers.Conv2D(1, 3, padding="same", activation=named(output)))
        stack.append(layers.Flatten())
    return keras.Sequential(stack)


def named(activation):
    """Returns the name that an activation has in Keras."""
    return None if activation == "none" else activation


class Rates(keras.optimizers.schedules.LearningRateSchedule):
    """The learning rates of a config, one for each step."""

    def __init__(self, rates):
        self.rates = tf.constant(rates, tf.float32)

    def __call__(self, step):
        return tf.gather(self.rates, tf.cast(step, tf.int32))


class DecayedSgd(keras.optimizers.SGD):
    """SGD with the weight decay of a config. That of Keras is not part of the gradient."""

    def __init__(self, decay, *arguments, **options):
        super().__init__(*arguments, **options)
        self.decay = decay

    def update_step(self, gradient, variable, rate):
        super().update_step(gradient + self.decay * variable, variable, rate)


def optimizer(train, steps):
    """Makes the optimizer that the table [train] describes, for a training of so many steps."""
    name, values = cell.optimizer(train)
    rate = values["learning_rate"]
    if "schedule" in train:
        rate = Rates(cell.rates(train, steps))
    options = {"global_clipnorm": train.get("clip")}
    if name == "sgd":
        options |= {"momentum": values["momentum"], "nesterov": values["nesterov"]}
        decay = values["weight_decay"]
        if decay:
            return DecayedSgd(decay, rate, **options)
        return keras.optimizers.SGD(rate, **options)
    options |= {key: values[key] for key in ("beta_1", "beta_2", "epsilon")}
    if name == "adamw":
        return keras.optimizers.AdamW(rate, weight_decay=values["weight_decay"], **options)
    return keras.optimizers.Adam(rate, **options)


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
    arguments = cell.Arguments()
    tf.config.threading.set_intra_op_parallelism_threads(arguments.threads)
    tf.config.threading.set_inter_op_parallelism_threads(arguments.threads)
    train, batch = arguments.config["train"], arguments.config["train"]["batch_size"]
    x, labels = cell.images(arguments.folder, "train")
    x_test, labels_test = cell.images(arguments.folder, "t10k")
    keras.utils.set_random_seed(arguments.config["seed"])
    timer = EpochTimer()
    if arguments.is_classifier:
        model = classifier(arguments.config["model"])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        y, y_test, metrics = labels, labels_test, ["accuracy"]
    else:
        model = autoencoder(arguments.config["model"])
        loss, y, y_test, metrics = "mse", x, x_test, []
    steps = -(-len(x) // batch)
    # On a CPU, TensorFlow's own kernels are faster than XLA's, most of all for convolutions.
    # Several steps in a call save most of the time that Python takes.
    model.compile(
        optimizer(train, steps * arguments.epochs),
        loss,
        metrics=metrics,
        jit_compile=False,
        steps_per_execution=16,
    )
    history = model.fit(
        x,
        y,
        batch_size=batch,
        epochs=arguments.epochs,
        validation_data=(x_test, y_test),
        validation_batch_size=cell.TEST_BATCH,
        verbose=0,
        callbacks=[timer],
    ).history
    accuracy = history.get("val_accuracy", [None])[-1]
    cell.finish(timer.seconds, history["val_loss"][-1], accuracy)


main()
