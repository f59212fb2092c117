"""The networks: dilated convolutions over time, attention and statistics over all of a piece of speech; and dense
layers over its summary."""

from services.voice.log_mel import COLUMNS, Floats
from services.voice.normalise import FRAMES, INPUTS, NUMBERS_IN
from training.backends import Tensor, keras, layers, ops

ANSWERS = 5
"""four logits of moods, one of high arousal"""


class WithoutSpeaker(layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Summaries [..., NUMBERS_IN] less what lies in some orthonormal directions [n, NUMBERS_IN]; the more own speech is
    known, the more of it stays."""

    def __init__(self, directions: Floats) -> None:
        super().__init__()
        self._directions = directions

    def call(self, numbers: Tensor) -> Tensor:
        if not len(self._directions):
            return numbers
        share = 1 - numbers[..., -1:]
        return numbers - share * ops.matmul(ops.matmul(numbers, self._directions.T), self._directions)


def of_numbers(hidden: int = 128, dropout: float = 0.35) -> keras.Model:
    """Logits [N, ANSWERS] of summaries float32 [N, NUMBERS_IN]."""
    numbers = layers.Input((NUMBERS_IN,))
    found = layers.Dense(hidden, activation="relu")(layers.Dropout(dropout / 2)(numbers))
    found = layers.Dense(hidden // 2, activation="relu")(layers.Dropout(dropout)(found))
    return keras.Model(numbers, layers.Dense(ANSWERS)(layers.Dropout(dropout)(found)))


def of_frames(width: int = 32, dropout: float = 0.35, frames: int = FRAMES) -> keras.Model:
    """Logits [N, ANSWERS] of frames float32 [N, frames, INPUTS]."""
    speech = layers.Input((frames, INPUTS))
    sounding = speech[:, :, COLUMNS + 1 :]
    pooled = layers.AveragePooling1D(2)(speech)
    first = _block(pooled, width, 5, dropout, stride=2)
    there = layers.MaxPooling1D(4)(sounding)
    blocks = [first]
    for dilation in (1, 2, 4):
        blocks.append(blocks[-1] + _block(blocks[-1], width, 3, dropout, dilation=dilation))
    wide = _block(layers.Concatenate()(blocks), 2 * width, 1, dropout)
    attention = layers.Dense(1)(layers.Dense(32, activation="tanh")(wide))
    attention = ops.softmax(attention - 1e4 * (1 - there), axis=1)
    even = there / (ops.sum(there, axis=1, keepdims=True) + 1e-6)
    change = (pooled[:, 1:, :COLUMNS] - pooled[:, :-1, :COLUMNS]) * pooled[:, 1:, COLUMNS + 1 :]
    raw = sounding / (ops.sum(sounding, axis=1, keepdims=True) + 1e-6)
    raw_2 = pooled[:, 1:, COLUMNS + 1 :]
    raw_2 = raw_2 / (ops.sum(raw_2, axis=1, keepdims=True) + 1e-6)
    found = layers.Concatenate()(
        [
            *_statistics(wide, attention),
            *_statistics(wide, even),
            *_statistics(speech[:, :, : COLUMNS + 1], raw),
            _statistics(change, raw_2)[1],
        ]
    )
    found = layers.Dropout(dropout)(layers.BatchNormalization(momentum=0.9)(found))
    found = layers.Dropout(dropout)(layers.Dense(2 * width, activation="relu")(found))
    return keras.Model(speech, layers.Dense(ANSWERS)(found))


def _block(x: Tensor, width: int, size: int, dropout: float, dilation: int = 1, stride: int = 1) -> Tensor:
    x = layers.Conv1D(width, size, padding="same", strides=stride, dilation_rate=dilation, use_bias=False)(x)
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    return layers.SpatialDropout1D(dropout / 2)(x)


def _statistics(x: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation over time, by weights that sum to 1."""
    mean = ops.sum(x * weights, axis=1)
    return mean, ops.sqrt(ops.relu(ops.sum(ops.square(x) * weights, axis=1) - ops.square(mean)) + 1e-4)
