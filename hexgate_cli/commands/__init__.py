"""One file per subcommand. Each is imported only when its command runs; `hexgate_cli.main` lists them."""
