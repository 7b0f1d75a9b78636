# The home-manager module: the same options, and a service of a person's own account.
{ packageFor }:
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.hermes-agent;
  user = true;

  inherit
    (import ./specification.nix {
      inherit lib cfg user;
      manager = "home-manager";
    })
    specification
    declared
    isFile
    ;
  specificationFile = import ./specification-file.nix { inherit lib pkgs cfg specification; };
  faults = import ./faults.nix { inherit lib cfg isFile user; };

  searchPath = lib.concatStringsSep ":" (
    map (package: "${package}/bin") (cfg.extraPackages ++ [ cfg.package ])
    ++ [
      "${config.home.profileDirectory}/bin"
      "/run/wrappers/bin"
      "/run/current-system/sw/bin"
      "/usr/local/bin"
      "/usr/bin"
      "/bin"
    ]
  );
in
{
  options.services.hermes-agent =
    import ./options.nix {
      inherit lib cfg user;
      package = packageFor pkgs;
      stateDir = "${config.xdg.stateHome}/hermes";
      stateDirText = ''"''${config.xdg.stateHome}/hermes"'';
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
            assertion = pkgs.stdenv.hostPlatform.isLinux;
            message = "services.hermes-agent needs systemd; on other systems install the package and run `hermes gateway install`.";
          }
        ];
        inherit (faults) warnings;

        # User units cannot wait for the network: the agent tries again by itself.
        systemd.user.services.hermes-agent = {
          Unit = {
            Description = "Hermes Agent";
            StartLimitIntervalSec = 0;
          };
          Service = import ./unit.nix {
            inherit
              lib
              pkgs
              cfg
              specificationFile
              declared
              user
              ;
          } // {
            Environment = [ "PATH=${searchPath}" ];
          };
          Install.WantedBy = [ "default.target" ];
        };
      }

      (lib.mkIf cfg.addToSystemPackages {
        home.packages = [ cfg.package ];
        home.sessionVariables.HERMES_HOME = "${cfg.stateDir}/.hermes";
      })
    ]
  );
}
