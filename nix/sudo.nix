# The rule of src/hermes_agent/deploy/data/host-command.sudoers, as NixOS writes it.
{
  lib,
  cfg,
  door,
}:
{
  extraRules = [
    {
      groups = [ cfg.group ];
      runAs = "root";
      commands = [
        {
          command = door;
          options = [
            "NOPASSWD"
            "NOSETENV"
          ];
        }
      ];
    }
  ];

  extraConfig = lib.concatLines (
    map (lib.replaceStrings [ "@DOOR@" ] [ door ]) (
      lib.filter (lib.hasPrefix "Defaults") (
        lib.splitString "\n" (builtins.readFile ../src/hermes_agent/deploy/data/host-command.sudoers)
      )
    )
  );
}
