# The options of both modules, declared and not used: for documentation and for comparison.
{ lib }:
let
  declared =
    arguments:
    removeAttrs
      (lib.evalModules {
        modules = [
          (
            { config, ... }:
            {
              options.services.hermes-agent = import ./options.nix (
                {
                  inherit lib;
                  cfg = config.services.hermes-agent;
                  package = throw "documentation looks at no package";
                }
                // arguments
              );
            }
          )
        ];
      }).options
      [ "_module" ];
in
{
  system = declared { };
  user = declared {
    user = true;
    stateDir = throw "documentation has a text for it";
    stateDirText = ''"''${config.xdg.stateHome}/hermes"'';
  };
}
