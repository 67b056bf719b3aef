"""`python -m ces_pipeline` is the `ces` command."""

from ces_pipeline.cli.main import main

main(prog_name="ces")
