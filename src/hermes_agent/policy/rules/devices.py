"""Disks and what is on them."""

from hermes_agent.policy.protected import device
from hermes_agent.policy.rules.finding import Finding, Rule, View, ask, block, key

_SENTENCE = "It would overwrite a disk or the machine's memory."


def _disk(view: View) -> str | None:
    for word in view.operands():
        path = view.path(word)
        if path is not None and device(path):
            return path
        if word.pattern and word.text.startswith("/dev/"):
            return word.text
    return None


def format_disk(view: View) -> Finding | None:
    """`mkfs`, `wipefs`, `mkswap`, partitioning."""
    disk = _disk(view)
    if disk is not None:
        only_looks = (
            view.has("nl", "list", "no-act", "dump", "json", "print") or "print" in view.texts()
        )
        return None if only_looks else block(key("format-disk", disk), "It would erase a disk.")
    if view.program.startswith(("mkfs", "mke2fs", "wipefs")):
        return ask("format-image", "It makes a new file system where something may be already.")
    if any(w.dynamic for w in view.arguments):
        return ask(
            "format-disk", "The disk that it changes is known only at run time.", exactly=True
        )
    return None


def copy_blocks(view: View) -> Finding | None:
    """`dd`."""
    for word in view.arguments:
        if word.text.startswith("of="):
            rest = type(word)(word.text[3:], word.dynamic)
            path = view.path(rest)
            if path is not None and device(path):
                return block(key("write-disk", path), _SENTENCE)
            if rest.dynamic:
                return ask("dd-dynamic", "Where it writes is known only at run time.", exactly=True)
    for word in view.arguments:
        if word.text.startswith("if="):
            path = view.path(type(word)(word.text[3:], word.dynamic))
            if path is not None and device(path):
                return ask("read-disk", "It reads a disk as a whole.")
    return None


def written(view: View) -> Finding | None:
    """Anything else that writes to a device: `tee`, `cp`, `cat >`."""
    for word in (*view.written(), *(_destinations(view))):
        path = view.path(word)
        if path is not None and device(path):
            return block(key("write-disk", path), _SENTENCE)
    return None


def _destinations(view: View):
    from hermes_agent.policy.rules.writing import destinations

    return destinations(view)


def partition(view: View) -> Finding | None:
    """`fdisk`, `parted`, `sgdisk`, `cryptsetup`, `lvremove`, `zpool destroy`."""
    if view.has("l", "list") or view.texts()[:1] in (["list"], ["status"], ["print"]):
        return None
    if _disk(view) is not None:
        return format_disk(view)
    verbs = ("destroy", "luksFormat", "erase", "luksErase", "remove", "labelclear")
    if view.program.startswith(("lvremove", "vgremove", "pvremove")) or any(
        t in verbs for t in view.texts()
    ):
        return ask(key("volume-destroy", view.program), "It destroys a volume.")
    return None


RULES: dict[str, tuple[Rule, ...]] = {
    "dd": (copy_blocks,),
    **dict.fromkeys(
        ("mkfs", "mke2fs", "mkswap", "wipefs", "mkdosfs", "mkntfs", "blkdiscard", "hdparm",
         "badblocks",
         "mkfs.ext2", "mkfs.ext3", "mkfs.ext4", "mkfs.xfs", "mkfs.btrfs", "mkfs.vfat", "mkfs.fat",
         "mkfs.ntfs", "mkfs.f2fs", "mkfs.exfat", "mkfs.minix", "mkfs.bfs", "mkfs.cramfs", "newfs"),
        (format_disk,),
    ),
    **dict.fromkeys(
        ("fdisk", "sfdisk", "cfdisk", "gdisk", "sgdisk", "parted", "cryptsetup", "lvremove",
         "vgremove", "pvremove", "zpool", "zfs", "mdadm", "diskutil", "shred", "pvcreate"),
        (partition,),
    ),
}  # fmt: skip
