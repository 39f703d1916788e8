"""A netlist of standard cells simulated with images: answers, activity, power."""
