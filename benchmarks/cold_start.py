"""A first decision in a new process: `python benchmarks/cold_start.py HEXGATE_KEY STATE`, from the key's bundle to an allow."""

import sys

from hexgate.runtime import Gate, User

gate = Gate.from_key(sys.argv[1], state=sys.argv[2], audit=False)
assert gate.decide("refund_order", {"amount": 30, "currency": "USD"}, user=User("alice", "billing")).allowed
