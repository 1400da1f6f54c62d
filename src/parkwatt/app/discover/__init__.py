"""`parkwatt discover`: what is on an MQTT broker, as settings for a site."""
