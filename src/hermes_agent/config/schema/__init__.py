"""The schema of config.yaml: frozen sections, each field with its default and description."""
# ruff: noqa: RUF012  msgspec gives every instance a fresh copy of an empty default

from typing import Literal

from hermes_agent.config.schema.agent import (
    Agent,
    Compression,
    Delegation,
    Memory,
    Sessions,
    Skills,
)
from hermes_agent.config.schema.display import (
    Display,
    HumanDelay,
    Lsp,
    QuickCommand,
    Stt,
    Tts,
    Voice,
)
from hermes_agent.config.schema.execution import (
    Browser,
    Checkpoints,
    Clarify,
    CodeExecution,
    McpServer,
    Terminal,
    ToolOutput,
    Web,
)
from hermes_agent.config.schema.gateway import (
    Discord,
    Platform,
    SessionReset,
    Streaming,
    WhatsApp,
)
from hermes_agent.config.schema.models import (
    Auxiliary,
    Budget,
    CustomProvider,
    Fallback,
    Model,
    PromptCaching,
    ProviderRouting,
    SmartRouting,
)
from hermes_agent.config.schema.safety import Approvals, Cron, Logging, Privacy, Security
from hermes_agent.config.schema.types import Open, Section, Words

CONFIG_VERSION = 10
"""The version of config.yaml that this program writes."""


class Config(Section, frozen=True, kw_only=True, rename={"config_version": "_config_version"}):
    """config.yaml, with everything that it leaves out filled in."""

    model: Model = Model()
    """The model that answers."""
    custom_providers: tuple[CustomProvider, ...] = ()
    """Model servers of one's own."""
    fallback_model: Fallback | None = None
    """Whom to ask when the model does not answer."""
    fallback_providers: tuple[Fallback, ...] = ()
    """Whom to ask then, in this order."""
    provider_routing: ProviderRouting = ProviderRouting()
    """How OpenRouter picks among its providers."""
    smart_model_routing: SmartRouting = SmartRouting()
    """Short questions to a cheaper model."""
    credential_pool_strategies: dict[str, str] = {}
    """How keys of a vendor take turns, by vendor."""
    prompt_caching: PromptCaching = PromptCaching()
    """Caching of the prompt at the vendor."""
    auxiliary: Auxiliary = Auxiliary()
    """Models for side tasks."""
    budget: Budget = Budget()
    """Spending caps."""
    toolsets: Words = ("hermes-cli",)
    """Toolsets that the agent gets on platforms with no entry of their own."""
    platform_toolsets: dict[str, Words] = {}
    """Toolsets by platform (cli, telegram, …)."""
    agent: Agent = Agent()
    """The agent's loop and prompt."""
    compression: Compression = Compression()
    """Shortening of long conversations."""
    delegation: Delegation = Delegation()
    """Sub-agents."""
    memory: Memory = Memory()
    """What the agent keeps."""
    skills: Skills = Skills()
    """Skills."""
    sessions: Sessions = Sessions()
    """Past conversations."""
    prefill_messages_file: str = ""
    """JSON file with messages that every session begins with."""
    timezone: str = ""
    """IANA name of the time zone; empty is the machine's own."""
    terminal: Terminal = Terminal()
    """Where commands run."""
    browser: Browser = Browser()
    """The web browser tool."""
    checkpoints: Checkpoints = Checkpoints()
    """Snapshots of files before the agent changes them."""
    code_execution: CodeExecution = CodeExecution()
    """The code execution tool."""
    clarify: Clarify = Clarify()
    """Questions back to the person."""
    web: Web = Web()
    """Web search and page reading."""
    tool_output: ToolOutput = ToolOutput()
    """How much of a tool's output reaches the model."""
    tool_loop_guardrails: Open = {}
    """Limits on tool calls that repeat themselves."""
    mcp_servers: dict[str, McpServer] = {}
    """MCP servers by name."""
    lsp: Lsp = Lsp()
    """Language servers."""
    worktree: bool = False
    """Work in a git worktree of its own."""
    approvals: Approvals = Approvals()
    """Questions before dangerous commands."""
    command_allowlist: Words = ()
    """Rules that pass without a question, as `always` at a question adds them."""
    security: Security = Security()
    """Protection against leaks and harmful input."""
    privacy: Privacy = Privacy()
    """What is told about people."""
    secrets: Open = {}
    """Where secrets are fetched from."""
    display: Display = Display()
    """The terminal chat."""
    tts: Tts = Tts()
    """Speech from text."""
    stt: Stt = Stt()
    """Text from speech."""
    voice: Voice = Voice()
    """Talking in the terminal chat."""
    human_delay: HumanDelay = HumanDelay()
    """Pauses between messages in chat apps."""
    quick_commands: dict[str, QuickCommand] = {}
    """Slash commands of one's own, by name."""
    session_reset: SessionReset = SessionReset()
    """When a chat begins anew."""
    group_sessions_per_user: bool = True
    """In groups, each person has a session of their own."""
    streaming: Streaming = Streaming()
    """Answers in chat apps that grow while they are written."""
    reset_triggers: Words = ("/new", "/reset")
    """Messages that begin a new session."""
    always_log_local: bool = True
    """Keep the output of scheduled jobs in cron/output/ too."""
    unauthorized_dm_behavior: Literal["pair", "ignore"] = "pair"
    """What a stranger gets: a pairing code, or nothing."""
    platforms: dict[str, Platform] = {}
    """Chat apps by name."""
    discord: Discord = Discord()
    """Discord servers."""
    whatsapp: WhatsApp = WhatsApp()
    """WhatsApp."""
    logging: Logging = Logging()
    """Log files."""
    cron: Cron = Cron()
    """Scheduled jobs."""
    hooks: Open = {}
    """Programs that run on events."""
    kanban: Open = {}
    """The task board."""
    honcho: Open = {}
    """The Honcho memory service."""
    config_version: int = CONFIG_VERSION
    """The version of this file's format."""
