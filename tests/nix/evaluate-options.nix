# Our options without a machine round them: what they say, and what is wrong with it.
{ nixpkgs, module }:
let
  lib = import (nixpkgs + "/lib");

  evaluated = lib.evalModules {
    modules = [
      module
      (
        { config, ... }:
        {
          options.services.hermes-agent = import ../../nix/options.nix {
            inherit lib;
            cfg = config.services.hermes-agent;
            package = stub "hermes-agent";
          };
          config._module.args.pkgs = {
            jq = stub "jq";
            writeText = name: text: builtins.toFile name text;
          };
        }
      )
    ];
  };
  cfg = evaluated.config.services.hermes-agent;

  stub = name: derivation {
    inherit name;
    system = "x86_64-linux";
    builder = "/bin/sh";
  };

  made = import ../../nix/specification.nix {
    inherit lib cfg;
    manager = "nixos";
  };
  faults = import ../../nix/faults.nix {
    inherit lib cfg;
    inherit (made) isFile;
  };
in
{
  specification = builtins.seq cfg.enable made.specification;
  inherit (faults) warnings;
  failed = map (each: each.message) (lib.filter (each: !each.assertion) faults.assertions);
}
