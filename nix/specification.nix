# The specification: what the options say, in the form that `hermes deploy` reads. Its schema is
# `hermes deploy schema`; the keys are the names of the options.
{
  lib,
  cfg,
  manager,
  user ? false,
}:
let
  tree = import ./settings.nix { inherit lib; };

  # A path literal goes into the store; a string names a file of the machine and stays out of it.
  file = path: if path == null then null else "${path}";

  isFile =
    value:
    !lib.isString value
    || (builtins.hasContext value && lib.hasPrefix builtins.storeDir value && !lib.hasInfix "\n" value);
  document = value: if isFile value then { path = "${value}"; } else { text = value; };

  # What is left at its default is not written into config.yaml.
  server =
    given:
    lib.filterAttrs (
      name: value:
      value != null && value != [ ] && value != { } && !(name == "enabled" && value == true)
    ) given
    // lib.optionalAttrs (given.tools != null) {
      tools = lib.filterAttrs (_: value: value != [ ]) given.tools;
    };

  specification = {
    version = 1;
    name = "hermes-agent";
    inherit manager;
    scope = if user then "user" else "system";

    package = "${cfg.package}";
    packageRoots = [ builtins.storeDir ];
    gcRoots = if user then null else "/nix/var/nix/gcroots";
    inherit (cfg)
      stateDir
      workingDirectory
      addToSystemPackages
      settings
      environment
      environmentFiles
      authFileForceOverwrite
      extraArgs
      restart
      restartSec
      hardening
      ;
    configFile = file cfg.configFile;
    authFile = file cfg.authFile;
    secrets = tree.dotted cfg.secrets;
    documents = lib.mapAttrs (_: document) cfg.documents;
    mcpServers = lib.mapAttrs (_: server) cfg.mcpServers;
    extraPackages = map (package: "${package}") cfg.extraPackages;
  }
  // lib.optionalAttrs (!user) {
    inherit (cfg)
      user
      group
      createUser
      container
      ;
  };
in
{
  inherit specification isFile;

  # What the agent will find declared; with `configFile` that is not known before it is read.
  declared =
    if cfg.configFile != null then
      { }
    else
      specification.settings
      // lib.optionalAttrs (specification.mcpServers != { }) {
        mcp_servers = (specification.settings.mcp_servers or { }) // specification.mcpServers;
      };
}
