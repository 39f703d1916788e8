# SPDX-License-Identifier: Apache-2.0
"""Samples as DATA requests, and the answers in the words of their replies."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hysteron_base.errors import HysteronError, rectangular, require_of_device
from hysteron_spec.answers import Answer
from hysteron_spec.encoder import check_pixels, check_spikes
from hysteron_spec.packets import WORD_BYTES, sample_packets
from hysteron_spec.protocol import PAYLOAD_WORDS, payload, words

from .image import Image


def requests_of(image: Image, sample: NDArray[np.integer], index: int) -> list[bytes]:
    """Return a sample as the payloads of DATA requests; ``index`` is its number, for messages."""
    data = _checked(image, sample, index)
    packets = sample_packets(data)
    if image.pixels:
        due = [image.steps if image.every_step else 1]
    else:
        due = [int(image.every_step or step == len(packets) - 1) for step in range(len(packets))]
    words_each = image.n_out + 1
    found: list[bytes] = []
    block: list[int] = []
    wanted = 0  # answer words of the block

    def close() -> None:
        """End the block; answers that are longer than a reply are asked for in several."""
        nonlocal block, wanted
        found.append(payload(min(wanted, PAYLOAD_WORDS), *block))
        wanted -= min(wanted, PAYLOAD_WORDS)
        block = []

    for packet, answers in zip(packets, due, strict=True):
        content = [int(word) for word in packet]
        if block and (len(block) + len(content) >= PAYLOAD_WORDS or wanted + answers * words_each > PAYLOAD_WORDS):
            close()
        while len(content) >= PAYLOAD_WORDS:
            found.append(payload(0, *content[: PAYLOAD_WORDS - 1]))
            content = content[PAYLOAD_WORDS - 1 :]
        block += content
        wanted += answers * words_each
        while wanted > PAYLOAD_WORDS:
            close()
    if block or wanted:
        close()
    return found


def _checked(image: Image, sample: NDArray[np.integer], index: int) -> NDArray[np.uint8]:
    """What is sent of a sample: ``(n_in,)`` pixels or ``(steps, n_in)`` spikes.

    It is checked as golden checks it, so that whatever runs there runs on a machine.
    """
    one = rectangular(f"sample {index}", sample)[None]
    try:
        if image.pixels:
            return check_pixels(one, image.n_in, first=index)[0]
        if image.encode:
            return image.encode(check_pixels(one, image.n_in, first=index)[0])
        return check_spikes(one, image.n_in, first=index)[0]
    except HysteronError as error:
        raise HysteronError(f"sample {index}: {error}") from None


@dataclass(frozen=True)
class Group:
    """Samples that are asked for together; several make one request.

    Attributes
    ----------
    first
        Index of the first sample.
    wanted
        How many words the answer to each sample has.
    requests
        Payloads of DATA.
    """

    first: int
    wanted: tuple[int, ...]
    requests: list[bytes]

    def joined(self, other: "Group") -> "Group | None":
        """Both as one request, if that is not too long and does not ask too much."""
        if len(self.requests) > 1 or len(other.requests) > 1:
            return None
        wanted = self.wanted + other.wanted
        request = payload(sum(wanted)) + self.requests[0][WORD_BYTES:] + other.requests[0][WORD_BYTES:]
        fits = sum(wanted) <= PAYLOAD_WORDS and len(request) <= WORD_BYTES * PAYLOAD_WORDS
        return Group(self.first, wanted, [request]) if fits else None


def groups(image: Image, samples: Iterable[NDArray[np.integer]], first: int) -> Iterator[Group]:
    """Give samples as requests, small neighbours together; ``first`` is the index of the first sample."""
    last: Group | None = None
    for index, sample in enumerate(samples, first):
        requests = requests_of(image, sample, index)
        # A request begins with how many words it asks for.
        group = Group(index, (sum(words(request[:WORD_BYTES])[0] for request in requests),), requests)
        both = None if last is None else last.joined(group)
        if last is not None and both is None:
            yield last
        last = both or group
    if last is not None:
        yield last


def answers_in(image: Image, group: Group, answer: list[int]) -> Iterator[Answer]:
    """Give the answers to a group's samples, from the answer words to its requests."""
    require_of_device(
        len(answer) == sum(group.wanted),
        f"the machine answered sample {group.first} with {len(answer)} words, not {sum(group.wanted)}; load the "
        "network again",
    )
    done = 0
    for index, wanted in enumerate(group.wanted, group.first):
        table = np.array(answer[done : done + wanted], np.uint32).reshape(-1, image.n_out + 1)
        values = np.ascontiguousarray(table[:, :-1]).view(np.int32)
        done += wanted
        yield Answer(index, int(table[-1, -1]) & 0xFFFF, values[-1], values if image.every_step else None)
