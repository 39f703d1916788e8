# SPDX-License-Identifier: Apache-2.0
"""A layer that PyTorch can train and that computes, bit for bit, what the hardware computes.

The forward pass holds integers in float32 tensors: weights are rounded and clipped, every term of
the leak truncates, potentials saturate, the latch is the latch of :mod:`hysteron_golden.neuron`. So the
accuracy seen in training is the accuracy of the chip. Only the gradient is smooth: each rounding passes
it straight through (Bengio et al., arXiv 1308.3432), each comparison with a threshold has the
slope of a sigmoid instead (surrogate gradient; Neftci et al., arXiv 1901.09948).

With ``exact=False`` the same layer is its float twin: nothing is rounded, truncated, clipped or saturated.
"""

from typing import Any

import torch
from torch import Tensor, nn

from hysteron_spec.network import Layer
from hysteron_spec.neuron import Mode, Potential, Reset, weight_range


class _Fire(torch.autograd.Function):
    """``u > theta`` as 0 and 1; backwards the slope of ``sigmoid((free - theta) / width)``.

    ``free`` is ``u`` before it saturated: a neuron far below the range is far from firing, and must not learn as if
    it stood at the range's end.
    """

    @staticmethod
    def forward(ctx: Any, u: Tensor, free: Tensor, theta: float, width: float) -> Tensor:
        ctx.save_for_backward(free)
        ctx.theta, ctx.width = theta, width
        return (u > theta).to(u.dtype)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        (free,) = ctx.saved_tensors
        s = torch.sigmoid((free - ctx.theta) / ctx.width)
        return gradient * (s * (1 - s) / ctx.width), None, None, None


def straight(exact: Tensor, smooth: Tensor) -> Tensor:
    """``exact`` forwards, the gradient of ``smooth`` backwards (the added difference is 0 exactly)."""
    return exact.detach() + (smooth - smooth.detach())


class SpikingLayer(nn.Module):
    """Trainable twin of :class:`hysteron_spec.network.Layer`.

    Parameters
    ----------
    n_in, n_out
        Inputs and neurons.
    leak
        ``(n_out,)`` float32 factors from 0 to 1; the exact layer uses the nearest code.
    learn_leak
        Train the factors; the gradient passes the rounding to codes straight through.
    theta_high, theta_low, mode, reset
        As in the golden layer.
    potential
        Format in which potentials saturate.
    spread
        Standard deviation of the initial weights, in units of the weights' last place.
    slope_width
        Width of the sigmoid that stands for a threshold in the backward pass, in potential units.
    recurrent
        Fraction of the ``n_out ** 2`` recurrent connections that exist; 0 for a layer without.
    weight_bits, bias_bits, leak_bits
        Widths of the core; no bias is trained with 0 bias bits.
    armed_gradient
        Let the gradient pass through the armed flag too, that is through ``theta_low`` and all earlier steps.
    exact
        Compute what the hardware does; else the float twin.

    Attributes
    ----------
    weights, recurrent
        ``(n_in, n_out)`` and ``(n_out, n_out)`` float32 whose rounded values are the integer weights.
    bias
        ``(n_out,)`` float32, likewise.
    theta_scale
        Factor of both thresholds while they are annealed; 1 otherwise.
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        leak: Tensor,
        learn_leak: bool = False,
        theta_high: int,
        theta_low: int = 0,
        mode: Mode = Mode.LATCH,
        reset: Reset = Reset.ZERO,
        potential: Potential,
        spread: float,
        slope_width: float = 1.0,
        recurrent: float = 0.0,
        weight_bits: int = 4,
        bias_bits: int = 10,
        leak_bits: int = 3,
        armed_gradient: bool = False,
        exact: bool = True,
    ) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.randn(n_in, n_out) * spread)
        self.bias = nn.Parameter(torch.zeros(n_out), requires_grad=bias_bits > 0)
        self.recurrent: nn.Parameter | None = None
        if recurrent > 0:
            self.recurrent = nn.Parameter(torch.randn(n_out, n_out) * 0.1 * spread)
            self.register_buffer("connected", (torch.rand(n_out, n_out) < recurrent).float())
        self.leak = nn.Parameter(leak.clone(), requires_grad=learn_leak)
        self.theta_high, self.theta_low, self.theta_scale = theta_high, theta_low, 1.0
        self.mode, self.reset, self.potential = mode, reset, potential
        self.slope_width, self.armed_gradient = slope_width, armed_gradient
        self.weight_bits, self.bias_bits, self.leak_bits = weight_bits, bias_bits, leak_bits
        self.exact = exact

    @property
    def fires(self) -> bool:
        """False for a read-out that only integrates."""
        return self.theta_high < self.potential.high

    @torch.no_grad()
    def clip_(self, *, weights: bool = True) -> None:
        """Pull the parameters back into the range of their formats; to be called after each update.

        Without it a weight could wander far outside, where it has no effect and hardly comes back.
        ``weights`` tells whether weights are pulled as well; biases and leaks always are.
        """
        self.leak.clamp_(0, 1)
        if not self.exact:
            return
        bound = 1 << max(self.bias_bits - 1, 0)
        self.bias.clamp_(-bound, bound - 1)
        if weights:
            for values in (self.weights, self.recurrent):
                if values is not None:
                    values.clamp_(*weight_range(self.weight_bits, unit=False))

    def _integers(self, values: Tensor) -> Tensor:
        """Weights as the hardware holds them, their gradient straight through."""
        if not self.exact:
            return values
        if self.weight_bits == 1:
            return straight(torch.where(values < 0, -1.0, 1.0), values)
        return straight(values.round().clamp(*weight_range(self.weight_bits, unit=False)), values)

    def _codes(self) -> Tensor:
        return (self.leak.detach() * (1 << self.leak_bits)).round()

    def _leaked(self, u: Tensor, codes: list[Tensor | None]) -> Tensor:
        smooth = u * self.leak
        if not self.exact:
            return smooth
        size = u.detach().abs()
        kept: Tensor | None = None
        for shift, used in enumerate(codes):
            if used is None:
                continue
            term = torch.floor(size * 0.5**shift) * used
            kept = term if kept is None else kept + term
        return straight(torch.zeros_like(size) if kept is None else kept * u.detach().sign(), smooth)

    def _thresholds(self) -> tuple[float, float]:
        high, low = self.theta_high * self.theta_scale, self.theta_low * self.theta_scale
        return (round(high), round(low)) if self.exact else (high, low)

    def forward(self, inputs: Tensor, steps: int, truncate: int = 0) -> tuple[Tensor, Tensor]:
        """Run all time steps.

        Parameters
        ----------
        inputs
            ``(samples, steps, n_in)`` float32 spikes of 0 and 1; or ``(samples, 1, n_in)`` currents that
            stay the same in every step.
        steps
            Time steps.
        truncate
            Gradients go back over at most so many steps (truncated back-propagation through time); 0: over all.

        Returns
        -------
        Spikes of 0 and 1 and the potentials after each step, both ``(samples, steps, n_out)`` float32 holding integers.
        """
        bias = straight(self.bias.round(), self.bias) if self.exact else self.bias
        drive = inputs @ self._integers(self.weights) + bias
        recurrent = None if self.recurrent is None else self._integers(self.recurrent) * self.connected
        drives = drive.unbind(1) if drive.shape[1] > 1 else [drive[:, 0]] * steps
        codes: list[Tensor | None] = []
        for shift in range(self.leak_bits + 1):
            used = torch.floor(self._codes() * 0.5 ** (self.leak_bits - shift)) % 2
            codes.append(used if used.any() else None)
        high, low = self._thresholds()
        u = torch.zeros_like(drives[0])
        armed = torch.ones_like(u)
        spike: Tensor | None = None
        fired, potentials = [], []
        for t, total in enumerate(drives):
            if truncate and t and t % truncate == 0:
                u, armed, spike = u.detach(), armed.detach(), None if spike is None else spike.detach()
            if recurrent is not None and spike is not None:
                total = total + spike @ recurrent
            u = free = self._leaked(u, codes) + total
            if self.exact:
                u = straight(u.clamp(self.potential.low, self.potential.high), u)
            if self.fires:
                spike = _Fire.apply(u, free, high, self.slope_width)
                if self.mode is not Mode.PLAIN:
                    spike = (armed if self.armed_gradient else armed.detach()) * spike
                    # Of integers those below theta_low are the ones that do not exceed theta_low - 0.5.
                    below = 1 - _Fire.apply(u, free, low - 0.5 if self.exact else low, self.slope_width)
                    armed = (
                        (1 - (1 - below) * (1 - armed * (1 - spike)))
                        if self.mode is Mode.LATCH
                        else below * (1 - spike)
                    )
                if self.reset is Reset.ZERO:
                    u = u * (1 - spike)
                elif self.reset is Reset.SUBTRACT:
                    u = u - spike * high
                fired.append(spike)
            potentials.append(u)
        kept = torch.stack(potentials, 1)
        return torch.stack(fired, 1) if fired else torch.zeros_like(kept), kept

    def export(self) -> Layer:
        """The trained layer for the golden model; thresholds are the unannealed ones."""

        def whole(values: Tensor) -> Any:
            return values.detach().round().int().numpy()

        recurrent = None if self.recurrent is None else whole(self._integers(self.recurrent) * self.connected)
        return Layer(
            weights=whole(self._integers(self.weights)),
            theta_high=self.theta_high,
            theta_low=self.theta_low,
            leak=self._codes().int().numpy(),
            bias=whole(self.bias),
            recurrent=recurrent,
            mode=self.mode,
            reset=self.reset,
            weight_bits=self.weight_bits,
            leak_bits=self.leak_bits,
        )
