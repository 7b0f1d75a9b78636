"""Who we are at the homeserver, and how we came in."""

import msgspec

from hermes_agent.config.secret import Secret
from hermes_agent.platforms.base import Door, PlatformDown, PlatformRefused
from hermes_agent.platforms.matrix.client import Client, Refused, TokenGone
from hermes_agent.platforms.matrix.configuration import Configuration
from hermes_agent.platforms.matrix.fields import text

DEVICE = "device"


class Account(msgspec.Struct, frozen=True):
    """`token` belongs to the device. The server knows a message that is sent again by the device
    that sent it, so a password logs the same one in each time."""

    user_id: str
    device_id: str
    token: Secret


async def entered(configuration: Configuration, door: Door) -> Account:
    """Log in, or ask who the token belongs to. Raises `PlatformRefused`, `PlatformDown`."""
    if configuration.access_token:
        return await _by_token(configuration)
    return await _by_password(configuration, door)


async def _by_token(configuration: Configuration) -> Account:
    client = Client(configuration.homeserver, configuration.access_token)
    try:
        answer = await client.call("GET", "account", "whoami")
    except Refused as error:
        raise PlatformRefused(str(error), hint="Check MATRIX_HOMESERVER.") from error
    finally:
        await client.close()
    user = text(answer, "user_id")
    if configuration.user_id and configuration.user_id != user:
        raise PlatformRefused(
            f"Matrix's access token is that of {user}, not of {configuration.user_id}.",
            hint="Set MATRIX_ACCESS_TOKEN or MATRIX_USER_ID to the same account.",
        )
    return _account(user, text(answer, "device_id"), configuration.access_token)


async def _by_password(configuration: Configuration, door: Door) -> Account:
    client = Client(configuration.homeserver, Secret(""))
    known, _, device = (await door.recall(DEVICE) or "").partition(" ")
    device = configuration.device_id or (device if known == configuration.user_id else "")
    try:
        answer = await client.call(
            "POST",
            "login",
            body={
                "type": "m.login.password",
                "identifier": {"type": "m.id.user", "user": configuration.user_id},
                "password": configuration.password.reveal(),
                "initial_device_display_name": configuration.device_name,
                **({"device_id": device} if device else {}),
            },
        )
    except (Refused, TokenGone) as error:
        raise PlatformRefused(
            f"Matrix does not let {configuration.user_id} in.",
            hint="Check MATRIX_HOMESERVER, MATRIX_USER_ID and MATRIX_PASSWORD in .env.",
        ) from error
    finally:
        await client.close()
    made = _account(
        text(answer, "user_id"), text(answer, "device_id"), Secret(text(answer, "access_token"))
    )
    await door.remember(DEVICE, f"{configuration.user_id} {made.device_id}")
    return made


def _account(user: str, device: str, token: Secret) -> Account:
    if not user or not token:
        raise PlatformDown("What answers is no homeserver of Matrix's.")
    return Account(user, device, token)
