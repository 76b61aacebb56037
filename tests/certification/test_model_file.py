"""Certificates in model files: kept whole, or refused with one error."""

from dataclasses import replace

import numpy as np
import pytest

import seqarith as sa
from seqarith import archive
from seqarith.certification.adapter import from_stored
from seqarith.certification.kernel.check import Accepted, Rejected
from seqarith.model import FORMAT, VERSION
from seqarith.stored_certificate import StoredCertificate


@pytest.fixture
def path(proved, tmp_path):
    place = tmp_path / "proved.npz"
    proved.save(place)
    return place


def rewritten(path, change):
    """Write a model file anew, changed: ``change(header, arrays)`` works in place."""
    found = archive.read(path, FORMAT, VERSION)
    arrays = {name: _array(data) for name, data in found.entries.items()}
    header = found.header
    change(header, arrays)
    archive.write(path, header, arrays)
    return path


def _array(data):
    import io

    return np.load(io.BytesIO(data))


def test_round_trip(proved, path, tmp_path):
    loaded = sa.Model.load(path)
    assert isinstance(sa.verify(loaded), Accepted)
    for name, array in proved.certificate.arrays.items():
        assert np.array_equal(loaded.certificate.arrays[name], array)
        assert loaded.certificate.arrays[name].dtype == array.dtype
    assert loaded.certificate.claims == proved.certificate.claims
    again = tmp_path / "again.npz"
    loaded.save(again)
    assert again.read_bytes() == path.read_bytes()


def test_a_file_without_a_certificate_is_as_it_always_was(make, tmp_path):
    model = make()
    model.save(tmp_path / "plain.npz")
    assert model.header()["version"] == 1
    loaded = sa.Model.load(tmp_path / "plain.npz")
    assert loaded.certificate is None
    with pytest.raises(sa.errors.CertificateError, match="no certificate"):
        sa.verify(loaded)


def change(*keys, to):
    def act(header, arrays):
        for key in keys[:-1]:
            header = header[key]
        header[keys[-1]] = to

    return act


@pytest.mark.parametrize(
    "act",
    [
        lambda h, a: h.pop("certificate"),
        lambda h, a: h["certificate"].pop("claims"),
        lambda h, a: h["certificate"].pop("arrays"),
        lambda h, a: a.pop("certificate.centres"),
        lambda h, a: a.update({"certificate.more": np.zeros(3)}),
        lambda h, a: a.update({"certificate.centres": np.zeros((2, 2))}),
        lambda h, a: a.update({"certificate.centres": a["certificate.centres"] * np.nan}),
        lambda h, a: a.update({"more": np.zeros(3)}),
        change("certificate", to=None),
        change("certificate", to=[]),
        change("certificate", "arrays", to=3),
        change("certificate", "arrays", "centres", to=None),
        change("certificate", "arrays", "centres", "shape", to=[10**12, 3]),
        change("certificate", "arrays", "centres", "shape", to=[-1, 3]),
        change("certificate", "arrays", "centres", "shape", to="33"),
        change("certificate", "arrays", "centres", "dtype", to="object"),
        change("certificate", "arrays", "centres", "dtype", to="complex128"),
        change("certificate", "arrays", "centres", "dtype", to=8),
        change("certificate", "claims", "margin", to=[1]),
        change("certificate", "claims", "margin", to=None),
        change("certificate", "claims", "margin", to="1"),
        change("certificate", "claims", "start", to=0.0),
        change("certificate", "claims", "more", to=1),
        lambda h, a: h["certificate"]["claims"].pop("margin"),
        change("certificate", "claims", to="x"),
        change("version", to=VERSION + 1),
    ],
)
def test_damage_is_one_error(path, act):
    with pytest.raises(sa.errors.ModelFileError):
        sa.Model.load(rewritten(path, act))


@pytest.mark.parametrize(
    "act",
    [
        change("certificate", "claims", "margin", to=100.0),
        change("certificate", "claims", "digest", to="0" * 64),
        change("certificate", "claims", "dtype", to="float32"),
        change("certificate", "claims", "tanh_ulps", to=0.5),
        change("certificate", "claims", "depth", to=-1),
        lambda h, a: a["rnn.weight_hh_l0"].__imul__(1 + 1e-12),
        lambda h, a: a["certificate.shapes"].__imul__(1e6),
        change("task", "name", to="sub"),
    ],
)
def test_a_file_that_is_sound_in_form_may_still_prove_nothing(path, act):
    assert isinstance(sa.verify(sa.Model.load(rewritten(path, act))), Rejected)


def test_missing_and_unknown_claims_are_refused(path):
    loaded = sa.Model.load(path)
    stored = loaded.certificate
    fewer = {name: value for name, value in stored.claims.items() if name != "margin"}
    with pytest.raises(sa.errors.ModelFileError, match="margin"):
        sa.verify(replace(loaded, certificate=StoredCertificate(fewer, stored.arrays)))
    more = StoredCertificate({**stored.claims, "new": 1}, stored.arrays)
    with pytest.raises(sa.errors.ModelFileError, match="new"):
        sa.verify(replace(loaded, certificate=more))


def test_bytes_changed_at_random_never_pass_for_a_proof_of_another_program(path, proved):
    """A flipped byte breaks the file, or the proof, or changes nothing that is claimed."""
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    for place in rng.integers(len(content), size=300):
        damaged = bytearray(content)
        damaged[place] ^= int(rng.integers(1, 256))
        path.write_bytes(bytes(damaged))
        try:
            loaded = sa.Model.load(path)
            verdict = sa.verify(loaded)
        except sa.SeqarithError:
            continue
        if isinstance(verdict, Accepted):
            was = from_stored(proved.certificate)
            assert from_stored(loaded.certificate).digest == was.digest
