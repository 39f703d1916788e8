"""From the generated hardware to a layout: ``pdk``, ``memory``, ``flow``, ``gate``, ``layout`` and ``report``."""
