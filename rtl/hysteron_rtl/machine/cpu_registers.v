// SPDX-License-Identifier: Apache-2.0
// The small processor's registers in block RAM: they are read at the falling edge, half a cycle after their numbers are
// there, so what was written at the rising edge before is seen without a bypass.
module hysteron_cpu_registers (
	input clk, wen,
	input [5:0] waddr, raddr1, raddr2,
	input [31:0] wdata,
	output reg [31:0] rdata1, rdata2
);
	reg [31:0] words [0:31];

	always @(posedge clk)
		if (wen) words[waddr[4:0]] <= wdata;

	always @(negedge clk) begin
		rdata1 <= words[raddr1[4:0]];
		rdata2 <= words[raddr2[4:0]];
	end
endmodule
