{
  description = "Hermes Agent: a personal AI agent that lives on a machine you own";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

    pyproject-nix = {
      url = "github:pyproject-nix/pyproject.nix";
      inputs.nixpkgs.follows = "nixpkgs";
    };

    uv2nix = {
      url = "github:pyproject-nix/uv2nix";
      inputs.nixpkgs.follows = "nixpkgs";
      inputs.pyproject-nix.follows = "pyproject-nix";
    };

    pyproject-build-systems = {
      url = "github:pyproject-nix/build-system-pkgs";
      inputs.nixpkgs.follows = "nixpkgs";
      inputs.pyproject-nix.follows = "pyproject-nix";
      inputs.uv2nix.follows = "uv2nix";
    };
  };

  outputs =
    {
      self,
      nixpkgs,
      pyproject-nix,
      uv2nix,
      pyproject-build-systems,
    }:
    let
      inherit (nixpkgs) lib;

      forEach = lib.genAttrs [
        "x86_64-linux"
        "aarch64-linux"
        "aarch64-darwin"
      ];

      # What the overlay adds, without a second evaluation of nixpkgs.
      ours = forEach (
        system:
        let
          pkgs = nixpkgs.legacyPackages.${system};
        in
        lib.fix (added: self.overlays.default (pkgs // added) pkgs)
      );

      packageFor = pkgs: self.packages.${pkgs.stdenv.hostPlatform.system}.default;
    in
    {
      overlays.default = import ./nix/overlay.nix {
        inherit pyproject-nix uv2nix pyproject-build-systems;
        revision = self.rev or self.dirtyRev or null;
      };

      packages = forEach (system: {
        default = ours.${system}.hermes-agent;
        full = ours.${system}.hermes-agent-full;
      });

      apps = forEach (
        system:
        lib.genAttrs [ "default" "full" ] (name: {
          type = "app";
          program = lib.getExe self.packages.${system}.${name};
          meta.description = "Hermes Agent's command line";
        })
      );

      devShells = forEach (system: {
        default = nixpkgs.legacyPackages.${system}.callPackage ./nix/devShell.nix { };
      });

      # With a key, so that a module which several files import counts once.
      nixosModules.default = {
        key = "hermes-agent#nixosModules.default";
        imports = [ (lib.modules.importApply ./nix/nixosModule.nix { inherit packageFor; }) ];
      };
      homeManagerModules.default = {
        key = "hermes-agent#homeManagerModules.default";
        imports = [ (lib.modules.importApply ./nix/homeManagerModule.nix { inherit packageFor; }) ];
      };

      # docs/nixos-options.md.
      lib.optionsDocument = import ./nix/documentation.nix { inherit lib; };

      checks = forEach (
        system:
        import ./nix/checks {
          inherit lib;
          pkgs = nixpkgs.legacyPackages.${system};
          package = self.packages.${system}.default;
          nixosModule = self.nixosModules.default;
        }
      );
    };
}
