"""Hexgate in front of agents of the OpenAI Agents SDK."""
