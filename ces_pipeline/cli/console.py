"""Output of commands: progress bars on a terminal, plain lines otherwise."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

out = Console(highlight=False, soft_wrap=True, markup=False)
err = Console(highlight=False, soft_wrap=True, markup=False, stderr=True)


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
