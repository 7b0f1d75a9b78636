# The outputs of our flake with inputs from elsewhere: trees, given by their paths. What a flake's
# input is beyond its tree is made up from it.
{
  nixpkgs,
  pyproject-nix,
  uv2nix,
  build-system-pkgs,
  # Its Haskell closure may be absent in a pruned tree; machines use it to check generated scripts.
  withoutShellcheck ? true,
}:
let
  lib = import (nixpkgs + "/lib");

  overlay = _final: prev: {
    shellcheck = prev.hello // {
      compiler.bootstrapAvailable = false;
    };
    shellcheck-minimal = prev.hello // {
      compiler.bootstrapAvailable = false;
    };
  };

  flake = import ../../flake.nix;

  inputs = {
    nixpkgs = {
      inherit lib;
      legacyPackages = lib.genAttrs lib.systems.flakeExposed (
        system:
        import nixpkgs {
          inherit system;
          config = { };
          overlays = lib.optional withoutShellcheck overlay;
        }
      );
    };
    pyproject-nix = import pyproject-nix { inherit lib; };
    uv2nix = import uv2nix {
      inherit lib;
      inherit (inputs) pyproject-nix;
    };
    pyproject-build-systems = import build-system-pkgs {
      inherit lib;
      inherit (inputs) pyproject-nix uv2nix;
    };
  };

  outputs = flake.outputs (inputs // { self = outputs // { rev = "0123456789abcdef0123456789abcdef01234567"; }; });

  drvPaths = lib.mapAttrs (_: lib.mapAttrs (_: each: builtins.unsafeDiscardStringContext each.drvPath));
in
{
  packages = drvPaths outputs.packages;
  devShells = drvPaths outputs.devShells;
  checkNames = lib.mapAttrs (_: lib.attrNames) outputs.checks;
  checks = drvPaths outputs.checks;
  apps = lib.mapAttrs (_: lib.mapAttrs (_: app: builtins.unsafeDiscardStringContext app.program)) outputs.apps;
  outputs = lib.attrNames outputs;
  inputs = lib.attrNames (lib.functionArgs flake.outputs);
  declaredInputs = lib.attrNames flake.inputs;
  script = outputs.packages.x86_64-linux.default.buildCommand;
  fullScript = outputs.packages.x86_64-linux.full.buildCommand;
  extras = lib.mapAttrs (_: package: package.extras) outputs.packages.x86_64-linux;
  version = outputs.packages.x86_64-linux.default.version;
  overridden =
    let
      package = outputs.packages.x86_64-linux.default.override;
    in
    {
      extras = (package { extras = [ ]; }).extras;
      python = (package { python = inputs.nixpkgs.legacyPackages.x86_64-linux.python312; }).drvPath;
      unknown = (package { extras = [ "telepathy" ]; }).drvPath;
    };
  # The module twice, as two files of a configuration may have it, with its own package.
  machine =
    (import (nixpkgs + "/nixos/lib/eval-config.nix") {
      system = "x86_64-linux";
      modules = [
        outputs.nixosModules.default
        {
          imports = [ outputs.nixosModules.default ];
          services.hermes-agent.enable = true;
        }
      ];
    }).config.services.hermes-agent.specification;
  overlay = (inputs.nixpkgs.legacyPackages.x86_64-linux.extend outputs.overlays.default).hermes-agent-full.name;
}
