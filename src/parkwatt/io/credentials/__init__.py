"""What proves who a charger is: the store of passwords and profiles, and the site's certificate authority."""
