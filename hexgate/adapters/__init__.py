"""Hexgate in front of the tool calls of agents: one guard, and one translator per framework.

A framework is imported by its own package only (`hexgate.adapters.openai`): each takes a second or more.
"""
