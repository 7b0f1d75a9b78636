# The ports that other machines may reach, as far as the declaration says: variables of
# environmentFiles are unknown here.
{ lib, cfg }:
let
  isOn = name: lib.elem (lib.toLower (cfg.environment.${name} or "")) [
    "true"
    "1"
    "yes"
    "on"
  ];
  platform = cfg.settings.platforms.webhook or { };
  webhookPort = cfg.environment.WEBHOOK_PORT or (platform.extra.port or (platform.port or 8644));
in
map (port: if lib.isInt port then port else lib.toInt port) (
  lib.optional (isOn "API_SERVER_ENABLED") (cfg.environment.API_SERVER_PORT or 8642)
  ++ lib.optional (isOn "WEBHOOK_ENABLED" || platform.enabled or false) webhookPort
)
