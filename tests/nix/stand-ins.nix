# What sops-nix and agenix declare, as far as examples use it: their options and the paths that
# come out of them.
{ lib, ... }:
let
  inherit (lib) mkOption types;
  secrets =
    folder:
    mkOption {
      default = { };
      type = types.attrsOf (
        types.submodule (
          { name, ... }:
          {
            freeformType = types.attrsOf types.anything;
            options.path = mkOption {
              type = types.str;
              default = "${folder}/${name}";
            };
          }
        )
      );
    };
in
{
  options.sops = mkOption {
    default = { };
    type = types.submodule {
      freeformType = types.attrsOf types.anything;
      options.secrets = secrets "/run/secrets";
    };
  };
  options.age.secrets = secrets "/run/agenix";

  config = {
    services.hermes-agent.enable = lib.mkDefault true;
    users.users.alice.isNormalUser = true;
    # Those that examples use without showing their definition.
    sops.secrets."hermes/env" = { };
    sops.secrets."hermes/auth.json" = { };
    sops.secrets."hermes-env" = { };
    age.secrets.openrouter.file = ./stand-ins.nix;
  };
}
