# The service, as attributes of its [Service] section. `hermes deploy prepare` sets everything up
# before each start, secrets read anew; then the agent runs, or what looks after its container.
{
  lib,
  pkgs,
  cfg,
  specificationFile,
  declared,
  user ? false,
  userNamespaces ? true,
}:
let
  container = !user && cfg.container.enable;
  hermes = "${cfg.package}/bin/hermes";

  # systemd.service(5), "Command lines": % and $ would be expanded.
  words =
    args: lib.concatMapStringsSep " " (arg: lib.replaceStrings [ "%" "$" ] [ "%%" "$$" ] (builtins.toJSON arg)) args;

  # Root's part starts with an environment of its own: the one of the service may be the agent's.
  asRoot =
    args:
    "+${words ([ "${pkgs.coreutils}/bin/env" "-i" "PATH=/run/wrappers/bin:/run/current-system/sw/bin" ] ++ args)}";
  prepare = [
    hermes
    "deploy"
    "prepare"
    "${specificationFile}"
  ];

  secrets = (import ./settings.nix { inherit lib; }).dotted cfg.secrets;
  runtime = if user then "%t/hermes-agent" else "/run/hermes-agent";

  # What both modes have.
  life = {
    Type = "notify";
    NotifyAccess = "main";
    ExecStartPre = if user then words prepare else asRoot prepare;
    ExecReload = "${pkgs.coreutils}/bin/kill -HUP $MAINPID";
    WatchdogSec = 120;
    # While a container's image is pulled, the time is extended.
    TimeoutStartSec = 180;
    # Turns get a minute to end, then answers are sent.
    TimeoutStopSec = 150;
    # 78 is a configuration that cannot work, 75 a restart that was asked for.
    Restart = cfg.restart;
    RestartSec = cfg.restartSec;
    RestartPreventExitStatus = 78;
    RestartForceExitStatus = 75;
    SuccessExitStatus = 75;
  };

  native = {
    ExecStart = words (
      [
        hermes
        "gateway"
        "run"
        "--replace"
      ]
      ++ cfg.extraArgs
    );
    KillMode = "mixed";
    SyslogIdentifier = "hermes-agent";
    LimitNOFILE = 65536;
    EnvironmentFile = "-${runtime}/hermes-agent/environment";
    # It is made before the first start.
    WorkingDirectory = "-${lib.replaceStrings [ "%" ] [ "%%" ] cfg.workingDirectory}";
  }
  // lib.optionalAttrs (cfg.secrets != { }) {
    LoadCredential = lib.mapAttrsToList (
      key: path: "settings.${key}:${lib.replaceStrings [ "%" ] [ "%%" ] path}"
    ) secrets;
    # In place of a file that is missing: so the set-up starts, and can say which one.
    SetCredential = map (key: "settings.${key}:\\n") (lib.attrNames secrets);
  }
  // lib.optionalAttrs (!user) {
    User = cfg.user;
    Group = cfg.group;
  }
  // import ./hardening.nix {
    inherit
      lib
      cfg
      declared
      user
      userNamespaces
      ;
  };

  contained = {
    ExecStart = words [
      hermes
      "deploy"
      "run"
      "${specificationFile}"
    ];
    # With Podman the container's own monitor may be in this unit's control group.
    KillMode = "process";
  };
in
life // (if container then contained else native)
