"""The model file: a faithful copy, readable by NumPy alone, and anything else refused."""

from __future__ import annotations

import io
import json
import os
import pickle
import random
import struct
import zipfile
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import seqarith as sa
from seqarith import archive
from seqarith.errors import DigitsError, ModelFileError, TaskError
from seqarith.model import FORMAT, SHIPPED, VERSION


def npy(array: Any, **options: Any) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.asanyarray(array), **options)
    return stream.getvalue()


def entries_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as file:
        return {info.filename: file.read(info) for info in file.infolist()}


def write_zip(path: Path, entries: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, content in entries.items():
            file.writestr(name, content)


def refused(path: Path, message: str | None = None) -> None:
    with pytest.raises(ModelFileError, match=message) as caught:
        sa.Model.load(path)
    text = str(caught.value)
    assert str(path) in text
    assert "\n" not in text


@pytest.fixture(scope="session")
def small(make_random: Callable[..., sa.Model]) -> sa.Model:
    """A model whose file is small."""
    model = make_random(sa.registry.TASKS["add"](), 3, "float32", hidden=2)
    return sa.Model(model.task, model.network, model.parameters, {"bits": 2}, {})


@pytest.fixture(scope="session")
def content(small: sa.Model, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("model") / "m.npz"
    small.save(path)
    return path.read_bytes()


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that a test writes again and again."""
    return tmp_path_factory.mktemp("damaged") / "m.npz"


def refused_or_the_same(content: bytes, place: Path, small: sa.Model) -> bool:
    """Return whether a content is refused; else it must hold the very parameters."""
    place.write_bytes(content)
    try:
        found = sa.Model.load(place)
    except ModelFileError:
        return True
    assert found.parameters.flat.tobytes() == small.parameters.flat.tobytes()
    assert found.header() == small.header()
    return False


# ------------------------------------------------------------- what is written


@pytest.mark.parametrize(("base", "operands", "dtype"), [(2, 2, "float32"), (3, 3, "float64")])
def test_round_trip(
    make_random: Callable[..., sa.Model], tmp_path: Path, base: int, operands: int, dtype: str
) -> None:
    model = make_random(sa.registry.TASKS["sub"](base=base, operands=operands), 1, dtype)
    model = sa.Model(model.task, model.network, model.parameters, {"bits": 3}, {"exact": False})
    model.save(tmp_path / "a.npz")
    found = sa.Model.load(tmp_path / "a.npz")
    assert found.parameters.flat.tobytes() == model.parameters.flat.tobytes()
    assert found.network == model.network
    assert found.header() == model.header()
    assert (found.training, found.evaluation) == ({"bits": 3}, {"exact": False})
    found.save(tmp_path / "b.npz")
    assert (tmp_path / "b.npz").read_bytes() == (tmp_path / "a.npz").read_bytes()


def test_numpy_alone_reads_it(adder: sa.Model, adder_file: Path) -> None:
    with np.load(adder_file, allow_pickle=False) as file:
        arrays = dict(file)
    header = json.loads(arrays.pop("header").tobytes())
    assert (header["format"], header["version"]) == (FORMAT, 1)  # without a certificate
    assert header["task"] == {"name": "add", "base": 2, "operands": 2, "parameters": {}}
    assert {name: array.shape for name, array in arrays.items()} == {
        "rnn.weight_ih_l0": (3, 2),
        "rnn.weight_hh_l0": (3, 3),
        "rnn.bias_ih_l0": (3,),
        "rnn.bias_hh_l0": (3,),
        "readout.weight": (1, 3),
        "readout.bias": (1,),
    }
    # The network from these arrays, as a reader of the file would write it.
    a, b, total = 200, 100, 0
    hidden = np.zeros(3)
    for t in range(9):
        x = np.array([a >> t & 1, b >> t & 1])
        pre = arrays["rnn.weight_ih_l0"] @ x + arrays["rnn.weight_hh_l0"] @ hidden
        hidden = 1 / (1 + np.exp(-(pre + arrays["rnn.bias_ih_l0"] + arrays["rnn.bias_hh_l0"])))
        total += int(arrays["readout.weight"][0] @ hidden + arrays["readout.bias"][0] > 0) << t
    assert total == 300


def test_both_biases_of_a_foreign_file_count(adder: sa.Model, adder_file: Path) -> None:
    """PyTorch has two biases that act as their sum."""
    arrays = adder.network.export(adder.parameters)
    arrays["rnn.bias_hh_l0"] = arrays["rnn.bias_ih_l0"] / 2
    arrays["rnn.bias_ih_l0"] = arrays["rnn.bias_ih_l0"] / 2
    archive.write(adder_file, adder.header(), arrays)
    found = sa.Model.load(adder_file)
    kept = found.network.export(found.parameters)
    assert all((kept[name] == arrays[name]).all() for name in arrays)  # as they came
    assert found.predict(37, 58).predicted == 95
    packed = found.network.pack(found.parameters)
    assert (packed.flat == adder.network.pack(adder.parameters).flat).all()


# ------------------------------------------------------------- what is refused


def test_truncated_at_every_byte(content: bytes, place: Path, small: sa.Model) -> None:
    assert not refused_or_the_same(content, place, small)
    for length in range(len(content)):
        place.write_bytes(content[:length])
        refused(place)


def test_flipped_bits(content: bytes, place: Path, small: sa.Model) -> None:
    source = random.Random(20)
    refusals = 0
    for _ in range(300):
        damaged = bytearray(content)
        damaged[source.randrange(len(damaged))] ^= 1 << source.randrange(8)
        refusals += refused_or_the_same(bytes(damaged), place, small)
    # What a reader of zip files does not look at is small.
    assert refusals > 200


def test_random_blocks(content: bytes, place: Path, small: sa.Model) -> None:
    source = random.Random(21)
    for _ in range(300):
        damaged = bytearray(content)
        start, length = source.randrange(len(damaged)), source.randint(1, 200)
        block = source.choice([source.randbytes(length), bytes(length), b"\xff" * length])
        choice = source.randrange(3)
        if choice == 0:
            damaged[start : start + length] = block[: len(damaged) - start]
        elif choice == 1:
            damaged[start:start] = block
        else:
            del damaged[start : start + length]
        refused_or_the_same(bytes(damaged), place, small)


@settings(max_examples=300)
@given(data=st.data())
def test_damage_of_any_kind(
    content: bytes, place: Path, small: sa.Model, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(content)))
    stop = data.draw(st.integers(start, min(len(content), start + 60)))
    block = data.draw(st.binary(max_size=60))
    refused_or_the_same(content[:start] + block + content[stop:], place, small)


@given(block=st.binary(max_size=400))
def test_bytes_of_any_kind(place: Path, block: bytes) -> None:
    place.write_bytes(block)
    refused(place)


def test_no_file_at_all(tmp_path: Path) -> None:
    refused(tmp_path / "missing.npz", "no such file")
    refused(tmp_path / "missing" / "m.npz", "no such file")
    refused(tmp_path, "not a file")
    (tmp_path / "empty").touch()
    refused(tmp_path / "empty", "empty")
    refused(tmp_path / "empty" / "m.npz")
    refused(tmp_path / ("x" * 5000), "cannot be read")
    with pytest.raises(ModelFileError):
        sa.Model.load("a\x00b")


def test_a_fifo_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    refused(tmp_path / "fifo", "not a file")


def test_a_loop_of_links(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    refused(tmp_path / "loop", "cannot be read")


def test_a_sparse_giant_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "giant").open("wb") as file:
        file.truncate(2**31)
    refused(tmp_path / "giant", "at most")


def test_a_zip_bomb_is_not_unpacked(adder_file: Path) -> None:
    entries = entries_of(adder_file)
    write_zip(adder_file, entries, zipfile.ZIP_DEFLATED)
    refused(adder_file, "compressed")
    write_zip(adder_file, {**entries, "bomb.npy": bytes(2**24)}, zipfile.ZIP_DEFLATED)
    assert adder_file.stat().st_size < 2**17
    refused(adder_file, "compressed")


def test_entries_that_claim_more_than_there_is(adder_file: Path) -> None:
    content = bytearray(adder_file.read_bytes())
    at = content.rindex(b"PK\x01\x02")
    content[at + 20 : at + 28] = struct.pack("<II", 2**31, 2**31)
    adder_file.write_bytes(content)
    refused(adder_file)


def test_an_array_that_claims_more_than_there_is(adder_file: Path) -> None:
    entries = entries_of(adder_file)
    huge = entries["rnn.weight_hh_l0.npy"].replace(b"(3, 3)", b"(3, 3000000000)")
    write_zip(adder_file, {**entries, "rnn.weight_hh_l0.npy": huge})
    refused(adder_file)
    short = entries["rnn.weight_hh_l0.npy"][:-8]
    write_zip(adder_file, {**entries, "rnn.weight_hh_l0.npy": short})
    refused(adder_file, "64 bytes of data")
    write_zip(adder_file, {**entries, "rnn.weight_hh_l0.npy": b""})
    refused(adder_file, "damaged")


class Trap:
    """What runs when it is unpickled."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.place,)


def test_nothing_is_unpickled(adder_file: Path) -> None:
    sprung = adder_file.parent / "sprung"
    trap = pickle.dumps(Trap(sprung))
    pickle.loads(trap)
    assert sprung.exists()
    sprung.unlink()
    entries = entries_of(adder_file)
    objects = npy(np.array([Trap(sprung)], object), allow_pickle=True)
    for name in entries:
        for hidden in (objects, trap):
            write_zip(adder_file, {**entries, name: hidden})
            refused(adder_file)
    adder_file.write_bytes(trap)
    refused(adder_file)
    assert not sprung.exists()


def test_files_of_other_programs(adder_file: Path) -> None:
    np.savez(adder_file, weights=np.zeros(3))
    refused(adder_file, f"not a {FORMAT} file")
    np.savez(adder_file, header=np.zeros(3))
    refused(adder_file, "not a")
    np.savez_compressed(adder_file, weights=np.zeros(3))
    refused(adder_file, "compressed")
    write_zip(adder_file, {"a.txt": b"hello"})
    refused(adder_file, "an entry is called 'a.txt'")
    write_zip(adder_file, {})
    refused(adder_file, "not a file of seqarith")
    adder_file.write_text("GIF89a")
    refused(adder_file)
    sa.Trainer(sa.TrainingConfig(max_steps=1)).checkpoint().save(adder_file)
    refused(adder_file, "not a seqarith-model file")


def test_too_many_entries_or_one_twice(adder_file: Path) -> None:
    entries = entries_of(adder_file)
    write_zip(adder_file, {**entries, **{f"x{n}.npy": b"" for n in range(100)}})
    refused(adder_file, "entries")
    with (
        pytest.warns(UserWarning, match="Duplicate name"),
        zipfile.ZipFile(adder_file, "a") as file,
    ):
        file.writestr("header.npy", entries["header.npy"])
    refused(adder_file, "entries")


def changed(adder: sa.Model, name: str, value: Any) -> dict[str, Any]:
    arrays = dict(adder.network.export(adder.parameters))
    if value is None:
        del arrays[name]
    else:
        arrays[name] = value
    return arrays


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("readout.bias", None, "lacks array 'readout.bias'"),
        ("extra", np.zeros(1), "has array 'extra'"),
        ("readout.bias", np.zeros(2), "shape"),
        ("readout.bias", np.zeros((1, 1)), "shape"),
        ("readout.bias", np.zeros(()), "shape"),
        ("readout.bias", np.zeros(0), "shape"),
        ("readout.bias", np.zeros(1, np.float32), "float32"),
        ("readout.bias", np.zeros(1, np.int64), "int64"),
        ("readout.bias", np.zeros(1, complex), "complex"),
        ("readout.bias", np.zeros(1, ">f8"), "readout.bias"),
        ("readout.bias", np.array(["x"]), "readout.bias"),
        ("readout.bias", np.array([np.nan]), "not finite"),
        ("readout.bias", np.array([np.inf]), "not finite"),
        ("rnn.weight_hh_l0", np.asfortranarray(np.eye(3)), "rnn.weight_hh_l0"),
    ],
)
def test_arrays_that_do_not_belong(
    adder: sa.Model, adder_file: Path, name: str, value: Any, message: str
) -> None:
    archive.write(adder_file, adder.header(), changed(adder, name, value))
    refused(adder_file, message)


def test_a_newer_format(adder: sa.Model, adder_file: Path) -> None:
    header = {**adder.header(), "version": VERSION + 1}
    archive.write(adder_file, header, adder.network.export(adder.parameters))
    refused(adder_file, "newer than this seqarith.*upgrade")


FIELDS = [
    ("task",),
    ("task", "name"),
    ("task", "base"),
    ("task", "operands"),
    ("task", "parameters"),
    ("network",),
    ("network", "cell"),
    ("network", "activation"),
    ("network", "bias"),
    ("network", "hidden"),
    ("network", "outputs"),
    ("network", "dtype"),
    ("training",),
    ("evaluation",),
]
WRONG: list[Any] = [
    None, -1, 0.5, 3.0, 10**30, "", "add\x00", "tahn", [], [1], {"x": 1}, {"x": []}, 1, 0, 17, "2",
]  # fmt: skip


@pytest.mark.parametrize("field", FIELDS, ids="/".join)
def test_header_fields_of_wrong_types(
    adder: sa.Model, adder_file: Path, field: tuple[str, ...]
) -> None:
    arrays = adder.network.export(adder.parameters)
    for value in WRONG:
        header = deepcopy(adder.header())
        inner = header
        for name in field[:-1]:
            inner = inner[name]
        if field[0] in ("training", "evaluation") and isinstance(value, dict):
            continue  # these may hold anything
        if field == ("network", "outputs") and value == 1:
            continue  # that is what it was
        inner[field[-1]] = value
        archive.write(adder_file, header, arrays)
        refused(adder_file)
    del inner[field[-1]]
    archive.write(adder_file, header, arrays)
    refused(adder_file)


@pytest.mark.parametrize("part", ["task", "network"])
def test_header_fields_that_nobody_knows(adder: sa.Model, adder_file: Path, part: str) -> None:
    header = deepcopy(adder.header())
    inner = header["task"]["parameters"] if part == "task" else header["network"]
    inner["surprise"] = 1
    archive.write(adder_file, header, adder.network.export(adder.parameters))
    refused(adder_file)


@pytest.mark.parametrize(
    "text",
    [b"", b"[]", b"null", b"{", b"\xff\xfe", b"[" * 100_000, b'{"format": NaN}', b"1" * 5000],
)
def test_headers_that_are_no_objects(adder_file: Path, text: bytes) -> None:
    entries = entries_of(adder_file)
    write_zip(adder_file, {**entries, "header.npy": npy(np.frombuffer(text, np.uint8))})
    refused(adder_file, "not a")


# ------------------------------------------------------------- predictions


def test_predictions_in_words(adder: sa.Model, wrong_adder: sa.Model) -> None:
    assert str(adder.predict(37, 58)) == "37 + 58 = 95"
    assert str(adder.predict(-3, 5)) == "-3 + 5 = 2"
    assert str(adder.predict(3, -5)) == "3 + (-5) = -2"
    found = wrong_adder.predict(3, 3)
    assert (found.predicted, found.expected, found.correct) == (4, 6, False)
    assert str(found) == "3 + 3 = 4 (wrong: 6 expected)"
    assert found.min_margin < 0


@given(st.lists(st.tuples(*[st.integers(-(2**80), 2**80)] * 2), min_size=1, max_size=12))
def test_many_are_as_one_by_one(adder: sa.Model, pairs: list[tuple[int, int]]) -> None:
    together = list(adder.predict(*zip(*pairs, strict=True)))
    assert [p.operands for p in together] == pairs
    assert [p.predicted for p in together] == [a + b for a, b in pairs]
    for prediction, pair in zip(together, pairs, strict=True):
        alone = adder.predict(*pair)
        assert (alone.predicted, alone.expected) == (prediction.predicted, prediction.expected)
        assert alone.min_margin == pytest.approx(prediction.min_margin, rel=1e-9)


def test_a_model_is_called_like_a_function(adder: sa.Model) -> None:
    assert adder(37, 58) == 95
    assert type(adder(37, 58)) is int
    assert adder(-3, 2**90) == 2**90 - 3


def test_a_model_takes_arrays_of_any_shape(adder: sa.Model) -> None:
    a = np.arange(-3, 3)
    found = adder(a[:, None], a)
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, a[:, None] + a)
    np.testing.assert_array_equal(adder(a, 5), a + 5)
    np.testing.assert_array_equal(adder([1, 2], np.array([3, 4], np.uint8)), [4, 6])
    assert adder(np.zeros((0, 3), int), 1).shape == (0, 3)


def test_results_that_no_int64_holds_are_python_integers(adder: sa.Model) -> None:
    found = adder([2**63 - 1, 2**100, -(2**70)], 1)
    assert found.tolist() == [2**63, 2**100 + 1, 1 - 2**70]


def test_one_operand_may_be_the_same_in_all_tuples(adder: sa.Model) -> None:
    for values in (np.array([1, 2, 3]), [1, 2, 3]):
        found = adder.predict(values, 4)
        assert (found.operands, found.predicted) == ([[1, 2, 3], [4, 4, 4]], [5, 6, 7])
    assert adder.predict(np.array([1, 2]), 2**80).predicted == [2**80 + 1, 2**80 + 2]


@pytest.mark.parametrize(
    ("operands", "message"),
    [
        (([1.5], [2]), "'float' object"),
        ((np.array([1.5]), 2), "array of float64"),
        (([1, 2], [1, 2, 3]), r"shapes \(2,\), \(3,\) cannot be broadcast"),
        (("1", 2), "'str' object"),
    ],
)
def test_what_a_model_cannot_be_called_with(
    adder: sa.Model, operands: tuple[Any, ...], message: str
) -> None:
    with pytest.raises(DigitsError, match=message):
        adder(*operands)


def test_the_old_ways_to_ask_a_model_say_the_new_one(adder: sa.Model) -> None:
    for name in ("predict_many", "answer"):
        with pytest.raises(AttributeError, match=r"is now Model\.predict"):
            getattr(adder, name)
    with pytest.raises(AttributeError, match=r"no attribute 'nothing'$"):
        adder.nothing  # noqa: B018


def test_load_takes_a_path_or_the_name_of_a_model_that_is_shipped(
    adder: sa.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert sa.load("sub").task.name == "sub"
    for path in ("add", "sub.npz", tmp_path / "sub"):
        adder.save(path)
        assert sa.load(path).digest == adder.digest
    assert sa.load("sub").digest == adder.digest  # the file that is there comes first
    with pytest.raises(sa.errors.ModelFileError, match="ad"):
        sa.load("ad")


@pytest.mark.parametrize("operands", [(), (1,), (1, 2, 3)])
def test_another_number_of_operands(adder: sa.Model, operands: tuple[int, ...]) -> None:
    with pytest.raises(TaskError, match=rf"a \+ b takes 2 operands, not {len(operands)}"):
        adder.predict(*operands)


# ------------------------------------------------------------- models that ship


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_models_are_what_their_script_makes(name: str) -> None:
    from runpy import run_path

    script = Path(__file__).parent.parent / "scripts" / "make_shipped_models.py"
    made = run_path(str(script))["make"](name)
    shipped = sa.Model.shipped(name)
    assert made.network == shipped.network
    found, expected = made.header(), shipped.header()
    assert found.pop("digest") == made.digest
    assert expected.pop("digest") == shipped.digest
    margin = found["evaluation"].pop("min_margin")
    assert margin == pytest.approx(expected["evaluation"].pop("min_margin"), rel=1e-5)
    # The last bits, and with them the digest that a certificate names, differ between machines.
    claimed, proof = found.pop("certificate")["claims"], expected.pop("certificate")["claims"]
    assert claimed["margin"] == pytest.approx(proof["margin"], rel=1e-5)
    assert isinstance(sa.verify(made), sa.Accepted)
    assert isinstance(sa.verify(shipped), sa.Accepted)
    assert found == expected
    np.testing.assert_allclose(made.parameters.flat, shipped.parameters.flat, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_models_are_exact(name: str) -> None:
    found = sa.evaluate(sa.Model.shipped(name), 8)
    assert (found.mode, found.checked, found.correct) == ("exhaustive", 65536, 65536)


def test_no_model_of_that_task_ships() -> None:
    with pytest.raises(TaskError, match="train one: seqarith train mul"):
        sa.Model.shipped("mul")
