"""What became of an expression, for people and for programs (`schemas/eval.schema.json`)."""

from __future__ import annotations

from hexgate.strict_json import Json
from hexgate_cli.expressions import SOURCE_NAME, Answer, Evaluation
from hexgate_cli.rendering.decision_human import FAULTS
from hexgate_cli.rendering.diagnostics_human import format_diagnostics
from hexgate_cli.rendering.diagnostics_json import diagnostic_to_dict
from hexgate_cli.rendering.value_text import format_any_value, name_type, value_to_json
from hexgate_cli.source_text import SourceText
from hexgate_cli.terminal import Colour, Screen, escape_text


def answers_agree(evaluation: Evaluation) -> bool:
    """Whether all engines gave the same answer: compared as text, in which NaN equals itself and types differ."""
    return len({_signature(answer) for answer in evaluation.answers.values()}) <= 1


def _signature(answer: Answer) -> str:
    return format_any_value(answer.value) if answer.fault is None else answer.fault.code


def evaluation_to_dict(evaluation: Evaluation) -> dict[str, Json]:
    """A value, a fault, diagnostics, or a disagreement."""
    if evaluation.diagnostics:
        return {"diagnostics": [diagnostic_to_dict(diagnostic) for diagnostic in evaluation.diagnostics]}
    if not answers_agree(evaluation):
        return {"disagreement": {name: answer_to_dict(answer) for name, answer in evaluation.answers.items()}}
    return answer_to_dict(next(iter(evaluation.answers.values())))


def answer_to_dict(answer: Answer) -> dict[str, Json]:
    """A value or a fault. `text` is exact where `value` cannot be."""
    if answer.fault is not None:
        return {"fault": answer.fault.code}
    return {
        "value": value_to_json(answer.value),
        "type": name_type(answer.value),
        "text": format_any_value(answer.value),
    }


def format_evaluation(text: str, evaluation: Evaluation, screen: Screen) -> str:
    """The value as an expression, or why there is none. Ends with a line break."""
    if evaluation.diagnostics:
        return format_diagnostics(evaluation.diagnostics, SourceText({SOURCE_NAME: text}), screen)
    if not answers_agree(evaluation):
        head = screen.paint("the engines disagree", Colour.BOLD_RED)
        lines = [f"{head}: this is a fault of Hexgate; please report it with the expression"]
        lines += [f"  {name:<12} {_format_answer(answer, screen)}" for name, answer in evaluation.answers.items()]
        return "\n".join(lines) + "\n"
    return _format_answer(next(iter(evaluation.answers.values())), screen) + "\n"


def _format_answer(answer: Answer, screen: Screen) -> str:
    if answer.fault is not None:
        return f"{screen.paint(f'fault {answer.fault.code}', Colour.BOLD_RED)}: {FAULTS[answer.fault]}"
    kind = screen.paint(name_type(answer.value), Colour.DIM)
    return f"{escape_text(format_any_value(answer.value))}  {kind}"
