"""A layer that PyTorch can train and that computes, bit for bit, what the hardware computes.

The forward pass holds integers in float32 tensors: weights are rounded and clipped, every term of
the leak truncates, potentials saturate, the latch is the latch of :mod:`hysteron_golden.neuron`. So the
accuracy seen in training is the accuracy of the chip. Only the gradient is smooth: each rounding passes
it straight through (Bengio et al., arXiv 1308.3432), each comparison with a threshold has the
slope of a sigmoid instead (surrogate gradient; Neftci et al., arXiv 1901.09948).
"""

import torch
from torch import Tensor, nn

from hysteron_golden.network import Layer, Mode, Potential, Reset, weight_range


def straight(exact: Tensor, smooth: Tensor) -> Tensor:
    """``exact`` forwards, the gradient of ``smooth`` backwards (the added difference is 0 exactly)."""
    return exact.detach() + (smooth - smooth.detach())


class SpikingLayer(nn.Module):
    """Trainable twin of :class:`hysteron_golden.network.Layer`, not recurrent.

    Parameters
    ----------
    n_in, n_out
        Inputs and neurons.
    leak
        ``(n_out,)`` int64 leak codes of ``leak_bits`` fractional bits; they are not trained.
    theta_high, theta_low, mode, reset
        As in the golden layer; window mode and reset by subtraction are not used here.
    potential
        Format in which potentials saturate.
    spread
        Standard deviation of the initial weights, in units of the weights' last place.
    slope_width
        Width of the sigmoid that stands for a threshold in the backward pass, in potential units.
    weight_bits, bias_bits, leak_bits
        Widths of the core.

    Attributes
    ----------
    weights
        ``(n_in, n_out)`` float32 whose rounded values are the integer weights.
    bias
        ``(n_out,)`` float32, likewise.
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        leak: Tensor,
        theta_high: int,
        theta_low: int = 0,
        mode: Mode = Mode.LATCH,
        reset: Reset = Reset.ZERO,
        potential: Potential,
        spread: float,
        slope_width: float = 1.0,
        weight_bits: int = 4,
        bias_bits: int = 10,
        leak_bits: int = 3,
    ) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.randn(n_in, n_out) * spread)
        self.bias = nn.Parameter(torch.zeros(n_out))
        self.theta_high, self.theta_low = theta_high, theta_low
        self.mode, self.reset, self.potential = mode, reset, potential
        self.slope_width = slope_width
        self.weight_bits, self.bias_bits, self.leak_bits = weight_bits, bias_bits, leak_bits
        self.register_buffer("leak", leak)

    @torch.no_grad()
    def clip_(self) -> None:
        """Pull the parameters back into the range of their formats; to be called after each update.

        Without it a weight could wander far outside, where it has no effect and hardly comes back.
        """
        self.weights.clamp_(*weight_range(self.weight_bits, unit=False))
        bound = 1 << self.bias_bits - 1
        self.bias.clamp_(-bound, bound - 1)

    def _leaked(self, u: Tensor) -> Tensor:
        size = u.detach().abs()
        kept = torch.zeros_like(size)
        for shift in range(self.leak_bits + 1):
            kept += torch.floor(size / (1 << shift)) * (self.leak >> self.leak_bits - shift & 1)
        return straight(kept * u.detach().sign(), u * (self.leak / (1 << self.leak_bits)))

    def _above(self, u: Tensor, theta: float) -> Tensor:
        """1 where ``u > theta``, else 0."""
        return straight((u > theta).float(), torch.sigmoid((u - theta) / self.slope_width))

    def forward(self, spikes: Tensor) -> tuple[Tensor, Tensor]:
        """Run all time steps.

        Parameters
        ----------
        spikes
            ``(samples, steps, n_in)`` float32 of 0 and 1.

        Returns
        -------
        Spikes ``(samples, steps, n_out)`` of 0 and 1, and potentials after the last step ``(samples, n_out)``,
        both float32 holding integers.
        """
        drive = spikes @ straight(self.weights.round(), self.weights) + straight(self.bias.round(), self.bias)
        u = torch.zeros_like(drive[:, 0])
        armed = torch.ones_like(u)
        fired = []
        for total in drive.unbind(1):
            u = (self._leaked(u) + total).clamp(self.potential.low, self.potential.high)
            spike = armed * self._above(u, self.theta_high)
            if self.mode is Mode.LATCH:
                not_below = self._above(u, self.theta_low - 0.5)
                armed = 1 - not_below * (1 - armed * (1 - spike))
            if self.reset is Reset.ZERO:
                u = u * (1 - spike)
            fired.append(spike)
        return torch.stack(fired, 1), u

    def export(self) -> Layer:
        """The trained layer for the golden model."""
        return Layer(
            weights=self.weights.detach().round().int().numpy(),
            theta_high=self.theta_high,
            theta_low=self.theta_low,
            leak=self.leak.int().numpy(),
            bias=self.bias.detach().round().int().numpy(),
            mode=self.mode,
            reset=self.reset,
            weight_bits=self.weight_bits,
            leak_bits=self.leak_bits,
        )
