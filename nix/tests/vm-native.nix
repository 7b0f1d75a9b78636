# Native mode in a machine: the service, its fence, secrets, the host command, a changed
# configuration, a rotated secret.
{
  pkgs,
  package,
  nixosModule,
}:
pkgs.testers.runNixOSTest {
  name = "hermes-agent-native";

  nodes.machine =
    { lib, ... }:
    {
      imports = [
        nixosModule
        ./machine.nix
      ];
      services.hermes-agent = {
        inherit package;
        addToSystemPackages = true;
        documents."SOUL.md" = "You are the agent of a test.";
        documents."notes/path.md" = ./machine.nix;
        secrets.model.api_key = "/run/secrets/model-key";
        extraPackages = [ pkgs.hello ];
        authFile = "/run/secrets/auth.json";
      };

      specialisation.changed.configuration.services.hermes-agent.settings.model.default =
        lib.mkForce "test/changed";
      specialisation.unrelated.configuration.environment.etc."unrelated".text = "nothing of ours";
    };

  testScript = builtins.readFile ./common.py + builtins.readFile ./vm-native.py;
}
