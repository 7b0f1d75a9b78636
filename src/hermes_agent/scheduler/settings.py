"""What the configuration says about scheduled jobs."""

import msgspec

from hermes_agent.config.schema import Config
from hermes_agent.domain.jobs import Missed


class CronSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`parallel` 0 is no limit; `retention` counts the outputs kept of each job; with `keep` False
    only what is delivered nowhere is kept. Times in seconds."""

    missed: Missed = "grace"
    parallel: int = 0
    wrap: bool = True
    retention: int = 50
    keep: bool = True
    max_failures: int = 5
    turn_seconds: float = 1800.0
    script_seconds: float = 180.0


def cron_settings(config: Config) -> CronSettings:
    """Those of config.yaml."""
    cron = config.cron
    return CronSettings(
        missed=cron.missed_runs,
        max_failures=cron.max_failures,
        parallel=cron.max_parallel_jobs or 0,
        wrap=cron.wrap_response,
        retention=cron.output_retention,
        keep=config.always_log_local,
        turn_seconds=config.agent.gateway_timeout,
        script_seconds=config.terminal.timeout,
    )
