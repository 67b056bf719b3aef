"""Output of commands: progress bars on a terminal, plain lines otherwise."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

if TYPE_CHECKING:
    from ces_pipeline.pages.summary import Summary

out = Console(highlight=False, soft_wrap=True, markup=False)
err = Console(highlight=False, soft_wrap=True, markup=False, stderr=True)
_LONGEST_NAME = 28
"""The longest text that a table keeps on one line."""
_GAP = 2


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show `what` while the block runs."""
    if out.is_terminal:
        with out.status(what):
            yield
    else:
        out.print(what)
        yield


@contextmanager
def counting(what: str, total: int, unit: str) -> Iterator[Callable[[], None]]:
    """Like `working`, with a progress bar: each call of the yielded function adds 1 of `total`."""
    if not out.is_terminal:
        out.print(f"{what}: {total} {unit}")
        yield lambda: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=out, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)
    out.print(f"{what}: {total} {unit}")


@contextmanager
def progress_on_stderr() -> Iterator[None]:
    """Until the block ends, everything that `out` prints goes to stderr, so that stdout holds the JSON alone."""
    out.stderr = True
    try:
        yield
    finally:
        out.stderr = False


def as_json(content: Mapping[str, Any]) -> None:
    """Print one JSON object on stdout; dates and times as ISO texts."""
    click.echo(json.dumps(content, default=str, ensure_ascii=False, indent=1))


def facts(rows: Sequence[tuple[str, str]]) -> None:
    """Print labelled lines, one under the other. Lines are not wrapped, so that a log can be searched."""
    width = max((len(label) for label, _ in rows), default=0)
    for label, text in rows:
        out.print(f"{label:<{width}}  {text}")


def grid(headings: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[bool]) -> None:
    """Print texts as a table, or one block of lines per row where the terminal is too narrow. No text is cut.

    right: which columns hold figures; they are aligned to the right.
    """
    if not out.is_terminal:
        widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
        _print_grid(headings, rows, right, widths)
        return
    widths = [_narrowest(*column) for column in zip(headings, zip(*rows, strict=True), strict=True)]
    left_over = out.width - sum(widths) - _GAP * len(widths)
    if left_over < 0:
        label = max(map(len, headings))
        for row in rows:
            for name, text in zip(headings, row, strict=True):
                out.print(f"{name:<{label}}  {text}")
            out.print()
        return
    for place, column in enumerate(zip(*rows, strict=True)):
        wanted = min(max(map(len, column)) - widths[place], left_over)
        if wanted > 0:
            widths[place] += wanted
            left_over -= wanted
    _print_grid(headings, rows, right, widths)


def summary(found: "Summary") -> None:
    """Print the figures of the report: its title, as many columns as fit, and its lines."""
    fitted = found.fitted(out.width if out.is_terminal else None)
    out.print(f"{fitted.title}\n")
    if fitted.rows:
        grid(fitted.headings, fitted.rows, right=fitted.right)
        out.print()
    facts(fitted.lines)


def _print_grid(
    headings: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool], widths: Sequence[int]
) -> None:
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    for name, is_figure, width in zip(headings, right, widths, strict=True):
        shown.add_column(name, justify="right" if is_figure else "left", width=width, overflow="fold")
    for row in rows:
        shown.add_row(*row)
    wide = sum(widths) + _GAP * len(widths)
    Console(file=out.file, width=max(wide, out.width), highlight=False, markup=False).print(shown)


def _narrowest(heading: str, cells: Sequence[str]) -> int:
    """The width that a column needs: a long text and a heading may be wrapped between words, nothing else."""
    longest = max(map(len, cells))
    if longest > _LONGEST_NAME and any(" " in cell for cell in cells):
        longest = max(_LONGEST_NAME, *(len(word) for cell in cells for word in cell.split()))
    return max(longest, *map(len, heading.split()))


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a small table; number columns are right-aligned."""
    shown = Table(title=title, title_justify="left")
    for number, name in enumerate(columns):
        numeric = all(isinstance(row[number], int | float | None) for row in rows)
        shown.add_column(name, justify="right" if numeric else "left", no_wrap=True)
    for row in rows:
        shown.add_row(*map(_cell, row))
    out.print(shown)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else str(value)
