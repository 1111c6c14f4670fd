"""Merkle trees over the lines of a log, and proofs about them (RFC 6962 section 2.1, RFC 9162 section 2.1).

A leaf is the exact bytes of a line without its newline. Hashes are 32 bytes of SHA-256.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

EMPTY_ROOT = sha256(b"").digest()
"""Root of the tree without leaves (RFC 6962 section 2.1)."""


_BLOCK = 256
"""Leaves that are put into a tree at once: a power of two."""


def leaf_hash(line: bytes) -> bytes:
    """The hash of a leaf."""
    return sha256(b"\0" + line).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return sha256(b"\1" + left + right).digest()


def _perfect_root(level: list[bytes]) -> bytes:
    """The root over a power of two of leaf hashes."""
    while len(level) > 1:
        nodes = iter(level)
        level = [sha256(b"\1" + left + right).digest() for left, right in zip(nodes, nodes, strict=True)]
    return level[0]


class Frontier:
    """A tree that only grows: the roots of its complete subtrees, from the largest to the smallest.

    Appended hashes wait until a root is asked for, which hashes them together: in a log that is at its checkpoints.
    """

    __slots__ = ("_folded", "_subtrees", "_waiting", "append")

    def __init__(self) -> None:
        self._subtrees: list[bytes] = []
        self._folded = 0
        self._waiting: list[bytes] = []
        self.append = self._waiting.append
        """Add the hash of the next leaf."""

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return self._folded + len(self._waiting)

    def _fold(self) -> None:
        """Put the waiting leaves into the tree: one inner hash each on average, whole blocks at a time where they are aligned."""
        subtrees, size, waiting = self._subtrees, self._folded, self._waiting
        at, count = 0, len(waiting)
        while at < count:
            if size % _BLOCK or count - at < _BLOCK:
                node, leaves, remaining = waiting[at], 1, size
            else:
                node, leaves, remaining = _perfect_root(waiting[at : at + _BLOCK]), _BLOCK, size // _BLOCK
            while remaining & 1:
                node = sha256(b"\1" + subtrees.pop() + node).digest()
                remaining >>= 1
            subtrees.append(node)
            size += leaves
            at += leaves
        self._folded = size
        waiting.clear()

    def root(self) -> bytes:
        """The tree's root."""
        self._fold()
        if not self._subtrees:
            return EMPTY_ROOT
        root = self._subtrees[-1]
        for subtree in reversed(self._subtrees[:-1]):
            root = node_hash(subtree, root)
        return root


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """The root over the hashes of leaves."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def _split(size: int) -> int:
    """The largest power of two below a size of at least 2."""
    return 1 << (size - 1).bit_length() - 1


def inclusion_proof(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """The audit path of one leaf (RFC 6962 section 2.1.1), from the leaf upwards. Raises IndexError."""
    if not 0 <= index < len(leaves):
        raise IndexError("there is no such leaf")
    path: list[bytes] = []
    start, end = 0, len(leaves)
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(tree_root(leaves[middle:end]))
            end = middle
        else:
            path.append(tree_root(leaves[start:middle]))
            start = middle
    return tuple(reversed(path))


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether a proof shows that a leaf's hash stands at an index of the tree of a size and a root (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    here, last = index, size - 1
    found = leaf
    for sibling in proof:
        if last == 0:
            return False
        if here & 1 or here == last:
            found = node_hash(sibling, found)
            while not here & 1 and here:
                here >>= 1
                last >>= 1
        else:
            found = node_hash(found, sibling)
        here >>= 1
        last >>= 1
    return last == 0 and found == root


def consistency_proof(leaves: Sequence[bytes], old_size: int) -> tuple[bytes, ...]:
    """That the tree of the first `old_size` leaves is the beginning of the tree of all (RFC 6962 section 2.1.2).
    Raises IndexError for a size outside 1 to the number of leaves."""
    if not 1 <= old_size <= len(leaves):
        raise IndexError("there is no such smaller tree")
    proof: list[bytes] = []
    start, end, complete = 0, len(leaves), True
    while old_size != end:
        middle = start + _split(end - start)
        if old_size <= middle:
            proof.append(tree_root(leaves[middle:end]))
            end = middle
        else:
            proof.append(tree_root(leaves[start:middle]))
            start, complete = middle, False
    if not complete:
        proof.append(tree_root(leaves[start:end]))
    return tuple(reversed(proof))


def verify_consistency(
    old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether a proof shows that one tree is the beginning of another (RFC 9162 section 2.1.4.2)."""
    if old_size == size:
        return not proof and old_root == root
    if not 0 < old_size < size or not proof:
        return False
    path = list(proof) if old_size & (old_size - 1) else [old_root, *proof]
    here, last = old_size - 1, size - 1
    while here & 1:
        here >>= 1
        last >>= 1
    old_found = found = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if here & 1 or here == last:
            old_found = node_hash(sibling, old_found)
            found = node_hash(sibling, found)
            while not here & 1 and here:
                here >>= 1
                last >>= 1
        else:
            found = node_hash(found, sibling)
        here >>= 1
        last >>= 1
    return last == 0 and old_found == old_root and found == root
