"""Where the agent works: the environment, the gate and the guard before it, the tools on top."""

import copy
from collections.abc import Callable, Sequence
from pathlib import Path

from hermes_agent.config.edit import edit
from hermes_agent.config.load import Loaded, load
from hermes_agent.config.managed import refusal
from hermes_agent.domain.chats import Origin
from hermes_agent.domain.execution import CommandResult
from hermes_agent.domain.messages import Message
from hermes_agent.domain.ports import Asker, Delegate, Jobs
from hermes_agent.environments import create as create_environment
from hermes_agent.environments.annex import beside
from hermes_agent.environments.shell import ShellEnvironment
from hermes_agent.environments.variables import child_variables
from hermes_agent.knowledge.recall import Recall
from hermes_agent.policy.gate import Gate
from hermes_agent.policy.grants import ListedGrants
from hermes_agent.policy.paths import PathGuard
from hermes_agent.policy.redaction import Redactor
from hermes_agent.runtime.backend import backend_of, mounted, place_of
from hermes_agent.runtime.keeping import memory_files, offered, skill_shelf
from hermes_agent.runtime.servers import Servers
from hermes_agent.tools.builtin.todo import restored
from hermes_agent.tools.call import SessionToolbox
from hermes_agent.tools.contract import Guard, Limits, Programs, ToolContext
from hermes_agent.tools.session import ToolSession
from hermes_agent.tools.toolsets import resolve as resolve_tools

PLATFORM = "cli"


class Premises:
    """What all workplaces of a process have in common: where commands run, what they inherit,
    what is never shown."""

    def __init__(self, loaded: Loaded) -> None:
        config = loaded.config
        self.loaded = loaded
        self.backend = backend_of(loaded)
        self.variables = child_variables(
            loaded.environ, passthrough=config.terminal.env_passthrough, secrets=loaded.secrets
        )
        redactor = Redactor(loaded.secrets)
        self.redact: Callable[[str], str] = redactor.text if config.security.redact_secrets else str
        self.home = str(Path.home())
        self.guard = PathGuard(
            home=self.home,
            hermes_home=str(loaded.paths.home),
            cwd=self.home,
            write_root=loaded.environ.get("HERMES_WRITE_SAFE_ROOT"),
        )
        self.blank_secrets = redactor.text
        self.redactor = redactor if config.security.redact_secrets else None
        self.servers = Servers(loaded, backend=self.backend, cwd=self.home)


class Workplace:
    """Where one session works, or all of a terminal. `notify` gets sentences for the person."""

    def __init__(
        self,
        premises: Premises,
        *,
        cwd: Path,
        asker: Asker,
        notify: Callable[[str], None],
        may_grant: bool = True,
    ) -> None:
        loaded, config = premises.loaded, premises.loaded.config
        self._loaded = loaded
        self.servers = premises.servers
        self._asker = asker
        self.environment = create_environment(
            premises.backend,
            place_of(loaded, premises.backend, cwd=cwd, variables=premises.variables),
        )
        self.here = self.environment.guard is None
        """Whether commands see the files of this machine."""
        self.mounted = mounted(loaded, premises.backend, cwd)
        """The folder of this machine that a container works in, if there is one."""
        self._home = premises.home
        self.doing = "terminal"
        self._gate = Gate(
            home=premises.home,
            hermes_home=str(loaded.paths.home),
            mode=config.approvals.mode,
            asker=asker,
            timeout=config.approvals.timeout,
            deny=config.approvals.deny,
            grants=ListedGrants(config.command_allowlist, self._write_grant),
            managed=loaded.managed is not None or not may_grant,
            notify=notify,
        )
        self.guard: Guard = self.environment.guard or premises.guard.at(str(cwd))
        self.redact = premises.redact

    @property
    def yolo(self) -> bool:
        """Whether commands run without asking."""
        return self._gate.yolo or self._gate.mode == "off"

    def set_yolo(self, on: bool) -> None:
        """Lift the asking, or ask again. Raises `ManagedError` where a declaration decides."""
        managed = self._loaded.managed
        if managed is not None and managed.settings is not None:
            raise refusal(managed, "change who is asked")
        self._gate.yolo = on
        if not on and self._gate.mode == "off":
            self._gate.mode = "manual"

    def beside(self) -> "Workplace":
        """For a sub-agent: the same files, gate and answers, with a directory and background
        processes of its own. Whoever asks for it closes its environment."""
        other = copy.copy(self)
        other.environment = beside(self.environment)
        other.doing = "terminal of a sub-agent"
        return other

    def toolbox(
        self,
        *,
        names: Sequence[str] = (),
        history: Sequence[Message] = (),
        can_ask: bool,
        platform: str = PLATFORM,
        toolsets: Sequence[str] | None = None,
        without: Sequence[str] = (),
        jobs: Jobs | None = None,
        chat: Origin | None = None,
        recall: Recall | None = None,
        delegate: Delegate | None = None,
    ) -> SessionToolbox:
        """The tools of one session: `names`, or what `toolsets` or the configuration for
        `platform` say. Where tools are declared, `toolsets` chooses among them. `history` brings
        the list of work back; where nobody can be asked, no question is offered."""
        config, managed = self._loaded.config, self._loaded.managed

        def resolve(chosen: Sequence[str] | None) -> tuple[str, ...]:
            return resolve_tools(
                toolsets=config.toolsets,
                platform=platform,
                platform_toolsets=config.platform_toolsets,
                disabled=(*config.agent.disabled_toolsets, *without),
                chosen=chosen,
            )

        tools = names or resolve(toolsets)
        if toolsets is not None and managed is not None and managed.settings is not None:
            # Jobs name their own toolsets, and the agent writes jobs.
            declared = resolve(None)
            tools = tuple(name for name in tools if name in declared)
        context = ToolContext(
            environment=self.environment,
            asker=self._asker,
            guard=self.guard,
            approve_command=self.approve,
            jobs=jobs,
            chat=chat,
            notes=memory_files(self._loaded),
            recall=recall,
            outside=self.servers.source,
            skills=skill_shelf(self._loaded, platform),
            offered=offered(tools),
            delegate=delegate,
            programs=self._programs(),
            session=ToolSession(todos=restored(history)),
            limits=Limits(
                terminal_timeout=config.terminal.timeout,
                terminal_chars=config.tool_output.max_bytes,
                clarify_timeout=config.clarify.timeout,
            ),
        )
        return SessionToolbox(
            tools=[name for name in tools if can_ask or name != "clarify"],
            context=context,
            redact=self.redact,
            side_effect_free=self._only_looks,
        )

    async def approve(self, command: str, workdir: str | None = None) -> str:
        """The command to run. Raises `DeniedError`."""
        return await self._gate.check_command(
            command,
            cwd=workdir or self.environment.cwd,
            environment=self.environment.name,
            tool=self.doing,
        )

    def _programs(self) -> Programs | None:
        """Only where a program can reach a socket of ours."""
        environment, settings = self.environment, self._loaded.config.code_execution
        if not isinstance(environment, ShellEnvironment):
            return None
        return Programs(
            approve=self._approve_code,
            folder=lambda: environment.scratch,
            timeout=settings.timeout,
            max_calls=settings.max_tool_calls,
        )

    async def _approve_code(self, code: str) -> str:
        return await self._gate.check_code(
            code, environment=self.environment.name, tool="execute_code"
        )

    async def run_own(self, command: str, on_output: Callable[[str], None]) -> CommandResult:
        """Run a command of the person's own through the same gate as the agent's.

        Raises `DeniedError`.
        """
        allowed = await self.approve(command)
        timeout = self._loaded.config.terminal.timeout
        return await self.environment.run(allowed, timeout=timeout, on_output=on_output)

    def _only_looks(self, command: str) -> bool:
        from hermes_agent.policy.looking import only_looks

        return only_looks(command, cwd=self.environment.cwd, home=self._home)

    def _write_grant(self, rule: str) -> None:
        # Read anew: another process may have added to the list meanwhile.
        paths = self._loaded.paths
        entries = [*load(paths, self._loaded.environ).config.command_allowlist, rule]
        edit(paths, {"command_allowlist": entries}, doing="remember an approval")
