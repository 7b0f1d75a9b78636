"""What a deployment's files are made of before each start.

`prepare.py` is root's part and the order of things, `inside.py` what happens in the state directory
as the service user. Nothing in there is trusted: the agent may put links, pipes and devices where
a file is expected.
"""
