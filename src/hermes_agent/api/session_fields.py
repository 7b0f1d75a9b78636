"""Headers and parameters that several routes take, for the OpenAPI document."""

from hermes_agent.api.routes import Field

SESSION_HEADERS = (
    Field(name="X-Hermes-Session-Id", text="Go on in this stored session."),
    Field(name="X-Hermes-Session-Key", text="Go on in the session that this word stands for."),
)
IDEMPOTENCY = Field(name="Idempotency-Key", text="The same key and body give the same answer.")
