"""What every package stands on: errors, files that are never half written, baselines of figures."""
