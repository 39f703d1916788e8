// SPDX-License-Identifier: Apache-2.0
// A machine with a clock of its own; what a test watches is brought up here.
// Every cycle is counted: with a sample in the core, with the processor awake, or with both.

module machine_bench;
    reg clk = 0;
    reg rst /* verilator public_flat_rw */ = 1;
    reg rx /* verilator public_flat_rw */ = 1;
    wire tx /* verilator public_flat_rd */;
    wire [7:0] leds;
    wire restarted /* verilator public_flat_rd */;

    always #5 clk = ~clk;

    reg [31:0] cycle /* verilator public_flat_rd */ = 0;
    always @(posedge clk) cycle <= rst ? 0 : cycle + 1;

    wire computing = machine.\inside .core.status_busy;
    wire awake = !machine.\inside .cpu.picorv32.do_waitirq;
    reg [31:0] core /* verilator public_flat_rd */ = 0;
    reg [31:0] cpu /* verilator public_flat_rd */ = 0;
    reg [31:0] both /* verilator public_flat_rd */ = 0;
    always @(posedge clk)
        if (!rst) begin
            core <= core + computing;
            cpu <= cpu + awake;
            both <= both + (computing & awake);
        end

    hysteron_machine machine (.clk(clk), .rst(rst), .rx(rx), .tx(tx), .leds(leds), .restarted(restarted));
endmodule
