"""What several tests need: random networks, reference models, benches, devices that misbehave."""
