"""Rewrites of an exported graph that save time and leave its answers: what tf2onnx and ONNX Runtime leave undone."""

from math import prod
from typing import NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper, shape_inference
from onnx.utils import Extractor

from services.emotion.faces.classifier import INPUT, OUTPUT


def simplify(model: onnx.ModelProto) -> None:
    """In place: pooling becomes a part of the 1x1 convolution behind it, and reshapes to the same shape go."""
    _fold_pooling(model.graph)
    _drop_reshapes(model)


def _constants(graph: onnx.GraphProto) -> dict[str, NDArray[np.float32]]:
    return {one.name: numpy_helper.to_array(one) for one in graph.initializer}


def _attributes(node: onnx.NodeProto) -> dict[str, list[int]]:
    return {one.name: list(one.ints) for one in node.attribute}


def _users(graph: onnx.GraphProto, name: str) -> list[onnx.NodeProto]:
    return [node for node in graph.node if name in node.input]


def _fold_pooling(graph: onnx.GraphProto) -> None:
    """The mean of k x k places, then a 1x1 convolution: one k x k convolution, each weight shared out over them."""
    constants, stored = _constants(graph), {one.name: one for one in graph.initializer}
    for pool in [node for node in graph.node if node.op_type == "AveragePool"]:
        how, users = _attributes(pool), _users(graph, pool.output[0])
        size = how["kernel_shape"]
        weights = constants.get(users[0].input[1]) if len(users) == 1 and users[0].op_type == "Conv" else None
        if weights is None or weights.shape[2:] != (1, 1) or any(how.get("pads", [])) or how["strides"] != size:
            continue  # a mean at the border is one of fewer places
        (convolution,) = users
        spread = np.tile(weights * np.float32(1 / prod(size)), (1, 1, *size))
        stored[convolution.input[1]].CopyFrom(numpy_helper.from_array(spread, convolution.input[1]))
        convolution.input[0] = pool.input[0]
        del convolution.attribute[:]
        convolution.attribute.extend(helper.make_attribute(key, size) for key in ("kernel_shape", "strides"))
        graph.node.remove(pool)


def _drop_reshapes(model: onnx.ModelProto) -> None:
    graph = model.graph
    inferred = shape_inference.infer_shapes(model, data_prop=True).graph
    shapes = {one.name: [axis.dim_value for axis in one.type.tensor_type.shape.dim] for one in inferred.value_info}
    constants = _constants(graph)
    for node in [node for node in graph.node if node.op_type == "Reshape"]:
        before, after = shapes.get(node.input[0]), constants.get(node.input[1])
        if before and after is not None and [-1, *before[1:]] == after.tolist():
            for user in _users(graph, node.output[0]):
                user.input[:] = [node.input[0] if name == node.output[0] else name for name in user.input]
            graph.node.remove(node)


class Front(NamedTuple):
    """What a graph does to grey levels before its first layer: ``(level - zero_point) * scale``."""

    levels: str
    """what is scaled: the input, or that with its mirror image"""
    scale: float
    zero_point: int
    views: onnx.GraphProto
    """what makes ``levels`` of the input; nothing where they are the same"""


def without_scaling(model: onnx.ModelProto) -> tuple[onnx.ModelProto, Front]:
    """The graph behind the scaling of its grey levels, and what stands before it.

    Raises ValueError when no grey level is scaled to zero.
    """
    constants = _constants(model.graph)
    cast = next(node for node in model.graph.node if node.op_type == "Cast")
    levels, name, scale, shift = cast.input[0], cast.output[0], 1.0, 0.0
    while (node := _users(model.graph, name)[0]).op_type in ("Mul", "Add"):
        change = float(constants[node.input[1]])
        scale, shift = (scale * change, shift * change) if node.op_type == "Mul" else (scale, shift + change)
        name = node.output[0]
    zero_point = round(-shift / scale)
    if not 0 <= zero_point <= 255 or abs(zero_point * scale + shift) > 1e-6:
        raise ValueError("no grey level is scaled to zero")
    parts = Extractor(shape_inference.infer_shapes(model))
    views = onnx.GraphProto() if levels == INPUT else parts.extract_model([INPUT], [levels]).graph
    return parts.extract_model([name], [OUTPUT]), Front(levels, scale, zero_point, views)


def take_levels(model: onnx.ModelProto, front: Front) -> None:
    """In place: a quantised graph of scaled faces takes the grey levels instead: those faces, quantised exactly.

    Between its input and the first QuantizeLinear it may only crop and reshape, which levels bear as well.
    """
    graph = model.graph
    (first,) = _users(graph, graph.input[0].name)
    first.input[0] = name = front.levels
    while (quantised := _users(graph, name)[0]).op_type != "QuantizeLinear":
        name = quantised.output[0]
    exact = {quantised.input[1]: np.float32(front.scale), quantised.input[2]: np.uint8(front.zero_point)}
    for constant in graph.initializer:
        if constant.name in exact:
            constant.CopyFrom(numpy_helper.from_array(np.asarray(exact[constant.name]), constant.name))
    for user in _users(graph, quantised.output[0]):
        user.input[0] = name
    graph.node.remove(quantised)
    rest = list(graph.node)
    del graph.node[:]
    graph.node.extend([*front.views.node, *rest])
    graph.initializer.extend(front.views.initializer)
    graph.input[0].name, graph.input[0].type.tensor_type.elem_type = INPUT, onnx.TensorProto.UINT8
    del graph.value_info[:]  # what was known of floats
