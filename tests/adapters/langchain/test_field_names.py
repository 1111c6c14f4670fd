"""Arguments that a tool takes by several names: what constraints see is what pydantic gives the tool."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.tools import StructuredTool
from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, Field
from pydantic.v1 import BaseModel as BaseModelV1
from pydantic.v1 import Field as FieldV1

from hexgate.adapters.langchain.field_names import by_field_names
from hexgate.runtime import Gate
from tests.adapters.langchain.harness import ALICE, GO, make_agent, make_gate, make_wrapped, script, texts

POLICY = "version: 1\nroles:\n  billing:\n    tools:\n      pay: {mode: allow, constraints: ['!has(args.amount) || args.amount <= 500']}\n"
REFUSED = "this call is not permitted (constraint_failed)"


class Plain(BaseModel):
    amount: int = 1


class Alias(BaseModel):
    amount: int = Field(1, alias="sum")


class AliasOrName(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    amount: int = Field(1, alias="sum")


class NameOnly(BaseModel):
    model_config = ConfigDict(validate_by_alias=False, validate_by_name=True)
    amount: int = Field(1, alias="sum")


class Choices(BaseModel):
    amount: int = Field(1, validation_alias=AliasChoices("amount", "sum", AliasPath("of", "sums", 0)))


class Generated(BaseModel):
    model_config = ConfigDict(alias_generator=str.upper, populate_by_name=True)
    amount: int = 1


class Crossed(BaseModel):
    amount: int = Field(1, alias="tip")
    tip: int = Field(0, alias="amount")


class Old(BaseModelV1):
    amount: int = FieldV1(1, alias="sum")


class OldOrName(Old):
    class Config:
        allow_population_by_field_name = True


CASES: list[tuple[type[Any], dict[str, Any], int | None]] = [
    # what the tool's arguments are, a call, and the amount that the tool runs with: None where it does not run
    (Plain, {"amount": 500}, 500),
    (Plain, {"amount": 501}, None),
    (Plain, {"amount": 5, "sum": 501}, 5),
    (Alias, {"sum": 500}, 500),
    (Alias, {"sum": 501}, None),
    (Alias, {"amount": 5, "sum": 501}, None),
    (Alias, {"amount": 501}, 1),
    (Alias, {}, 1),
    (AliasOrName, {"amount": 500}, 500),
    (AliasOrName, {"amount": 501}, None),
    (AliasOrName, {"sum": 501}, None),
    (AliasOrName, {"amount": 5, "sum": 501}, None),
    (AliasOrName, {"amount": 501, "sum": 5}, 5),
    (NameOnly, {"amount": 5, "sum": 501}, 5),
    (NameOnly, {"amount": 501, "sum": 5}, None),
    (Choices, {"amount": 5, "sum": 501}, 5),
    (Choices, {"sum": 501}, None),
    (Choices, {"of": {"sums": [501]}}, None),
    (Choices, {"of": {"sums": [500]}}, 500),
    (Choices, {"of": {"sums": []}}, 1),
    (Choices, {"of": 501}, 1),
    (Generated, {"AMOUNT": 501, "amount": 5}, None),
    (Generated, {"AMOUNT": 500}, 500),
    (Crossed, {"tip": 501, "amount": 5}, None),
    (Crossed, {"tip": 5, "amount": 501}, 5),
    (Old, {"sum": 501, "amount": 5}, None),
    (Old, {"sum": 500}, 500),
    (Old, {"amount": 501}, 1),
    (OldOrName, {"amount": 501}, None),
    (OldOrName, {"sum": 501, "amount": 5}, None),
]


@pytest.fixture(scope="module")
def gate() -> Gate:
    return make_gate(POLICY)


@pytest.mark.parametrize(("schema", "given", "paid"), CASES)
def test_what_is_decided_on_is_what_the_tool_runs_with(gate: Gate, schema: type[Any], given: dict[str, Any], paid: int | None) -> None:
    ran: list[int] = []

    def pay(amount: int = 1, **rest: Any) -> str:
        ran.append(amount)
        return "paid"

    tool = StructuredTool.from_function(pay, name="pay", description="Pay.", args_schema=schema)
    agent = make_wrapped(make_agent(script(("pay", given)), tool), gate)
    told = texts(agent.invoke(GO, user=ALICE))
    assert (ran, told) == (([], [REFUSED]) if paid is None else ([paid], ["paid"]))


@pytest.mark.parametrize("schema", [None, Plain, {"type": "object", "properties": {"amount": {"title": "sum"}}}, list[int], dict])
def test_where_no_field_has_an_alias_nothing_is_made(schema: Any) -> None:
    given = {"sum": 1}
    assert by_field_names(schema, given) is given
