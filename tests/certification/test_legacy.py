"""Certificates of files that 0.5.0 wrote: they hold without a word, and of their program alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import seqarith as sa
from seqarith.cells.elman import Elman
from seqarith.cells.gru import GRU
from seqarith.certification.adapter import from_model, from_stored
from seqarith.certification.certify import stored_certificate
from seqarith.certification.kernel.check import Accepted, Rejected
from seqarith.certification.kernel.wellformed import MIN_TANH_ULPS
from seqarith.certification.legacy import SLACK, renew
from seqarith.cli import cli
from seqarith.network import Network
from seqarith.stored_certificate import StoredCertificate

DATA = Path(__file__).parent.parent / "data"
FILES = ["own", "gru", "lstm"]


def place(name: str) -> Path:
    return DATA / f"{name}-0.5.0.npz"


@pytest.fixture(params=FILES)
def old(request: pytest.FixtureRequest) -> sa.Model:
    return sa.Model.load(place(request.param))


@pytest.mark.parametrize("name", FILES)
@pytest.mark.filterwarnings("error")
def test_an_old_proof_is_verified_without_a_word(name: str) -> None:
    model = sa.Model.load(place(name))
    accepted = sa.verify(model)
    assert isinstance(accepted, Accepted)
    stored = from_stored(model.certificate) if model.certificate else None
    assert stored is not None
    # Bounds are looser than in 0.5 by little: for any order of sums, for any way to blend.
    assert SLACK * stored.margin <= accepted.margin <= stored.margin * 1.01
    shown = CliRunner().invoke(cli, ["verify", str(place(name))])
    assert shown.exit_code == 0
    assert shown.stderr == ""
    assert sa.extract(model).proved


def test_what_is_claimed_anew_is_what_was_claimed(old: sa.Model) -> None:
    """Of the same regions, at the same depth; a part of the margin is given up."""
    assert old.certificate is not None
    before, p = from_stored(old.certificate), from_model(old)
    after = stored_certificate(old)
    assert before.digest != p.digest() == after.digest
    assert after.margin == before.margin * SLACK
    assert after.tanh_ulps == max(before.tanh_ulps, MIN_TANH_ULPS)
    for name in ("states", "successors", "centres", "shapes", "start", "depth", "order", "dtype"):
        assert np.array_equal(getattr(after, name), getattr(before, name)), name


def changed_in(old: sa.Model, name: str, index: tuple[int, ...], by: float) -> sa.Model:
    arrays = old.network.export(old.parameters)
    arrays[name][index] = arrays[name][index] + by
    return replace(old, parameters=old.network.absorb(arrays))


def test_a_changed_weight_makes_it_rejected(old: sa.Model) -> None:
    """Any entry of any array, by however little; the sum of two biases was what 0.5 proved."""
    arrays = old.network.export(old.parameters)
    for name, array in arrays.items():
        for index in [(0,) * array.ndim, tuple(n - 1 for n in array.shape)]:
            for by in (1e-3, -3.0):
                verdict = sa.verify(changed_in(old, name, index, by))
                assert isinstance(verdict, Rejected), name
                assert "another program" in verdict.reason


def test_both_biases_may_change_where_their_sum_does_not() -> None:
    """A GRU's candidate has them apart, so there each of them is in the digest."""
    old = sa.Model.load(place("gru"))
    arrays = old.network.export(old.parameters)
    assert not arrays["rnn.bias_hh_l0"][: 2 * old.network.hidden].any()
    for at, holds in ((0, True), (2 * old.network.hidden, False)):
        moved = {name: array.copy() for name, array in arrays.items()}
        shift = np.float32(moved["rnn.bias_ih_l0"][at])
        moved["rnn.bias_ih_l0"][at] -= shift
        moved["rnn.bias_hh_l0"][at] += shift
        model = replace(old, parameters=old.network.absorb(moved))
        assert isinstance(sa.verify(model), Accepted) == holds


def test_another_machine_makes_it_rejected() -> None:
    old = sa.Model.load(place("gru"))
    verdict = sa.verify(replace(old, task=sa.registry.TASKS["sub"]()))
    assert "another program" in getattr(verdict, "reason", "")


def claims(old: sa.Model, **changes: Any) -> sa.Model:
    assert old.certificate is not None
    stored = StoredCertificate({**old.certificate.claims, **changes}, old.certificate.arrays)
    return replace(old, certificate=stored)


@pytest.mark.parametrize(
    ("change", "because"),
    [
        ({"digest": "0" * 64}, "another program"),
        ({"margin": 100.0}, "is claimed"),
        ({"dtype": "float16"}, "another dtype"),
        ({"depth": 0}, "depth is not"),
        ({"margin": "x"}, "margin is not"),
        ({"margin": -1.0}, "margin is not"),
        # What assumes another tanh than 0.5 did is none of its certificates.
        ({"tanh_ulps": "x"}, "another program"),
        ({"tanh_ulps": 1e9}, "another program"),
        ({"tanh_ulps": float("nan")}, "another program"),
        ({"tanh_ulps": MIN_TANH_ULPS}, "another program"),
    ],
)
def test_other_claims_are_not_believed(old: sa.Model, change: Any, because: str) -> None:
    verdict = sa.verify(claims(old, **change))
    assert because in getattr(verdict, "reason", ""), verdict


def test_other_regions_are_not_believed(old: sa.Model) -> None:
    assert old.certificate is not None
    for name, factor in (("shapes", 1e6), ("centres", -3.0)):
        arrays = {**old.certificate.arrays}
        arrays[name] = arrays[name] * np.asarray(factor, arrays[name].dtype)
        moved = replace(old, certificate=StoredCertificate(old.certificate.claims, arrays))
        assert isinstance(sa.verify(moved), Rejected)


def test_a_proof_that_is_certified_anew_names_the_program_as_it_is_named_now(
    tmp_path: Path,
) -> None:
    old = sa.Model.load(place("own"))
    verdict = sa.certify(old, 5)
    assert isinstance(verdict, sa.Proved)
    p = from_model(old)
    assert verdict.certificate.digest == p.digest()
    assert renew(verdict.certificate, p, old.network) is verdict.certificate
    sa.attach(old, verdict.certificate).save(tmp_path / "new.npz")
    assert isinstance(sa.verify(sa.Model.load(tmp_path / "new.npz")), Accepted)


def test_a_file_that_is_saved_again_still_holds_its_proof(old: sa.Model, tmp_path: Path) -> None:
    old.save(tmp_path / "again.npz")
    assert isinstance(sa.verify(sa.Model.load(tmp_path / "again.npz")), Accepted)


def arrays_with(old: sa.Model, network: Network) -> dict[str, Any]:
    arrays = old.network.export(old.parameters)
    shapes = network.exported_shapes().items()
    return {name: arrays.get(name, np.zeros(shape, network.dtype)) for name, shape in shapes}


@pytest.mark.parametrize(
    "build",
    [
        lambda network: replace(network, threshold=0.5),
        lambda network: replace(network, layers=2),
        lambda network: replace(network, cell=Elman("relu")),
        lambda network: replace(network, cell=Elman("sigmoid")),
    ],
)
def test_what_0_5_did_not_know_is_none_of_its_programs(
    build: Callable[[Network], Network],
) -> None:
    """A threshold, a layer more, another activation: whatever the arrays, another program."""
    old = sa.Model.load(place("own"))
    network = build(old.network)
    model = replace(old, network=network, parameters=network.absorb(arrays_with(old, network)))
    assert "another program" in getattr(sa.verify(model), "reason", "")


def test_a_cell_that_descends_from_ours_is_none_of_its_programs() -> None:
    class Other(GRU):  # type: ignore[misc]
        name = "other"

    old = sa.Model.load(place("gru"))
    p, network = from_model(old), replace(old.network, cell=Other())
    assert old.certificate is not None
    before = from_stored(old.certificate)
    assert renew(before, p, network) is before
    assert renew(before, p, old.network) is not before
