# What is wrong with the options, in sentences that say what to write instead.
{
  lib,
  cfg,
  isFile,
  user ? false,
}:
let
  tree = import ./settings.nix { inherit lib; };
  at = option: "services.hermes-agent.${option}";

  inStore = path: lib.hasPrefix "${builtins.storeDir}/" "${path}";
  isAbsolute = lib.hasPrefix "/";
  straight =
    path:
    isAbsolute path
    && path != "/"
    && !lib.hasSuffix "/" path
    && !lib.hasInfix "//" path
    && !lib.any (part: part == "." || part == "..") (lib.splitString "/" path);

  secrets = tree.dotted cfg.secrets;
  settings = tree.dotted cfg.settings;

  policies = [
    "no"
    "always"
    "on-success"
    "on-failure"
    "on-abnormal"
    "on-abort"
    "on-watchdog"
  ];

  check = assertion: message: { inherit assertion message; };

  always =
    map
      (option: check (straight cfg.${option}) ''${at option} is "${cfg.${option}}"; write a plain absolute path, without .., // or a slash at the end, such as "/var/lib/hermes".'')
      [
        "stateDir"
        "workingDirectory"
      ]
    ++ [
      (check (lib.length (lib.splitString "/" cfg.stateDir) > 2)
        ''${at "stateDir"} is "${cfg.stateDir}"; it must lie in a folder of its own, as "/var/lib/hermes" does.''
      )
      (check (lib.elem cfg.restart policies)
        ''${at "restart"} is "${cfg.restart}"; write one of ${lib.concatStringsSep ", " policies}.''
      )
      (check (cfg.restartSec >= 0)
        "${at "restartSec"} is ${toString cfg.restartSec}; write a number of seconds, 0 or more."
      )
      (check (!cfg.authFileForceOverwrite || cfg.authFile != null)
        "${at "authFileForceOverwrite"} is set, but there is no authFile to overwrite with; set ${at "authFile"} too."
      )
      (check (cfg.configFile == null || cfg.secrets == { })
        "${at "secrets"} belong to settings; beside configFile use environmentFiles, and \${NAME} in the file."
      )
    ]
    ++ map (
      path:
      check (isAbsolute path) ''${at "environmentFiles"} has "${path}"; write the absolute path of a file of this machine.''
    ) cfg.environmentFiles
    ++ map (
      key:
      check (builtins.match "[A-Za-z0-9._-]{1,240}" key != null)
        ''${at "secrets"}: systemd takes no credential called "${key}"; keys may have letters, digits, ".", "_" and "-". For others use environmentFiles.''
    ) (lib.attrNames secrets)
    ++ map (
      name:
      check (builtins.match "[A-Za-z_][A-Za-z0-9_]*" name != null)
        ''${at "environment"}: "${name}" is not the name of an environment variable.''
    ) (lib.attrNames cfg.environment)
    ++ map (
      name:
      check (straight "/${name}")
        ''${at "documents"}: "${name}" is not the name of a file inside the working directory; write a name such as "notes/today.md".''
    ) (lib.attrNames cfg.documents)
    ++ lib.mapAttrsToList (
      name: server:
      check ((server.command == null) != (server.url == null))
        ''${at "mcpServers"}.${name}: write either command (a program to start) or url (an address).''
    ) cfg.mcpServers;

  mounted = map (volume: lib.elemAt (lib.splitString ":" volume ++ [ "" ]) 1) cfg.container.extraVolumes;
  reaches = place: cfg.workingDirectory == place || lib.hasPrefix "${place}/" cfg.workingDirectory;

  inContainer = [
    (check (lib.any reaches ([ cfg.stateDir ] ++ lib.filter (place: place != "") mounted))
      ''${at "workingDirectory"} is ${cfg.workingDirectory}, which does not exist in the container; mount it: container.extraVolumes = [ "${cfg.workingDirectory}:${cfg.workingDirectory}:rw" ];''
    )
    (check (cfg.extraPackages == [ ])
      "${at "extraPackages"} has no effect in a container; let the agent install what it needs, name Debian packages in container.provision, or use native mode."
    )
    (check (cfg.container.image != "") ''${at "container.image"} is empty; write the name of an image, such as "ubuntu:24.04".'')
    (check (cfg.container.network != "") ''${at "container.network"} is empty; write "host" or "bridge", for example.'')
  ]
  ++ map (
    volume:
    let
      parts = lib.splitString ":" volume;
    in
    check (
      (lib.length parts == 2 || lib.length parts == 3)
      && isAbsolute (lib.elemAt parts 0)
      && isAbsolute (lib.elemAt parts 1)
    ) ''${at "container.extraVolumes"} has "${volume}"; write "/on/the/host:/in/the/container" or "/on/the/host:/in/the/container:ro".''
  ) cfg.container.extraVolumes;

  accounts = [
    (check (cfg.user != "root") ''${at "user"} is root; the agent must not be. Leave it at "hermes", or name an account of its own.'')
  ]
  ++ map
    (
      option:
      check (builtins.match "[a-z_][a-z0-9_-]{0,30}" cfg.${option} != null)
        ''${at option} is "${cfg.${option}}"; write the name of an account: lower case letters, digits, _ and -, at most 31 characters.''
    )
    [
      "user"
      "group"
    ];

  readable =
    option: path:
    lib.optional (path != null && inStore path)
      "${at option} lies in the Nix store (${path}): every user and every process of this machine can read it. Write the path of a file outside, as a string.";

  looksSecret = name: builtins.match ".*(api_key|token|password|secret)" (lib.toLower name) != null;
  isLiteral = value: lib.isString value && value != "" && !lib.hasInfix "\${" value;
in
{
  assertions = always ++ lib.optionals (!user) (accounts ++ lib.optionals cfg.container.enable inContainer);

  warnings =
    readable "authFile" cfg.authFile
    ++ readable "configFile" cfg.configFile
    ++ lib.optional (cfg.configFile != null && (cfg.settings != { } || cfg.mcpServers != { }))
      "${at "configFile"} replaces settings and mcpServers entirely; what is declared there has no effect."
    ++ lib.concatMap (readable "environmentFiles") cfg.environmentFiles
    ++ lib.concatLists (lib.mapAttrsToList (key: readable "secrets.${key}") secrets)
    ++ lib.concatLists (
      lib.mapAttrsToList (
        name: value:
        lib.optional (looksSecret name && isLiteral value)
          "${at "settings"}.${name} looks like a secret; in the Nix store everybody can read it. Put it into a file and write ${at "secrets"}.${name} = \"/path/of/the/file\"; instead."
      ) settings
    )
    ++ lib.concatLists (
      lib.mapAttrsToList (
        name: value:
        lib.optional (looksSecret name && value != "")
          "${at "environment"}.${name} looks like a secret; in the Nix store everybody can read it. Put it into a file of environmentFiles instead."
      ) cfg.environment
    )
    ++ lib.concatLists (
      lib.mapAttrsToList (
        name: value:
        lib.optional (!isFile value && isAbsolute value && !lib.hasInfix "\n" value)
          ''${at "documents"}."${name}" is the text "${value}". For the file of that name write the path without quotes.''
      ) cfg.documents
    );
}
