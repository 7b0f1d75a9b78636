# The keys of config.yaml that most people set, for the module system to check and document.
# All other keys are as good; the program itself checks every one of them.
{ lib }:
let
  inherit (lib) types;
  key = type: description: lib.mkOption { inherit type description; };
in
{
  model = {
    default = key types.str "The model's name as its vendor spells it.";
    provider = key types.str "The vendor, `custom:NAME` for an entry of `custom_providers`, or `auto`.";
    base_url = key types.str "Address of an OpenAI-compatible server instead of the vendor's own.";
  };
  agent = {
    max_turns = key types.ints.unsigned "Most model calls in one turn.";
    verbose = key types.bool "Say more about what happens.";
    system_prompt = key types.str "Text added to the system prompt of every session.";
  };
  approvals.mode = key (types.enum [
    "manual"
    "smart"
    "off"
  ]) "Who is asked before a dangerous command runs.";
  compression = {
    enabled = key types.bool "Summarise old messages before the context window is full.";
    threshold = key (types.numbers.between 0 1) "Share of the context window at which it happens.";
  };
  display = {
    compact = key types.bool "A short banner.";
    personality = key types.str "The personality that a session starts with.";
  };
  memory = {
    memory_enabled = key types.bool "Keep notes in `memories/MEMORY.md`.";
    user_profile_enabled = key types.bool "Keep a profile of the person in `memories/USER.md`.";
  };
  terminal = {
    backend = key (types.enum [
      "local"
      "bubblewrap"
      "docker"
      "podman"
      "ssh"
      "singularity"
      "modal"
      "daytona"
    ]) "Where commands run. `local` is bubblewrap here: the agent must not reach what decides about it.";
    cwd = key types.str "Working directory; `.` is {option}`workingDirectory`.";
    timeout = key types.numbers.nonnegative "Longest run of a command in seconds, when the agent asks for no other.";
  };
  timezone = key types.str "Time zone of the agent, as in `Europe/Berlin`.";
  toolsets = key (types.listOf types.str) "Toolsets that are offered where `platform_toolsets` says nothing else.";
}
