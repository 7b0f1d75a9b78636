# A machine with our module, evaluated by the real module system: what the tests look at.
{
  nixpkgs,
  module,
  system ? "x86_64-linux",
}:
let
  root = ../..;

  machine = import (nixpkgs + "/nixos/lib/eval-config.nix") {
    inherit system;
    modules = [
      (import (root + "/nix/nixosModule.nix") {
        # What is tested here is the module; the package has tests of its own.
        packageFor = pkgs: pkgs.runCommand "hermes-agent" { passthru.interpreter = "/interpreter"; } "mkdir $out";
      })
      module
      {
        boot.isContainer = true;
        system.stateVersion = "25.11";
        documentation.enable = false;
        nixpkgs.config.allowUnsupportedSystem = true;
      }
    ];
  };

  inherit (machine) config pkgs;
  inherit (pkgs) lib;
  ours = lib.filter (lib.hasInfix "hermes-agent");
in
{
  inherit (config.services.hermes-agent) specification;
  specificationFile = builtins.unsafeDiscardStringContext config.systemd.services.hermes-agent.serviceConfig.ExecStartPre;
  unit = config.systemd.units."hermes-agent.service".text;
  mounts = map (each: config.systemd.units."${each}".text) (
    lib.filter (name: lib.hasSuffix ".mount" name && lib.hasInfix "Hermes Agent" config.systemd.units."${name}".text) (
      lib.attrNames config.systemd.units
    )
  );
  service = config.systemd.services.hermes-agent.serviceConfig;
  failed = map (each: each.message) (lib.filter (each: !each.assertion) config.assertions);
  warnings = ours config.warnings;
  user = builtins.intersectAttrs {
    isSystemUser = null;
    group = null;
    home = null;
    createHome = null;
  } config.users.users.${config.services.hermes-agent.user};
  users = lib.attrNames config.users.users;
  members = config.users.groups.${config.services.hermes-agent.group}.members;
  docker = config.virtualisation.docker.enable;
  podman = config.virtualisation.podman.enable;
  ports = config.networking.firewall.allowedTCPPorts;
  programs = map lib.getName config.environment.systemPackages;
  sudoers = config.security.sudo.configFile;
  engineMembers = lib.concatMap (group: config.users.groups.${group}.members or [ ]) [
    "docker"
    "podman"
  ];
  door = (lib.findFirst (each: lib.getName each == "hermes-agent-door") null config.environment.systemPackages).text;
  inherit (config.environment) pathsToLink;
  traces = lib.mapAttrs (_: ours) {
    services = lib.attrNames config.systemd.services;
    users = lib.attrNames config.users.users;
    programs = map lib.getName config.environment.systemPackages;
  };
  toplevel = config.system.build.toplevel.drvPath;
}
