"""What an application embeds: the engine that decides with a compiled module. Imports no compiler, yaml or lark."""
