"""A server of a shop's orders: `python -m examples.mcp.server DATABASE` speaks MCP over standard input and output, and with `--port NUMBER`
streamable HTTP on this machine. It knows no caller and asks nobody: that is what the proxy is for."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from mcp.server.mcpserver import MCPServer

from examples.agents import orders


def make_server(database: Path) -> MCPServer:
    """The server on a database of orders."""
    server = MCPServer("orders", log_level="ERROR")

    @server.tool()
    def find_order(order_id: int) -> str:
        """Find an order."""
        return orders.find_order(database, order_id)

    @server.tool()
    def refund_order(order_id: int, amount: int) -> str:
        """Refund a part of an order."""
        return orders.refund_order(database, order_id, amount)

    @server.tool()
    def delete_order(order_id: int) -> str:
        """Delete an order."""
        return orders.delete_order(database, order_id)

    @server.resource("orders://{order_id}")
    def order(order_id: str) -> str:
        """An order as a resource."""
        return orders.find_order(database, int(order_id))

    @server.resource("accounts://payouts")
    def payouts() -> str:
        """The shop's own accounts."""
        return "DE02 1203 0000 0000 2020 51"

    @server.prompt()
    def apology(customer: str) -> str:
        """An apology to a customer."""
        return f"Write a short apology to {customer}."

    @server.prompt()
    def audit() -> str:
        """For auditors only."""
        return "List every refund of the year."

    return server


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="A server of a shop's orders.")
    parser.add_argument("database", type=Path)
    parser.add_argument("--port", type=int, help="speak streamable HTTP there, at /mcp")
    options = parser.parse_args()
    if not options.database.exists():
        orders.make_orders(options.database)
    server = make_server(options.database)
    if options.port is None:
        server.run("stdio")
    else:
        logging.disable(logging.INFO)
        server.run("streamable-http", host="127.0.0.1", port=options.port)


if __name__ == "__main__":
    main()
