"""Trees and proofs against pymerkle, an implementation of RFC 6962 that knows nothing of this one."""

from __future__ import annotations

import pymerkle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hexgate.audit.merkle import (
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)


def library_tree(lines: list[bytes]) -> pymerkle.InmemoryTree:
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for line in lines:
        tree.append_entry(line)
    return tree


def roots(lines: list[bytes]) -> list[bytes]:
    """After every line."""
    frontier, found = Frontier(), []
    for line in lines:
        frontier.append(leaf_hash(line))
        found.append(frontier.root())
    return found


LINES = st.lists(st.binary(min_size=1, max_size=12), min_size=1, max_size=40, unique=True)


@settings(max_examples=60, deadline=None)
@given(LINES, st.data())
def test_roots_and_proofs_agree(lines: list[bytes], data: st.DataObject) -> None:
    tree, found = library_tree(lines), roots(lines)
    assert [tree.get_root(size) for size in range(1, len(lines) + 1)] == found
    leaves = [leaf_hash(line) for line in lines]
    index = data.draw(st.integers(0, len(lines) - 1))
    theirs = tree.prove_inclusion(index + 1, len(lines))
    pymerkle.verify_inclusion(leaves[index], found[-1], theirs)
    path = [node for node in theirs.path if node != leaves[index]]
    assert tuple(path) == inclusion_proof(leaves, index)
    assert verify_inclusion(leaves[index], index, len(lines), path, found[-1])
    old = data.draw(st.integers(1, len(lines)))
    both = tree.prove_consistency(old, len(lines))
    pymerkle.verify_consistency(found[old - 1], found[-1], both)
    ours = consistency_proof(leaves, old)
    assert verify_consistency(old, found[old - 1], len(lines), found[-1], ours)


def test_the_library_refuses_other_roots() -> None:
    lines = [bytes([number]) for number in range(9)]
    tree, found = library_tree(lines), roots(lines)
    with pytest.raises(pymerkle.InvalidProof):
        pymerkle.verify_inclusion(leaf_hash(lines[3]), found[7], tree.prove_inclusion(4, 9))
