# The types of `settings` and `secrets`: one tree that many files fill in.
#
# Attribute sets merge deeply. Lists and single values are replaced by priority, at any depth
# (mkDefault, mkForce, mkIf); two unequal ones of the same priority are an error that names both
# files. RFC 42 asks for a free form with a few declared keys: those are checked and documented,
# and what nobody defines does not appear.
{ lib }:
let
  isTree = value: lib.isAttrs value && !lib.isStringLike value;

  # `leaf`: the type of values; `known`: declared options, as a tree like the settings themselves.
  treeOf =
    { leaf, known, description }:
    let
      inner = name: treeOf { inherit leaf description; known = known.${name} or { }; };
      typeOf =
        name:
        if lib.isOption (known.${name} or null) then exactly known.${name}.type else node (inner name) leaf;
    in
    lib.mkOptionType {
      name = "tree";
      inherit description;
      descriptionClass = "noun";
      check = isTree;
      emptyValue.value = { };
      merge =
        loc: defs:
        lib.pipe defs [
          (map (def: lib.mapAttrs (_: value: { inherit value; inherit (def) file; }) def.value))
          (lib.zipAttrsWith (name: each: (lib.mergeDefinitions (loc ++ [ name ]) (typeOf name) each).optionalValue))
          (lib.filterAttrs (_: merged: merged ? value))
          (lib.mapAttrs (_: merged: merged.value))
        ];
      getSubOptions =
        prefix:
        removeAttrs (lib.evalModules {
          inherit prefix;
          modules = [ { options = known; } ];
        }).options [ "_module" ];
    };

  # A branch or a value, whichever is defined.
  node =
    tree: leaf:
    lib.mkOptionType {
      name = "node";
      inherit (leaf) description;
      check = value: if isTree value then true else leaf.check value;
      merge =
        loc: defs:
        if lib.all (def: isTree def.value) defs then
          tree.merge loc defs
        else
          lib.mergeEqualOption loc defs;
    };

  # One value of a declared type; lists are not joined.
  exactly =
    type:
    lib.mkOptionType {
      inherit (type) name description check;
      merge =
        loc: defs:
        (lib.mergeDefinitions loc type [
          {
            inherit (lib.head defs) file;
            value = lib.mergeEqualOption loc defs;
          }
        ]).mergedValue;
    };

  isPlain =
    value:
    value == null
    || lib.isBool value
    || lib.isInt value
    || lib.isFloat value
    || lib.isStringLike value
    || (lib.isList value && lib.all isPlain value)
    || (isTree value && lib.all isPlain (lib.attrValues value));

  plain = lib.mkOptionType {
    name = "plain";
    description = "value of config.yaml (null, boolean, number, string, list or attribute set)";
    check = isPlain;
  };

  secretFile = lib.mkOptionType {
    name = "secretFile";
    description = "absolute path of a file, as a string (a path literal would be copied into the Nix store)";
    check = value: lib.isString value && lib.hasPrefix "/" value;
  };
in
{
  settings = treeOf {
    leaf = plain;
    known = import ./known-settings.nix { inherit lib; };
    description = "attribute set, deeply merged";
  };

  secrets = treeOf {
    leaf = secretFile;
    known = { };
    description = "attribute set of file paths, deeply merged";
  };

  # { a.b = 1; } to { "a.b" = 1; }.
  dotted =
    let
      below =
        prefix:
        lib.concatMapAttrs (
          name: value: if isTree value then below "${prefix}${name}." value else { "${prefix}${name}" = value; }
        );
    in
    below "";
}
