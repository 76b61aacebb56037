"""Arrows between modules point downwards only, and the public names are what they say."""

from __future__ import annotations

import ast
import pkgutil
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import seqarith as sa

PACKAGE = Path(sa.__file__).parent
LAYERS = [
    {"errors", "text", "version"},
    {"notebook", "long_division"},
    {"digits", "registry", "schema", "atomic"},
    {"machine", "formats", "setting", "strict_json"},
    {"cells", "tasks", "schedules"},
    {"losses", "optimizers"},  # they share the array types and the sigmoid of the cells
    {"network", "archive"},
    {"execution", "network_description"},
    {"prediction", "stored_certificate"},
    {"model"},
    {"evaluation", "certification", "tracing"},
    {"training", "compose", "projection"},
    {"plots", "report"},
    {"cli"},
]
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
MODULES = sorted(
    path.relative_to(PACKAGE)
    for path in PACKAGE.rglob("*.py")
    if path.name not in ("__main__.py",) and path != PACKAGE / "__init__.py"
)


def imported(source: str) -> set[str]:
    """Return the parts of the package that a source imports, wherever in it."""
    parts = set()
    for node in ast.walk(ast.parse(source)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            module = node.module or ""
            names = [module, *(f"{module}.{alias.name}" for alias in node.names)]
        for name in names:
            first, _, rest = name.partition(".")
            part = rest.partition(".")[0]
            if first == "seqarith" and part in RANK:
                parts.add(part)
    return parts


def part_of(module: Path) -> str:
    return module.parts[0].removesuffix(".py")


def backward(part: str, source: str) -> set[str]:
    """Return what a part imports although it is not below it."""
    return {other for other in imported(source) - {part} if RANK[other] >= RANK[part]}


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_imports_point_downwards(module: Path) -> None:
    assert part_of(module) in RANK, "a new part needs its place in the layers"
    assert backward(part_of(module), (PACKAGE / module).read_text()) == set()


def test_the_page_of_the_design_draws_and_explains_the_layers() -> None:
    text = (PACKAGE.parent / "docs" / "design.md").read_text(encoding="utf-8")
    drawn = re.findall(r"^    \| (.+) \|$", text, re.M)
    assert [set(line.split()) for line in drawn] == LAYERS[::-1]
    explained = "".join(re.findall(r"^\| (`.+?) \|", text, re.M))
    assert set(re.findall(r"`(\w+)`", explained)) == set(RANK)


def test_an_arrow_that_runs_back_is_found() -> None:
    assert backward("model", "def f():\n    from seqarith.training import trainer") == {"training"}
    assert backward("losses", "import seqarith.optimizers") == {"optimizers"}
    assert backward("cells", "from seqarith import network") == {"network"}
    assert backward("network", "from seqarith.cells.cell import Cell") == set()


KERNEL = sorted(path.stem for path in (PACKAGE / "certification" / "kernel").glob("[a-z]*.py"))
"""What must be believed of a proof, beside the record of a step."""
RECORD = "seqarith.cells.steps"


@pytest.mark.parametrize("name", KERNEL)
def test_the_checker_imports_nothing_from_the_search(name: str) -> None:
    source = (PACKAGE / "certification" / "kernel" / f"{name}.py").read_text()
    places = [
        node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    ours = {str(place) for place in places if str(place).startswith("seqarith")}
    assert ours <= {RECORD, *(f"seqarith.certification.kernel.{other}" for other in KERNEL)}


def test_the_record_of_a_step_imports_nothing() -> None:
    assert imported((PACKAGE / "cells" / "steps.py").read_text()) == set()


@pytest.mark.parametrize("folder", ["certification/kernel", "cells/domains"])
def test_no_cell_is_named_where_every_cell_is_run(folder: str) -> None:
    for path in (PACKAGE / folder).glob("*.py"):
        words = {word.lower() for word in re.findall(r"[A-Za-z]+", path.read_text())}
        assert not words & {"elman", "gru", "lstm", "jordan"}, path


def test_the_checker_loads_nothing_but_itself() -> None:
    program = "import sys, seqarith.certification.kernel.check; print(*sorted(sys.modules))"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    loaded = {name for name in run.stdout.split() if name.startswith("seqarith")}
    packages = {"seqarith", "seqarith.cells", "seqarith.certification"}
    folder = "seqarith.certification.kernel"
    kernel = {folder, *(f"{folder}.{name}" for name in KERNEL)}
    assert loaded == packages | kernel | {RECORD}


def test_library_never_touches_the_environment() -> None:
    for module in MODULES:
        if part_of(module) != "cli":
            source = (PACKAGE / module).read_text()
            assert "environ" not in source, module


def test_public_names() -> None:
    declared = set()
    for node in ast.parse((PACKAGE / "__init__.py").read_text()).body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for line in node.body:
                assert isinstance(line, ast.ImportFrom)
                for alias in line.names:
                    assert alias.name == alias.asname
                    declared.add((line.module, alias.name))
    assert {name for _, name in declared} == set(sa.__all__)
    assert sorted(set(sa.__all__)) == sorted(sa.__all__)
    assert set(dir(sa)) == set(sa.__all__)
    for module, name in declared:
        found = getattr(sa, name)
        if module == "seqarith":
            assert found is import_module(f"seqarith.{name}")
        assert getattr(found, "__module__", module) in (module, "typing")
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        sa.nothing  # noqa: B018


@pytest.mark.parametrize("name", sorted(sa._MOVED))
def test_an_old_name_says_where_it_is_now(name: str) -> None:
    with pytest.raises(AttributeError, match=f"sa.{name} is now ") as raised:
        getattr(sa, name)
    place = str(raised.value).split(" is now ")[1].partition("(")[0]
    assert callable(pkgutil.resolve_name(place.replace("sa.", "seqarith.", 1))) or name.isupper()
