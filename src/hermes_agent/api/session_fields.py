"""Headers and parameters that several routes take, for the OpenAPI document."""

from hermes_agent.api.conversation import ID_PATTERN, MAX_KEY
from hermes_agent.api.idempotency import MAX_KEY as MAX_IDEMPOTENCY
from hermes_agent.api.routes import Field

SESSION_HEADERS = (
    Field(
        name="X-Hermes-Session-Id",
        text="Go on in this stored session.",
        schema={"type": "string", "pattern": ID_PATTERN},
    ),
    Field(
        name="X-Hermes-Session-Key",
        text="Go on in the session that this word of the client's stands for.",
        schema={"type": "string", "minLength": 1, "maxLength": MAX_KEY},
    ),
)
IDEMPOTENCY = Field(
    name="Idempotency-Key",
    text="The same key and body give the same answer.",
    schema={"type": "string", "minLength": 1, "maxLength": MAX_IDEMPOTENCY},
)
