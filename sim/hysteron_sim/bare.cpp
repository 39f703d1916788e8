// SPDX-License-Identifier: Apache-2.0
// The least that can drive the harness: a loop over the clock. The yardstick for the simulator's overhead.
//
// usage: bare +folder=… <script> <detail>

#include <cstdio>
#include <cstdlib>

#include "Vtop.h"
#include "verilated.h"

int main(int argc, char** argv) {
    if (argc < 4) {
        std::fprintf(stderr, "usage: %s +folder=FOLDER SCRIPT DETAIL\n", argv[0]);
        return 2;
    }
    VerilatedContext context;
    context.commandArgs(argc, argv);
    Vtop top{&context};
    top.script = std::strtoul(argv[argc - 2], nullptr, 10);
    top.detail = std::strtoul(argv[argc - 1], nullptr, 10);
    top.rst = 1;
    top.go = 0;
    unsigned long long cycles = 0;
    while (!top.done) {
        if (cycles == 4) top.rst = 0;
        if (cycles == 6) top.go = 1;
        top.clk = 1;
        top.eval();
        top.clk = 0;
        top.eval();
        ++cycles;
    }
    top.final();
    std::printf("%llu\n", cycles);
    return 0;
}
