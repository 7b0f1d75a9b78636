"""Run inside the machine, as the gateway's user: a message of `alice` to the home's ledger.

Argument: the home. Prints nothing; `--inbox` prints the inbox's states instead, and `--outbox` the
texts of the outbox.
"""

import json
import sys
from pathlib import Path

from hermes_agent.domain.chats import Inbound, Origin
from hermes_agent.ledger.opening import open_ledger
from hermes_agent.sessions.keys import session_key

ledger = open_ledger(Path(sys.argv[1]))
if sys.argv[2:] == ["--inbox"]:
    print(json.dumps([row.state for row in ledger.inbox()]))
elif sys.argv[2:] == ["--outbox"]:
    print(json.dumps([row.outgoing.post.plain for row in ledger.outbox()]))
else:
    origin = Origin(platform="irc", chat_id="alice", user_id="alice")
    key = session_key(origin, per_user=True)
    ledger.accept(Inbound(key="1", origin=origin, text="How long does it take?"), key)
ledger.close()
