/* One stub for each function of tch's C interface; delay.py writes a FUNCTION line for each
 * and an END line behind this. */

    .text
    .hidden gymnast_tch_functions
    .hidden gymnast_tch_load

/* The first call: keeps all registers that can hold arguments, loads the library and goes on. The
 * function's number lies on the stack. */
first_call:
    push %rdi
    push %rsi
    push %rdx
    push %rcx
    push %r8
    push %r9
    push %rax
    sub $136, %rsp /* 8 registers of 16 bytes, and 8 that align the stack */
    movups %xmm0, (%rsp)
    movups %xmm1, 16(%rsp)
    movups %xmm2, 32(%rsp)
    movups %xmm3, 48(%rsp)
    movups %xmm4, 64(%rsp)
    movups %xmm5, 80(%rsp)
    movups %xmm6, 96(%rsp)
    movups %xmm7, 112(%rsp)
    call gymnast_tch_load
    movups (%rsp), %xmm0
    movups 16(%rsp), %xmm1
    movups 32(%rsp), %xmm2
    movups 48(%rsp), %xmm3
    movups 64(%rsp), %xmm4
    movups 80(%rsp), %xmm5
    movups 96(%rsp), %xmm6
    movups 112(%rsp), %xmm7
    add $136, %rsp
    pop %rax
    pop %r9
    pop %r8
    pop %rcx
    pop %rdx
    pop %rsi
    pop %rdi
    pop %r10
    lea gymnast_tch_functions(%rip), %r11
    jmp *(%r11, %r10, 8)

    .section .note.GNU-stack, "", @progbits

    .macro FUNCTION number, name
    .text
    .globl \name
    .type \name, @function
\name:
    jmp *gymnast_tch_functions + 8 * \number(%rip)
.Lfirst_\number:
    push $\number
    jmp first_call
    .section .data.rel.local.gymnast, "aw"
    .quad .Lfirst_\number
    .section .rodata.gymnast, "a"
.Lname_\number:
    .asciz "\name"
    .section .data.rel.ro.gymnast, "aw"
    .quad .Lname_\number
    .endm

    .macro END count
    .section .rodata.gymnast, "a"
    .balign 8
    .hidden gymnast_tch_count
    .globl gymnast_tch_count
gymnast_tch_count:
    .quad \count
    .endm

    .section .data.rel.local.gymnast, "aw"
    .balign 8
    .globl gymnast_tch_functions
gymnast_tch_functions:
    .section .data.rel.ro.gymnast, "aw"
    .balign 8
    .hidden gymnast_tch_names
    .globl gymnast_tch_names
gymnast_tch_names:
