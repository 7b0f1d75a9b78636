# The options, for the NixOS module and the home-manager module alike.
#
# `user` says that the service is a person's own. Options that only make sense for the whole system
# are left out there; `systemOnly` names them, and a check compares the two modules.
{
  lib,
  cfg,
  package,
  user ? false,
  stateDir ? "/var/lib/hermes",
  stateDirText ? null,
}:
let
  inherit (lib) mkOption types literalExpression;
  tree = import ./settings.nix { inherit lib; };

  everywhere = {
    enable = lib.mkEnableOption "Hermes Agent, a personal AI agent";

    package = mkOption {
      type = types.package;
      default = package;
      defaultText = literalExpression "the flake's packages.\${system}.default";
      description = ''
        The program. `package.override { extras = [ … ]; }` chooses extras, `withChromium = true`
        adds a browser; the flake's `full` has everything.
      '';
    };

    stateDir = mkOption (
      {
        type = types.str;
        default = stateDir;
        description = ''
          The state directory. `HERMES_HOME` is `.hermes` in it. It is made, and given the right
          owner and mode, when the service starts.
        '';
      }
      // lib.optionalAttrs (stateDirText != null) { defaultText = literalExpression stateDirText; }
    );

    workingDirectory = mkOption {
      type = types.str;
      default = "${cfg.stateDir}/workspace";
      defaultText = literalExpression ''"''${stateDir}/workspace"'';
      description = "Where the agent works (`MESSAGING_CWD`). The service may write to it.";
    };

    addToSystemPackages = mkOption {
      type = types.bool;
      default = false;
      description =
        if user then
          "Whether to put `hermes` on your PATH, with this service's `HERMES_HOME`."
        else
          ''
            Whether to put `hermes` on everybody's PATH. Members of {option}`group` use the service's
            agent with it, as the service's user; others get a sentence that says so.
          '';
    };

    settings = mkOption {
      type = tree.settings;
      default = { };
      example = literalExpression ''
        {
          model.default = "anthropic/claude-sonnet-4";
          terminal.timeout = 180;
          toolsets = [ "all" ];
        }
      '';
      description = ''
        The configuration, `config.yaml` as an attribute set. What is declared here wins over
        `config.yaml` and the environment at every start, and is written into `config.yaml`; other
        keys of that file stay.

        Definitions in several files merge: attribute sets deeply; lists and single values are
        replaced by priority (`lib.mkForce`, `lib.mkDefault`), and two unequal ones of the same
        priority are an error that names both files.

        It is readable by everybody in the Nix store: keys belong into {option}`secrets` or
        {option}`environmentFiles`.
      '';
    };

    configFile = mkOption {
      type = types.nullOr types.path;
      default = null;
      description = ''
        An existing `config.yaml`. It replaces {option}`settings` and {option}`mcpServers` entirely.
        A path literal is copied into the Nix store, which everybody can read; a string is not.
      '';
    };

    secrets = mkOption {
      type = tree.secrets;
      default = { };
      example = literalExpression "{ model.api_key = config.sops.secrets.openrouter.path; }";
      description = ''
        Settings whose values are in files: the shape of {option}`settings`, with absolute paths
        for values. systemd hands the contents over (`LoadCredential=`); the service's user need
        not be able to read the files.
      '';
    };

    environmentFiles = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = literalExpression "[ config.sops.secrets.\"hermes-env\".path ]";
      description = ''
        Files of `NAME=value` lines with secrets such as API keys. They are read at each start, by
        root; a changed file needs a restart.
      '';
    };

    environment = mkOption {
      type = types.attrsOf types.str;
      default = { };
      description = ''
        Environment variables that are no secrets: **everybody can read them in the Nix store.**
        {option}`environmentFiles` win over them.
      '';
    };

    authFile = mkOption {
      type = types.nullOr types.path;
      default = null;
      description = ''
        An `auth.json` to begin with. It is copied if there is none yet; tokens that the agent
        refreshes later stay. Give a string: a path literal is copied into the Nix store.
      '';
    };

    authFileForceOverwrite = mkOption {
      type = types.bool;
      default = false;
      description = ''
        Whether {option}`authFile` replaces an existing `auth.json`, once for each changed
        configuration.
      '';
    };

    documents = mkOption {
      type = types.attrsOf (types.either types.str types.path);
      default = { };
      example = literalExpression ''
        {
          "SOUL.md" = ./SOUL.md;
          "notes/house.md" = "The server stands in the cellar.";
        }
      '';
      description = ''
        Files for {option}`workingDirectory`: names, which may have folders in them, and texts or
        paths. `SOUL.md` is the agent's persona.
      '';
    };

    mcpServers = mkOption {
      type = types.attrsOf (types.submodule (import ./mcp-server.nix));
      default = { };
      example = literalExpression ''
        {
          files = {
            command = "npx";
            args = [ "-y" "some-mcp-server" "/data/workspace" ];
          };
        }
      '';
      description = "MCP servers, by name; they become `mcp_servers` of {option}`settings`.";
    };

    extraArgs = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "--verbose" ];
      description = "More arguments for `hermes gateway run`.";
    };

    extraPackages = mkOption {
      type = types.listOf types.package;
      default = [ ];
      example = literalExpression "[ pkgs.jq ]";
      description = "More programs for the agent and its tools (native mode only).";
    };

    restart = mkOption {
      type = types.str;
      default = "always";
      description = "When systemd starts the service again, as `Restart=` in {manpage}`systemd.service(5)`.";
    };

    restartSec = mkOption {
      type = types.int;
      default = 5;
      description = "Seconds before that.";
    };

    hardening = {
      enable = mkOption {
        type = types.bool;
        default = true;
        description = ''
          Whether to confine the service in native mode, as far as {option}`settings` allow. What
          the agent needs (its sandbox for commands, a browser) relaxes only what it must.
        '';
      };

      settings = mkOption {
        type = types.attrsOf (
          types.oneOf [
            types.bool
            types.int
            types.str
            (types.listOf types.str)
          ]
        );
        default = { };
        example = {
          ProtectHome = "read-only";
        };
        description = "Directives of {manpage}`systemd.exec(5)`, laid over the usual ones.";
      };
    };
  };

  systemOnly = {
    user = mkOption {
      type = types.str;
      default = "hermes";
      description = "The user that the service runs as.";
    };

    group = mkOption {
      type = types.str;
      default = "hermes";
      description = "Its group. Members may use `hermes` ({option}`addToSystemPackages`).";
    };

    createUser = mkOption {
      type = types.bool;
      default = true;
      description = "Whether to make the user and the group.";
    };

    openFirewall = mkOption {
      type = types.bool;
      default = false;
      description = ''
        Whether to open the ports of the API server and of webhooks, where
        {option}`environment` or {option}`settings` switch them on. They listen on loopback until
        told otherwise.
      '';
    };

    container = import ./container-options.nix { inherit lib; };
  };
in
everywhere // lib.optionalAttrs (!user) systemOnly
