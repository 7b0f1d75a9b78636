# Only `settings` and `secrets`, merged from several files by the module system.
{ nixpkgs, modules }:
let
  lib = import (nixpkgs + "/lib");
  evaluated = lib.evalModules {
    modules = [
      (
        { config, ... }:
        {
          options.services.hermes-agent = import ../../nix/options.nix {
            inherit lib;
            cfg = config.services.hermes-agent;
            package = null;
          };
        }
      )
    ]
    ++ map (name: modules + "/${name}") (lib.attrNames (builtins.readDir modules));
  };
in
{
  inherit (evaluated.config.services.hermes-agent) settings secrets mcpServers documents environment;
}
