# docs/nixos-options.md: every option with its type and default, as a table for each part.
{ lib }:
let
  declarations = import ./option-sets.nix { inherit lib; };

  options = lib.filter (option: option.visible && !option.internal) (
    lib.optionAttrSetToDocList declarations.system.services.hermes-agent
  );
  personal = map (option: option.name) (
    lib.optionAttrSetToDocList declarations.user.services.hermes-agent
  );

  prefix = "services.hermes-agent.";
  short = option: lib.removePrefix prefix option.name;

  # Roles such as {option}`x` are the manual's; line breaks and bars would end a row.
  plain =
    text:
    lib.pipe text [
      (lib.replaceStrings [ "{option}" "{manpage}" "\n" "|" ] [ "" "" " " "\\|" ])
      (lib.splitString " ")
      (lib.filter (word: word != ""))
      (lib.concatStringsSep " ")
    ];
  code = text: "`${plain text}`";

  # Without names a type says it all; "or" and "of" read well in code too.
  row =
    option:
    "| ${code (short option)}${
      lib.optionalString (!lib.elem option.name personal) " *"
    } | ${plain option.type} | ${
      # A list has an empty one by itself; in config.yaml the program's own defaults count.
      if option ? default && !lib.hasPrefix "settings." (short option) then
        code option.default.text
      else
        "—"
    } | ${plain option.description} |";

  parts = [
    {
      title = "Core";
      has = [
        "enable"
        "package"
        "user"
        "group"
        "createUser"
        "stateDir"
        "workingDirectory"
        "addToSystemPackages"
        "openFirewall"
      ];
    }
    {
      title = "Configuration";
      has = [
        "settings"
        "configFile"
        "documents"
      ];
    }
    {
      title = "Secrets and environment";
      has = [
        "secrets"
        "environmentFiles"
        "environment"
        "authFile"
        "authFileForceOverwrite"
      ];
    }
    {
      title = "MCP servers";
      has = [ "mcpServers" ];
    }
    {
      title = "The service";
      has = [
        "extraArgs"
        "extraPackages"
        "restart"
        "restartSec"
        "hardening"
      ];
    }
    {
      title = "The container";
      has = [ "container" ];
    }
  ];

  # In the order of the list above, which is that of importance.
  of = name: lib.filter (option: lib.head (lib.splitString "." (short option)) == name) options;

  part =
    { title, has }:
    ''
      ## ${title}

      | option | type | default | what it is |
      |---|---|---|---|
      ${lib.concatMapStringsSep "\n" row (lib.concatMap of has)}
    '';

  listed = lib.concatMap (each: each.has) parts;
  forgotten = lib.filter (
    option: !lib.elem (lib.head (lib.splitString "." (short option))) listed
  ) options;
in
assert lib.assertMsg (forgotten == [ ])
  "nix/documentation.nix has no part for ${lib.concatMapStringsSep ", " (option: option.name) forgotten}";
''
  # Options

  All options of `services.hermes-agent`, for NixOS and for home-manager; those with a * are for NixOS only. How they fit together is said in [nixos-setup.md](nixos-setup.md). This page is written by `nix eval --raw .#lib.optionsDocument`.

  ${lib.concatMapStringsSep "\n" part parts}''
