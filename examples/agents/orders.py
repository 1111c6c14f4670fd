"""The shop's orders, in SQLite: what the tools of the example agents read and change."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

ORDERS = [(30, "alice", 120, 0), (31, "bob", 1400, 0), (32, "carol", 60, 0)]


def make_orders(path: Path) -> None:
    """A new database with three orders: id, customer, amount paid, amount refunded, all in USD."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT, paid INTEGER, refunded INTEGER)")
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", ORDERS)


def find_order(path: Path, order_id: int) -> str:
    """One order in a sentence."""
    with closing(sqlite3.connect(path)) as connection:
        row = connection.execute("SELECT customer, paid, refunded FROM orders WHERE id = ?", (order_id,)).fetchone()
    return f"there is no order {order_id}" if row is None else f"order {order_id} of {row[0]}: paid {row[1]}, refunded {row[2]}"


def refund_order(path: Path, order_id: int, amount: int) -> str:
    """Refund a part of an order."""
    with closing(sqlite3.connect(path)) as connection, connection:
        changed = connection.execute("UPDATE orders SET refunded = refunded + ? WHERE id = ?", (amount, order_id)).rowcount
    return f"refunded {amount} of order {order_id}" if changed else f"there is no order {order_id}"


def delete_order(path: Path, order_id: int) -> str:
    """Delete an order."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM orders WHERE id = ?", (order_id,))
    return f"deleted order {order_id}"


def refunds(path: Path) -> dict[int, int]:
    """What was refunded, by order."""
    with closing(sqlite3.connect(path)) as connection:
        return dict(connection.execute("SELECT id, refunded FROM orders ORDER BY id"))
