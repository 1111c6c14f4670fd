"""Measurements. Every figure in the project's documents was printed by a module of this folder."""
