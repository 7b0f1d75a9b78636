"""A real mail system on loopback: Exim takes mail in, Dovecot shows it over IMAP; both speak TLS
with a certificate of an authority of their own.

Exim says in `Authentication-Results` what it knows: who logged in is who they say (`dmarc=pass`),
everybody else is not. Forged headers of that kind it removes, as RFC 8601 asks.
"""

import asyncio
import email
import email.policy
import os
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from email.message import EmailMessage
from pathlib import Path

_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"
EXIM = shutil.which("exim4", path=_PATH)
DOVECOT = shutil.which("dovecot", path=_PATH)
OPENSSL = shutil.which("openssl", path=_PATH)
MISSING = [
    name
    for name, found in (("exim4-daemon-light", EXIM), ("dovecot-imapd", DOVECOT))
    if found is None or os.geteuid() != 0
]
"""The Debian packages that are not there (or cannot be used, for want of root)."""

PEOPLE = ("alice", "bob", "hermes")
PASSWORD = "correct-horse-battery"
AUTHSERV = "mx.example.test"
LIMIT = 20.0
_OWNER = "Debian-exim"

_EXIM = """
primary_hostname = {authserv}
spool_directory = {root}/spool
log_file_path = {root}/log/exim-%slog
pid_file_path = {root}/exim.pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = {smtp} : {smtps}
tls_on_connect_ports = {smtps}
tls_advertise_hosts = *
tls_certificate = {root}/cert.pem
tls_privatekey = {root}/key.pem
domainlist ours = example.test
acl_smtp_rcpt = to
acl_smtp_data = data
acl_not_smtp = data
message_size_limit = 30M
host_lookup =
rfc1413_query_timeout = 0s
smtp_accept_max = 100
smtp_accept_max_per_host = 100
queue_only = false
never_users = root
deliver_drop_privilege = true
keep_environment =
add_environment = PATH=/usr/bin
auth_advertise_hosts = *
begin acl
to:
  require domains = +ours
          message = relay not permitted
  require verify = recipient
  accept
data:
  warn remove_header = Authentication-Results
  warn authenticated = *
       add_header = :at_start:Authentication-Results: {authserv}; \\
         dmarc=pass (p=none) header.from=${{domain:${{address:$h_from:}}}}
  warn !authenticated = *
       add_header = :at_start:Authentication-Results: {authserv}; \\
         dmarc=fail (p=none) header.from=${{domain:${{address:$h_from:}}}}
  accept
begin routers
local:
  driver = accept
  domains = +ours
  local_parts = dsearch;{root}/mail
  transport = maildir
begin transports
maildir:
  driver = appendfile
  maildir_format
  directory = {root}/mail/$local_part_data
  create_directory
  user = {owner}
  group = {owner}
  mode = 0600
  delivery_date_add
  return_path_add
  envelope_to_add
begin retry
* * F,1h,1m
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = ${{if eq{{$auth3}}{{{password}}}}}
  server_set_id = $auth2
  server_prompts = :
"""

_DOVECOT = """
base_dir = {root}/run
state_dir = {root}/run
instance_name = hermes-test-{imaps}
log_path = {root}/log/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = required
ssl_cert = <{root}/cert.pem
ssl_key = <{root}/key.pem
disable_plaintext_auth = yes
auth_mechanisms = plain login
auth_failure_delay = 0
auth_username_format = %Ln
mail_location = maildir:{root}/mail/%Ln
first_valid_uid = 1
mail_uid = {owner}
mail_gid = {owner}
{capability}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service stats {{
  chroot =
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={owner} gid={owner} home={root}/mail/%Ln
}}
"""


class MailServers:
    """Exim and Dovecot, at the same addresses for as long as this lives. `idle` off takes IMAP's
    IDLE away. Each of `PEOPLE` has a mailbox at
    example.test, all with `PASSWORD`."""

    def __init__(self, root: Path, *, idle: bool = True) -> None:
        self.root = root
        self.smtp_port, self.smtps_port = _free_port(), _free_port()
        self.imap_port, self.imaps_port = _free_port(), _free_port()
        self._idle = idle
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    def authority(self) -> str:
        """The file that a client has to trust."""
        return str(self.root / "ca.pem")

    def prepare(self) -> None:
        """Write the configuration and the certificates."""
        self.root.chmod(0o755)
        for name in ("spool", "log", "run", "mail"):
            (self.root / name).mkdir(exist_ok=True)
        for person in PEOPLE:
            (self.root / "mail" / person).mkdir()
        for name in ("mail", "spool", "log", *(f"mail/{person}" for person in PEOPLE)):
            shutil.chown(self.root / name, _OWNER, _OWNER)
        _certificates(self.root)
        fields = {
            "root": self.root,
            "owner": _OWNER,
            "password": PASSWORD,
            "authserv": AUTHSERV,
            "smtp": self.smtp_port,
            "smtps": self.smtps_port,
            "imap": self.imap_port,
            "imaps": self.imaps_port,
            "capability": ""
            if self._idle
            else "imap_capability = IMAP4rev1 SASL-IR LITERAL+ UIDPLUS",
        }
        (self.root / "exim.conf").write_text(_EXIM.format(**fields))
        (self.root / "dovecot.conf").write_text(_DOVECOT.format(**fields))

    async def start(self) -> None:
        """Begin, and wait until both listen."""
        assert EXIM is not None
        assert DOVECOT is not None
        commands = (
            [EXIM, "-C", str(self.root / "exim.conf"), "-bdf", "-q1m"],
            [DOVECOT, "-F", "-c", str(self.root / "dovecot.conf")],
        )
        with (self.root / "log" / "errors").open("ab") as errors:
            for command in commands:
                self._processes.append(
                    subprocess.Popen(  # noqa: ASYNC220  starting takes no time
                        command,
                        stdin=subprocess.DEVNULL,
                        stdout=subprocess.DEVNULL,
                        stderr=errors,
                        start_new_session=True,
                    )
                )
        async with asyncio.timeout(LIMIT):
            for port in (self.smtp_port, self.imaps_port):
                while not await asyncio.to_thread(_listens, port):
                    self._alive()
                    await asyncio.sleep(0.02)

    async def stop(self) -> None:
        """End both, and every process of theirs: connections break."""
        for process in self._processes:
            with suppress(ProcessLookupError):
                # Dovecot alone waits for its children, and they for seconds.
                os.killpg(process.pid, signal.SIGTERM)
        for process in self._processes:
            await asyncio.to_thread(_ended, process)
        self._processes.clear()

    def deliver(
        self, message: EmailMessage | bytes, *, to: str, sender: str, login: bool = True
    ) -> None:
        """Hand in a message over SMTP; `login` off does so as anybody on the internet does.
        `sender` is the envelope's, which may be empty."""
        data = message if isinstance(message, bytes) else message.as_bytes()
        with smtplib.SMTP("127.0.0.1", self.smtp_port, timeout=LIMIT) as client:
            client.starttls(context=ssl.create_default_context(cafile=self.authority))
            if login:
                client.login(sender.partition("@")[0] or "someone", PASSWORD)
            client.sendmail(sender, [to], data)

    def put(self, person: str, data: bytes) -> None:
        """Lay a file into a mailbox, past Exim: for what no mail server lets through."""
        folder = self.root / "mail" / person
        for name in ("tmp", "new", "cur"):
            (folder / name).mkdir(parents=True, exist_ok=True)
            shutil.chown(folder / name, _OWNER, _OWNER)
        shutil.chown(folder, _OWNER, _OWNER)
        name = f"{time.time():.6f}.M{time.monotonic_ns()}.test"
        path = folder / "tmp" / name
        path.write_bytes(data)
        shutil.chown(path, _OWNER, _OWNER)
        path.rename(folder / "new" / name)

    def count(self, person: str) -> int:
        """How many messages lie in a mailbox."""
        return len({path.name.partition(":")[0] for path in self._paths(person)})

    def mailbox(self, person: str) -> list[EmailMessage]:
        """What lies in a mailbox, oldest first, as its owner's program parses it."""
        return [
            email.message_from_bytes(data, policy=email.policy.default)  # pyright: ignore[reportReturnType]  the policy makes EmailMessages
            for data in self._contents(person)
        ]

    def flags(self, person: str) -> list[str]:
        """The maildir flags of each message, oldest first; "S" is read."""
        return [path.name.partition(":2,")[2] for path in self._paths(person)]

    def _contents(self, person: str) -> list[bytes]:
        while True:
            with suppress(FileNotFoundError):
                # Dovecot renames what it shows for the first time.
                return [path.read_bytes() for path in self._paths(person)]

    def _paths(self, person: str) -> list[Path]:
        folder = self.root / "mail" / person
        return sorted([*folder.glob("new/*"), *folder.glob("cur/*")], key=lambda path: path.name)

    def _alive(self) -> None:
        for process in self._processes:
            assert process.poll() is None, (self.root / "log" / "errors").read_text()


@asynccontextmanager
async def mail_servers(*, idle: bool = True) -> AsyncGenerator[MailServers]:
    """Both, until the block ends. Their folder lies where other users may reach it."""
    root = Path(tempfile.mkdtemp(prefix="hermes-mail-"))
    servers = MailServers(root, idle=idle)
    try:
        await asyncio.to_thread(servers.prepare)
        await servers.start()
        yield servers
    finally:
        await servers.stop()
        await asyncio.to_thread(shutil.rmtree, root, ignore_errors=True)


def _certificates(root: Path) -> None:
    """An authority, and a certificate for 127.0.0.1 and localhost signed by it."""

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=root, check=True, capture_output=True)

    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    ca = ("-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test authority", "-days", "2")
    openssl("req", "-x509", *curve, *ca)
    openssl("req", *curve, "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=localhost")
    (root / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    signing = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names")
    openssl("x509", "-req", "-in", "request.pem", *signing, "-out", "cert.pem", "-days", "2")
    shutil.chown(root / "key.pem", _OWNER, _OWNER)


def _ended(process: subprocess.Popen[bytes]) -> None:
    """Wait for it; Dovecot, told to stop while it starts, would take six seconds."""
    try:
        process.wait(1)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(LIMIT)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False
