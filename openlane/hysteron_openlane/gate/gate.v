// SPDX-License-Identifier: Apache-2.0
// A netlist where the harness expects a core with taps, with a clock and a reset for it. What the netlist is not known to
// say after its reset comes out as X and not as 0.
`timescale 1ns / 1ps

module hysteron_core (
	input clk, rst, bus__cyc, bus__stb, bus__we,
	input [`ADDRESS_BITS-1:0] bus__adr,
	input [31:0] bus__dat_w,
	input [3:0] bus__sel,
	output [31:0] bus__dat_r,
	output bus__ack,
	input i__valid,
	output i__ready,
	input [31:0] i__payload,
	output o__valid,
	input o__ready,
	output [31:0] o__payload,
	output trace__read, trace__stored,
	output [`ROW_BITS-1:0] trace__row,
	output [`LAYER_BITS-1:0] trace__layer,
	output [`TILE_BITS-1:0] trace__tile,
	output [`LANES-1:0] trace__spikes,
	output [`LANES*`POTENTIAL_BITS-1:0] trace__potentials
);
	assign trace__read = 0, trace__stored = 0;
	chip_netlist chip (
		.clk(clk), .rst(rst), .bus__cyc(bus__cyc), .bus__stb(bus__stb), .bus__we(bus__we), .bus__adr(bus__adr),
		.bus__dat_w(bus__dat_w), .bus__sel(bus__sel), .bus__dat_r(bus__dat_r), .bus__ack(bus__ack),
		.i__valid(i__valid), .i__ready(i__ready), .i__payload(i__payload),
		.o__valid(o__valid), .o__ready(o__ready), .o__payload(o__payload)
	);

	// What leaves the core, or would stop whoever talks to it.
	always @(negedge clk)
		if (!rst && (^{bus__ack, i__ready, o__valid} === 1'bx || (bus__ack && ^bus__dat_r === 1'bx) ||
				(o__valid && ^o__payload === 1'bx)))
			$display("UNKNOWN output at %0t", $time);
endmodule

module gate;
	reg clk = 0, rst = 1, go = 0;
	wire done;
	always #(`PERIOD / 2) clk = ~clk;

	harness #(
		.LANES(`LANES), .POTENTIAL_BITS(`POTENTIAL_BITS), .ADDRESS_BITS(`ADDRESS_BITS), .ROW_BITS(`ROW_BITS),
		.LAYER_BITS(`LAYER_BITS), .TILE_BITS(`TILE_BITS)
	) harness (.clk(clk), .rst(rst), .go(go), .script(32'd0), .detail(32'd0), .done(done), .beats_left());

	initial begin
		repeat (4) @(negedge clk);
		rst = 0;
		repeat (2) @(negedge clk);
		go = 1;
		@(posedge done);
`ifdef IDLE
		repeat (10) @(posedge clk);
		$display("WINDOW idle %0t %0t", $time, $time + `IDLE * `PERIOD);
		repeat (`IDLE) @(posedge clk);
`endif
		$finish;
	end
`ifdef IDLE
	// What changes from the first word of the first image on, and then while there is nothing to do.
	reg begun = 0;
	string folder;
	initial if (!$value$plusargs("folder=%s", folder)) folder = ".";
	always @(posedge clk)
		if (!begun && harness.i_valid && harness.i_ready) begin
			begun = 1;
			$display("WINDOW images %0t", $time);
			$dumpfile({folder, "/activity.vcd"});
			$dumpvars(1, harness.core.chip);
		end
`endif
	// A bus that does not answer would be waited for for ever.
	initial begin
		repeat (`MOST) @(posedge clk);
		$display("UNKNOWN end: %0d cycles were not enough", `MOST);
		$finish;
	end
endmodule
