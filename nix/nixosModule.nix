# The NixOS module. `packageFor` gives our package for a nixpkgs.
{ packageFor }:
{
  config,
  lib,
  pkgs,
  utils,
  ...
}:
let
  cfg = config.services.hermes-agent;

  inherit
    (import ./specification.nix {
      inherit lib cfg;
      manager = "nixos";
    })
    specification
    declared
    isFile
    ;
  specificationFile = import ./specification-file.nix { inherit lib pkgs cfg specification; };
  faults = import ./faults.nix { inherit lib cfg isFile; };

  container = cfg.container.enable;
  docker = container && cfg.container.backend == "docker";
  podman = container && cfg.container.backend == "podman";

  # Over a mount that the owner declares there ours would not do: it would take that one's place.
  ownMount = lib.findFirst (each: each.mountPoint == cfg.stateDir) null (lib.attrValues config.fileSystems);
  stateMount = "${utils.escapeSystemdPath cfg.stateDir}.mount";
  stateDir = lib.replaceStrings [ "%" ] [ "%%" ] cfg.stateDir;

  door = "/run/current-system/sw/libexec/hermes-agent/hermes-agent";
  ports = import ./ports.nix { inherit lib cfg; };

  wheelOnly =
    (config.security.sudo.enable && config.security.sudo.execWheelOnly)
    || (config.security.sudo-rs.enable && config.security.sudo-rs.execWheelOnly);
in
{
  options.services.hermes-agent =
    import ./options.nix {
      inherit lib cfg;
      package = packageFor pkgs;
    }
    // {
      specification = lib.mkOption {
        type = lib.types.anything;
        internal = true;
        readOnly = true;
        description = "What is handed to `hermes deploy`.";
      };
    };

  config = lib.mkIf cfg.enable (
    lib.mkMerge [
      {
        services.hermes-agent = { inherit specification; };

        assertions = faults.assertions ++ [
          {
            assertion = !docker || cfg.container.program != null || config.virtualisation.docker.enable;
            message = ''services.hermes-agent: the container runs in Docker, but virtualisation.docker.enable is false; remove that line, or write container.backend = "podman";'';
          }
          {
            assertion = !podman || cfg.container.program != null || config.virtualisation.podman.enable;
            message = ''services.hermes-agent: the container runs in Podman, but virtualisation.podman.enable is false; remove that line, or write container.backend = "docker";'';
          }
        ];

        warnings =
          faults.warnings
          ++ lib.optional (container && ownMount != null && !lib.all (option: lib.elem option ownMount.options) [ "nosuid" "nodev" ])
            "services.hermes-agent: the container's state has a file system of its own; write fileSystems.\"${cfg.stateDir}\".options = [ \"nosuid\" \"nodev\" ]; or setuid files that root of the container leaves there count from a boot to the service's start."
          ++ lib.optional (cfg.openFirewall && ports == [ ])
            "services.hermes-agent.openFirewall opens no port: neither the API server (environment.API_SERVER_ENABLED) nor webhooks (environment.WEBHOOK_ENABLED) are switched on where NixOS can see it."
          ++ lib.optional (cfg.container.hostUsers != [ ] && !cfg.addToSystemPackages)
            "services.hermes-agent.container.hostUsers makes people members of the group ${cfg.group}, but there is no hermes for them to use; set addToSystemPackages = true;"
          ++ lib.optional (cfg.addToSystemPackages && !config.security.sudo.enable && !config.security.sudo-rs.enable)
            "services.hermes-agent.addToSystemPackages: people become the agent's user by sudo, which is switched off; only root can use hermes. Set security.sudo.enable = true;"
          ++ lib.optional (cfg.addToSystemPackages && wheelOnly)
            "services.hermes-agent.addToSystemPackages: security.sudo.execWheelOnly keeps sudo from everybody outside of wheel, so members of the group ${cfg.group} cannot use hermes. Set it to false, or put them into wheel.";

        systemd.services.hermes-agent = {
          description = "Hermes Agent";
          wantedBy = [ "multi-user.target" ];
          wants = [ "network-online.target" ] ++ lib.optional container stateMount;
          requires = lib.optional docker "docker.service";
          # The units of sops-nix and agenix are there only where they do their work by systemd.
          after = [
            "network-online.target"
            "sops-install-secrets.service"
            "agenix-install-secrets.service"
          ]
          ++ lib.optional docker "docker.service"
          ++ lib.optional container stateMount;
          # An agent that nobody sits beside must not be given up on.
          startLimitIntervalSec = 0;
          path =
            lib.optionals (!container) cfg.extraPackages
            ++ [
              cfg.package
              pkgs.bash
              "/run/wrappers"
              "/run/current-system/sw"
            ];
          serviceConfig = import ./unit.nix {
            inherit
              lib
              pkgs
              cfg
              specificationFile
              declared
              ;
            userNamespaces =
              config.security.allowUserNamespaces
              && toString (config.boot.kernel.sysctl."user.max_user_namespaces" or "") != "0";
          };
        };

        # Seals the state from the machine's start on; see src/hermes_agent/deploy/container/state_mount.py.
        systemd.mounts = lib.optional (container && ownMount == null) {
          description = "The state of Hermes Agent (hermes-agent), where setuid files and devices mean nothing";
          unitConfig.ConditionPathIsDirectory = stateDir;
          what = stateDir;
          where = stateDir;
          type = "none";
          options = "bind,nosuid,nodev";
          mountConfig.LazyUnmount = "yes";
          wantedBy = [ "local-fs.target" ];
        };

        virtualisation.docker.enable = lib.mkIf docker (lib.mkDefault true);
        virtualisation.podman.enable = lib.mkIf podman (lib.mkDefault true);

        networking.firewall.allowedTCPPorts = lib.mkIf cfg.openFirewall ports;
      }

      (lib.mkIf cfg.createUser {
        users.users.${cfg.user} = {
          isSystemUser = true;
          inherit (cfg) group;
          home = cfg.stateDir;
          description = "Hermes Agent";
        };
        users.groups.${cfg.group} = { };
      })

      (lib.mkIf (cfg.container.hostUsers != [ ]) {
        users.groups.${cfg.group}.members = cfg.container.hostUsers;
      })

      # The way from a member of the group to the service's user: one program of root's, which
      # takes words and a few variables and nothing else.
      (lib.mkIf cfg.addToSystemPackages {
        environment.systemPackages = [
          cfg.package
          (pkgs.writeTextFile {
            name = "hermes-agent-door";
            executable = true;
            destination = "/libexec/hermes-agent/hermes-agent";
            text =
              lib.replaceStrings
                [
                  "@PYTHON@"
                  "@NAME@"
                  "hermes deploy apply"
                ]
                [
                  (cfg.package.interpreter or "${cfg.package}/bin/python3")
                  "hermes-agent"
                  "the NixOS module services.hermes-agent"
                ]
                (builtins.readFile ../src/hermes_agent/deploy/data/host-command.py);
          })
        ];
        environment.pathsToLink = [ "/libexec" ];

        security.sudo = import ./sudo.nix { inherit lib cfg door; };
        security.sudo-rs.extraRules = (import ./sudo.nix { inherit lib cfg door; }).extraRules;
      })
    ]
  );
}
