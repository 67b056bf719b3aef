"""`ces show`: the figures of the report, and the answer of a cookbook query as a table."""

from typing import TYPE_CHECKING

import click

from ces_pipeline.cli.common import home_option, json_option
from ces_pipeline.home import Home

if TYPE_CHECKING:
    from ces_pipeline.reports.answers import Answer

QUESTIONS = "questions"


@click.command()
@home_option
@click.argument("question", required=False)
@json_option
def show(home: Home, question: str | None, as_json: bool) -> None:
    """Show the newest figures of each survey, or answer QUESTION; `ces show questions` lists the questions."""
    from ces_pipeline.cli import console
    from ces_pipeline.reports import answers

    if question is None:
        _show_summary(home, as_json)
        return
    if question == QUESTIONS:
        found = answers.questions()
        if as_json:
            console.as_json({"questions": [{"name": name, "title": title} for name, title in found.items()]})
            return
        console.facts(list(found.items()))
        return
    try:
        answer = answers.answer(home, question)
    except answers.UnknownQuestionError as problem:
        raise click.BadParameter(str(problem), param_hint="QUESTION") from None
    if as_json:
        console.as_json(
            {
                "question": answer.name,
                "title": answer.title,
                "newest_day": answer.newest_day,
                "published_at": answer.published_at,
                "minimum_n": answer.minimum_n,
                "rows": list(answer.rows),
                "why_empty": list(answer.why_empty),
            }
        )
        return
    _show(answer)


def _show_summary(home: Home, as_json: bool) -> None:
    from ces_pipeline.cli import console
    from ces_pipeline.pages.facts import Ask, read_summary
    from ces_pipeline.pages.summary import LINE_PERIODS, summary
    from ces_pipeline.pages.summary import as_json as summary_as_json
    from ces_pipeline.reports.answers import published

    with published(home) as connection:
        report = read_summary(connection, Ask(periods=LINE_PERIODS))
    if as_json:
        console.as_json(summary_as_json(report))
        return
    console.summary(summary(report))
    click.echo(f"more: `ces show {QUESTIONS}`, `ces report`, {home.published}")


def _show(answer: "Answer") -> None:
    from ces_pipeline.cli import console
    from ces_pipeline.reports.answer_table import answer_table

    click.echo(answer.title)
    if answer.rows:
        click.echo()
        table = answer_table(answer)
        console.grid(table.headings, table.rows, right=table.right)
        click.echo()
        if table.has_suppressed:
            click.echo(
                f"too few: fewer answers than minimum_n ({answer.minimum_n}) of registry/settings.yaml"
            )
    else:
        click.echo("no rows")
        for reason in answer.why_empty:
            click.echo(f"  {reason}")
    newest = answer.newest_day.isoformat() if answer.newest_day else "none, no answer is published"
    click.echo(f"newest day with an answer: {newest}")
