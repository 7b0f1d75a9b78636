# What differs between the options of the NixOS module and of the home-manager module, beyond what
# is meant to: an empty list, if all is well.
{ lib }:
let
  sets = import ../option-sets.nix { inherit lib; };
  listed =
    set:
    lib.listToAttrs (
      map (option: lib.nameValuePair option.name option) (
        lib.optionAttrSetToDocList set.services.hermes-agent
      )
    );
  system = listed sets.system;
  user = listed sets.user;

  systemOnly =
    name:
    lib.any (only: name == "services.hermes-agent.${only}" || lib.hasPrefix "services.hermes-agent.${only}." name)
      [
        "user"
        "group"
        "createUser"
        "openFirewall"
        "container"
      ];
  # Its words say what it does in either case.
  otherWords = [ "services.hermes-agent.addToSystemPackages" ];
  otherDefault = [ "services.hermes-agent.stateDir" ];

  missing = lib.filter (name: !user ? ${name} && !systemOnly name) (lib.attrNames system);
  more = lib.filter (name: !system ? ${name}) (lib.attrNames user);
  shared = lib.filter (name: user ? ${name}) (lib.attrNames system);
  differs =
    aspect: except:
    map (name: "${name} has another ${aspect}") (
      lib.filter (
        name: !lib.elem name except && system.${name}.${aspect} or null != user.${name}.${aspect} or null
      ) shared
    );
in
map (name: "${name} is missing in home-manager") missing
++ map (name: "${name} is not there on NixOS") more
++ differs "type" [ ]
++ differs "description" otherWords
++ differs "default" otherDefault
