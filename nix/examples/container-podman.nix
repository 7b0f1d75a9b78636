# A container of Podman with a network of its own, without root inside, for two people.
{
  services.hermes-agent = {
    enable = true;
    settings.model.default = "anthropic/claude-sonnet-4";
    environmentFiles = [ "/run/secrets/hermes-env" ];
    addToSystemPackages = true;
    container = {
      enable = true;
      backend = "podman";
      network = "bridge";
      sudo = false;
      hostUsers = [
        "alice"
        "bob"
      ];
    };
  };
  users.users.alice.isNormalUser = true;
  users.users.bob.isNormalUser = true;
}
