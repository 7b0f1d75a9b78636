"""Sessions, messages and search: what was said is kept here, whatever happens.

`port` is the contract and its types, `opening` finds the engine, `journal` is a turn's way in.
"""
