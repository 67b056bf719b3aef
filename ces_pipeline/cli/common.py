"""Shared parts of commands: the home option, days, the exit status, and errors in one line."""

import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from typing import Any, NoReturn, TypeVar

import click

from ces_pipeline.errors import CesError, HomeError, RegistryError
from ces_pipeline.home import HOME_VARIABLE, Home

F = TypeVar("F", bound=Callable[..., Any])


class Commands(click.Group):
    """A command group that prints a CesError in one line, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except CesError as problem:
            click.echo(str(problem), err=True)
            ctx.exit(2 if isinstance(problem, RegistryError | HomeError) else 1)


class Day(click.ParamType[date]):
    """A day such as 2026-01-31."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a day. Write it like 2026-01-31", param, ctx)


def home_option(command: F) -> F:
    """Adds the option `--home`. The command's first line, on stderr, says which home it works on."""
    return click.option(
        "--home",
        "home",
        metavar="DIR",
        callback=_found_home,
        help=f"The home folder. Default: {HOME_VARIABLE}, else the checkout's data/, else ./data.",
    )(command)


def _found_home(ctx: click.Context, _parameter: click.Parameter, given: str | None) -> Home:
    home = Home.find(given)
    if not ctx.resilient_parsing:
        click.echo(f"home: {home.root}", err=True)
        _use_machine(home)
    return home


def _use_machine(home: Home) -> None:
    """Give the command the threads and the memory of the settings."""
    from ces_pipeline.registry.load import load_settings
    from ces_pipeline.storage.machine import use_machine

    # A wrong registry is reported by the commands that need one.
    with suppress(RegistryError):
        settings = load_settings(home.registry).machine
        use_machine(settings.threads, settings.memory_mb)


def json_option(command: F) -> F:
    """Adds the option `--json`."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Print one JSON object on stdout, and nothing else there."
    )(command)


def leave(is_well: bool) -> NoReturn:
    """End the command with status 0, or 1 if something failed or needs a person."""
    sys.exit(0 if is_well else 1)
