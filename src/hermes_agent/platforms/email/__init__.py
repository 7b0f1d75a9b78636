"""E-mail: IMAP for what comes, SMTP for what goes. Each mail thread is a conversation of its own.

Who wrote a mail is known only as far as the receiving server vouches for it. A mail is let in by
the address in `From` when the `Authentication-Results` of the server that EMAIL_AUTHSERV_ID names
(`platforms.email.extra.authserv_id`) say that DMARC passed, or without DMARC that DKIM or SPF did
for the same domain, or that somebody logged in with the same address (RFC 8601, RFC 7489). That
server has to remove such headers of others, as all large ones do; who is who within a domain is
for the domain's own server to keep apart. Without it nobody is let in, unless EMAIL_TRUST_FROM
(`trust_from: true`) says that every `From` is to be believed: then whoever can send mail to us can
speak in anyone's name.

The first time, what lies in the mailbox already is left alone; from then on everything that comes
is looked at once, and what the agent took is marked as read.

Answers go to the address in `From` and nobody else; `Reply-To` and `Cc` are not followed. Mail of
machines (RFC 3834) is not read at all.
"""

from hermes_agent.domain.errors import ConfigError
from hermes_agent.platforms.base import Platform, PlatformSettings


def create(settings: PlatformSettings) -> Platform:
    """The adapter. Raises `ConfigError`."""
    from hermes_agent.platforms.email.configuration import configuration

    made = configuration(settings)
    try:
        from hermes_agent.platforms.email.adapter import Email
    except ImportError as error:
        raise ConfigError(
            "E-mail needs the extra 'email', which is not installed.",
            hint="Install it: pip install 'hermes-agent[email]'",
        ) from error
    return Email(made)
