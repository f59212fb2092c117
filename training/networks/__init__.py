"""The families of networks, as Keras models from raw grey levels to logits, and the graph that is exported.

Scaling from 0-255 is part of every network, so training and run time cannot disagree about it.
"""

from collections.abc import Callable

from training.backends import keras
from training.networks.densenet import densenet
from training.networks.efficientnet import efficientnet_lite0
from training.networks.exported import calibrated, four_of, of_four
from training.networks.inception import inception
from training.networks.plain import article, tiny
from training.networks.residual import deep, middle, residual, wide

__all__ = ["NETWORKS", "calibrated", "efficientnet_lite0", "four_of", "of_four"]

NETWORKS: dict[str, Callable[..., keras.Model]] = {
    network.__name__: network
    for network in (article, tiny, inception, densenet, residual, middle, deep, wide, efficientnet_lite0)
}
"""By name; the argument is the share of the channels and blocks that is built, 1 for the whole network."""
