"""Skills: instructions that are loaded when a task calls for them (https://agentskills.io)."""
