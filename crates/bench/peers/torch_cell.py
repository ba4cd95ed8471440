"""Trains one cell of the study in PyTorch, eagerly. `cell.py` has the arguments and the output.

The images stay in memory as tensors, and batches are gathered by a random order of indices.
Convolutions have the memory layout `channels_last`, which is faster. An optimizer
goes through all parameters at once (`foreach`).
"""

import time

import torch
from torch import nn
from torch.nn import functional

import cell

ACTIVATIONS = {"none": nn.Identity, "relu": nn.ReLU, "sigmoid": nn.Sigmoid}


def initialised(layer):
    """Gives a layer the initial weights that Glorot and Bengio propose (2010, equation 16)."""
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def dense(inputs, outputs):
    """Makes a fully connected layer."""
    return initialised(nn.Linear(inputs, outputs))


def conv(inputs, outputs, kernel, padding=0):
    """Makes a convolution with square kernels."""
    return initialised(nn.Conv2d(inputs, outputs, kernel, padding=padding))


def classifier(model):
    """Makes the network that a classifier's table [model] describes."""
    blocks, kernel = model.get("conv", {"blocks": [], "kernel": 0}).values()
    stack, channels, side = [], 1, 28
    for block in blocks:
        for width in block:
            stack += [conv(channels, width, kernel), nn.ReLU(inplace=True)]
            channels, side = width, side - kernel + 1
        stack.append(nn.MaxPool2d(2))
        side //= 2
    stack.append(nn.Flatten())
    inputs = channels * side * side
    for width in model["hidden"]:
        stack += [dense(inputs, width), nn.ReLU(inplace=True)]
        if model["dropout"] > 0:
            stack.append(nn.Dropout(model["dropout"]))
        inputs = width
    return nn.Sequential(*stack, dense(inputs, 10))


def autoencoder(model):
    """Makes the network that an autoencoder's table [model] describes."""
    channels, side, widths, activations = cell.coder(model)
    between = ACTIVATIONS[model["activation"]]
    sizes = [1, *channels]
    stack = []
    for pair in zip(sizes, sizes[1:]):
        stack += [conv(*pair, 3, padding=1), between(), nn.MaxPool2d(2)]
    stack.append(nn.Flatten())
    for inputs, outputs, activation in zip(widths, widths[1:], activations):
        stack += [dense(inputs, outputs), ACTIVATIONS[activation]()]
    if channels:
        stack.append(nn.Unflatten(1, (channels[-1], side, side)))
        sizes.reverse()
        for inputs, outputs in zip(sizes, sizes[1:]):
            activation = ACTIVATIONS[model["output"]] if outputs == 1 else between
            stack += [nn.Upsample(scale_factor=2), conv(inputs, outputs, 3, padding=1)]
            stack.append(activation())
        stack.append(nn.Flatten())
    return nn.Sequential(*stack)


def optimizer(train, parameters):
    """Makes the optimizer that the table [train] describes."""
    name, values = cell.optimizer(train)
    rate, decay = values["learning_rate"], values.get("weight_decay", 0.0)
    if name == "sgd":
        return torch.optim.SGD(
            parameters,
            rate,
            momentum=values["momentum"],
            nesterov=values["nesterov"],
            weight_decay=decay,
            foreach=True,
        )
    make = torch.optim.AdamW if name == "adamw" else torch.optim.Adam
    betas = values["beta_1"], values["beta_2"]
    return make(
        parameters, rate, betas=betas, eps=values["epsilon"], weight_decay=decay, foreach=True
    )


def main():
    arguments = cell.Arguments()
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)  # as JAX and TensorFlow do without being asked
    train, model = arguments.config["train"], arguments.config["model"]
    torch.manual_seed(arguments.config["seed"])
    torch.set_default_device(arguments.device)
    network = (classifier if arguments.is_classifier else autoencoder)(model)
    x, labels = map(torch.tensor, cell.images(arguments.folder, "train"))
    x_test, labels_test = map(torch.tensor, cell.images(arguments.folder, "t10k"))
    if "conv" in model:
        network = network.to(memory_format=torch.channels_last)
        x, x_test = x.view(-1, 1, 28, 28), x_test.view(-1, 1, 28, 28)
    descent = optimizer(train, network.parameters())
    steps = -(-len(x) // train["batch_size"])
    rates = iter(cell.rates(train, steps * arguments.epochs).tolist())

    def loss_of(x, labels, reduction):
        """Returns the loss of a batch, and how many of its images are classified correctly."""
        output = network(x)
        if arguments.is_classifier:
            correct = (output.detach().argmax(1) == labels).sum()
            return functional.cross_entropy(output, labels, reduction=reduction), correct
        return functional.mse_loss(output, x.flatten(1), reduction=reduction), torch.tensor(0)

    def epoch():
        """Trains for one epoch. Returns the mean of the loss and the accuracy."""
        network.train()
        sum_of_losses, correct = torch.tensor(0.0), torch.tensor(0)
        for indices in torch.randperm(len(x)).split(train["batch_size"]):
            loss, more = loss_of(x[indices], labels[indices], "mean")
            descent.zero_grad()
            loss.backward()
            if "clip" in train:
                nn.utils.clip_grad_norm_(network.parameters(), train["clip"], foreach=True)
            descent.param_groups[0]["lr"] = next(rates)
            descent.step()
            sum_of_losses += loss.detach() * len(indices)
            correct += more
        return sum_of_losses.item() / len(x), correct.item() / len(x)

    @torch.inference_mode()
    def evaluate():
        """Returns the mean test loss and the test accuracy."""
        network.eval()
        sum_of_losses, correct = 0.0, 0
        for batch in zip(x_test.split(cell.TEST_BATCH), labels_test.split(cell.TEST_BATCH)):
            loss, more = loss_of(*batch, "sum")
            sum_of_losses, correct = sum_of_losses + loss.item(), correct + more.item()
        values = 1 if arguments.is_classifier else 784
        return sum_of_losses / values / len(x_test), correct / len(x_test)

    seconds = []
    for _ in range(arguments.epochs):
        start = time.perf_counter()
        epoch()
        loss, accuracy = evaluate()
        seconds.append(time.perf_counter() - start)
    cell.finish(seconds, loss, accuracy if arguments.is_classifier else None)


main()
