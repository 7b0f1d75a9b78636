"""Discord on loopback: its documented REST and gateway protocols, for one bot.

https://discord.com/developers/docs. What Discord would refuse is refused here too.
"""
