// SPDX-License-Identifier: Apache-2.0
// Simulation models of those ECP5 blocks that yosys knows only by name, as far as Hysteron's netlists use them
// (Lattice FPGA-TN-02204, ECP5 and ECP5-5G Memory Usage Guide; FPGA-DS-02012). What they do not do stops the simulation.

// The output clock is the input clock: a simulation counts cycles of the machine, not nanoseconds.
module EHXPLLL #(
	parameter CLKI_DIV = 1, CLKFB_DIV = 1, CLKOP_DIV = 8, CLKOP_CPHASE = 0, CLKOP_FPHASE = 0,
	parameter PLLRST_ENA = "", INTFB_WAKE = "", STDBY_ENABLE = "", DPHASE_SOURCE = "", OUTDIVIDER_MUXA = "",
	parameter CLKOP_ENABLE = "", FEEDBK_PATH = ""
) (
	input CLKI, CLKFB, RST, STDBY, PHASESEL0, PHASESEL1, PHASEDIR, PHASESTEP, PHASELOADREG, PLLWAKESYNC, ENCLKOP,
	output CLKOP, LOCK
);
	reg [5:0] count = 0;
	assign CLKOP = CLKI;
	assign LOCK = &count;
	always @(posedge CLKI)
		if (RST || STDBY) begin
			$display("EHXPLLL: a reset, which the model does not have");
			$stop;
		end else if (!LOCK) count <= count + 1;
endmodule

// 2048 bytes of 9 bits. A port of 1, 2, 4, 9 or 18 bits each; or, with 36, port A writes and port B reads.
module DP16KD #(
	parameter DATA_WIDTH_A = 18, DATA_WIDTH_B = 18, WRITEMODE_A = "NORMAL", WRITEMODE_B = "NORMAL",
	parameter REGMODE_A = "NOREG", REGMODE_B = "NOREG", RESETMODE = "SYNC", ASYNC_RESET_RELEASE = "SYNC", GSR = "",
	parameter CSDECODE_A = "0b000", CSDECODE_B = "0b000", CLKAMUX = "CLKA", CLKBMUX = "CLKB",
@INITVALS@
) (
	input CLKA, CEA, OCEA, WEA, RSTA, CSA0, CSA1, CSA2, CLKB, CEB, OCEB, WEB, RSTB, CSB0, CSB1, CSB2,
@PORTS@
);
	reg [8:0] bytes [0:2047];
	wire [13:0] ada = {@ADA@}, adb = {@ADB@};
	wire [17:0] dia = {@DIA@}, dib = {@DIB@};
	reg [17:0] doa = 0, dob = 0;
	assign {@DOA@} = doa;
	assign {@DOB@} = dob;

	integer k;
	task start(input integer first, input [319:0] value);
		for (k = 0; k < 32; k = k + 1) bytes[first + k] = value[20 * (k >> 1) + 9 * (k & 1) +: 9];
	endtask
	initial begin
@START@
		if (REGMODE_A != "NOREG" || REGMODE_B != "NOREG" || CLKAMUX != "CLKA" || CLKBMUX != "CLKB" ||
				CSDECODE_A != "0b000" || CSDECODE_B != "0b000") begin
			$display("DP16KD: a mode that the model does not have");
			$stop;
		end
	end

	function [17:0] word(input integer width, input [13:0] address);
		case (width)
			1: word = bytes[address[13:3]][address[2:0]];
			2: word = bytes[address[13:3]][2 * address[2:1] +: 2];
			4: word = bytes[address[13:3]][4 * address[2] +: 4];
			9: word = bytes[address[13:3]];
			default: word = {bytes[{address[13:4], 1'b1}], bytes[{address[13:4], 1'b0}]};
		endcase
	endfunction

	task put(input integer width, input [13:0] address, input [17:0] value);
		case (width)
			1: bytes[address[13:3]][address[2:0]] <= value[0];
			2: bytes[address[13:3]][2 * address[2:1] +: 2] <= value[1:0];
			4: bytes[address[13:3]][4 * address[2] +: 4] <= value[3:0];
			9: bytes[address[13:3]] <= value[8:0];
			default: begin
				if (address[0]) bytes[{address[13:4], 1'b0}] <= value[8:0];
				if (address[1]) bytes[{address[13:4], 1'b1}] <= value[17:9];
			end
		endcase
	endtask

	wire chosen_a = CEA && {CSA2, CSA1, CSA0} == 0, chosen_b = CEB && {CSB2, CSB1, CSB0} == 0;
	wire wide = DATA_WIDTH_A == 36 || DATA_WIDTH_B == 36;

	// Lattice does not say what a write of one byte of a word shows of the other.
	wire part_a = WRITEMODE_A == "WRITETHROUGH" && DATA_WIDTH_A == 18 && WEA && ada[1:0] != 3;
	wire part_b = WRITEMODE_B == "WRITETHROUGH" && DATA_WIDTH_B == 18 && WEB && adb[1:0] != 3;
	always @(posedge CLKA)
		if (RSTA || RSTB || (chosen_a && part_a) || (chosen_b && part_b)) begin
			$display("DP16KD: a reset, or a write of a part that is read, which the model does not have");
			$stop;
		end

	always @(posedge CLKA) if (chosen_a) begin
		if (DATA_WIDTH_A == 36) begin
			if (WEA) begin
				put(18, {ada[13:5], 1'b0, 2'b0, ada[1:0]}, dia);
				put(18, {ada[13:5], 1'b1, 2'b0, ada[3:2]}, dib);
			end
		end else begin
			if (WEA) put(DATA_WIDTH_A, ada, dia);
			if (!wide) begin
				if (!WEA || WRITEMODE_A == "READBEFOREWRITE") doa <= word(DATA_WIDTH_A, ada);
				else if (WRITEMODE_A == "WRITETHROUGH") doa <= dia;
			end
		end
	end

	always @(posedge CLKB) if (chosen_b) begin
		if (DATA_WIDTH_B == 36) begin
			doa <= word(18, {adb[13:5], 5'b00000});
			dob <= word(18, {adb[13:5], 5'b10000});
		end else begin
			if (WEB) put(DATA_WIDTH_B, adb, dib);
			if (!WEB || WRITEMODE_B == "READBEFOREWRITE") dob <= word(DATA_WIDTH_B, adb);
			else if (WRITEMODE_B == "WRITETHROUGH") dob <= dib;
		end
	end
endmodule

// A pin that is an input or always an output. yosys's model of pins is not for Verilator.
module TRELLIS_IO #(
	parameter DIR = "INPUT"
) (
	inout B,
	input I, T,
	output O
);
	assign O = B;
	generate
		if (DIR == "OUTPUT") assign B = I;
		else if (DIR != "INPUT") $error("TRELLIS_IO: a direction that the model does not have");
	endgenerate
	always @*
		if (DIR == "OUTPUT" && T) begin
			$display("TRELLIS_IO: a pin is not driven, which the model does not have");
			$stop;
		end
endmodule
