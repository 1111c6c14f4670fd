"""Assemble WAT to a module's bytes, custom sections dropped, so that only what runs is signed."""

from __future__ import annotations

import wasmtime

_HEADER = b"\0asm\x01\0\0\0"


def assemble(wat: str) -> bytes:
    """The bytes of a module. Raises wasmtime.WasmtimeError for text that is no module, which is a fault of the compiler."""
    return drop_custom_sections(bytes(wasmtime.wat2wasm(wat)))


def drop_custom_sections(module: bytes) -> bytes:
    """A module without its custom sections (WebAssembly core specification, 5.5.3): names, producers."""
    kept = bytearray(_HEADER)
    position = len(_HEADER)
    while position < len(module):
        start, section = position, module[position]
        size, position = _read_unsigned(module, position + 1)
        position += size
        if section != 0:
            kept += module[start:position]
    return bytes(kept)


def _read_unsigned(module: bytes, position: int) -> tuple[int, int]:
    """An unsigned LEB128 number (5.2.2), and the position after it."""
    value = shift = 0
    while True:
        byte = module[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
