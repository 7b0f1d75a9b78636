"""Changes to several files: all worked out first, then written, taken back if one fails."""

import asyncio

import msgspec

from hermes_agent.domain.errors import EnvironmentFault
from hermes_agent.domain.ports import Files
from hermes_agent.tools.contract import ToolContext
from hermes_agent.tools.files import editable, missing
from hermes_agent.tools.patching import hunks
from hermes_agent.tools.patching.v4a import Add, Change, Delete, PatchFault, Update
from hermes_agent.tools.text import Text, encode


class Edit(msgspec.Struct):
    """One file before and after; None where there is no file. `path` is resolved."""

    path: str
    before: Text | None
    after: Text | None


class Batch:
    """What a patch is going to do. Nothing is written before `write`."""

    def __init__(self, context: ToolContext) -> None:
        self._context = context
        self._edits: dict[str, Edit] = {}

    @property
    def edits(self) -> list[Edit]:
        """The files that change, in the order they were first named."""
        return [edit for edit in self._edits.values() if edit.before != edit.after]

    async def add(self, change: Change) -> None:
        """Work out one more change, on top of those before it. Raises `PatchFault`."""
        match change:
            case Add(path, content):
                edit = await self._edit(path)
                if edit.after is not None:
                    raise PatchFault(
                        f"{path} is there already.", hint="Use *** Update File: for it."
                    )
                edit.after = Text(text=content)
            case Delete(path):
                edit = await self._edit(path)
                await self._there(path, edit)
                edit.after = None
            case Update(path):
                await self._update(change)

    async def replace(self, path: str, text: str) -> None:
        """Give a file another text, written the way the old one was."""
        edit = await self._edit(path)
        old = await self._there(path, edit)
        edit.after = msgspec.structs.replace(old, text=text)

    async def text(self, path: str) -> str:
        """The text of a file as it stands after the changes so far."""
        return (await self._there(path, await self._edit(path))).text

    async def _update(self, change: Update) -> None:
        edit = await self._edit(change.path)
        old = await self._there(change.path, edit)
        text = hunks.apply(old.text, change.hunks, change.path)
        new = msgspec.structs.replace(old, text=text)
        if change.move_to is None:
            edit.after = new
            return
        target = await self._edit(change.move_to)
        if target.after is not None:
            raise PatchFault(f"{change.move_to} is there already.", hint="Delete it first.")
        edit.after, target.after = None, new

    async def _edit(self, path: str) -> Edit:
        resolved, text = await editable(path, self._context)
        return self._edits.setdefault(resolved, Edit(resolved, text, text))

    async def _there(self, path: str, edit: Edit) -> Text:
        if edit.after is None:
            raise await missing(path, self._context)
        return edit.after

    async def write(self) -> None:
        """Write everything. When one file cannot be written, the others are put back.

        A cancellation waits until all of it is done: half a patch helps nobody.
        """
        work = asyncio.ensure_future(self._write())
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            await asyncio.wait([work])
            raise

    async def _write(self) -> None:
        files = self._context.environment.files
        done: list[Edit] = []
        try:
            for edit in self.edits:
                done.append(edit)
                await _put(files, edit.path, edit.after)
        except OSError as fault:
            lost = [edit.path for edit in reversed(done[:-1]) if not await _undone(files, edit)]
            if lost:
                raise EnvironmentFault(
                    f"{fault}. These files were already changed and could not be put back: "
                    f"{', '.join(lost)}."
                ) from fault
            raise


async def _undone(files: Files, edit: Edit) -> bool:
    try:
        await _put(files, edit.path, edit.before)
    except OSError:
        return False
    return True


async def _put(files: Files, path: str, text: Text | None) -> None:
    if text is not None:
        await files.write(path, encode(text.text, text))
    else:
        await files.remove(path)
