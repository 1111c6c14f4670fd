"""`python -m hexgate_cli`: the same as `hexgate`."""

from hexgate_cli.main import run

run()
