"""`ces show`: the cookbook queries, and the answer of one as a table."""

from typing import TYPE_CHECKING

import click

from ces_pipeline.cli.common import home_option, json_option
from ces_pipeline.home import Home

if TYPE_CHECKING:
    from ces_pipeline.reports.answers import Answer


@click.command()
@home_option
@click.argument("question", required=False)
@json_option
def show(home: Home, question: str | None, as_json: bool) -> None:
    """List the questions that the published file answers, or answer QUESTION."""
    from ces_pipeline.cli import console
    from ces_pipeline.reports import answers

    if question is None:
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
