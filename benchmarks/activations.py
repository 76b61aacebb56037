"""By how much tanh and the sigmoid of other runtimes err, in multiples of the format's epsilon.

Needed beside this package: numpy, onnx, onnxruntime and torch, in the versions of
``requirements.txt``.

Run: ``python benchmarks/activations.py [--quick] [--width UNITS] [--json FILE]``

An error is absolute, divided by ``np.finfo(dtype).eps``: 2^-23 or 2^-52. In float32 every number
of magnitude up to 20 (tanh) or 120 (sigmoid) is tried, of both signs, zeros and subnormal numbers
among them; of the larger ones two million, which also tell whether the function is constant there.
The reference is computed in float64. In float64 10^8 random numbers are tried, so the worst error
is at least what is found; the reference is computed in ``np.longdouble`` of 64 bits or more.

The functions are measured alone, and within recurrent layers, whose weights are chosen so that no
rounding error but the activation's is seen; see `PLACES`. Layers are 16 units wide, or as wide as
``--width`` says: remainders of vectors may be computed by other code.

The whole takes 20 minutes on one core, with ``--quick`` a few seconds. These variables take AVX2
where a processor has AVX-512: ``NPY_DISABLE_CPU_FEATURES="X86_V4 AVX512_ICL AVX512_SPR"
ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 MKL_ENABLE_INSTRUCTIONS=AVX2``.
"""

from __future__ import annotations

import sidebyside  # isort: skip  # before NumPy: it takes one core

import argparse
import json
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.lib.introspect import opt_func_info
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnxruntime.capi import onnxruntime_pybind11_state as refusals

Array = NDArray[Any]
Function = Callable[[Array], Array]

CHUNK = 2**18
LIMIT = {"tanh": 20.0, "sigmoid": 120.0}
"""Magnitudes beyond which float32 is sampled: both functions round to their limits there."""

SPARSE = 1024
"""One float32 of so many is tried where not all are."""

HUGE = 2.0**126
"""Larger arguments are cut off where a place must double them, which gives the same result."""

ORDERS = {
    "PyTorch": {"RNN": "h", "GRU": "rzn", "LSTM": "ifgo"},
    "onnxruntime": {"RNN": "h", "GRU": "zrn", "LSTM": "iofg"},
}
"""The gates of a cell in the order of the rows of its weights."""


@dataclass(frozen=True)
class Place:
    """An activation within a layer, and how the layer is arranged to show it.

    Attributes:
        cell: ``"RNN"``, ``"GRU"`` or ``"LSTM"``.
        name: What the activation makes.
        function: ``"tanh"`` or ``"sigmoid"``.
        gate: The one that sees the argument, by a weight of 1. All other weights are 0. Empty: the
            state begins with twice the argument.
        start: The state before the step: h of a GRU, c of an LSTM.
        scale: By what the state after the step is multiplied to give the activation's value.
        options: Attributes of the operator in ONNX, where it is seen there alone.
    """

    cell: str
    name: str
    function: str
    gate: str
    start: float = 0.0
    scale: int = 1
    options: dict[str, Any] = field(default_factory=dict)


PLACES = (
    # h' = tanh(x)
    Place("RNN", "state", "tanh", "h"),
    # h' = (1 - z) n + z h with z = 1/2: n / 2, or z where n = 0 and h = 1
    Place("GRU", "candidate", "tanh", "n", scale=2),
    Place("GRU", "update gate", "sigmoid", "z", start=1.0),
    # c' = f c + i g, h' = o tanh(c') with i = f = o = 1/2: c' = g / 2, or f where g = 0 and c = 1;
    # h' = tanh(x) / 2 where c = 2 x and g = 0
    Place("LSTM", "candidate", "tanh", "g", scale=2),
    Place("LSTM", "tanh of the cell", "tanh", "", scale=2),
    Place("LSTM", "forget gate", "sigmoid", "f", start=1.0),
)
ONNX_PLACES = (
    *PLACES,
    Place("RNN", "state", "sigmoid", "h", options={"activations": ["Sigmoid"]}),
    # n = r (W h + 1) = r, where the activation of n is the identity
    Place(
        "GRU",
        "reset gate",
        "sigmoid",
        "r",
        scale=2,
        options={
            "activations": ["Sigmoid", "Affine"],
            "activation_alpha": [1.0],
            "activation_beta": [0.0],
            "linear_before_reset": 1,
        },
    ),
)


def kernel(place: Place, runtime: str, dtype: type, width: int) -> Array:
    """Return the weights of the inputs: the identity for one gate, 0 for the others."""
    order = ORDERS[runtime][place.cell]
    weights: Array = np.zeros((len(order), width, width), dtype)
    if place.gate:
        weights[order.index(place.gate)] = np.eye(width)
    return weights.reshape(-1, width)


def states(place: Place, x: Array) -> Array:
    """Return the state before the step."""
    if place.gate:
        return np.full_like(x, place.start)
    return np.clip(x, -HUGE, HUGE) * 2


class TorchLayer:
    """An activation within a layer of PyTorch; oneDNN computes float32 LSTMs unless told not to."""

    def __init__(self, place: Place, dtype: type, width: int, onednn: bool = True) -> None:
        self._place, self._width, self._onednn = place, width, onednn
        layer = getattr(torch.nn, place.cell)(width, width, bias=False)
        self._layer = layer.to(torch.from_numpy(np.zeros(0, dtype)).dtype)
        with torch.no_grad():
            weights = kernel(place, "PyTorch", dtype, width)
            self._layer.weight_ih_l0.copy_(torch.from_numpy(weights))
            self._layer.weight_hh_l0.zero_()

    @torch.inference_mode()
    def __call__(self, x: Array) -> Array:
        rows, before = (
            torch.from_numpy(a).view(1, -1, self._width) for a in (x, states(self._place, x))
        )
        lstm = self._place.cell == "LSTM"
        with torch.backends.mkldnn.flags(enabled=self._onednn):
            state = (torch.zeros_like(before), before) if lstm else before
            output, last = self._layer(rows, state)
        shown = last[1] if lstm and self._place.gate else output
        result: Array = shown.numpy().reshape(-1)
        return result * self._place.scale


class OnnxOperator:
    """A function of onnxruntime alone."""

    def __init__(self, operator: str, dtype: type) -> None:
        node = helper.make_node(operator, ["x"], ["y"])
        self._session = session([node], {"x": 1}, {"y": 1}, {}, dtype)

    def __call__(self, x: Array) -> Array:
        result: Array = self._session.run(None, {"x": x})[0]
        return result


class OnnxLayer:
    """An activation within a recurrent operator of onnxruntime."""

    def __init__(self, place: Place, dtype: type, width: int) -> None:
        self._place, self._width = place, width
        weights = kernel(place, "onnxruntime", dtype, width)
        biases: Array = np.zeros((1, 2 * len(weights)), dtype)
        biases[:, -width:] = place.options.get("linear_before_reset", 0)
        constants = {"w": weights[None], "r": np.zeros_like(weights)[None], "b": biases}
        lstm = place.cell == "LSTM"
        node = helper.make_node(
            place.cell,
            ["x", "w", "r", "b", "", *(["", "before"] if lstm else ["before"])],
            ["", "", "y"] if lstm and place.gate else ["", "y"],
            hidden_size=width,
            **place.options,
        )
        self._session = session([node], {"x": 3, "before": 3}, {"y": 3}, constants, dtype)

    def __call__(self, x: Array) -> Array:
        rows, before = (a.reshape(1, -1, self._width) for a in (x, states(self._place, x)))
        result: Array = self._session.run(None, {"x": rows, "before": before})[0]
        return result.reshape(-1) * self._place.scale


def session(
    nodes: list[Any],
    inputs: dict[str, int],
    outputs: dict[str, int],
    constants: dict[str, Array],
    dtype: type,
) -> Any:
    """Return a session for a graph, whose inputs and outputs are given with their axes."""
    element = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    typed = [
        [helper.make_tensor_value_info(name, element, [None] * axes) for name, axes in each.items()]
        for each in (inputs, outputs)
    ]
    held = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = helper.make_graph(nodes, "activation", *typed, held)
    file = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what is refused is in the table
    return onnxruntime.InferenceSession(
        file.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def of_torch(function: Callable[[torch.Tensor], torch.Tensor], stride: int) -> Function:
    """Return a function of PyTorch on arrays; a stride takes the code for single numbers."""

    def run(x: Array) -> Array:
        argument = torch.from_numpy(np.repeat(x, stride) if stride > 1 else x)[::stride]
        result: Array = function(argument).numpy()
        return result

    return run


def half_tanh(x: Array) -> Array:
    return 0.5 * np.tanh(0.5 * x) + 0.5


def by_exp(x: Array) -> Array:
    result: Array = 1 / (1 + np.exp(-x))
    return result


def sigmoid(x: Array) -> Array:
    """Return the sigmoid with an error of few roundings, relative to its value."""
    small = np.exp(-np.abs(x))
    result: Array = np.where(x < 0, small, 1) / (1 + small)
    return result


EXACT: dict[str, Function] = {"tanh": np.tanh, "sigmoid": sigmoid}


@dataclass
class Record:
    """What is known of one contender."""

    runtime: str
    name: str
    function: str
    dtype: type
    run: Function
    error: float = -1.0
    argument: float = 0.0
    returned: float = 0.0
    least: float = np.inf
    greatest: float = -np.inf
    beyond: set[tuple[bool, float]] = field(default_factory=set)
    subnormal: str = ""
    refused: str = ""

    def see(self, x: Array, exact: Array, beyond: bool) -> None:
        """Compare with exact values; ``beyond`` says that all of ``x`` are beyond the limit."""
        y = self.run(x)
        errors = np.abs(np.subtract(y, exact, dtype=exact.dtype))
        worst = int(errors.argmax())  # of a NaN, where there is one
        error = float(errors[worst] / np.finfo(self.dtype).eps)
        if not error <= self.error:
            self.error, self.argument, self.returned = error, float(x[worst]), float(y[worst])
        least, greatest = float(y.min()), float(y.max())
        self.least, self.greatest = min(self.least, least), max(self.greatest, greatest)
        if beyond:
            self.beyond |= {(bool(x[0] < 0), least), (bool(x[0] < 0), greatest)}

    def describe(self) -> dict[str, Any]:
        """Return what is known as JSON keeps it."""
        kept = {"runtime", "name", "function", "refused"}
        said = {name: value for name, value in vars(self).items() if name in kept}
        said["dtype"] = np.dtype(self.dtype).name
        if not self.refused:
            said |= {"error": self.error, "argument": self.argument, "returned": self.returned}
            said |= {"least": self.least, "greatest": self.greatest, "subnormal": self.subnormal}
            said["constant beyond"] = len(self.beyond) == 2 if self.beyond else None
        return said


def contenders(function: str, dtype: type, width: int) -> Iterator[Record]:
    """Yield the contenders; those that refuse the format have no function to run."""
    make = partial(Record, function=function, dtype=dtype)
    if function == "tanh":
        yield make("NumPy", "np.tanh", run=np.tanh)
    else:
        yield make("NumPy", "tanh(x / 2) / 2 + 1/2", run=half_tanh)
        yield make("NumPy", "1 / (1 + exp(-x))", run=by_exp)
    alone = getattr(torch, function)
    yield make("PyTorch", f"torch.{function}", run=of_torch(alone, 1))
    yield make("PyTorch", f"torch.{function}, strided", run=of_torch(alone, 2))
    for place in PLACES:
        if place.function == function:
            name = f"nn.{place.cell}, {place.name}"
            if place.cell == "LSTM" and dtype == np.float32:
                yield make("PyTorch", name + ", oneDNN", run=TorchLayer(place, dtype, width))
                name += ", without"
            layer = TorchLayer(place, dtype, width, onednn=place.cell != "LSTM")
            yield make("PyTorch", name, run=layer)
    yield asked(make, function.title(), partial(OnnxOperator, function.title(), dtype), dtype)
    for place in ONNX_PLACES:
        if place.function == function:
            name = f"{place.cell}, {place.name}"
            yield asked(make, name, partial(OnnxLayer, place, dtype, width), dtype)


def asked(
    make: Callable[..., Record], name: str, build: Callable[[], Function], dtype: type
) -> Record:
    """Return a contender of onnxruntime, with what it says where it refuses the format."""
    try:
        run = build()
        run(np.zeros(64, dtype))
    except (refusals.NotImplemented, refusals.RuntimeException, refusals.Fail) as error:
        return make("onnxruntime", name, run=np.copy, refused=str(error).splitlines()[0])
    return make("onnxruntime", name, run=run)


def arguments(function: str, dtype: type, quick: bool) -> Iterator[tuple[Array, bool]]:
    """Yield the arguments in chunks, and whether all are beyond the limit."""
    rng = np.random.default_rng(0)
    if dtype == np.float64:
        count = 10**6 if quick else 10**8
        for first in range(0, count, CHUNK):
            yield drawn(min(CHUNK, count - first), LIMIT[function], rng), False
        return
    limit = int(np.float32(LIMIT[function]).view(np.uint32))
    infinity = int(np.float32(np.inf).view(np.uint32))
    for start, stop, step in ((0, limit, SPARSE if quick else 1), (limit, infinity, SPARSE)):
        count = (stop - start) // step
        for first in range(0, count, CHUNK):
            patterns = np.arange(first, min(first + CHUNK, count), dtype=np.uint32) * step + start
            patterns += rng.integers(step, size=len(patterns), dtype=np.uint32)
            yield patterns.view(np.float32), start == limit
            yield (patterns | 0x80000000).view(np.float32), start == limit


def drawn(count: int, span: float, rng: np.random.Generator) -> Array:
    """Return random float64: even up to 20 and to the span, with even exponents near 1 and any."""
    parts = [
        rng.uniform(0, 20, count // 4),
        rng.uniform(0, span, count // 4),
        2 ** rng.uniform(-12, 7, count // 4),
        2 ** rng.uniform(-1074, 1023, count - 3 * (count // 4)),
    ]
    x = np.concatenate(parts)
    return np.copysign(x, rng.uniform(-1, 1, count))


def subnormal(record: Record) -> str:
    """Return what becomes of subnormal arguments (tanh) or subnormal results (sigmoid)."""
    if record.function == "sigmoid":
        lowest, highest = (-103, -88) if record.dtype == np.float32 else (-744, -709)
        y = record.run(np.linspace(lowest, highest, CHUNK, dtype=record.dtype))
        tiny = np.finfo(record.dtype).tiny
        some = bool(((y > 0) & (y < tiny)).any())
        return "subnormal" if some else f"{y.min():.3g}" if y.min() == y.max() else "0 or normal"
    bits, smallest = np.finfo(record.dtype).nmant, np.finfo(record.dtype).smallest_subnormal
    # Even multiples of the smallest one, since some places halve the result and then double it.
    units = 2 * np.random.default_rng(0).integers(1, 2 ** (bits - 1), CHUNK)
    x: Array = units.astype(np.uint32 if record.dtype == np.float32 else np.uint64).view(
        record.dtype
    )
    y = record.run(x)
    if np.array_equal(y, x):
        return "kept"
    return "flushed to 0" if not y.any() else f"off by {float(np.abs(y - x).max() / smallest):.0f}"


def measure(function: str, dtype: type, width: int, quick: bool) -> list[Record]:
    """Return what is found of one function in one format."""
    records = list(contenders(function, dtype, width))
    running = [record for record in records if not record.refused]
    wide = np.float64 if dtype == np.float32 else np.longdouble
    zeros: Array = np.zeros(CHUNK, dtype)
    for record in running:
        # Other gates are 1/2, other candidates 0: a place shows its activation only where they are.
        assert np.array_equal(record.run(zeros), EXACT[function](zeros)), record.name
        record.subnormal = subnormal(record)
    for x, beyond in arguments(function, dtype, quick):
        exact = EXACT[function](x.astype(wide))
        for record in running:
            record.see(x, exact, beyond)
    return records


def row(record: Record) -> str:
    """Return a line of the table."""
    said = record.describe()
    cells = [record.runtime, record.name]
    if record.refused:
        return "| " + " | ".join([*cells, "not supported: " + record.refused]) + " |"
    argument = f"{record.argument:.9g} ({record.argument.hex()})"
    cells += [f"{record.error:.4f}", argument, f"{record.returned:.17g}"]
    cells += [f"{record.least:.9g}", f"{record.greatest:.17g}"]
    cells += [{True: "yes", False: "no", None: ""}[said["constant beyond"]], record.subnormal]
    return "| " + " | ".join(cells) + " |"


def instructions() -> dict[str, Any]:
    """Return which instructions the libraries say that they use."""
    known = opt_func_info("^(tanh|exp)$", "float32|float64")
    used = {name: {k: v["current"] for k, v in each.items()} for name, each in known.items()}
    return {"NumPy": used, "PyTorch": torch.backends.cpu.get_cpu_capability()}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a thousandth of the float32")
    parser.add_argument("--width", type=int, default=16, help="units of a layer: 1, 2, 4, ..., 64")
    parser.add_argument("--json", type=Path, help="write what is found to this file")
    args = parser.parse_args()
    if np.finfo(np.longdouble).nmant < 63:
        parser.error("np.longdouble has less than 64 bits of precision on this platform")
    torch.set_num_threads(1)
    found: dict[str, Any] = {"measured on": sidebyside.machine(), "instructions": instructions()}
    found |= {"quick": args.quick, "width": args.width, "rows": []}
    print(json.dumps({name: found[name] for name in ("measured on", "instructions")}))
    columns = "runtime | where | epsilons | argument | returned | least | greatest | constant"
    for dtype in (np.float32, np.float64):
        for function in ("tanh", "sigmoid"):
            print(f"\n{function}, {np.dtype(dtype).name}\n\n| {columns} | subnormal |")
            print("|" + "---|" * 9)
            records = measure(function, dtype, args.width, args.quick)
            print("\n".join(map(row, records)), flush=True)
            found["rows"] += [record.describe() for record in records]
            if args.json:
                args.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    np.seterr(over="ignore", under="ignore")  # exp of what is beyond the limit
    warnings.filterwarnings("ignore", message="TF32")  # a word of PyTorch about GPUs
    main()
