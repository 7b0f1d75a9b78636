"""E-mail as a platform."""

import asyncio
import logging
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from hermes_agent.delivery.capabilities import Capabilities
from hermes_agent.domain.chats import Post, Target
from hermes_agent.platforms.base import Door, MessageGone, SendRefused
from hermes_agent.platforms.email.addresses import is_address
from hermes_agent.platforms.email.composing import compose
from hermes_agent.platforms.email.configuration import Configuration
from hermes_agent.platforms.email.intake import Intake
from hermes_agent.platforms.email.submission import submit
from hermes_agent.platforms.email.threads import Thread, Threads, digest, message_id_for
from hermes_agent.platforms.email.watching import Watch

HOUR = 3600.0
MAX_COUNTED = 1000

_log = logging.getLogger(__name__)


class Email:
    """The port `Platform`."""

    name = "email"
    capabilities = Capabilities(
        dialect="email",
        max_length=50_000,
        threads=True,
        media=frozenset(("image", "voice", "audio", "video", "document")),
        max_media=10,
        window=(
            "A mail that was handed in when the process died is handed in again after the start, "
            "under the same Message-ID: many mail servers and programs show it once."
        ),
    )

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._threads: Threads | None = None
        self._sent: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    async def run(self, door: Door, ready: Callable[[], None]) -> None:
        """See `Platform.run`."""
        self._threads = Threads(door)
        watch = Watch(self._configuration)
        try:
            await watch.do(lambda box: box.open())
            intake = Intake(self._configuration, watch, door)
            await intake.begin()
            if not (self._configuration.authserv_id or self._configuration.trust_from):
                _log.warning(
                    "email: no mail will be answered: From can be forged, and no server is named "
                    "that vouches for it. Set EMAIL_AUTHSERV_ID to the name with which your "
                    "provider begins its Authentication-Results headers (the log shows it when "
                    "the next mail comes), or EMAIL_TRUST_FROM=true to believe every sender."
                )
            ready()
            while True:
                await intake.look()
                await watch.wait()
        finally:
            await watch.close()

    async def send(self, target: Target, post: Post, key: str) -> str:
        """See `Platform.send`."""
        to = target.chat_id
        if not is_address(to):
            raise SendRefused(f"email: {to[:80]!r} is no address.")
        if to.lower() == self._configuration.address:
            raise SendRefused("email: nothing is sent to our own address.")
        times = self._times(to.lower(), target.thread_id or "")
        thread = await self._thread(target, post)
        message_id = message_id_for(
            key, thread.digest if thread else digest(to, key), self._configuration.address
        )
        mail = await asyncio.to_thread(compose, self._configuration, to, post, message_id, thread)
        await submit(self._configuration, to, mail)
        times.append(time.monotonic())
        return message_id

    async def edit(self, target: Target, message_id: str, post: Post) -> None:
        """What was sent is sent."""
        raise MessageGone("email: mails cannot be edited.")

    async def typing(self, target: Target) -> None:
        """There is nothing to show it with."""

    async def react(self, target: Target, message_id: str, emoji: str) -> None:
        """There is nothing to do it with."""

    async def close(self) -> None:
        """Nothing is kept between calls."""

    async def _thread(self, target: Target, post: Post) -> Thread | None:
        root = target.thread_id
        if root is None:
            return None
        known = await self._threads.find(target.chat_id, root) if self._threads else None
        references = (post.quotes,) if post.quotes and post.quotes != root else ()
        return known or Thread(chat=target.chat_id, root=root, references=references)

    def _times(self, to: str, root: str) -> deque[float]:
        """When mails went into this thread within the last hour. Raises `SendRefused` when these
        are too many: two machines that answer each other end here."""
        times = self._sent.setdefault((to, root), deque())
        self._sent.move_to_end((to, root))
        while len(self._sent) > MAX_COUNTED:
            self._sent.popitem(last=False)
        while times and time.monotonic() - times[0] > HOUR:
            times.popleft()
        if root and len(times) >= self._configuration.replies_per_hour:
            raise SendRefused(
                f"email: {len(times)} mails went to {to} in this thread within an hour.",
                hint="If this is no loop, raise platforms.email.extra.replies_per_hour.",
            )
        return times
