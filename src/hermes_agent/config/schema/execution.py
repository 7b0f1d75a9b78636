"""Where commands run and what tools may use."""
# ruff: noqa: RUF012  msgspec gives every instance a fresh copy of an empty default

from typing import Annotated, Literal

import msgspec

from hermes_agent.config.schema.types import Count, Seconds, Section, Words
from hermes_agent.config.secret import Secret

_IMAGE = "nikolaik/python-nodejs:python3.11-nodejs20"


class Terminal(Section, frozen=True, kw_only=True):
    """Where commands run."""

    backend: Literal[
        "local", "bubblewrap", "docker", "podman", "ssh", "singularity", "modal", "daytona"
    ] = "local"
    """The kind of place. The key env_type is its old name."""
    cwd: str = "."
    """Working directory; ".", "auto" and "cwd" mean where hermes was started."""
    timeout: Seconds = 180
    """Longest run of a command, in seconds, when the agent asks for no other."""
    env_passthrough: Words = ()
    """Environment variables that commands get although they look secret."""
    persistent_shell: bool = True
    """Directory and exported variables stay from one command to the next."""
    bubblewrap_open: Words = ()
    """Secret files and folders of yours that commands in bubblewrap may see all the same, such as
    ~/.aws; ssh-agent is the SSH agent."""
    docker_image: str = _IMAGE
    """Image for docker and podman."""
    modal_image: str = _IMAGE
    """Image for modal."""
    daytona_image: str = _IMAGE
    """Image for daytona."""
    singularity_image: str = f"docker://{_IMAGE}"
    """Image for singularity."""
    docker_forward_env: Words = ()
    """Names of environment variables that commands in the container get."""
    docker_volumes: Words = ()
    """Volumes of the container, as `host:container[:ro]`."""
    docker_mount_cwd_to_workspace: bool = False
    """Mount the working directory as /workspace."""
    container_cpu: Annotated[int, msgspec.Meta(ge=0)] | Annotated[float, msgspec.Meta(ge=0)] = 1
    """Processors of the container; 0 is no limit."""
    container_memory: Count = 5120
    """Memory of the container in MB; 0 is no limit."""
    container_disk: Count = 51200
    """Disk of the container in MB."""
    container_persistent: bool = True
    """Keep /workspace and /root between sessions, in sandbox_dir."""
    lifetime_seconds: Seconds = 300
    """How long an unused place is kept, in seconds."""
    sudo_password: Secret | None = None
    """Password for sudo. Better kept in .env as SUDO_PASSWORD."""
    ssh_host: str = ""
    """Machine for ssh, also by the name it has in your ssh configuration."""
    ssh_user: str = ""
    """User on that machine; empty leaves it to ssh."""
    ssh_port: Count = 22
    """Its port."""
    ssh_key: str = ""
    """Path of the private key file; empty leaves it to ssh."""
    sandbox_dir: str = ""
    """Folder for sandboxes; empty is sandboxes/ in HERMES_HOME."""


class Browser(Section, frozen=True, kw_only=True):
    """The web browser tool."""

    inactivity_timeout: Seconds = 120
    """Seconds after which an unused browser is closed."""
    command_timeout: Seconds = 30
    """Longest browser action in seconds."""
    record_sessions: bool = False
    """Keep a video of each session in browser_recordings/."""


class Checkpoints(Section, frozen=True, kw_only=True):
    """Snapshots of files before the agent changes them."""

    enabled: bool = True
    """Take snapshots."""
    max_snapshots: Count = 50
    """Most snapshots kept of one folder."""


class CodeExecution(Section, frozen=True, kw_only=True):
    """The code execution tool."""

    timeout: Seconds = 300
    """Longest run in seconds."""
    max_tool_calls: Count = 50
    """Most tool calls from one program."""


class Clarify(Section, frozen=True, kw_only=True):
    """Questions back to the person."""

    timeout: Seconds = 120
    """Seconds to wait for an answer."""


class Web(Section, frozen=True, kw_only=True):
    """Web search and page reading."""

    backend: Literal["", "firecrawl", "parallel", "tavily"] = ""
    """The service; empty takes the one that has a key."""


class ToolOutput(Section, frozen=True, kw_only=True):
    """How much of a tool's output reaches the model."""

    max_bytes: Count = 50000
    """Longest command output in bytes; the middle is left out."""
    max_lines: Count = 2000
    """Most lines of one file reading."""
    max_line_length: Count = 2000
    """Longest line in characters."""


class McpTools(Section, frozen=True, kw_only=True):
    """Which tools of an MCP server are offered."""

    include: Words = ()
    """Only these; empty means all."""
    exclude: Words = ()
    """All but these."""
    resources: bool = True
    """Offer its resources."""
    prompts: bool = True
    """Offer its prompts."""


class McpSampling(Section, frozen=True, kw_only=True):
    """An MCP server's own requests to the model."""

    enabled: bool = True
    """Allow them."""
    model: str = ""
    """The model that answers; empty picks one that fits."""
    max_tokens_cap: Count = 4096
    """Most tokens of an answer."""
    timeout: Seconds = 30
    """Seconds to wait for an answer."""
    max_rpm: Count = 10
    """Most requests a minute."""
    max_tool_rounds: Count = 5
    """Most rounds of tool calls in one request."""
    allowed_models: Words = ()
    """Models that the server may ask for; empty means any."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """How much of it is logged."""


class McpServer(Section, frozen=True, kw_only=True):
    """An MCP server: a program (command) or an address (url)."""

    command: str = ""
    """The program to start."""
    args: Words = ()
    """Its arguments."""
    env: dict[str, str] = {}
    """Its environment variables."""
    url: str = ""
    """The server's address."""
    headers: dict[str, str] = {}
    """Headers sent with every request."""
    auth: Literal["", "oauth", "header"] = ""
    """How it knows us; oauth signs in with a browser."""
    enabled: bool = True
    """Use it."""
    timeout: Seconds = 120
    """Longest tool call in seconds."""
    connect_timeout: Seconds = 60
    """Longest start or connection in seconds."""
    tools: McpTools = McpTools()
    """Which of its tools are offered."""
    sampling: McpSampling = McpSampling()
    """Its own requests to the model."""
