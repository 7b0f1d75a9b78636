"""Handing a mail in: SMTP submission (RFC 6409)."""

import asyncio
import ssl
from contextlib import suppress

import aiosmtplib

from hermes_agent.platforms.base import PlatformDown, PlatformRefused, SendRefused
from hermes_agent.platforms.email.configuration import Configuration

TIMEOUT = 60.0


async def submit(configuration: Configuration, to: str, mail: bytes) -> None:
    """Hand in one mail on a connection of its own. Raises `PlatformDown`, `PlatformRefused`,
    `SendRefused`."""
    server = configuration.smtp
    client = aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        use_tls=server.security == "tls",
        start_tls=server.security == "starttls",
        tls_context=ssl.create_default_context(cafile=configuration.ca_file or None),
        timeout=TIMEOUT,
        # The name of this machine is nobody's business, and finding it may ask a name server.
        local_hostname="[127.0.0.1]",
    )
    try:
        await client.connect()
        await client.login(configuration.user, configuration.password.reveal())
        await client.sendmail(configuration.address, [to], mail)
        await _leave(client)
    except aiosmtplib.SMTPAuthenticationError as error:
        raise _login_fault(configuration, error) from None
    except aiosmtplib.SMTPRecipientsRefused as error:
        first = error.recipients[0]
        raise _fault(configuration, first.code, f"{to}: {first.message}") from None
    except aiosmtplib.SMTPSenderRefused as error:
        if error.code < 500:
            raise _fault(configuration, error.code, error.message) from None
        raise PlatformRefused(
            f"email: {server.where} does not let us send as {configuration.address}: "
            f"{error.message[:200]}",
            hint="Check that EMAIL_ADDRESS belongs to the account that logs in.",
        ) from None
    except aiosmtplib.SMTPNotSupported as error:
        raise PlatformRefused(
            f"email: {server.where} lacks what is needed: {error.message[:200]}",
            hint="Check platforms.email.extra.smtp_security and EMAIL_SMTP_PORT.",
        ) from None
    except aiosmtplib.SMTPResponseException as error:
        raise _fault(configuration, error.code, error.message) from None
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
        untrusted = _untrusted(error)
        if untrusted is not None:
            raise PlatformRefused(
                f"email: the certificate of {server.where} is not trusted: {untrusted}.",
                hint="Name its authority with platforms.email.extra.ca_file.",
            ) from None
        raise PlatformDown(f"email: {server.where} cannot be reached: {str(error)[:200]}") from None
    finally:
        if isinstance(client.transport, asyncio.Transport):
            # A polite end of TLS would wait for the server, half a minute at worst.
            client.transport.abort()
        client.close()


async def _leave(client: aiosmtplib.SMTP) -> None:
    """The mail is taken by now: whatever happens here must not send it again."""
    with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
        await client.execute_command(b"QUIT", timeout=5)


def _login_fault(
    configuration: Configuration, error: aiosmtplib.SMTPAuthenticationError
) -> PlatformDown | PlatformRefused:
    said = f"email: {configuration.smtp.where} refused the login: {error.message[:200]}"
    if error.code < 500:
        return PlatformDown(said)
    return PlatformRefused(
        said, hint="Check EMAIL_ADDRESS and EMAIL_PASSWORD; many providers want an app password."
    )


def _fault(
    configuration: Configuration, code: int, message: str
) -> PlatformDown | PlatformRefused | SendRefused:
    said = f"email: {configuration.smtp.where} said {code}: {message[:300]}"
    if code == 530:
        return PlatformRefused(said, hint="The server wants a login or TLS before it takes mail.")
    return SendRefused(said) if code >= 500 else PlatformDown(said)


def _untrusted(error: BaseException | None) -> str | None:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message
        error = error.__cause__ or error.__context__
    return None
