"""Trains one cell of the study in JAX. `cell.py` has the arguments and the output.

The images stay in memory as arrays. An epoch is one compiled function: a scan over the batches,
and another one over the test images. The functions are compiled before the first epoch.
"""

import contextlib
import os
import time

import cell


def limit_threads(threads):
    """Makes JAX compute with so many threads. XLA starts one for each core that it may use."""
    if not hasattr(os, "sched_setaffinity"):
        if threads == 1:
            os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(cores)[:threads])
    jax.devices()
    # The threads are there now, and may use any core.
    for thread in os.listdir("/proc/self/task"):
        with contextlib.suppress(ProcessLookupError):  # it may have ended meanwhile
            os.sched_setaffinity(int(thread), cores)


arguments = cell.Arguments()
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

jax.config.update("jax_platforms", arguments.device)
if arguments.device == "cpu":
    limit_threads(arguments.threads)
# The default generator is much slower.
jax.config.update("jax_default_prng_impl", "unsafe_rbg")

ACTIVATIONS = {"none": lambda x: x, "relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid}


def uniform(random, shape, inputs, outputs):
    """Returns initial weights as Glorot and Bengio propose them (2010, equation 16)."""
    limit = (6 / (inputs + outputs)) ** 0.5
    return jnp.asarray(random.uniform(-limit, limit, shape), jnp.float32)


def new_dense(random, inputs, outputs):
    """Returns the weight `[inputs, outputs]` and the bias of a fully connected layer."""
    return uniform(random, (inputs, outputs), inputs, outputs), jnp.zeros(outputs)


def new_conv(random, inputs, outputs, side):
    """Returns the weight `[side, side, inputs, outputs]` and the bias of a convolution."""
    taps = side * side
    shape = (side, side, inputs, outputs)
    return uniform(random, shape, taps * inputs, taps * outputs), jnp.zeros(outputs)


def dense(layer, x):
    """Applies a fully connected layer to `[n, inputs]`."""
    weight, bias = layer
    return x @ weight + bias


def conv(layer, x, padding=0):
    """Convolves images `[n, height, width, channels]`, with so many zeros around them.

    On a CPU it is a product of matrices: the gradients of XLA's own convolution take longer there,
    and in a scan they take many times as long.
    """
    weight, bias = layer
    side, _, inputs, outputs = weight.shape
    if arguments.device != "cpu":
        around = [(padding, padding)] * 2
        y = lax.conv_general_dilated(
            x, weight, (1, 1), around, dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        return y + bias
    x = jnp.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    n, height, width, _ = x.shape
    height, width = height - side + 1, width - side + 1
    taps = [x[:, i : i + height, j : j + width] for i in range(side) for j in range(side)]
    taps = jnp.concatenate(taps, -1).reshape(-1, side * side * inputs)
    y = taps @ weight.reshape(-1, outputs) + bias
    return y.reshape(n, height, width, outputs)


def pool(x):
    """Returns the largest of each 2x2 pixels. A row or a column that is left over is dropped."""
    _, height, width, _ = x.shape
    x = x[:, : height // 2 * 2, : width // 2 * 2]
    rows = jnp.maximum(x[:, ::2], x[:, 1::2])
    return jnp.maximum(rows[:, :, ::2], rows[:, :, 1::2])


def double(x):
    """Repeats each pixel as 2x2 pixels."""
    n, height, width, channels = x.shape
    x = jnp.broadcast_to(x[:, :, None, :, None], (n, height, 2, width, 2, channels))
    return x.reshape(n, 2 * height, 2 * width, channels)


def classifier(model, random):
    """Returns the weights and the forward pass that a classifier's table [model] describes."""
    blocks, kernel = model.get("conv", {"blocks": [], "kernel": 0}).values()
    channels, side, convolutions = 1, 28, []
    for block in blocks:
        for width in block:
            convolutions.append(new_conv(random, channels, width, kernel))
            channels, side = width, side - kernel + 1
        side //= 2
    widths = [channels * side * side, *model["hidden"], 10]
    layers = [new_dense(random, *pair) for pair in zip(widths, widths[1:])]
    keep = 1 - model["dropout"]

    def forward(weights, x, key):
        convolutions, layers = weights
        if blocks:
            x = x.reshape(-1, 28, 28, 1)
            left = iter(convolutions)
            for block in blocks:
                for _ in block:
                    x = jax.nn.relu(conv(next(left), x))
                x = pool(x)
            x = x.reshape(len(x), -1)
        for layer in layers[:-1]:
            x = jax.nn.relu(dense(layer, x))
            if key is not None and keep < 1:
                key, own = jax.random.split(key)
                x = jnp.where(jax.random.bernoulli(own, keep, x.shape), x / keep, 0)
        return dense(layers[-1], x)

    return (convolutions, layers), forward


def autoencoder(model, random):
    """Returns the weights and the forward pass that an autoencoder's table [model] describes."""
    channels, side, widths, activations = cell.coder(model)
    between = ACTIVATIONS[model["activation"]]
    output = ACTIVATIONS[model["output"]]
    sizes = [1, *channels]
    encoder = [new_conv(random, *pair, 3) for pair in zip(sizes, sizes[1:])]
    sizes.reverse()
    decoder = [new_conv(random, *pair, 3) for pair in zip(sizes, sizes[1:])]
    layers = [new_dense(random, *pair) for pair in zip(widths, widths[1:])]

    def forward(weights, x, key):
        encoder, layers, decoder = weights
        if encoder:
            x = x.reshape(-1, 28, 28, 1)
            for layer in encoder:
                x = pool(between(conv(layer, x, 1)))
            x = x.reshape(len(x), -1)
        for layer, activation in zip(layers, activations):
            x = ACTIVATIONS[activation](dense(layer, x))
        if decoder:
            x = x.reshape(-1, side, side, channels[-1])
            for layer in decoder[:-1]:
                x = between(conv(layer, double(x), 1))
            x = output(conv(decoder[-1], double(x), 1))
            x = x.reshape(len(x), -1)
        return x

    return (encoder, layers, decoder), forward


def optimizer(train):
    """Returns the first state of a weight, and its step, by the table [train]."""
    name, values = cell.optimizer(train)
    decay = values.get("weight_decay", 0.0)
    if name == "sgd":
        momentum = values["momentum"]

        def sgd(weight, gradient, state, rate, time):
            gradient += decay * weight if decay else 0
            if momentum == 0:
                return weight - rate * gradient, state
            (velocity,) = state
            velocity = momentum * velocity + gradient
            step = gradient + momentum * velocity if values["nesterov"] else velocity
            return weight - rate * step, (velocity,)

        return 1 if momentum else 0, sgd
    beta_1, beta_2, epsilon = values["beta_1"], values["beta_2"], values["epsilon"]

    def adam(weight, gradient, state, rate, time):
        mean, square = state
        mean = beta_1 * mean + (1 - beta_1) * gradient
        square = beta_2 * square + (1 - beta_2) * gradient * gradient
        root = jnp.sqrt(1 - beta_2**time)
        step = rate * root / (1 - beta_1**time)
        decayed = weight - rate * decay * weight if decay else weight
        return decayed - step * mean / (jnp.sqrt(square) + epsilon * root), (mean, square)

    return 2, adam


def main():
    train = arguments.config["train"]
    seed, batch = arguments.config["seed"], train["batch_size"]
    x, labels = map(jnp.asarray, cell.images(arguments.folder, "train"))
    x_test, labels_test = map(jnp.asarray, cell.images(arguments.folder, "t10k"))
    network = classifier if arguments.is_classifier else autoencoder
    weights, forward = network(arguments.config["model"], np.random.default_rng(seed))
    states, step_of_weight = optimizer(train)

    def losses(weights, x, labels, key):
        """Returns the loss of each image, and whether it is classified correctly."""
        output = forward(weights, x, key)
        if arguments.is_classifier:
            of_label = jnp.take_along_axis(output, labels[:, None], 1)[:, 0]
            correct = output.argmax(1) == labels
            return jax.nn.logsumexp(output, 1) - of_label, correct
        loss = jnp.square(output - x).mean(1)
        return loss, jnp.zeros(len(x), bool)

    def loss_of_batch(weights, x, labels, key):
        loss, correct = losses(weights, x, labels, key)
        return loss.mean(), (loss.sum(), correct.sum())

    gradient_of = jax.grad(loss_of_batch, has_aux=True)

    def step(carry, images, labels, rate, time):
        weights, state, key = carry
        key, own = jax.random.split(key)
        gradients, sums = gradient_of(weights, images, labels, own)
        leaves, tree = jax.tree.flatten(weights)
        gradients = jax.tree.leaves(gradients)
        if "clip" in train:
            norm = jnp.sqrt(sum(jnp.square(gradient).sum() for gradient in gradients))
            factor = jnp.minimum(1, train["clip"] / norm)
            gradients = [gradient * factor for gradient in gradients]
        stepped = [
            step_of_weight(weight, gradient, own, rate, time)
            for weight, gradient, own in zip(leaves, gradients, state)
        ]
        leaves, state = zip(*stepped)
        return (tree.unflatten(leaves), state, key), sums

    whole = len(x) // batch

    def epoch(carry, x, labels, rates, first):
        weights, state, key = carry
        key, own = jax.random.split(key)
        order = jax.random.permutation(own, len(x))
        times = first + jnp.arange(len(rates), dtype=jnp.float32)
        batches = order[: whole * batch].reshape(whole, batch)

        def of_batch(carry, inputs):
            indices, rate, time = inputs
            return step(carry, x[indices], labels[indices], rate, time)

        inputs = (batches, rates[:whole], times[:whole])
        carry, sums = lax.scan(of_batch, (weights, state, key), inputs)
        sums = jax.tree.map(jnp.sum, sums)
        if len(x) % batch:
            carry, more = of_batch(carry, (order[whole * batch :], rates[-1], times[-1]))
            sums = jax.tree.map(jnp.add, sums, more)
        return carry, sums

    def evaluate(weights, x, labels):
        def add(sums, batch):
            more = loss_of_batch(weights, *batch, None)[1]
            return jax.tree.map(jnp.add, sums, more), None

        batches = x.reshape(-1, cell.TEST_BATCH, 784), labels.reshape(-1, cell.TEST_BATCH)
        return lax.scan(add, (jnp.float32(0), 0), batches)[0]

    state = tuple(
        tuple(jnp.zeros_like(weight) for _ in range(states))
        for weight in jax.tree.leaves(weights)
    )
    carry = (weights, state, jax.random.key(seed))
    steps = -(-len(x) // batch)
    rates = jnp.asarray(cell.rates(train, steps * arguments.epochs), jnp.float32)
    rates = rates.reshape(arguments.epochs, steps)
    epoch = jax.jit(epoch, donate_argnums=0)
    epoch = epoch.lower(carry, x, labels, rates[0], jnp.float32(1)).compile()
    evaluate = jax.jit(evaluate).lower(weights, x_test, labels_test).compile()
    seconds = []
    for number in range(arguments.epochs):
        start = time.perf_counter()
        carry, sums = epoch(carry, x, labels, rates[number], jnp.float32(1 + number * steps))
        loss, correct = map(float, evaluate(carry[0], x_test, labels_test))
        seconds.append(time.perf_counter() - start)
    loss, accuracy = loss / len(x_test), correct / len(x_test)
    cell.finish(seconds, loss, accuracy if arguments.is_classifier else None)


main()
