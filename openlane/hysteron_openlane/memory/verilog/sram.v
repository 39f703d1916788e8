// SPDX-License-Identifier: Apache-2.0
// An OpenRAM macro as its timing says and no kinder: inputs are taken at the rising edge of the clock, data come after the
// falling edge and are gone with the next rising one, whether the macro is selected then or not. What is written is there
// from the falling edge on; the second port, if there is one, reads nonsense where the first one writes in the same cycle.
// Spare columns and rows do not exist.
module hysteron_sram #(
	parameter WIDTH = 32, WORDS = 512, MASK = 8, ADDRESS = 9, PINS = WIDTH
) (
	input clk, csb, web,
	input [WIDTH/MASK-1:0] wmask,
	input [ADDRESS-1:0] addr,
	input [PINS-1:0] din,
	output [PINS-1:0] dout,
	input read_clk, read_csb,
	input [ADDRESS-1:0] read_addr,
	output [PINS-1:0] read_dout
);
	reg [WIDTH-1:0] words [0:WORDS-1];
	reg selected = 0, reading;
	reg [WIDTH/MASK-1:0] mask;
	reg [ADDRESS-1:0] at;
	reg [WIDTH-1:0] data, out;
	wire [PINS:0] padded = out;
	assign dout = padded[PINS-1:0];

	reg read_selected = 0;
	reg [ADDRESS-1:0] read_at;
	reg [WIDTH-1:0] read_out;
	wire [PINS:0] read_padded = read_out;
	assign read_dout = read_padded[PINS-1:0];
	integer k;

	always @(posedge clk) begin
		selected <= !csb;
		reading <= web;
		mask <= wmask;
		at <= addr;
		data <= din[WIDTH-1:0];
`ifdef VERILATOR
		out <= ~out; // it knows no X
`else
		out <= {WIDTH{1'bx}};
		if (csb === 1'bx || csb === 1'bz || (!csb && ((^addr) === 1'bx || web === 1'bx || (!web && (^wmask) === 1'bx))))
			$display("%m at %0t: selected, or perhaps, with an unknown input", $time);
`endif
	end

	always @(posedge read_clk) begin
		read_selected <= !read_csb;
		read_at <= read_addr;
`ifdef VERILATOR
		read_out <= ~read_out;
`else
		read_out <= {WIDTH{1'bx}};
`endif
	end

	always @(negedge read_clk) begin
		read_selected <= 0;
		if (read_selected && !(selected && !reading && at == read_at)) read_out <= words[read_at];
	end

	always @(negedge clk) begin
		selected <= 0; // its clock may stand still from now on, and the other port's go on
		if (selected) begin
			if (reading) out <= words[at];
			else
				for (k = 0; k < WIDTH; k = k + 1)
					if (mask[k / MASK]) words[at][k] <= data[k];
		end
	end
endmodule
