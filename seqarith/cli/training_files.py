"""The files of ``seqarith train``: checks that nothing is overwritten, and the log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from seqarith.cli.output import command_line, json_text
from seqarith.errors import InvalidValueError, LogError, OutputError


def check_places(options: Mapping[str, Any]) -> None:
    """Refuse files that cannot be written or whose content would be lost."""
    from seqarith.archive import check_no_archive
    from seqarith.atomic import check_writable

    output, log = options["output"], options["log"]
    checkpoint, resume = options["checkpoint"], options["resume"]
    places = [place for place in (output, log, checkpoint) if place is not None]
    for place in places:
        check_writable(place)
    if len({place.resolve() for place in places}) < len(places):
        raise InvalidValueError("--output, --log and --checkpoint: expected different files")
    if log is not None:
        check_no_archive(log)
    if checkpoint is not None and checkpoint.exists() and checkpoint != resume:
        raise InvalidValueError(
            f"--checkpoint {checkpoint}: this file exists; remove it, or continue its run: "
            f"{command_line('train', '--resume', checkpoint)}"
        )


def check_log(log: Path, resume: Path | None, run: Mapping[str, str | int]) -> None:
    """Refuse to overwrite the log of another run, or a file that is not a log."""
    if not log.is_file() or log.stat().st_size == 0:
        return
    if resume is None:
        raise InvalidValueError(
            f"--log {log}: this file exists, perhaps as the log of another run; remove it, choose "
            "another name, or continue its run with --resume CHECKPOINT"
        )
    from seqarith.training.log import RunLog
    from seqarith.training.run_id import contradiction

    try:
        wrong = contradiction(RunLog.read(log).run, run)
    except LogError as error:
        # Resuming would drop lines that are not reports; they may be the user's notes.
        raise InvalidValueError(
            f"--log {error}; choose another name, or correct that line"
        ) from None
    if wrong:
        raise InvalidValueError(f"--log {log}: this is the log of another run, of {wrong}")


@contextmanager
def open_log(path: Path | None, step: int) -> Iterator[IO[str] | None]:
    """Open a log for writing; a resumed run keeps the lines up to the step that it resumes from."""
    if path is None:
        yield None
        return
    kept = _lines_until(path, step) if step and path.exists() else []
    try:
        with path.open("w", encoding="utf-8") as file:
            file.writelines(kept)
            file.flush()
            yield file
    except OutputError:  # about another file, which it names
        raise
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from None


def _lines_until(path: Path, step: int) -> list[str]:
    from seqarith.training.log import log_lines, report_of

    kept = []
    for line in log_lines(path):
        try:
            report = report_of(line)
        except InvalidValueError:
            continue
        reached = report["step"] if "step" in report else report["iteration"] + 1
        if reached <= step and line.endswith("\n"):
            kept.append(line)
    return kept


def write_line(file: IO[str], record: dict[str, Any]) -> None:
    """Append a record to the log."""
    file.write(json_text(record) + "\n")
    file.flush()
