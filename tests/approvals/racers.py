"""A process that tests start: threads that race to run one approved call."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from hexgate.approvals.refusal import ApprovalRefusedError
from hexgate.approvals.request import held_by
from hexgate.approvals.steps import Call, Terms
from hexgate.approvals.store import ApprovalStore
from hexgate.audit.log import AuditLog
from hexgate.decision.decision import Decision, Reason, RuleReference, User, Verdict
from hexgate.place import Place
from hexgate.runtime.held_calls import open_steps
from tests.approvals.held import FINANCE, NOW

RULE = RuleReference("billing", "wire", 0, Verdict.APPROVAL_REQUIRED, Place("billing.yaml", 3, 3, 4), (), None, (FINANCE.public.text,), 3_600)
CALL = Call(Decision(Verdict.APPROVAL_REQUIRED, Reason.RULE, "billing", "wire", RULE), {"amount": 5}, User("alice", "billing"))
assert held_by(RULE).seconds == 3_600


def race(folder: Path, ids: list[str], threads: int) -> None:
    """Every thread tries every request; prints how often one was let through."""
    with AuditLog(folder / "audit") as log:
        steps = open_steps(ApprovalStore(folder / "approvals.sqlite"), log)
        ran: list[str] = []
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()

        def work() -> None:
            for id_ in ids:
                try:
                    steps.consume(id_, CALL, Terms(), NOW)
                    ran.append(id_)
                except ApprovalRefusedError as error:
                    assert error.refusal.value == "consumed", error

        workers = [threading.Thread(target=work) for _ in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    sys.stdout.write(" ".join(ran) + "\n")


if __name__ == "__main__":
    race(Path(sys.argv[1]), sys.argv[3:], int(sys.argv[2]))
