// SPDX-License-Identifier: Apache-2.0
// Plays a script against the core and writes down what it does, without leaving the simulator.
//
// A rising edge of `go` starts script number `script` of folder +folder=…: records of three 32-bit
// big-endian words (operation, a, b) in <script>.script:
//   0 write     register a (byte address) becomes b
//   1 read      register a goes to <script>.registers
//   2 run       streams <script>.<a>.in until b answer words are out or the limit is reached
//   3 limit     a run takes at most b cycles
//   4 end
// A run counts cycles from 0, the first in which a word may be offered. Its input is records of (gap, word),
// its sink's gaps are in <script>.<a>.out_gaps; both are optional. It writes lines of hex numbers:
//   <script>.<a>.accepts   cycle
//   <script>.<a>.beats     cycle word
//   <script>.<a>.reads     cycle row                               if `detail` > 0
//   <script>.<a>.updates   cycle layer tile spikes potentials      if `detail` > 0

module harness #(
    parameter LANES = 4,
    parameter POTENTIAL_BITS = 12,
    parameter ADDRESS_BITS = 6,
    parameter ROW_BITS = 10,
    parameter LAYER_BITS = 2,
    parameter TILE_BITS = 5
) (
    input wire clk,
    input wire rst,
    input wire go,
    input wire [31:0] script,
    input wire [31:0] detail,
    output reg done = 0,
    output reg [31:0] beats_left = 0  // answer words that the run waits for
);
    localparam WRITE = 0, READ = 1, RUN = 2, LIMIT = 3, END = 4;

    string folder;
    string stem;
    initial if (!$value$plusargs("folder=%s", folder)) folder = ".";

    // The core and its ports
    reg cyc = 0, we = 0;
    reg [31:0] address = 0, dat_w = 0;
    wire [31:0] dat_r;
    wire ack;
    reg i_valid = 0, o_ready = 0;
    reg [31:0] i_payload = 0;
    wire i_ready, o_valid;
    wire [31:0] o_payload;
    wire read, stored;
    wire [ROW_BITS-1:0] row;
    wire [LAYER_BITS-1:0] layer;
    wire [TILE_BITS-1:0] tile;
    wire [LANES-1:0] spikes;
    wire [LANES*POTENTIAL_BITS-1:0] potentials;

    hysteron_core core (
        .clk(clk), .rst(rst),
        .bus__cyc(cyc), .bus__stb(cyc), .bus__we(we), .bus__adr(address[ADDRESS_BITS+1:2]),
        .bus__dat_w(dat_w), .bus__sel(4'hf), .bus__dat_r(dat_r), .bus__ack(ack),
        .i__valid(i_valid), .i__ready(i_ready), .i__payload(i_payload),
        .o__valid(o_valid), .o__ready(o_ready), .o__payload(o_payload),
        .trace__read(read), .trace__row(row), .trace__stored(stored), .trace__layer(layer),
        .trace__tile(tile), .trace__spikes(spikes), .trace__potentials(potentials)
    );

    // Script
    integer commands = 0, registers = 0, got;
    reg go_before = 0, playing = 0, running = 0;
    reg [95:0] command;
    reg [31:0] limit = 32'hffffffff;

    // Run
    integer source = 0, sink = 0, accepts = 0, beats = 0, reads = 0, updates = 0;
    reg [31:0] cycle = 0, source_gap = 0, sink_gap = 0;
    reg [63:0] source_record;
    reg [31:0] sink_record;
    reg source_has, tracing = 0;

    task fetch_source;
        begin
            source_has = 0;
            if (source != 0) begin
                got = $fread(source_record, source);
                source_has = got == 8;
            end
            i_valid <= source_has && source_record[63:32] == 0;
            i_payload <= source_record[31:0];
            source_gap <= source_has ? source_record[63:32] : 0;
        end
    endtask

    task fetch_sink;
        begin
            sink_record = 0;
            if (sink != 0) begin
                got = $fread(sink_record, sink);
                if (got != 4) sink_record = 0;
            end
            o_ready <= sink_record == 0;
            sink_gap <= sink_record;
        end
    endtask

    task begin_run(input [31:0] number, input [31:0] count);
        begin
            stem = $sformatf("%s/%0d.%0d", folder, script, number);
            source = $fopen({stem, ".in"}, "rb");
            sink = $fopen({stem, ".out_gaps"}, "rb");
            accepts = $fopen({stem, ".accepts"}, "w");
            beats = $fopen({stem, ".beats"}, "w");
            tracing <= detail != 0;
            if (detail != 0) begin
                reads = $fopen({stem, ".reads"}, "w");
                updates = $fopen({stem, ".updates"}, "w");
            end
            cycle <= 0;
            beats_left <= count;
            running <= 1;
            fetch_source();
            fetch_sink();
        end
    endtask

    task end_run;
        begin
            running <= 0;
            i_valid <= 0;
            o_ready <= 0;
            if (source != 0) $fclose(source);
            if (sink != 0) $fclose(sink);
            $fclose(accepts);
            $fclose(beats);
            if (tracing) begin
                $fclose(reads);
                $fclose(updates);
            end
        end
    endtask

    task next_command;
        begin
            got = $fread(command, commands);
            if (got != 12) command = 96'd4 << 64;
            case (command[95:64])
                WRITE, READ: begin
                    cyc <= 1;
                    we <= command[95:64] == WRITE;
                    address <= command[63:32];
                    dat_w <= command[31:0];
                end
                RUN: begin_run(command[63:32], command[31:0]);
                LIMIT: limit <= command[31:0];
                default: begin
                    playing <= 0;
                    done <= 1;
                    $fclose(commands);
                    $fclose(registers);
                end
            endcase
        end
    endtask

    always @(posedge clk) begin
        go_before <= go;
        if (!playing) begin
            if (go && !go_before) begin
                stem = $sformatf("%s/%0d", folder, script);
                commands = $fopen({stem, ".script"}, "rb");
                registers = $fopen({stem, ".registers"}, "w");
                limit <= 32'hffffffff;
                playing <= 1;
                done <= 0;
            end
        end else if (running) begin
            cycle <= cycle + 1;
            if (i_valid && i_ready) begin
                $fwrite(accepts, "%h\n", cycle);
                fetch_source();
            end else if (source_gap != 0) begin
                source_gap <= source_gap - 1;
                if (source_gap == 1) i_valid <= 1;
            end
            if (o_valid && o_ready) begin
                $fwrite(beats, "%h %h\n", cycle, o_payload);
                beats_left <= beats_left - 1;
                fetch_sink();
            end else if (sink_gap != 0) begin
                sink_gap <= sink_gap - 1;
                if (sink_gap == 1) o_ready <= 1;
            end
            if (tracing) begin
                if (read) $fwrite(reads, "%h %h\n", cycle, row);
                if (stored) $fwrite(updates, "%h %h %h %h %h\n", cycle, layer, tile, spikes, potentials);
            end
            if ((o_valid && o_ready && beats_left == 1) || cycle == limit - 1) end_run();
        end else if (cyc) begin
            if (ack) begin
                cyc <= 0;
                if (!we) $fwrite(registers, "%h %h\n", address, dat_r);
                next_command();
            end
        end else next_command();
    end
endmodule
