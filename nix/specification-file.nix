# The specification in the store, refused at build time if the program itself would refuse it.
{
  lib,
  pkgs,
  cfg,
  specification,
}:
let
  file = pkgs.writeText "hermes-agent-specification.json" (builtins.toJSON specification);
in
if pkgs.stdenv.buildPlatform.canExecute pkgs.stdenv.hostPlatform then
  pkgs.runCommand "hermes-agent.json" { } ''
    export HOME=$TMPDIR
    ${lib.getExe' cfg.package "hermes"} deploy check ${file}
    cp ${file} $out
  ''
else
  file
