"""discord.py, loaded when the platform is made; all modules here take it from this one."""

import warnings

with warnings.catch_warnings():
    # Its voice part, which is not used, loads `audioop`, which Python 3.13 drops.
    warnings.simplefilter("ignore", DeprecationWarning)
    import discord
    from discord.http import Route

__all__ = ["Route", "discord"]
