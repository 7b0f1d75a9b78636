# One MCP server: a program or an address, and how it is used.
{ lib, ... }:
let
  inherit (lib) mkOption types;
in
{
  # What the program knows beyond these, `sampling` for one, can be written as in config.yaml.
  freeformType = types.attrsOf types.anything;

  options = {
    command = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "The program to start. A server has either this or {option}`url`.";
    };

    args = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Its arguments.";
    };

    env = mkOption {
      type = types.attrsOf types.str;
      default = { };
      description = "Its environment variables. Everybody can read them in the Nix store.";
    };

    timeout = mkOption {
      type = types.nullOr types.int;
      default = null;
      description = "Longest tool call in seconds.";
    };

    url = mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "https://mcp.example.org/mcp";
      description = "The server's address.";
    };

    headers = mkOption {
      type = types.attrsOf types.str;
      default = { };
      description = ''
        Headers sent with every request. Everybody can read them in the Nix store; a secret one
        goes to `secrets.mcp_servers.<name>.headers`, or stands here as `''${VARIABLE}`.
      '';
    };

    auth = mkOption {
      type = types.nullOr (
        types.enum [
          "oauth"
          "header"
        ]
      );
      default = null;
      description = "How the server knows us; `oauth` signs in with a browser.";
    };

    enabled = mkOption {
      type = types.bool;
      default = true;
      description = "Whether it is used.";
    };

    tools = mkOption {
      type = types.nullOr (
        types.submodule {
          freeformType = types.attrsOf types.anything;
          options = {
            include = mkOption {
              type = types.listOf types.str;
              default = [ ];
              description = "Only these tools; empty means all.";
            };
            exclude = mkOption {
              type = types.listOf types.str;
              default = [ ];
              description = "All tools but these.";
            };
          };
        }
      );
      default = null;
      description = "Which of its tools are offered.";
    };
  };
}
