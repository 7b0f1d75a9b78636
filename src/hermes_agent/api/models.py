"""GET /v1/models: the agent, and what else clients may choose."""

from typing import Literal

import msgspec

from hermes_agent.api.chat_wire import OURS
from hermes_agent.api.exchange import Exchange
from hermes_agent.api.refusal import Refusal
from hermes_agent.api.routes import Reply, Route
from hermes_agent.api.settings import ApiSettings

CREATED = 1_735_689_600


class ModelCard(msgspec.Struct, frozen=True, kw_only=True):
    """One name that requests may give as `model`."""

    id: str
    created: int = CREATED
    owned_by: str = OURS
    object: Literal["model"] = "model"


class ModelList(msgspec.Struct, frozen=True, kw_only=True):
    """All of them."""

    data: list[ModelCard]
    object: Literal["list"] = "list"


class Models:
    """The endpoint."""

    def __init__(self, settings: ApiSettings) -> None:
        names = (OURS, *(name for name in settings.models if name != "*"))
        self._cards = {name: ModelCard(id=name) for name in names}

    def routes(self) -> tuple[Route, ...]:
        return (
            Route(
                method="GET",
                path="/v1/models",
                handler=self.list,
                summary="The names that requests may give as `model`.",
                reply=Reply(body=ModelList),
            ),
            Route(
                method="GET",
                path="/v1/models/{model}",
                handler=self.get,
                summary="One of them.",
                reply=Reply(body=ModelCard),
                errors=(404,),
            ),
        )

    async def list(self, exchange: Exchange) -> None:
        exchange.query()
        await exchange.answer(ModelList(data=[*self._cards.values()]))

    async def get(self, exchange: Exchange) -> None:
        exchange.query()
        name = exchange.params["model"]
        if name not in self._cards:
            raise Refusal(
                404, "There is no such model here.", param="model", code="model_not_found"
            )
        await exchange.answer(self._cards[name])
