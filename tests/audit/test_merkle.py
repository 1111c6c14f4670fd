"""Trees and proofs against the definition of RFC 6962, written down as it stands there."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hexgate.audit.merkle import (
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    tree_root,
    verify_consistency,
    verify_inclusion,
)

LEAVES = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = """
1 6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d
2 fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125
3 aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77
4 d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7
5 4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4
6 76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef
7 ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c
8 5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328
"""
"""The published roots over the first n leaves (certificate-transparency's merkle tree test vectors)."""


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0]).digest()
    k = max(2**i for i in range(64) if 2**i < len(leaves))
    return sha256(b"\1" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def naive_path(m: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of RFC 6962 section 2.1.1."""
    if len(leaves) == 1:
        return []
    k = max(2**i for i in range(64) if 2**i < len(leaves))
    if m < k:
        return [*naive_path(m, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive_root(leaves[:k])]


def naive_proof(m: int, leaves: list[bytes], complete: bool = True) -> list[bytes]:
    """SUBPROOF of RFC 6962 section 2.1.2."""
    if m == len(leaves):
        return [] if complete else [naive_root(leaves)]
    k = max(2**i for i in range(64) if 2**i < len(leaves))
    if m <= k:
        return [*naive_proof(m, leaves[:k], complete), naive_root(leaves[k:])]
    return [*naive_proof(m - k, leaves[k:], False), naive_root(leaves[:k])]


@pytest.mark.parametrize("row", ROOTS.strip().splitlines())
def test_published_roots(row: str) -> None:
    size, root = row.split()
    leaves = LEAVES[: int(size)]
    assert tree_root([leaf_hash(leaf) for leaf in leaves]).hex() == root
    assert naive_root(leaves).hex() == root


def test_the_root_of_nothing_is_the_hash_of_nothing() -> None:
    assert Frontier().root() == sha256(b"").digest()


SIZES = st.integers(1, 70)


@given(size=SIZES)
def test_a_frontier_has_the_root_of_the_definition(size: int) -> None:
    lines = [b"%d" % number for number in range(size)]
    assert tree_root([leaf_hash(line) for line in lines]) == naive_root(lines)


@given(cuts=st.lists(st.one_of(st.integers(1, 1_100), st.sampled_from([255, 256, 257, 511, 512, 513, 768, 1024])), min_size=1, max_size=4))
def test_roots_asked_for_on_the_way(cuts: list[int]) -> None:
    """Leaves go into a tree in blocks; where roots are asked for between them, the blocks do not begin where the leaves do."""
    lines = [b"%d" % number for number in range(max(cuts))]
    frontier = Frontier()
    for cut in sorted(set(cuts)):
        for line in lines[frontier.size : cut]:
            frontier.append(leaf_hash(line))
        assert frontier.root() == naive_root(lines[:cut])


@given(size=SIZES, data=st.data())
def test_inclusion(size: int, data: st.DataObject) -> None:
    lines = [b"%d" % number for number in range(size)]
    leaves = [leaf_hash(line) for line in lines]
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(leaves, index)
    root = naive_root(lines)
    assert list(proof) == naive_path(index, lines)
    assert verify_inclusion(leaves[index], index, size, proof, root)
    other = data.draw(st.integers(0, size))
    assert verify_inclusion(leaves[index], other, size, proof, root) == (other == index)
    assert not verify_inclusion(leaf_hash(b"x"), index, size, proof, root)
    assert not verify_inclusion(leaves[index], index, size, [*proof, root], root)


@given(size=SIZES, data=st.data())
def test_consistency(size: int, data: st.DataObject) -> None:
    lines = [b"%d" % number for number in range(size)]
    leaves = [leaf_hash(line) for line in lines]
    old = data.draw(st.integers(1, size))
    proof = consistency_proof(leaves, old)
    roots = naive_root(lines[:old]), naive_root(lines)
    assert list(proof) == naive_proof(old, lines)
    assert verify_consistency(old, roots[0], size, roots[1], proof)
    changed = [leaf_hash(b"x"), *leaves[1:]]
    assert not verify_consistency(old, roots[0], size, tree_root(changed), consistency_proof(changed, old))
    assert not verify_consistency(old, roots[0], size, roots[1], [*proof, roots[0]])


@pytest.mark.parametrize("index", [-1, 3])
def test_no_proof_for_what_is_not_there(index: int) -> None:
    with pytest.raises(IndexError, match=r"^there is no such leaf$"):
        inclusion_proof([b"a", b"b", b"c"], index)


@pytest.mark.parametrize("size", [0, 4])
def test_no_proof_for_a_tree_that_is_not_there(size: int) -> None:
    with pytest.raises(IndexError, match=r"^there is no such smaller tree$"):
        consistency_proof([b"a", b"b", b"c"], size)
