"""The named recipes: one for each shipped network, and the base of the ablation."""

from dataclasses import replace

from hysteron_golden import HysteronError

from .recipe import Recipe

#: 8×8 images.
_DIGITS = Recipe(
    name="digits",
    dataset="digits",
    preset="digits",
    hidden=(128,),
    levels=(24, 88, 152, 216),
    theta_high=(40,),
    theta_low=(12,),
    slope_width=12.0,
    spread=0.8,
    epochs=120,
    batch=64,
    noise=30.0,
)

#: What the recipes for 28×28 images share: 784 pixels of which about 110 spike in a step.
_IMAGE = Recipe(
    name="mnist",
    dataset="mnist",
    preset="mnist",
    hidden=(512,),
    mode="plain",
    theta_high=(40,),
    theta_low=(12,),
    spread=0.5,
    output_spread=0.5,
    slope_width=20.0,
    temperature=16.0,
    learn_leak=True,
    rate=0.05,
    batch=256,
    epochs=50,
    shift=2.0,
    rotate=12.0,
    zoom=0.12,
)

#: What the recipes for a few hundred sequences of spikes share: they live on being moved about.
_EVENTS = Recipe(
    name="nmnist",
    dataset="nmnist",
    preset="mnist",
    hidden=(256,),
    coding="spikes",
    grid=(2, 17, 17),
    shift=2.0,
    delay=1,
    theta_high=(40,),
    theta_low=(12,),
    slope_width=20.0,
    spread=0.5,
    output_spread=0.5,
    temperature=24.0,
    leak=(0.875,),
    learn_leak=True,
    rate=0.1,
    batch=50,
    epochs=200,
)

#: One-bit weights.
_ONE_BIT = replace(
    _IMAGE,
    name="mnist-1bit",
    coded_as="mnist-levels",
    preset="openspike",
    hidden=(1024,),
    rate=0.02,
    theta_high=(20,),
    theta_low=(6,),
    slope_width=10.0,
    temperature=10.0,
    epochs=45,
    shift=1.0,
    rotate=7.0,
    zoom=0.07,
)

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        _DIGITS,
        _IMAGE,
        # As many hidden neurons as the small core on silicon holds.
        replace(_DIGITS, name="digits-32", preset="sky130-small", hidden=(32,)),
        # As many hidden neurons as the weight memory of an iCE40UP5K holds.
        replace(_IMAGE, name="mnist-164", preset="icebreaker", settings=("counters=true",), hidden=(164,)),
        replace(
            _IMAGE,
            name="mnist-fast",
            dataset="mnist-14",
            hidden=(256,),
            steps=3,
            levels=(32, 96, 160),
            theta_high=(20,),
            theta_low=(6,),
            slope_width=12.0,
            rate=0.1,
            shift=0.5,
            rotate=5.0,
            zoom=0.05,
            epochs=100,
            activity=0.3,
        ),
        replace(
            _IMAGE,
            name="fashion-mnist",
            dataset="fashion-mnist",
            levels=(20, 80, 140, 200),
            theta_high=(60,),
            theta_low=(20,),
            slope_width=40.0,
            temperature=24.0,
            epochs=40,
            # Clothes lie straight in their frames: moving or turning them only makes the task harder.
            shift=0.0,
            rotate=0.0,
            zoom=0.0,
            flip=True,
            dropout=0.2,
        ),
        _ONE_BIT,
        # As many hidden neurons as a million one-bit weights do.
        replace(_ONE_BIT, name="mnist-960", preset="sky130", hidden=(960,)),
        _EVENTS,
        replace(
            _EVENTS,
            name="fsdd",
            dataset="fsdd",
            grid=(),
            shift=0.0,
            delay=2,
            dropout=0.1,
            rate=0.05,
            epochs=100,
        ),
        Recipe(
            name="ecg",
            dataset="qtdb",
            preset="digits",
            settings=("weight_bits=8", "leak_bits=6"),
            task="classify-steps",
            hidden=(128,),
            coding="spikes",
            mode="plain",
            theta_high=(100,),
            theta_low=(30,),
            slope_width=60.0,
            spread=40.0,
            output_spread=20.0,
            output_leak=0.9,
            leak=(0.7,),
            leak_to=(1.0,),
            truncate=150,
            learn_leak=True,
            temperature=200.0,
            rate=2.0,
            batch=32,
            epochs=40,
        ),
        Recipe(
            name="yin-yang",
            dataset="yin-yang",
            preset="digits",
            hidden=(128,),
            coding="direct",
            steps=8,
            levels=(),
            theta_high=(500,),
            theta_low=(150,),
            slope_width=200.0,
            spread=3.0,
            output_spread=2.0,
            temperature=8.0,
            learn_leak=True,
            rate=0.1,
            batch=64,
            epochs=120,
        ),
        Recipe(
            name="material",
            dataset="material",
            preset="digits",
            settings=("weight_bits=8", "leak_bits=6", "weight_rows=1024"),
            task="regress",
            hidden=(128,),
            recurrent=(1.0,),
            coding="spikes",
            mode="plain",
            theta_high=(100,),
            theta_low=(30,),
            slope_width=60.0,
            spread=40.0,
            output_spread=20.0,
            leak=(0.7,),
            leak_to=(1.0,),
            learn_leak=True,
            output_leak=0.9,
            temperature=512.0,
            rate=1.0,
            batch=100,
            epochs=80,
        ),
        Recipe(
            name="timescales",
            dataset="materials",
            preset="mnist",
            settings=("leak_bits=5",),
            task="regress",
            hidden=(256, 64),
            recurrent=(0.1, 0.0),
            leak=(0.5, 0.9),
            coding="spikes",
            mode="plain",
            theta_high=(8, 16),
            theta_low=(2, 4),
            slope_width=8.0,
            spread=1.5,
            output_leak=0.9,
            output_spread=1.0,
            temperature=64.0,
            activity=0.1,
            rate=0.1,
            batch=50,
            epochs=40,
        ),
        replace(
            _IMAGE,
            name="ablation",
            hidden=(128,),
            mode="latch",
            rate=0.1,
            epochs=10,
            restarts=1,
            shift=1.0,
            rotate=7.0,
            zoom=0.07,
            annealing=0.2,
            activity=0.1,
        ),
    )
}


def recipe_named(name: str) -> Recipe:
    """The recipe ``name``.

    Raises
    ------
    HysteronError
        If there is none.
    """
    if name not in RECIPES:
        raise HysteronError(f"recipe must be one of {', '.join(RECIPES)}, not {name!r}")
    return RECIPES[name]
