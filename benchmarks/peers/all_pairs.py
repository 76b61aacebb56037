"""All pairs of 8-bit operands through a trained network, in PyTorch and in onnxruntime.

Both are given the words and the expected digits ready made, and say how many words are right.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

import seqarith as sa

BITS = 8


def words(model: sa.Model) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return input vectors (T, N, D) and expected digits (T, N) of all pairs."""
    task, steps = model.task, BITS + 1
    first, second = (side.ravel() for side in np.meshgrid(*[np.arange(2**BITS)] * 2))
    digits = [[n >> t & 1 for t in range(steps)] for n in (first, second)]
    letters = np.array(digits[0]) + 2 * np.array(digits[1])
    expected = np.array([(first + second) >> t & 1 for t in range(steps)], bool)
    return task.vectors.astype(np.float32)[letters], expected


class PyTorch:
    """PyTorch's own layer, some words at a time, in inference mode."""

    def __init__(self, model: sa.Model, batch: int) -> None:
        arrays = model.network.export(model.parameters)
        self._rnn = torch.nn.RNN(model.network.inputs, model.network.hidden)
        self._readout = torch.nn.Linear(model.network.hidden, 1)
        for name, module in (("rnn", self._rnn), ("readout", self._readout)):
            module.load_state_dict(
                {
                    key.partition(".")[2]: torch.from_numpy(array)
                    for key, array in arrays.items()
                    if key.startswith(name)
                }
            )
        inputs, expected = words(model)
        self._batches = [
            (
                torch.from_numpy(inputs[:, i : i + batch].copy()),
                torch.from_numpy(expected[:, i : i + batch].copy()),
            )
            for i in range(0, inputs.shape[1], batch)
        ]

    @torch.inference_mode()
    def correct(self) -> int:
        right = 0
        for inputs, expected in self._batches:
            logits = self._readout(self._rnn(inputs)[0])[..., 0]
            right += int(((logits > 0) == expected).all(0).sum())
        return right


class OnnxRuntime:
    """The operator RNN, a product and a sum."""

    def __init__(self, model: sa.Model, batch: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            graph(model), options, providers=["CPUExecutionProvider"]
        )
        inputs, expected = words(model)
        self._batches = [
            (inputs[:, i : i + batch].copy(), expected[:, i : i + batch].copy())
            for i in range(0, inputs.shape[1], batch)
        ]

    def correct(self) -> int:
        right = 0
        for inputs, expected in self._batches:
            logits = self._session.run(None, {"x": inputs})[0][:, 0, :, 0]
            right += int(((logits > 0) == expected).all(0).sum())
        return right


def graph(model: sa.Model) -> bytes:
    """Return a model file for onnxruntime: x (T, N, D) to logits (T, 1, N, 1)."""
    arrays = model.network.export(model.parameters)
    biases = np.concatenate([arrays["rnn.bias_ih_l0"], arrays["rnn.bias_hh_l0"]])
    constants = {
        "w": arrays["rnn.weight_ih_l0"][None],
        "r": arrays["rnn.weight_hh_l0"][None],
        "b": biases[None],
        "out": arrays["readout.weight"].T,
        "shift": arrays["readout.bias"],
    }
    number = partial(helper.make_tensor_value_info, elem_type=TensorProto.FLOAT)
    width = model.network.hidden
    nodes = [
        helper.make_node("RNN", ["x", "w", "r", "b"], ["h"], hidden_size=width),
        helper.make_node("MatMul", ["h", "out"], ["product"]),
        helper.make_node("Add", ["product", "shift"], ["logits"]),
    ]
    whole = helper.make_graph(
        nodes,
        "adder",
        [number("x", shape=["T", "N", model.network.inputs])],
        [number("logits", shape=["T", 1, "N", 1])],
        [numpy_helper.from_array(np.ascontiguousarray(a), name) for name, a in constants.items()],
    )
    file = helper.make_model(whole, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(file.SerializeToString())
