// SPDX-License-Identifier: Apache-2.0
// A verilated machine on a file descriptor: bytes read from it go down the serial line, bytes from the line are written
// to it. Commands come on a second descriptor, a line each, and are answered with a line:
//
//   figures   cycles, bytes in and out, and the cycles of the first and the last byte in since the last `figures`
//   reset     pull the machine's reset for some cycles
//   unplug    stop listening: bytes of the host are lost, and nothing is written
//   plug      listen again
//
// Bytes that the host does not read wait for it, up to UNREAD; those that come then are lost, as on a real serial line,
// and the host asks again when it misses the replies that they were of.
//
// The program ends when the host closes the line. A line that is silent for long lets the simulation sleep.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <string>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "Vtop.h"
#include "verilated.h"

static const uint64_t LISTEN_EVERY = 64;       // cycles between looks at the descriptors
static const uint64_t AWAKE_FOR = 2'000'000;   // cycles after a byte at full speed
static const size_t UNREAD = 1 << 20;          // bytes that wait for a host at most

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: machine LINE CONTROL DIVISOR\n");
        return 2;
    }
    const int line = atoi(argv[1]), control = atoi(argv[2]), divisor = atoi(argv[3]);
    fcntl(line, F_SETFL, fcntl(line, F_GETFL) | O_NONBLOCK);
    fcntl(control, F_SETFL, fcntl(control, F_GETFL) | O_NONBLOCK);

    Vtop top;
    uint64_t cycle = 0, last_byte = 0, bytes_in = 0, bytes_out = 0, first_in = 0, last_in = 0, last_out = 0;
    std::deque<uint8_t> in;
    std::string out, commands;
    bool plugged = true;
    int rx_bits = 0, rx_timer = 0, rx_shift = 0;      // host to machine
    int tx_bits = -1, tx_timer = 0, tx_shift = 0;     // machine to host
    int reset = 16;
    top.rx = 1;

    for (;;) {
        top.rst = reset > 0;
        if (reset > 0)
            reset--;
        if (rx_timer > 0) {
            rx_timer--;
        } else if (rx_bits > 0) {
            top.rx = rx_shift & 1;
            rx_shift >>= 1;
            rx_bits--;
            rx_timer = divisor - 1;
        } else if (!in.empty()) {
            rx_shift = in.front() | 0x100;
            in.pop_front();
            rx_bits = 9;
            top.rx = 0;
            rx_timer = divisor - 1;
            if (bytes_in++ == 0)
                first_in = cycle;
            last_in = cycle;
        } else {
            top.rx = 1;
        }
        top.clk = 1;
        top.eval();
        if (tx_bits < 0) {
            if (!top.tx) {
                tx_bits = 0;
                tx_timer = divisor + divisor / 2 - 1;
            }
        } else if (tx_timer-- == 0) {
            if (tx_bits < 8) {
                tx_shift = (tx_shift >> 1) | (top.tx << 7);
                tx_bits++;
                tx_timer = divisor - 1;
            } else {
                if (plugged && out.size() < UNREAD)
                    out.push_back(char(tx_shift));
                bytes_out++;
                last_byte = last_out = cycle;
                tx_bits = -1;
                tx_shift = 0;
            }
        }
        top.clk = 0;
        top.eval();
        cycle++;
        if (cycle % LISTEN_EVERY)
            continue;

        if (!out.empty()) {
            ssize_t n = write(line, out.data(), out.size());
            if (n > 0)
                out.erase(0, size_t(n));
        }
        if (in.size() < 4096) {
            uint8_t buffer[4096];
            ssize_t n = read(line, buffer, sizeof buffer);
            if (n == 0)
                break;
            if (n > 0 && plugged) {
                in.insert(in.end(), buffer, buffer + n);
                last_byte = cycle;
            }
        }
        char text[256];
        ssize_t n = read(control, text, sizeof text);
        if (n == 0)
            break;
        if (n > 0)
            commands.append(text, size_t(n));
        for (size_t end; (end = commands.find('\n')) != std::string::npos; commands.erase(0, end + 1)) {
            const std::string command = commands.substr(0, end);
            int length = snprintf(text, sizeof text, "ok\n");
            if (command == "figures") {
                length = snprintf(text, sizeof text, "%llu %llu %llu %llu %llu %llu\n", (unsigned long long)cycle,
                                  (unsigned long long)bytes_in, (unsigned long long)bytes_out,
                                  (unsigned long long)first_in, (unsigned long long)last_in,
                                  (unsigned long long)last_out);
                bytes_in = bytes_out = first_in = last_in = last_out = 0;
            } else if (command == "reset") {
                reset = 16;
            } else if (command == "unplug" || command == "plug") {
                plugged = command == "plug";
                in.clear();
                out.clear();
            } else {
                length = snprintf(text, sizeof text, "unknown command\n");
            }
            if (write(control, text, size_t(length)) < 0)
                break;
        }
        if (cycle - last_byte > AWAKE_FOR) {
            pollfd wait[2] = {{line, short(out.empty() ? POLLIN : POLLIN | POLLOUT), 0}, {control, POLLIN, 0}};
            poll(wait, 2, 20);
        }
    }
    top.final();
    return 0;
}
