# Native mode with most of what can be said.
{ pkgs, ... }:
{
  services.hermes-agent = {
    enable = true;
    stateDir = "/srv/agents/hermes";
    workingDirectory = "/srv/projects";
    settings = {
      model = {
        default = "anthropic/claude-opus-4.6";
        base_url = "https://openrouter.ai/api/v1";
      };
      toolsets = [ "all" ];
      terminal.timeout = 300;
      platforms.webhook = {
        enabled = true;
        extra.routes.build = {
          secret = "\${WEBHOOK_SECRET}";
          prompt = "A build ended: {payload}";
        };
      };
    };
    secrets.model.api_key = "/run/secrets/openrouter";
    environment = {
      API_SERVER_ENABLED = "true";
      API_SERVER_PORT = "8700";
      TZ = "Europe/Berlin";
    };
    environmentFiles = [
      "/run/secrets/hermes-env"
      "/run/secrets/hermes more"
    ];
    documents = {
      "SOUL.md" = "You are terse.";
      "notes/house.md" = ../../README.md;
    };
    mcpServers = {
      files = {
        command = "npx";
        args = [
          "-y"
          "@modelcontextprotocol/server-filesystem"
          "/srv/projects"
        ];
        tools.exclude = [ "move_file" ];
      };
      remote = {
        url = "https://mcp.example.org/mcp";
        headers.Authorization = "Bearer \${REMOTE_TOKEN}";
        timeout = 30;
      };
    };
    extraArgs = [
      "--verbose"
      "100% $literal"
    ];
    extraPackages = [ pkgs.jq ];
    restart = "on-failure";
    restartSec = 10;
    openFirewall = true;
    hardening.settings.ProtectHome = "read-only";
  };
}
