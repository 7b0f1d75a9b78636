"""The crash harness: kill the daemon at random instants, start it again, and prove that no
message is lost, none answered twice, and no tool call run twice.

    python -m tests.crash --rounds 300 --seed 1
"""
