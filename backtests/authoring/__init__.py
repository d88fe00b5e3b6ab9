"""Makes an episode's folder, checks all of it, and packs it to hand on."""
