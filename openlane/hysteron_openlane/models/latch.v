// Latches that are open while the clock is low. Synthesis maps them to cells, so this is no model but the thing itself.
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
