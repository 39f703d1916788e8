# SPDX-License-Identifier: Apache-2.0
"""Samples that a command takes: loaded, checked against the network, and told as what they are taken for."""

from collections.abc import Callable
from typing import Any

import click

from hysteron_data.sets import DataSet, load_data_set
from hysteron_data.understood import understood
from hysteron_measure.judge import FORMS, WINNER, Judge
from hysteron_spec import CoreConfig, Network
from hysteron_spec.encoder import check_inputs
from hysteron_spec.fit import title_of

from .output import console


def _judge(_ctx: click.Context, _param: click.Parameter, text: str) -> Judge:
    return Judge.of(text)


def judge_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Option that says how answers are made of the outputs."""
    return click.option(
        "--judge",
        callback=_judge,
        default=str(WINNER),
        show_default=True,
        metavar="|".join(FORMS),
        help="What answers are judged by: the winning output; a population code of C classes; one output with a "
        "threshold; the largest value, or mean value, over the steps.",
    )(command)


def samples_for(network: Network, source: str, judge: Judge = WINNER) -> DataSet:
    """The test part of a data set, checked, after its meaning has been told.

    Parameters
    ----------
    network
        What is to take it.
    source
        A name or a file.
    judge
        What answers are to be judged by.

    Raises
    ------
    HysteronError
        If it cannot be loaded, does not suit the network, or no answer can match a label.
    """
    data = load_data_set(source)
    tell_samples(network, data, judge)
    return data


def tell_samples(network: Network, data: DataSet, judge: Judge = WINNER) -> None:
    """Check a data set against a network, and print what it is taken for and what looks like a mistake.

    Raises
    ------
    HysteronError
        As :func:`samples_for`.
    """
    check_inputs(network.encoder, data.inputs, network.n_in)
    judge.check_data(network, data)
    judge.check_steps(network, data)
    told = understood(data, network.encoder)
    console.print(f"data {data.name}: {told.text}", soft_wrap=True)
    tell_notes(told.notes + judge.notes(network, data))


def tell_notes(notes: tuple[str, ...]) -> None:
    """Print what looks like a mistake, a line each."""
    for note in notes:
        console.print(f"note: {note}", soft_wrap=True)


def tell_core(config: CoreConfig) -> None:
    """Print which core a command works with, and how it differs from its preset."""
    console.print(title_of(config), soft_wrap=True)
