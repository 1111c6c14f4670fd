"""The gate in front of any Model Context Protocol server (docs/mcp-proxy.md).

    bytes ──lines──▶ message ──meaning──▶ calls ──judge──▶ forwarded, or answered in the server's place

`conversation` is all of that without IO; `relay`, `child_process`, `own_streams` and `http_upstream` read and write.
"""
