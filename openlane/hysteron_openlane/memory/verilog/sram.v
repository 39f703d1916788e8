// SPDX-License-Identifier: Apache-2.0
// An OpenRAM macro as its timing says and no kinder: inputs are taken at the rising edge of the clock, data come after the
// falling edge and are gone with the next rising one, whether the macro is selected then or not. What is written is there
// from the falling edge on; the second port, if there is one, reads nonsense where the first one writes in the same cycle.
// Spare columns and rows do not exist.
//
// For energy the data must be what they are in the real macro, and not unknown. Its sense amplifiers stay on while its clock
// is low, so it holds what was read last for as long as no edge comes; with a rising edge they are switched off and their
// inputs follow the bit lines, which are charged then, so that it falls to 0 until the next data. OUTPUT_LOW is that;
// OUTPUT_KEPT holds the old data until the next ones, the least that can change. What was never written is 0 then.
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
`ifdef OUTPUT_KEPT
`define OUTPUT_GONE(old) old
`define OUTPUT_KNOWN
`elsif OUTPUT_LOW
`define OUTPUT_GONE(old) {WIDTH{1'b0}}
`define OUTPUT_KNOWN
`elsif VERILATOR
// It knows no X.
`define OUTPUT_GONE(old) ~old
`else
`define OUTPUT_GONE(old) {WIDTH{1'bx}}
`endif
`ifdef OUTPUT_KNOWN
	integer word;
	initial begin
		out = 0;
		read_out = 0;
		for (word = 0; word < WORDS; word = word + 1) words[word] = 0;
	end
`endif
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
		out <= `OUTPUT_GONE(out);
`ifndef VERILATOR
		if (csb === 1'bx || csb === 1'bz || (!csb && ((^addr) === 1'bx || web === 1'bx || (!web && (^wmask) === 1'bx))))
			$display("%m at %0t: selected, or perhaps, with an unknown input", $time);
`endif
	end

	always @(posedge read_clk) begin
		read_selected <= !read_csb;
		read_at <= read_addr;
		read_out <= `OUTPUT_GONE(read_out);
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
