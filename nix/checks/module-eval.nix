# A machine for each example: no assertion fails, and the specification of each is one that the
# program accepts (it is checked when it is built).
{
  lib,
  pkgs,
  package,
  nixosModule,
}:
let
  machine =
    example:
    (import (pkgs.path + "/nixos/lib/eval-config.nix") {
      system = null;
      modules = [
        nixosModule
        example
        {
          nixpkgs.pkgs = pkgs;
          services.hermes-agent.package = package;
          boot.isContainer = true;
          system.stateVersion = lib.trivial.release;
        }
      ];
    }).config;

  checked =
    name: example:
    let
      config = machine example;
      failed = lib.filter (each: !each.assertion) config.assertions;
    in
    if failed == [ ] then
      config.systemd.units."hermes-agent.service".unit
    else
      throw "${name}: ${lib.concatMapStringsSep "\n" (each: each.message) failed}";

  examples = lib.mapAttrs' (file: _: lib.nameValuePair (lib.removeSuffix ".nix" file) (../examples + "/${file}")) (
    builtins.readDir ../examples
  );
in
pkgs.linkFarm "hermes-agent-module-eval" (lib.mapAttrs checked examples)
