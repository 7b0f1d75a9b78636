"""One run of `hermes chat`: wire the agent, open the session, then answer once or converse."""

import asyncio
import gc
import secrets
import signal
import sys
from typing import TYPE_CHECKING

from hermes_agent.agent.control import Control
from hermes_agent.cli.app import Agent, open_agent
from hermes_agent.cli.wish import Wish
from hermes_agent.domain.errors import CapReached, PeriodCapReached
from hermes_agent.domain.events import BudgetSpent, Completed, Failed, Interrupted, TurnEnded
from hermes_agent.sessions.live import LiveSession
from hermes_agent.store.records import SCRIPTED

if TYPE_CHECKING:
    from hermes_agent.cli.commands.chat import Options
    from hermes_agent.cli.terminal.chat import Chat

BUDGET_SPENT = 75
IMPATIENT = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def converse(options: "Options") -> int:
    """Returns the exit status."""
    interactive = options.query is None
    agent = await open_agent(_wish(options))
    gc.freeze()  # what is imported by now stays for good
    gc.enable()
    try:
        session = agent.open_session(resume=options.resume, latest=options.continue_)
        try:
            if interactive:
                return await _interactive(agent, session, options)
            return await _once(agent, session, options)
        finally:
            session.close()
    finally:
        await agent.close()


def _wish(options: "Options") -> Wish:
    return Wish(
        model=options.model,
        provider=options.provider,
        toolsets=options.toolsets,
        max_turns=options.max_turns,
        yolo=options.yolo,
        verbose=options.verbose,
        personality=options.personality,
        local=options.local,
        interactive=options.query is None,
        pass_session_id=options.pass_session_id,
    )


async def _once(agent: Agent, session: LiveSession, options: "Options") -> int:
    from hermes_agent.cli.terminal.plain import JsonView, PlainView

    if options.json:
        view = JsonView()
        view.say(type="session", session_id=session.id, model=session.model.name)
        show = view.show
    else:
        show = PlainView(
            quiet=options.quiet,
            reasoning=agent.config.display.show_reasoning,
            progress=agent.progress,
        ).show
    control = Control()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, control.stop)
    loop.add_signal_handler(signal.SIGTERM, control.stop)
    try:
        query = _with_skills(agent, options, options.query or "")
        # In a script nobody may wait for more than the answer, and a pipe is nobody's own words.
        turn = f"{SCRIPTED}{secrets.token_hex(16)}"
        ended = await agent.run_turn(session, query, control, show, turn=turn)
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        loop.remove_signal_handler(signal.SIGTERM)
    session.end("query")
    if options.quiet:
        sys.stdout.write(f"\nsession_id: {session.id}\n")
    return exit_status(ended)


async def _interactive(agent: Agent, session: LiveSession, options: "Options") -> int:
    from hermes_agent.cli.terminal.banner import banner, history_lines
    from hermes_agent.cli.terminal.chat import Chat

    chat = Chat(agent, session)
    chat.terminal.print(banner(agent, session, colour=chat.colour, columns=chat.terminal.columns))
    for line in history_lines(session, agent.config.display.resume_display, colour=chat.colour):
        chat.terminal.print(line)
    chat.tell_notices()
    if options.skills:
        chat.say(f"With: {', '.join(options.skills)}", "dim")
        chat.send(_with_skills(agent, options, ""), expanded=True, echo=False)
    status = await chat.run()
    session = chat.session
    if not status:
        await _look_back(agent, chat)
    session.end("exit")
    if session.stored:
        chat.say(f"Go on with: hermes --resume {session.id}")
    return status


async def _look_back(agent: Agent, chat: "Chat") -> None:
    """The last chance to note something; whoever cannot wait goes."""
    if not await agent.reviews.wants_last(chat.session):
        return
    from hermes_agent.sessions.reviewing import told

    chat.say("Looking back for what is worth noting; Ctrl-C skips that.", "dim")
    looking = asyncio.ensure_future(agent.reviews.last(chat.session))
    loop = asyncio.get_running_loop()
    for number in IMPATIENT:
        loop.add_signal_handler(number, looking.cancel)
    try:
        await asyncio.wait([looking])
    finally:
        for number in IMPATIENT:
            loop.remove_signal_handler(number)
    review = None if looking.cancelled() else looking.result()
    if review is not None and review.changes:
        chat.say(told(review), "dim")


def _with_skills(agent: Agent, options: "Options", wish: str) -> str:
    if not options.skills:
        return wish
    from hermes_agent.knowledge.skills.asking import request
    from hermes_agent.runtime.keeping import skill_shelf

    return request(skill_shelf(agent.loaded, "cli"), options.skills, wish)


def exit_status(ended: TurnEnded) -> int:
    """0 answered, 1 failed, 75 budget spent, 130 interrupted."""
    match ended.ending:
        case Completed():
            return 0
        case Interrupted():
            return 130
        case BudgetSpent():
            return BUDGET_SPENT
        case Failed(error=error):
            capped = error in (CapReached.__name__, PeriodCapReached.__name__)
            return BUDGET_SPENT if capped else 1
