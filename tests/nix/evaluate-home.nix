# A home with our module, evaluated by home-manager itself.
{
  nixpkgs,
  home-manager,
  module,
}:
let
  pkgs = import nixpkgs {
    system = "x86_64-linux";
    config = { };
    overlays = [ ];
  };
  inherit (pkgs) lib;

  home = import (home-manager + "/modules") {
    inherit pkgs;
    check = true;
    configuration = {
      imports = [
        (import ../../nix/homeManagerModule.nix {
          packageFor = pkgs: pkgs.runCommand "hermes-agent" { } "mkdir $out";
        })
        module
      ];
      home = {
        username = "alice";
        homeDirectory = "/home/alice";
        stateVersion = "25.11";
      };
      manual.manpages.enable = false;
    };
  };
  inherit (home) config;
in
{
  inherit (config.services.hermes-agent) specification;
  unit = lib.generators.toINI { listsAsDuplicateKeys = true; } config.systemd.user.services.hermes-agent;
  programs = map lib.getName config.home.packages;
  variables = config.home.sessionVariables;
  activation = config.home.activationPackage.drvPath;
}
