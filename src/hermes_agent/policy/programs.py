"""What the rules say about a whole program, of which nobody can tell beforehand what it does."""

from collections.abc import Collection, Sequence
from fnmatch import fnmatchcase

from hermes_agent.policy.shell import normalise
from hermes_agent.policy.verdict import Reason, Verdict

RULE = "inline-code:python"
"""The key of Python code in commands: whoever allowed the one has allowed the other."""

_EXCERPT = 120


def assess_program(
    code: str, *, confined: bool, allow: Collection[str] = (), deny: Sequence[str] = ()
) -> Verdict:
    """`confined` says that it runs where what decides about the agent is out of its reach: then
    it passes. `deny` as in `assess`, on the text as a whole."""
    hit = next((pattern for pattern in deny if fnmatchcase(code.strip(), pattern)), None)
    if hit is not None:
        sentence = f"The configuration forbids it (approvals.deny: {hit})."
        return Verdict("block", (Reason(f"denied:{hit}", sentence, code[:_EXCERPT]),), code)
    if confined:
        return Verdict("pass", (), code)
    seen = normalise(code)
    if RULE in allow and not seen.hidden:
        return Verdict("pass", (), code)
    sentence = "It runs a program that the agent wrote; what that does cannot be checked."
    reasons = [Reason(RULE, sentence, seen.text[:_EXCERPT])]
    if seen.hidden:
        hidden = "It held invisible characters; this is the program without them."
        reasons.append(Reason("hidden-characters", hidden, seen.text[:_EXCERPT], lasting=False))
    return Verdict("ask", tuple(reasons), seen.text)
