"""From the generated hardware to a SkyWater-130 layout."""
