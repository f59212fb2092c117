"""Keras, and one training step on TensorFlow or on JAX, whichever ``KERAS_BACKEND`` names.

All of ``training`` takes Keras from here: TensorFlow tells of graphics cards that are not there while it is loaded,
before it can be asked not to.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@contextmanager
def _silenced() -> Iterator[None]:
    """What libraries write to the standard error is dropped; exceptions are not."""
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


with _silenced():
    import keras
    from keras import layers, ops

__all__ = ["Reader", "Steps", "Tensor", "flat", "keras", "layers", "on_the_host", "ops", "steps"]

Tensor: TypeAlias = Any


class Steps(Protocol):
    """Steps of an optimiser over a lesson, a layer that answers faces and targets with a loss and an accuracy."""

    def step(self, rows: NDArray[np.int64], learning_rate: float) -> tuple[Tensor, Tensor]:
        """One step on these faces; returns the loss and the accuracy, which may still be being computed."""

    def finish(self) -> None:
        """All that was learnt is in the variables of the lesson, the optimiser and the averages."""


def steps(
    lesson: keras.Layer,
    optimizer: keras.Optimizer,
    followed: Sequence[keras.Variable],
    average: keras.Variable,
    averaging: float,
    faces: NDArray[np.uint8],
    targets: NDArray[np.float32],
) -> Steps:
    """Steps over faces [N, 48, 48, 1] and targets [N, 7].

    ``average`` is the running average of the ``followed`` weights, one behind the other (``flat``); ``averaging`` is
    the share that it keeps at a step, less in the first hundred ones.
    """
    kind = _OnJax if keras.backend.backend() == "jax" else _OnTensorflow
    return kind(lesson, optimizer, followed, average, averaging, faces, targets)


def flat(values: Sequence[Tensor]) -> Tensor:
    """All numbers of some tensors in one row: hundreds of small averages would cost more to compile than to compute."""
    return ops.concatenate([ops.reshape(one, (-1,)) for one in values])


class Reader:
    """Reads faces with a network whose weights may change between one reading and the next."""

    def __init__(self, network: keras.Model) -> None:
        self._network = network
        if keras.backend.backend() == "jax":  # whose ``predict`` would load TensorFlow to see whether it was given some
            import jax

            def logits(trainable, rest, faces):  # type: ignore[no-untyped-def]
                return network.stateless_call(trainable, rest, faces, training=False)[0]

            self._jitted = jax.jit(logits)

    def logits(self, faces: NDArray[np.generic], batch: int = 256) -> NDArray[np.float32]:
        """Logits [N, 4] or [N, 7] of grey levels [N, 48, 48]."""
        levels = faces[..., None].astype(np.float32)
        if keras.backend.backend() != "jax":
            return np.asarray(self._network.predict(levels, batch_size=batch, verbose=0))
        variables = [
            [one.value for one in part]
            for part in (self._network.trainable_variables, self._network.non_trainable_variables)
        ]
        short = -len(levels) % batch  # every batch is as long as the first, for which it was compiled
        parts = np.pad(levels, [(0, short), (0, 0), (0, 0), (0, 0)]).reshape(-1, batch, *levels.shape[1:])
        return np.concatenate([np.asarray(self._jitted(*variables, part)) for part in parts])[: len(levels)]


def on_the_host(read: Callable[[Any], NDArray[np.float32]], values: Tensor, shape: tuple[int, ...]) -> Tensor:
    """What a function of NumPy arrays answers to a batch of values: float32 [B, *shape]."""
    if keras.backend.backend() == "jax":
        import jax

        shaped: Any = jax.ShapeDtypeStruct  # untyped, and not installed everywhere
        wanted = shaped((values.shape[0], *shape), np.float32)
        return jax.pure_callback(read, wanted, values)
    import tensorflow as tf

    return tf.ensure_shape(tf.numpy_function(read, [values], tf.float32), [None, *shape])


def _share_kept(averaging: float, iterations: Tensor) -> Tensor:
    return ops.minimum(averaging, ops.cast(iterations, "float32") / 100)


class _OnTensorflow:
    def __init__(self, lesson, optimizer, followed, average, averaging, faces, targets) -> None:  # type: ignore[no-untyped-def]
        import tensorflow as tf

        self._optimizer, self._faces, self._targets = optimizer, faces, targets
        variables = lesson.trainable_variables

        def step(faces: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
            with tf.GradientTape() as tape:
                loss, accuracy = lesson(faces, targets)
            optimizer.apply(tape.gradient(loss, variables), variables)
            keep = _share_kept(averaging, optimizer.iterations)
            average.assign(average * keep + flat(followed) * (1 - keep))
            return loss, accuracy

        self._step = tf.function(step, reduce_retracing=False)

    def step(self, rows: NDArray[np.int64], learning_rate: float) -> tuple[Tensor, Tensor]:
        self._optimizer.learning_rate = learning_rate
        loss, accuracy = self._step(
            ops.convert_to_tensor(self._faces[rows]), ops.convert_to_tensor(self._targets[rows])
        )
        return loss, accuracy

    def finish(self) -> None:
        """TensorFlow's steps change the variables themselves."""


class _OnJax:
    """The variables are arguments and results of the step; all faces lie on the device."""

    def __init__(self, lesson, optimizer, followed, average, averaging, faces, targets) -> None:  # type: ignore[no-untyped-def]
        import jax

        self._all = [lesson.trainable_variables, lesson.non_trainable_variables, optimizer.variables, [average]]
        places = {id(one): (part, place) for part in (0, 1) for place, one in enumerate(self._all[part])}
        sources = [places[id(one)] for one in followed]
        rate_at = next(place for place, one in enumerate(optimizer.variables) if one.name == "learning_rate")

        def loss_of(trainable, rest, faces, targets):  # type: ignore[no-untyped-def]
            (loss, accuracy), rest = lesson.stateless_call(trainable, rest, faces, targets)
            return loss, (accuracy, rest)

        gradient = jax.value_and_grad(loss_of, has_aux=True)

        def step(state, faces, targets, rows, learning_rate):  # type: ignore[no-untyped-def]
            trainable, rest, optimizing, (average,) = state
            (loss, (accuracy, rest)), slope = gradient(trainable, rest, faces[rows], targets[rows])
            optimizing = [learning_rate if place == rate_at else one for place, one in enumerate(optimizing)]
            trainable, optimizing = optimizer.stateless_apply(optimizing, slope, trainable)
            keep, new = _share_kept(averaging, optimizing[0]), (trainable, rest)
            average = average * keep + flat([new[part][place] for part, place in sources]) * (1 - keep)
            return (loss, accuracy), (trainable, rest, optimizing, [average])

        self._step = jax.jit(step, donate_argnums=0)
        self._data = jax.device_put(faces), jax.device_put(targets)
        self._state: Any = None

    def step(self, rows: NDArray[np.int64], learning_rate: float) -> tuple[Tensor, Tensor]:
        if self._state is None:
            self._state = tuple([one.value + 0 for one in part] for part in self._all)  # the step gives its copy away
        (loss, accuracy), self._state = self._step(self._state, *self._data, rows, np.float32(learning_rate))
        return loss, accuracy

    def finish(self) -> None:
        if self._state is not None:
            for part, values in zip(self._all, self._state, strict=True):
                for variable, value in zip(part, values, strict=True):
                    variable.assign(value)
            self._state = None
