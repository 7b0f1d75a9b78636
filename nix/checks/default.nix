# The flake's checks. Those that run the program are shell scripts beside this file, so that the
# tests of the project can run them on any build of it.
{
  lib,
  pkgs,
  package,
  nixosModule,
}:
let
  inherit (lib.importTOML ../../pyproject.toml) project;
  programs = lib.attrNames project.scripts;

  run =
    name: arguments:
    pkgs.runCommand "hermes-agent-${name}" { } ''
      export HOME=$TMPDIR
      ${pkgs.runtimeShell} -eu ${./. + "/${name}.sh"} ${package} ${lib.escapeShellArgs arguments}
      touch $out
    '';

  # What is known when the flake is evaluated: `wrong` says what is not as it should be.
  evaluated =
    name: wrong:
    if wrong == [ ] then
      pkgs.runCommand "hermes-agent-${name}" { } "touch $out"
    else
      throw "${name}:\n${lib.concatLines wrong}";
in
{
  package-contents = run "package-contents" ([ project.version ] ++ programs);
  cli-commands = run "cli-commands" [ ];
  managed-guard = run "managed-guard" [ ];
  entry-points = run "entry-points" programs;
  config-roundtrip = run "config-roundtrip" [ ];

  option-parity = evaluated "option-parity" (import ./option-parity.nix { inherit lib; });

  # The whole manual of the options is made, so that no description is missing or malformed.
  docs =
    let
      manual = pkgs.nixosOptionsDoc {
        options = (import ../option-sets.nix { inherit lib; }).system;
        transformOptions = option: option // { declarations = [ ]; };
      };
      table = pkgs.writeText "nixos-options.md" (import ../documentation.nix { inherit lib; });
    in
    pkgs.runCommand "hermes-agent-docs" { } ''
      test -s ${manual.optionsCommonMark}
      diff -u ${../../docs/nixos-options.md} ${table} || {
        echo "Run: nix eval --raw .#lib.optionsDocument > docs/nixos-options.md"
        exit 1
      }
      touch $out
    '';
}
// lib.optionalAttrs pkgs.stdenv.hostPlatform.isLinux (
  {
    module-eval = import ./module-eval.nix {
      inherit
        lib
        pkgs
        package
        nixosModule
        ;
    };
  }
  // lib.mapAttrs (_: file: import file { inherit pkgs package nixosModule; }) {
    vm-native = ../tests/vm-native.nix;
    vm-container-docker = ../tests/vm-container-docker.nix;
    vm-container-podman = ../tests/vm-container-podman.nix;
  }
)
