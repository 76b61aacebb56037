"""The commands certify, verify, extract and show, in process and as a program."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest
from click.testing import CliRunner

import seqarith as sa
from seqarith.certification.kernel.wellformed import MIN_TANH_ULPS
from seqarith.cli import cli


def run(*arguments):
    return CliRunner().invoke(cli, [str(a) for a in arguments])


@pytest.fixture
def exact(make, tmp_path):
    path = tmp_path / "exact.npz"
    make().save(path)
    return path


@pytest.fixture
def wrong(forgetful, tmp_path):
    path = tmp_path / "wrong.npz"
    forgetful.save(path)
    return path


def test_certify_stores_a_proof_that_verify_accepts(exact):
    result = run("certify", exact, "--budget", 10)
    assert result.exit_code == 0, result.output
    assert "proved. a + b is right for operands of every width" in result.stdout
    assert "every image back in one after 1 letter\n" in result.stdout
    result = run("verify", exact)
    assert result.exit_code == 0, result.output
    assert "proved" in result.stdout
    assert f"tanh is accurate to {MIN_TANH_ULPS:g} epsilons" in result.stdout
    assert "claims every width" in run("show", exact).stdout


def test_output_leaves_the_model_alone(exact, tmp_path):
    before = exact.read_bytes()
    other = tmp_path / "other.npz"
    found = json.loads(run("certify", exact, "-o", other, "--json").stdout)
    assert exact.read_bytes() == before
    assert found["verdict"] == "proved"
    assert {"regions", "min_margin", "seconds", "counterexample"} <= found.keys()
    assert found["counterexample"] is None
    checked = json.loads(run("verify", other, "--json").stdout)
    assert checked["verdict"] == "proved"
    assert checked["min_margin"] == pytest.approx(found["min_margin"])
    assert checked["regions"] == found["regions"]


def test_a_wrong_model_is_shown_digit_by_digit(wrong):
    result = run("certify", wrong, "--budget", 5)
    assert result.exit_code == 3
    assert "refuted by operands of 21 digits" in result.stdout
    lines = result.stdout.splitlines()
    assert lines[1].strip() == "2097151 + 1 = 1048576, expected 2097152"
    rows = {line.split()[0]: line.split()[1] for line in lines[2:7]}
    assert rows["carry"] == "1" * 20 + "0"
    assert rows["a"] == "1" * 21
    assert rows["b"] == "0" * 20 + "1"
    assert rows["expected"] == "0" * 21
    assert rows["network"] == "1" + "0" * 20
    assert lines[7].index("^") == lines[6].index("1")


def test_refuted_as_json(wrong):
    result = run("certify", wrong, "--budget", 5, "--json")
    assert result.exit_code == 3
    found = json.loads(result.stdout)
    case = found["counterexample"]
    assert found["verdict"] == "refuted"
    assert found["regions"] is None
    assert case["operands"] == ["2097151", "1"]
    assert case["place"] == 20
    assert "certificate" not in sa.Model.load(wrong).header()


def test_undecided_says_what_is_lacking(exact, monkeypatch):
    from seqarith.certification import certify as module

    monkeypatch.setattr(module, "prove_by_boxes", lambda *_: None)
    monkeypatch.setattr(
        module.InductionProver,
        "run",
        lambda self, until: module.NoProof("a region too many", 7, 3),
    )
    result = run("certify", exact, "--budget", 0.2)
    assert result.exit_code == 4
    assert "undecided" in result.stdout
    assert "a region too many" in result.stdout
    assert "3 of 7 regions" in result.stdout
    assert "--goal proved" in result.stderr
    assert "--budget" in result.stderr
    replace(sa.Model.load(exact), training={"goal": "proved"}).save(exact)
    result = run("certify", exact, "--budget", 0.2)
    assert "--goal" not in result.stderr
    assert "another --seed" in result.stderr
    found = json.loads(run("certify", exact, "--budget", 0.2, "--json").stdout)
    assert found["verdict"] == "undecided"
    assert found["obligation"] == "a region too many"


def test_verify_rejects_and_says_why(exact, proved, make):
    replace(make(steep=30.0), certificate=proved.certificate).save(exact)
    result = run("verify", exact)
    assert result.exit_code == 3
    assert "rejected" in result.stdout
    assert "another program" in result.stdout
    found = json.loads(run("verify", exact, "--json").stdout)
    assert found["verdict"] == "rejected"


def test_mistakes_are_one_line(exact, tmp_path):
    for arguments, status, text in (
        (("verify", exact), 1, "no certificate"),
        (("certify", tmp_path / "none.npz"), 1, "no such file"),
        (("certify", exact, "--budget", "-1"), 2, "more than 0"),
        (("certify", exact, "-o", tmp_path / "no" / "x.npz"), 1, "no folder"),
        (("extract", exact, "--format", "png"), 2, "png"),
    ):
        result = run(*arguments)
        assert result.exit_code == status, result.output
        assert text in result.stderr
        assert "Traceback" not in result.output


def test_extract_in_three_formats(exact, proved):
    text = run("extract", exact).stdout
    assert "observed" in text
    assert "equal to the machine of a + b" in text
    proved.save(exact)
    assert "2 states, proved" in run("extract", exact).stdout
    found = json.loads(run("extract", exact, "--format", "json").stdout)
    assert found["states"] == ["carry 0", "carry 1"]
    assert found["equal"]
    assert found["next_state"] == [[0, 0, 0, 1], [0, 1, 1, 1]]
    dot = run("extract", exact, "--format", "dot").stdout
    assert dot.startswith("digraph")
    assert dot.count("->") == 7
    assert 'label="carry 1"' in dot


def test_as_a_program(exact):
    def call(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "seqarith", *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        )

    found = call("certify", exact, "--budget", "10")
    assert found.returncode == 0, found.stderr
    assert found.stderr == ""
    assert call("verify", exact).returncode == 0
