"""Prints stepper.txt, the weights that a test in ../src/model/stepper.rs expects. They are
computed with Optax in double precision.

pip install optax==0.2.8 "jax[cpu]==0.10.2"; python crates/harness/reference/stepper.py > stepper.txt
"""

import jax

jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp
import optax

STEPS = 50


def constant(rate, warmup):
    return optax.join_schedules(
        [optax.linear_schedule(0.0, rate, warmup), optax.constant_schedule(rate)], [warmup]
    )


def cosine(rate, warmup, end):
    first = max(warmup, 1)
    return optax.join_schedules(
        [
            optax.linear_schedule(0.0, rate, max(warmup, 1)),
            optax.cosine_decay_schedule(rate, STEPS - first, alpha=end),
        ],
        [first],
    )


def step(rate, at, factor):
    # Optax changes the rate at the step with the number `at`, counted from 0.
    changes = optax.piecewise_constant_schedule(rate, {share: factor for share in at})
    return lambda count: changes(count - 1)


def sgd(momentum, nesterov, decay):
    trace = optax.trace(decay=momentum, nesterov=nesterov)
    return optax.chain(optax.add_decayed_weights(decay), trace)


def adamw(beta_1, beta_2, epsilon, decay):
    adam = optax.scale_by_adam(beta_1, beta_2, eps=epsilon)
    return optax.chain(adam, optax.add_decayed_weights(decay))


def gradient(time, scale):
    """The gradients of five weights, which 32-bit numbers hold exactly."""
    values = [((37 * at + 61 * time) % 101 - 40) / 64 * scale for at in range(5)]
    return {"a": jnp.array(values[:3]), "b": jnp.array(values[3:]).reshape(1, 2)}


def follow(name, rates, direction, clip, scale):
    weights = {"a": jnp.array([0.5, -0.25, 0.0]), "b": jnp.array([[0.125, -1.0]])}
    clipping = optax.identity() if clip is None else optax.clip_by_global_norm(clip)
    method = optax.chain(clipping, direction)
    state = method.init(weights)
    for time in range(1, STEPS + 1):
        moves, state = method.update(gradient(time, scale), state, weights)
        rate = rates(time)
        weights = jax.tree.map(lambda weight, move: weight - rate * move, weights, moves)
        if time in (1, 10, STEPS):
            values = weights["a"].tolist() + weights["b"].ravel().tolist()
            print(f"{name} {time}:", ", ".join(f"{value:.12e}" for value in values))


SMALL = 2.0**-23  # gradients near the epsilon 1e-7
follow("sgd", constant(0.05, 0), sgd(0.9, False, 0.0), None, 1.0)
follow("nesterov", cosine(0.05, 5, 0.1), sgd(0.9, True, 0.01), 0.75, 1.0)
follow("adam", constant(0.01, 10), adamw(0.9, 0.999, 1e-7, 0.0), None, 1.0)
follow("adam near epsilon", constant(0.01, 0), adamw(0.9, 0.999, 1e-7, 0.0), None, SMALL)
follow("adam steps", step(0.01, [25, 40], 0.1), adamw(0.8, 0.9999, 1e-8, 0.0), 0.5, 1.0)
follow("adamw", cosine(0.02, 0, 0.0), adamw(0.9, 0.999, 1e-7, 0.1), 1.0, 1.0)
follow("adamw near epsilon", cosine(0.02, 10, 0.2), adamw(0.9, 0.999, 1e-7, 0.5), 1e-7, SMALL)
