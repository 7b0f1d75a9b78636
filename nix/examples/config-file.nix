# A config.yaml from elsewhere, and logins to begin with.
{
  services.hermes-agent = {
    enable = true;
    configFile = "/etc/hermes/config.yaml";
    authFile = "/run/secrets/hermes-auth.json";
    authFileForceOverwrite = true;
  };
}
