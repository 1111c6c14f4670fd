"""Drive a generator in a context of its own (PEP 567), so that what it sets is never seen between its yields.

A context variable that is set before a `yield` and reset after it leaks into whoever consumes the generator, and resetting it fails
where another task closes the generator. Every step of the inner generator runs in one private context instead, in the task that asks
for it: cancellation, exceptions and an early close reach it as they would without.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Generator, Iterator
from contextvars import Context
from typing import Any, TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class in_context(Coroutine[Any, Any, _Result]):  # noqa: N801 - used as a function is
    """An awaitable whose steps run in a context, in the task that awaits it."""

    __slots__ = ("_context", "_steps")

    def __init__(self, awaitable: Awaitable[_Result], context: Context) -> None:
        """`context` must not be entered already while a step is made."""
        self._context = context
        self._steps: Any = context.run(awaitable.__await__)

    def __await__(self) -> Generator[Any, Any, _Result]:
        return self  # `await` asks for an iterator with send and throw

    def __iter__(self) -> in_context[_Result]:
        return self

    def __next__(self) -> Any:
        return self._context.run(next, self._steps)

    def send(self, value: Any) -> Any:
        """The next step."""
        if value is None:
            return self._context.run(next, self._steps)
        return self._context.run(self._steps.send, value)

    def throw(self, *error: Any) -> Any:
        """The next step, with an exception where the awaitable waits."""
        return self._context.run(self._steps.throw, *error)

    def close(self) -> None:
        """End it."""
        self._context.run(self._steps.close)


async def drive(generator: AsyncIterator[_Item], context: Context) -> AsyncGenerator[_Item, None]:
    """The items of an async generator, each made in the context. It is closed when this is."""
    try:
        while True:
            try:
                item = await in_context(generator.__anext__(), context)
            except StopAsyncIteration:
                return
            yield item
    finally:
        close: Callable[[], Awaitable[None]] | None = getattr(generator, "aclose", None)
        if close is not None:
            await in_context(close(), context)


def drive_sync(generator: Iterator[_Item], context: Context) -> Generator[_Item, None, None]:
    """The items of a generator, each made in the context. It is closed when this is."""
    end = object()
    try:
        while True:
            item: Any = context.run(next, generator, end)
            if item is end:
                return
            yield item
    finally:
        close: Callable[[], None] | None = getattr(generator, "close", None)
        if close is not None:
            context.run(close)
