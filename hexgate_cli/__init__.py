"""The `hexgate` command: Typer commands over the public API; nothing imports it."""
