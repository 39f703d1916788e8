# SPDX-License-Identifier: Apache-2.0
"""What several tests need: random networks, reference models, benches, devices that misbehave."""
