# Container mode in a machine, with either engine: what persists across what.
backend:
{
  pkgs,
  package,
  nixosModule,
}:
let
  # No registry can be reached from a test; this stands in for ubuntu:24.04.
  image =
    tag:
    pkgs.dockerTools.buildLayeredImage {
      name = "localhost/machine";
      inherit tag;
      contents = [
        pkgs.bashInteractive
        pkgs.coreutils
        pkgs.gnugrep
        pkgs.gnused
        pkgs.shadow
        pkgs.util-linux
        pkgs.dockerTools.fakeNss
        pkgs.dockerTools.caCertificates
      ];
      extraCommands = ''
        mkdir -p tmp home root usr/bin var/tmp
        chmod 1777 tmp var/tmp
        ln -s /bin/env usr/bin/env
      '';
    };
in
pkgs.testers.runNixOSTest {
  name = "hermes-agent-container-${backend}";

  nodes.machine =
    { config, lib, ... }:
    let
      engine = "/run/current-system/sw/bin/${backend}";
    in
    {
      imports = [
        nixosModule
        ./machine.nix
      ];
      services.hermes-agent = {
        inherit package;
        addToSystemPackages = true;
        container = {
          enable = true;
          inherit backend;
          image = "localhost/machine:1";
          provision = [ ];
        };
      };

      systemd.services.images = {
        wantedBy = [ "hermes-agent.service" ];
        before = [ "hermes-agent.service" ];
        after = lib.optional (backend == "docker") "docker.service";
        requires = lib.optional (backend == "docker") "docker.service";
        serviceConfig.Type = "oneshot";
        serviceConfig.RemainAfterExit = true;
        script = ''
          ${engine} load < ${image "1"}
          ${engine} load < ${image "2"}
        '';
      };

      specialisation.changed.configuration.services.hermes-agent.settings.model.default =
        lib.mkForce "test/changed";
      specialisation.unrelated.configuration.environment.etc."unrelated".text = "nothing of ours";
      specialisation.image.configuration.services.hermes-agent.container.image =
        lib.mkForce "localhost/machine:2";
      specialisation.environment.configuration.services.hermes-agent.environment.TZ = "Europe/Berlin";
    };

  testScript =
    ''
      engine = "${backend}"
      package = "${package}"
    ''
    + builtins.readFile ./common.py
    + builtins.readFile ./vm-container.py;
}
