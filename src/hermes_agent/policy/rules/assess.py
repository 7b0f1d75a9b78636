"""From a command to a verdict."""

import hashlib
import re
from collections.abc import Collection, Iterator, Sequence
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from hermes_agent.policy.shell import Script, TooComplex, normalise, parse
from hermes_agent.policy.verdict import Action, Place, Reason, Verdict

if TYPE_CHECKING:
    from hermes_agent.policy.rules.finding import Finding, Rule, View

_RANK: dict[Action, int] = {"pass": 0, "ask": 1, "block": 2}
_EXCERPT = 120
_LONGEST_KEY = 300


def assess(
    command: str, place: Place, *, allow: Collection[str] = (), deny: Sequence[str] = ()
) -> Verdict:
    """What the rules say about `command` in `place`.

    `allow` holds rule keys and exact commands (`command_allowlist`); they lift questions, never
    blocks. `deny` holds `fnmatch` patterns on the command as a whole or on a simple command in
    it (`approvals.deny`); they block. Never fails: what cannot be read is asked about, what is
    too much to read is blocked.
    """
    seen = normalise(command)
    verdict = _judge(seen.text, place, deny)
    reasons = list(verdict.reasons)
    action = verdict.action
    if seen.folded is not None and not place.contained:
        folded = _judge(seen.folded, place, deny)
        if _RANK[folded.action] > _RANK[action]:
            action = "ask"
            reasons = [
                Reason(
                    exact_key(seen.text),
                    "It holds letters that only look like those of another command.",
                    seen.text[:_EXCERPT],
                    lasting=False,
                )
            ]
    if seen.hidden and action != "block" and not place.contained:
        reasons = [*reasons] if action == "ask" else []
        action = "ask"
        reasons.append(
            Reason(
                exact_key(seen.text),
                "It held invisible characters; this is the command without them.",
                seen.text[:_EXCERPT],
                lasting=False,
            )
        )
    if action == "ask" and allow:
        stripped = seen.text.strip()
        if not seen.hidden and (stripped in allow or command.strip() in allow):
            reasons = []
        reasons = [r for r in reasons if r.rule not in allow or not r.lasting]
        action = "ask" if reasons else "pass"
    return Verdict(action, tuple(reasons), seen.text)


def exact_key(command: str) -> str:
    """The key that stands for one command as it is."""
    stripped = command.strip()
    if len(stripped) <= _LONGEST_KEY and stripped.isprintable():
        return f"exactly:{stripped}"
    return "exactly:sha256-" + hashlib.sha256(stripped.encode("utf-8", "replace")).hexdigest()


def _judge(command: str, place: Place, deny: Sequence[str]) -> Verdict:
    try:
        script = parse(
            command,
            cwd=place.cwd,
            home=place.home,
            variables={"HERMES_HOME": place.hermes_home},
        )
    except TooComplex as error:
        reason = Reason(
            "too-complex",
            f"It cannot be checked: {error}. Write it to a script file and run that.",
            command[:_EXCERPT],
            lasting=False,
        )
        return Verdict("block", (reason,), command)
    found: dict[tuple[Action, str], Reason] = {}
    for action, reason in (*_denied(command, script, deny), *_reasons(command, script, place)):
        found.setdefault((action, reason.rule), reason)
    worst: Action = "pass"
    for action, _ in found:
        worst = action if _RANK[action] > _RANK[worst] else worst
    if worst == "ask" and place.contained:
        worst = "pass"
    reasons = tuple(r for (action, _), r in found.items() if action == worst)
    return Verdict(worst, reasons, command)


def _denied(command: str, script: Script, deny: Sequence[str]) -> Iterator[tuple[Action, Reason]]:
    if not deny:
        return
    texts = [command.strip(), *(" ".join(w.text for w in c.argv) for c in script.commands)]
    for pattern in deny:
        hit = next((t for t in texts if fnmatchcase(t, pattern)), None)
        if hit is not None:
            sentence = f"The configuration forbids it (approvals.deny: {pattern})."
            yield "block", Reason(f"denied:{pattern}", sentence, hit[:_EXCERPT])


def _reasons(command: str, script: Script, place: Place) -> Iterator[tuple[Action, Reason]]:
    from hermes_agent.policy.rules.finding import View

    for doubt in script.doubts:
        yield "ask", Reason(exact_key(command), doubt.sentence, doubt.excerpt[:_EXCERPT])
    for bomb in script.bombs:
        yield "block", Reason("fork-bomb", "It would multiply itself endlessly.", bomb[:_EXCERPT])
    for each in script.commands:
        view = View(each, place, script)
        elsewhere = "ssh" in each.via
        for rule in _rules_for(each.program, bool(each.argv)):
            finding = rule(view)
            if finding is None or _moot(finding, place, elsewhere):
                continue
            yield finding.action, _reason(finding, command, view)


def _moot(finding: "Finding", place: Place, elsewhere: bool) -> bool:
    """In a container only the agent's own policy is at stake; on another machine it is not."""
    agent = finding.rule.startswith(("agent-policy", "agent-gate"))
    return (place.contained and not agent) or (elsewhere and agent)


def _reason(finding: "Finding", command: str, view: "View") -> Reason:
    excerpt = view.command.source or " ".join(w.text for w in view.command.argv)
    rule = exact_key(command) if finding.exactly and finding.action == "ask" else finding.rule
    return Reason(rule, finding.sentence, excerpt[:_EXCERPT], finding.lasting)


@lru_cache(maxsize=1024)
def _rules_for(program: str, runs: bool) -> "tuple[Rule, ...]":
    from hermes_agent.policy.rules import agent, code, network, writing
    from hermes_agent.policy.rules.finding import Rule

    anything: tuple[Rule, ...] = (agent.exported, writing.written, *network.ANY)
    if not runs:
        return anything
    return (*anything, code.dynamic_name, *_table().get(program, ()), *_guessed(program))


def _guessed(program: str) -> "tuple[Rule, ...]":
    from hermes_agent.policy.rules import agent, devices

    if re.match(r"mkfs\.|newfs", program) and program not in _table():
        return (devices.format_disk,)
    if re.fullmatch(r"python[\d.]*", program):
        return (agent.module,)
    return ()


@cache
def _table() -> "dict[str, tuple[Rule, ...]]":
    from hermes_agent.policy.rules import (
        agent,
        code,
        containers,
        databases,
        devices,
        files,
        network,
        repositories,
        system,
    )

    table: dict[str, tuple[Rule, ...]] = {}
    for room in (agent, code, containers, databases, devices, files, network, repositories, system):
        for program, rules in room.RULES.items():
            table[program] = (*table.get(program, ()), *rules)
    return table
