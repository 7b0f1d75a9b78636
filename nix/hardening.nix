# How far the service is confined, by the data that `hermes deploy apply` reads too: the fullest
# set, less what the declared settings need. Its reasons and their order are described in
# src/hermes_agent/deploy/native/hardening.py; a test holds the two together.
{
  lib,
  cfg,
  declared,
  user ? false,
  # Whether the machine has any; some are hardened so that it has none.
  userNamespaces ? true,
}:
let
  data = lib.importJSON ../src/hermes_agent/deploy/data/hardening.json;

  below = folders: path: lib.any (folder: path == folder || lib.hasPrefix "${folder}/" path) folders;
  hidden = [
    "/home"
    "/root"
    "/run/user"
  ];
  private = [
    "/tmp"
    "/var/tmp"
  ];

  commandsHere = lib.elem (declared.terminal.backend or "local") [
    "local"
    "bubblewrap"
  ];
  serversHere = lib.any (server: server ? command) (lib.attrValues (declared.mcp_servers or { }));

  toolsets = [ (declared.toolsets or [ ]) ] ++ lib.attrValues (declared.platform_toolsets or { });
  browser =
    (declared.browser or { }) != { }
    || lib.any (
      names:
      lib.isList names
      && lib.any (name: lib.elem name [
        "browser"
        "all"
        "*"
      ]) names
    ) toolsets;

  reasons =
    lib.optional (!userNamespaces) "nonamespaces"
    ++ lib.optional (below hidden cfg.stateDir || below hidden cfg.workingDirectory) "home"
    ++ lib.optional commandsHere "bubblewrap"
    ++ lib.optional (commandsHere || serversHere) "jit"
    ++ lib.optional browser "browser";

  full = if user then data.user else data.native;
  relaxed = lib.foldl' (set: reason: set // data.relax.${reason}) full (lib.optionals (!user) reasons);

  paths = [
    cfg.stateDir
  ]
  ++ lib.optional (!below [ cfg.stateDir ] cfg.workingDirectory) cfg.workingDirectory;
  bound = lib.filter (below (hidden ++ private)) paths;

  # Spaces separate paths in these directives. They may be missing, for the directives count for the
  # set-up too, which makes the directories.
  quoted = path: builtins.toJSON "-${lib.replaceStrings [ "%" ] [ "%%" ] path}";

  directives =
    if cfg.hardening.enable then
      lib.filterAttrs (_: value: value != null) relaxed // cfg.hardening.settings
    else
      { inherit (full) UMask; };
in
directives
// lib.optionalAttrs (cfg.hardening.enable && !user) {
  ReadWritePaths = map quoted (lib.subtractLists bound paths) ++ lib.toList (directives.ReadWritePaths or [ ]);
  BindPaths = map quoted bound ++ lib.toList (directives.BindPaths or [ ]);
}
