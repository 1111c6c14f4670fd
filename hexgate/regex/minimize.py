"""The smallest automaton that decides alike (Hopcroft's algorithm), in one canonical form."""

from __future__ import annotations

from hexgate.regex.determinize import ACCEPT, REJECT, Machine
from hexgate.regex.dfa import Dfa


def minimize(machine: Machine) -> Dfa:
    """The automaton with equal states, and then equal symbols, made one.

    States are numbered by what the table needs: REJECT, ACCEPT, those in which a text may not end, those in which it
    may; each kind in the order in which a walk from the start finds them. So equal languages give equal automata.
    """
    rows, matches = machine.rows, machine.matches
    symbols = list(zip(*rows, strict=True))
    distinct = {column: i for i, column in enumerate(dict.fromkeys(symbols))}
    blocks = _equal_states(list(distinct), matches)
    # One row for each block, over the symbols that some state still tells apart.
    by_block = {block: tuple(blocks[rows[state][s]] for s in range(len(symbols))) for state, block in enumerate(blocks)}
    order = _walk(by_block, blocks[machine.start])
    accepting = {blocks[state] for state, match in enumerate(matches) if match}
    sinks = [blocks[REJECT], blocks[ACCEPT]]
    inner = [block for block in order if block not in sinks]
    ordered = sinks + [b for b in inner if b not in accepting] + [b for b in inner if b in accepting]
    numbers = {block: number for number, block in enumerate(ordered)}
    full = [tuple(numbers[target] for target in by_block[block]) for block in ordered]
    return _with_distinct_columns(
        machine, full, numbers[blocks[machine.start]], len(ordered) - _count(inner, accepting)
    )


def _count(blocks: list[int], accepting: set[int]) -> int:
    return sum(block in accepting for block in blocks)


def _with_distinct_columns(machine: Machine, rows: list[tuple[int, ...]], start: int, first_accepting: int) -> Dfa:
    """The automaton over columns: symbols that lead alike from every state are one."""
    columns: dict[tuple[int, ...], int] = {}
    of_symbol = [columns.setdefault(column, len(columns)) for column in zip(*rows, strict=True)]
    bounds: list[int] = []
    bound_columns: list[int] = []
    for bound, symbol in zip(machine.alphabet.bounds, machine.alphabet.symbols, strict=True):
        if not bounds or bound_columns[-1] != of_symbol[symbol]:
            bounds.append(bound)
            bound_columns.append(of_symbol[symbol])
    return Dfa(start, first_accepting, tuple(bounds), tuple(bound_columns), tuple(zip(*columns, strict=True)))


def _walk(rows: dict[int, tuple[int, ...]], start: int) -> list[int]:
    """The blocks that can be reached, breadth first."""
    order = [start]
    seen = {start}
    for block in order:
        for target in rows[block]:
            if target not in seen:
                seen.add(target)
                order.append(target)
    return order


def _equal_states(columns: list[tuple[int, ...]], matches: tuple[bool, ...]) -> list[int]:
    """The block of each state: states of one block accept the same continuations. columns[s][state]: where s leads."""
    before = [_predecessors(column) for column in columns]
    blocks = [int(match) for match in matches]
    members = [{s for s, b in enumerate(blocks) if b == 0}, {s for s, b in enumerate(blocks) if b == 1}]
    pending = [int(len(members[1]) < len(members[0]))]
    queued = set(pending)
    while pending:
        splitter = pending.pop()
        queued.discard(splitter)
        inside = sorted(members[splitter])
        for predecessors in before:
            hit: dict[int, list[int]] = {}
            for state in inside:
                for source in predecessors.get(state, ()):
                    hit.setdefault(blocks[source], []).append(source)
            for block, sources in hit.items():
                if len(sources) == len(members[block]):
                    continue
                new = len(members)
                members[block].difference_update(sources)
                members.append(set(sources))
                for source in sources:
                    blocks[source] = new
                smaller = new if block in queued or len(sources) <= len(members[block]) else block
                pending.append(smaller)
                queued.add(smaller)
    return blocks


def _predecessors(column: tuple[int, ...]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for source, target in enumerate(column):
        found.setdefault(target, []).append(source)
    return found
