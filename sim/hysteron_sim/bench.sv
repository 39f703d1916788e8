// SPDX-License-Identifier: Apache-2.0
// The harness with a clock of its own, so that a simulator's Python side sleeps between scripts.

module bench;
    parameter LANES = 4;
    parameter POTENTIAL_BITS = 12;
    parameter ADDRESS_BITS = 6;
    parameter ROW_BITS = 10;
    parameter LAYER_BITS = 2;
    parameter TILE_BITS = 5;

    reg clk = 0;
    reg rst /* verilator public_flat_rw */ = 1;
    reg go /* verilator public_flat_rw */ = 0;
    reg [31:0] script /* verilator public_flat_rw */ = 0;
    reg [31:0] detail /* verilator public_flat_rw */ = 0;
    wire done /* verilator public_flat_rd */;
    wire [31:0] beats_left /* verilator public_flat_rd */;

    always #5 clk = ~clk;

    harness #(
        .LANES(LANES), .POTENTIAL_BITS(POTENTIAL_BITS), .ADDRESS_BITS(ADDRESS_BITS),
        .ROW_BITS(ROW_BITS), .LAYER_BITS(LAYER_BITS), .TILE_BITS(TILE_BITS)
    ) harness (
        .clk(clk), .rst(rst), .go(go), .script(script), .detail(detail), .done(done),
        .beats_left(beats_left)
    );
endmodule
