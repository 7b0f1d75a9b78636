# What the tests' machines have in common.
{ pkgs, ... }:
{
  virtualisation.memorySize = 2048;
  virtualisation.diskSize = 4096;

  services.hermes-agent = {
    enable = true;
    settings.model.default = "test/declared";
    environment.API_SERVER_ENABLED = "true";
    environmentFiles = [ "/run/secrets/hermes-env" ];
  };

  # As a secrets manager would: after the machine has booted, before the service starts.
  systemd.services.secrets = {
    wantedBy = [ "hermes-agent.service" ];
    before = [ "hermes-agent.service" ];
    serviceConfig.Type = "oneshot";
    serviceConfig.RemainAfterExit = true;
    script = ''
      install -d -m 0700 /run/secrets
      cd /run/secrets
      umask 077
      printf 'API_SERVER_KEY=first-secret-of-the-test\n' > hermes-env
      printf 'key-of-the-model' > model-key
      printf '{"version": 1, "providers": {}}' > auth.json
    '';
  };

  users.users.alice = {
    isNormalUser = true;
    extraGroups = [ "hermes" ];
  };
  users.users.mallory.isNormalUser = true;

  environment.systemPackages = [ pkgs.curl ];
}
