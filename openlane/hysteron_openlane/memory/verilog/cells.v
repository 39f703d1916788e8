// SPDX-License-Identifier: Apache-2.0
// Latches that are open while the clock is low. Synthesis maps them to cells: this is no model but the thing itself.
module hysteron_latch #(
	parameter WIDTH = 1
) (
	input clock,
	input [WIDTH-1:0] d,
	output reg [WIDTH-1:0] q
);
	always_latch
		if (!clock) q = d;
endmodule

// A clock that stands still, low, in cycles at whose beginning enable is not set.
module hysteron_gate (
	input clock, enable,
	output gated
);
`ifdef SYNTHESIS
`ifndef USE_POWER_PINS
// LibreLane defines that where it reads a design for nothing but its pins, and knows no cells then.
`define HYSTERON_CELLS
`endif
`endif
`ifdef HYSTERON_CELLS
	CLOCK_GATE
`else
	reg open;
	always_latch
		if (!clock) open = enable;
	assign gated = clock & open;
`endif
endmodule
