"""Convert MediaPipe's `face_landmarker.task` to the weights that ship with the package.

    pip install tflite
    python tools/convert_face_landmarker.py face_landmarker.task emoclip_sdk/assets/face-landmarker

The file is a zip of three networks; the detector in it is left out. Each graph is read operator by
operator and must be the chain that the torch modules in `emoclip_sdk/nn` write down: an operator,
an option, a shape or a connection that differs is refused. The folder gets `model.safetensors`
(float16, as in the file; the canonical face in float32) with tensors named as in the modules.
`tools/compare_face_landmarker.py` says how far the result is from MediaPipe's runtime.
"""

from __future__ import annotations

import argparse
import hashlib
import struct
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn

from emoclip_sdk.nn.blendshapes import BlendshapeNetwork
from emoclip_sdk.nn.face_landmarks import LandmarkNetwork

__all__ = ["main"]

_ATTRIBUTES = ("StrideH", "StrideW", "Padding", "FusedActivationFunction", "DilationHFactor")
_OPTIONS = {
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "MAX_POOL_2D": "Pool2DOptions",
    "ADD": "AddOptions",
    "CONCATENATION": "ConcatenationOptions",
}
_SAME, _VALID = 0, 1  # Padding
_NONE, _RELU = 0, 1  # FusedActivationFunction


@dataclass
class Operator:
    """One operator of a graph, without those that only widen float16 weights."""

    kind: str
    inputs: list[int]  # of what flows: the operator that it comes from, -1 for the graph's input
    constants: list[NDArray[Any]]
    options: dict[str, int] = field(default_factory=dict)


def main() -> int:
    """Convert the file that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("task", type=Path, help="face_landmarker.task")
    parser.add_argument("out", type=Path, help="folder")
    args = parser.parse_args()
    try:
        tensors = convert(args.task)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        print(f"{args.task}: {error}", file=sys.stderr)
        return 1
    args.out.mkdir(parents=True, exist_ok=True)
    path = args.out / "model.safetensors"
    digest = hashlib.sha256(args.task.read_bytes()).hexdigest()
    save_file(tensors, path, metadata={"source": args.task.name, "source_sha256": digest})
    print(f"{path}: {len(tensors)} tensors, {path.stat().st_size / 1e6:.2f} MB")
    return 0


def convert(task: Path) -> dict[str, Tensor]:
    """Return the tensors of both networks and of the canonical face.

    Raises
    ------
    ValueError
        A graph is not the one that the torch modules are written for.
    """
    with zipfile.ZipFile(task) as archive:
        landmarks = read_graph(archive.read("face_landmarks_detector.tflite"))
        blendshapes = read_graph(archive.read("face_blendshapes.tflite"))
        geometry = archive.read("geometry_pipeline_metadata_landmarks.binarypb")
    tensors: dict[str, Tensor] = {}
    for name, network, values in (
        ("landmarks", LandmarkNetwork(), landmark_weights(*landmarks)),
        ("blendshapes", BlendshapeNetwork(), blendshape_weights(*blendshapes)),
    ):
        for key, value in fitted(network, values).items():
            tensors[f"{name}.{key}"] = value.half()
    vertices, weights = canonical_face(geometry)
    tensors["canonical_face.vertices"] = torch.from_numpy(vertices)
    tensors["canonical_face.weights"] = torch.from_numpy(weights)
    return tensors


def fitted(network: nn.Module, values: Iterator[NDArray[Any]]) -> dict[str, Tensor]:
    """Name a network's weights, which come in the order in which it uses them."""
    arrays = list(values)
    names = network.state_dict()
    if len(names) != len(arrays):
        raise ValueError(f"{len(arrays)} arrays for the {len(names)} of the torch module")
    state = {}
    for (name, tensor), array in zip(names.items(), arrays, strict=True):
        if array.shape != tuple(tensor.shape):
            raise ValueError(f"{name}: {array.shape} in the file, {tuple(tensor.shape)} in torch")
        if not np.array_equal(array.astype(np.float16).astype(np.float32), array):
            raise ValueError(f"{name}: float16 does not hold it")
        state[name] = torch.from_numpy(np.ascontiguousarray(array))
    network.load_state_dict(state)
    return state


# The two graphs


def landmark_weights(
    operators: list[Operator], outputs: list[int]
) -> Iterator[NDArray[np.float32]]:
    """Walk down the landmark network and yield its weights in the order of the torch module."""
    walk = _Walk(operators)
    at = walk.convolution(-1, stride=2, padding=_SAME)
    yield from walk.weights(at)
    at = walk.prelu(at)
    yield from walk.weights(at)
    network = LandmarkNetwork()
    for stage in (*network.wide_stages, *network.deep_stages):
        for block in stage:
            skip = at
            at = walk.convolution(skip, stride=block.stride, padding=_VALID)
            yield from walk.weights(at)
            if block.stride > 1:
                skip = walk.next("MAX_POOL_2D", [skip], StrideH=2, StrideW=2, Padding=_VALID)
            if block.new_channels:
                skip = walk.next("PAD", [skip])
                borders = operators[skip].constants[0].tolist()
                if borders != [[0, 0], [0, 0], [0, 0], [0, block.new_channels]]:
                    raise ValueError(f"operator {skip} pads by {borders}")
            at = walk.prelu(at)
            yield from walk.weights(at)
            at = walk.depthwise(at)
            yield from walk.weights(at)
            at = walk.convolution(at, stride=1, padding=_VALID)
            yield from walk.weights(at)
            at = walk.prelu(walk.next("ADD", sorted([skip, at]), FusedActivationFunction=_NONE))
            yield from walk.weights(at)
    # Three heads; MediaPipe does not use the first, and calls neither it nor its score by a name.
    walk.convolution(at, stride=None, padding=_VALID)
    presence = walk.convolution(at, stride=None, padding=_VALID)
    points = walk.convolution(at, stride=None, padding=_VALID)
    walk.next("LOGISTIC", [points - 2])
    walk.next("RESHAPE", [points + 1])
    walk.end()
    if outputs[:2] != [points, presence]:
        raise ValueError(f"the outputs are operators {outputs}")
    yield from walk.weights(presence)
    yield from walk.weights(points)


_NORM = ("MEAN", "NEG", "SQUARED_DIFFERENCE", "MEAN", "ADD", "RSQRT", "MUL", "MUL", "MUL", "ADD")
_BLENDSHAPE_KINDS = (
    # Centered, scaled, halved
    *("MEAN", "SUB", "MUL", "SUM", "SQRT", "MEAN", "DIV", "RESHAPE", "STRIDED_SLICE", "MUL"),
    *("TRANSPOSE", "CONV_2D", "TRANSPOSE", "CONV_2D", "CONCATENATION"),
    *(
        *(*_NORM, "TRANSPOSE", "CONV_2D", "CONV_2D", "TRANSPOSE", "ADD"),
        *(*_NORM, "CONV_2D", "CONV_2D", "ADD"),
    )
    * 4,
    *("STRIDED_SLICE", "STRIDED_SLICE", "CONV_2D", "LOGISTIC", "RESHAPE", "STRIDED_SLICE"),
)


def blendshape_weights(
    operators: list[Operator], outputs: list[int]
) -> Iterator[NDArray[np.float32]]:
    """Check the blendshape network and yield its weights in the order of the torch module."""
    kinds = tuple(operator.kind for operator in operators)
    if kinds != _BLENDSHAPE_KINDS or outputs != [len(kinds) - 1]:
        raise ValueError("the blendshape network is not the MLP mixer that is known")
    if operators[9].constants[0] != 0.5:
        raise ValueError("the blendshape network scales its points by another factor")
    convolutions = [operator for operator in operators if operator.kind == "CONV_2D"]
    acts = [operator.options["FusedActivationFunction"] for operator in convolutions]
    if acts != [_NONE, _NONE, *[_RELU, _NONE] * 8, _NONE]:
        raise ValueError(f"activations {acts} in the blendshape network")
    # Scale and epsilon of the layer norms
    norms = [i for i, kind in enumerate(kinds) if kind == "RSQRT"]
    for i in norms:
        if not np.isclose(operators[i - 1].constants[0], 1e-6, rtol=1e-2):
            raise ValueError(f"a layer norm has the epsilon {operators[i - 1].constants[0]}")
    (token,) = operators[kinds.index("CONCATENATION")].constants
    yield token.reshape(-1)
    yield from _linear(convolutions[0])
    yield from _linear(convolutions[1])
    for i, norm in enumerate(norms):
        yield operators[norm + 1].constants[0]
        yield from _linear(convolutions[2 * i + 2])
        yield from _linear(convolutions[2 * i + 3])
    yield from _linear(convolutions[-1])


def _linear(operator: Operator) -> Iterator[NDArray[np.float32]]:
    weight, bias = operator.constants
    yield weight.reshape(weight.shape[0], weight.shape[-1])
    yield bias


class _Walk:
    """Takes the operators one by one, and says what is not as it should be."""

    def __init__(self, operators: list[Operator]) -> None:
        self.operators = operators
        self.at = -1

    def next(self, kind: str, inputs: list[int], **options: int) -> int:
        self.at += 1
        if self.at >= len(self.operators):
            raise ValueError(f"the graph ends where {kind} should come")
        operator = self.operators[self.at]
        if (operator.kind, sorted(operator.inputs)) != (kind, inputs):
            raise ValueError(
                f"operator {self.at} is {operator.kind} of {operator.inputs}, "
                f"where {kind} of {inputs} should be"
            )
        wrong = {
            key: operator.options[key] for key in options if operator.options[key] != options[key]
        }
        if wrong:
            raise ValueError(f"operator {self.at}, {kind}: {wrong}, where {options} should be")
        return self.at

    def convolution(self, source: int, *, stride: int | None, padding: int) -> int:
        """Read a convolution; with one window for the whole picture, the stride does not matter."""
        strides = {} if stride is None else {"StrideH": stride, "StrideW": stride}
        fixed = {"FusedActivationFunction": _NONE, "DilationHFactor": 1}
        return self.next("CONV_2D", [source], Padding=padding, **strides, **fixed)

    def depthwise(self, source: int) -> int:
        fixed = {"StrideH": 1, "StrideW": 1, "FusedActivationFunction": _NONE, "DilationHFactor": 1}
        return self.next("DEPTHWISE_CONV_2D", [source], Padding=_SAME, **fixed)

    def prelu(self, source: int) -> int:
        return self.next("PRELU", [source])

    def end(self) -> None:
        if self.at != len(self.operators) - 1:
            raise ValueError(f"the graph goes on after operator {self.at}")

    def weights(self, at: int) -> Iterator[NDArray[np.float32]]:
        """Yield an operator's weights in the shapes of the torch module."""
        operator = self.operators[at]
        if operator.kind == "PRELU":
            yield operator.constants[0].reshape(-1)
            return
        weight, bias = operator.constants
        if operator.kind == "DEPTHWISE_CONV_2D":
            yield weight.transpose(3, 0, 1, 2)
            if bias.any():
                raise ValueError(f"operator {at} has a bias, the torch module has none")
            return
        # The stem is a convolution; the others look at windows without overlap: linear layers.
        yield weight.transpose(0, 3, 1, 2) if at == 0 else weight.reshape(len(weight), -1)
        yield bias


# The file formats


def read_graph(content: bytes) -> tuple[list[Operator], list[int]]:
    """Return the operators of a TFLite file, and those that its outputs come from."""
    try:
        import tflite
    except ImportError as error:
        raise SystemExit(
            f"This tool needs the package 'tflite': pip install tflite ({error})"
        ) from error
    kinds = {v: k for k, v in vars(tflite.BuiltinOperator).items() if isinstance(v, int)}
    types = {tflite.TensorType.FLOAT32: "<f4", tflite.TensorType.FLOAT16: "<f2"}
    types[tflite.TensorType.INT32] = "<i4"
    model = tflite.Model.GetRootAsModel(content, 0)
    graph = model.Subgraphs(0)
    constants: dict[int, NDArray[Any]] = {}
    for i in range(graph.TensorsLength()):
        tensor = graph.Tensors(i)
        buffer = model.Buffers(tensor.Buffer())
        if buffer.DataLength():
            if tensor.Type() not in types:
                raise ValueError(f"tensor {i} is of TFLite's type {tensor.Type()}")
            array = np.frombuffer(buffer.DataAsNumpy().tobytes(), types[tensor.Type()])
            constants[i] = array.reshape(tensor.ShapeAsNumpy() if tensor.ShapeLength() else ())
    made_by = {int(i): -1 for i in graph.InputsAsNumpy()}
    operators: list[Operator] = []
    for k in range(graph.OperatorsLength()):
        operator = graph.Operators(k)
        code = model.OperatorCodes(operator.OpcodeIndex())
        kind = kinds[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
        inputs = [int(i) for i in operator.InputsAsNumpy()]
        (output,) = (int(i) for i in operator.OutputsAsNumpy())
        if kind == "DEQUANTIZE":
            constants[output] = constants[inputs[0]].astype(np.float32)
            continue
        options = {}
        if kind in _OPTIONS:
            table = getattr(tflite, _OPTIONS[kind])()
            table.Init(operator.BuiltinOptions().Bytes, operator.BuiltinOptions().Pos)
            options = {key: getattr(table, key)() for key in _ATTRIBUTES if hasattr(table, key)}
        made_by[output] = len(operators)
        operators.append(
            Operator(
                kind,
                [made_by[i] for i in inputs if i not in constants],
                [constants[i] for i in inputs if i in constants],
                options,
            )
        )
    return operators, [made_by[int(i)] for i in graph.OutputsAsNumpy()]


def canonical_face(content: bytes) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Read the canonical face of MediaPipe's face geometry.

    Parameters
    ----------
    content : bytes
        A protocol buffer `GeometryPipelineMetadata`: a mesh (1), whose vertices (3) are x, y, z and
        two texture coordinates, and pairs of landmark and weight (2).

    Returns
    -------
    vertices : ndarray, (468, 3), float32
        In centimeters: x to the subject's left, y upwards, z out of the face.
    weights : ndarray, (468,), float32
        Of each landmark when the pose is estimated; 0 for most.
    """
    fields = list(_fields(content))
    (mesh,) = (value for number, value in fields if number == _MESH)
    numbers = [value for number, value in _fields(mesh) if number == _VERTICES]
    vertices = np.array([struct.unpack("<f", value)[0] for value in numbers], np.float32)
    vertices = np.ascontiguousarray(vertices.reshape(-1, 5)[:, :3])
    weights = np.zeros(len(vertices), np.float32)
    for number, value in fields:
        if number == _BASIS:
            pair = dict(_fields(value))
            weights[pair.get(1, 0)] = struct.unpack("<f", pair[2])[0]
    return vertices, weights


_MESH, _VERTICES, _BASIS = 1, 3, 2


def _fields(content: bytes) -> Iterator[tuple[int, Any]]:
    """Yield number and value of each field of a protocol buffer."""
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = content[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(content):
        number, wire = divmod(varint(), 8)
        if wire == 0:
            yield number, varint()
            continue
        length = {1: 8, 5: 4}.get(wire) or varint()
        yield number, content[at : at + length]
        at += length


if __name__ == "__main__":
    sys.exit(main())
