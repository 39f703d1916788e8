// SPDX-License-Identifier: Apache-2.0
/* From reset to main: paint the stack, copy what is initialised, clear what is not. */
    .section .start, "ax"
    .globl _start
_start:
    la sp, stack_high
    la t0, stack_low
    li t1, 0x57ac57ac
paint:
    sw t1, 0(t0)
    addi t0, t0, 4
    bltu t0, sp, paint
    la t0, data_begin
    la t1, data_end
    la t2, data_image
copy:
    bgeu t0, t1, clear_from
    lw t3, 0(t2)
    sw t3, 0(t0)
    addi t0, t0, 4
    addi t2, t2, 4
    j copy
clear_from:
    la t0, bss_begin
    la t1, bss_end
clear:
    bgeu t0, t1, go
    sw zero, 0(t0)
    addi t0, t0, 4
    j clear
go:
    call main
hang:
    j hang
