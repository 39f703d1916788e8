// SPDX-License-Identifier: Apache-2.0
// Simulation models of what yosys knows only by name of the iCE40, and of its pins (Lattice FPGA-TN-02052, FPGA-TN-02026).

// The output clock is the input clock: a simulation counts cycles of the machine, not nanoseconds.
module SB_PLL40_PAD #(
	parameter FEEDBACK_PATH = "", PLLOUT_SELECT = "", DIVR = 0, DIVF = 0, DIVQ = 0, FILTER_RANGE = 0
) (
	input PACKAGEPIN, RESETB, BYPASS,
	output PLLOUTGLOBAL, LOCK
);
	reg [5:0] count = 0;
	assign PLLOUTGLOBAL = PACKAGEPIN;
	assign LOCK = &count;
	always @(posedge PACKAGEPIN)
		if (!LOCK) count <= count + 1;
endmodule

// A pin that is an input or always an output, without registers. yosys's model of pins is not for Verilator.
module SB_IO #(
	parameter IO_STANDARD = "", PULLUP = 0, parameter [5:0] PIN_TYPE = 0
) (
	inout PACKAGE_PIN,
	input CLOCK_ENABLE, D_OUT_0, OUTPUT_ENABLE,
	output D_IN_0
);
	assign D_IN_0 = PACKAGE_PIN;
	generate
		if (PIN_TYPE == 6'b101001) assign PACKAGE_PIN = D_OUT_0;
		else if (PIN_TYPE != 6'b000001) $error("SB_IO: a type of pin that the model does not have");
	endgenerate
	always @*
		if (PIN_TYPE == 6'b101001 && !OUTPUT_ENABLE) begin
			$display("SB_IO: a pin is not driven, which the model does not have");
			$stop;
		end
endmodule
