"""Puts a model together from settled targets."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hermes_agent.providers.call import Connect, WireModel
from hermes_agent.providers.resilience import Refresh, ResilientModel, Sleep
from hermes_agent.providers.sight import Sighted
from hermes_agent.providers.target import Target

if TYPE_CHECKING:
    import httpx2


def build_model(
    targets: Sequence[Target],
    connect: "Connect | httpx2.AsyncClient",
    *,
    retries: int = 3,
    stall: float = 300.0,
    refresh: Refresh | None = None,
    sleep: Sleep | None = None,
) -> ResilientModel:
    """The model that asks `targets` in order.

    `connect` is the process's client, or a function that gives it (made when first needed).
    `stall` is the longest silence in seconds; `retries` counts per target.
    """
    get = connect if callable(connect) else (lambda: connect)
    models = [Sighted(WireModel(target, get, stall=stall)) for target in targets]
    return ResilientModel(models, retries=retries, refresh=refresh, sleep=sleep)
