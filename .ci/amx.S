/* What runs in the emulator of .ci/amx instead of an operating system. A BIOS loads its first sector to 7C00; that loads the rest, with the payload that TestTilesInEmulator appends,
   enters 64-bit mode, switches vectors and tiles on, puts the functions where they were linked to be, calls them with the arguments of each case, and prints
   what they made of C. */

        .set    pml4, 0x1000
        .set    pdpt, 0x2000
        .set    pd, 0x3000
        .set    goroutine, 0x4000       /* zeros: the stack's limit, which functions compare SP with, is 0 */
        .set    stack, 0x6000000
        .set    result, 0x5000000       /* C, copied here for each case */

        .set    data, 0x378             /* the printer's port */
        .set    control, 0x37a

        .code16
start:  ljmp    $0, $1f
1:      cli
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    $0x7c00, %sp
        inb     $0x92, %al              /* memory above 1 MiB */
        orb     $2, %al
        outb    %al, $0x92

        sti                             /* the BIOS may wait for the disk */
1:      movb    $0x42, %ah              /* read what packet says */
        movb    $0x80, %dl              /* from the first disk */
        movw    $packet, %si
        int     $0x13
        addw    $0x400, packet + 6
        addw    $32, packet + 8
        cmpw    $1 + 32 * 31, packet + 8
        jne     1b
        cli

        /* The first GiB is mapped to itself, in pages of 2 MiB. */
        cld
        xorl    %eax, %eax
        movl    $pml4, %edi
        movl    $0x1000, %ecx           /* 16 KiB, with the goroutine */
        rep stosl
        movl    $pdpt + 3, pml4
        movl    $pd + 3, pdpt
        movl    $pd, %edi
        movl    $0x83, %eax
2:      movl    %eax, (%di)
        addl    $0x200000, %eax
        addw    $8, %di
        cmpw    $pd + 0x1000, %di
        jne     2b

        movl    $0x40620, %eax          /* PAE, OSFXSR, OSXMMEXCPT, OSXSAVE */
        movl    %eax, %cr4
        movl    $pml4, %eax
        movl    %eax, %cr3
        movl    $0xc0000080, %ecx       /* EFER.LME */
        rdmsr
        orl     $0x100, %eax
        wrmsr
        lgdt    descriptors
        movl    $0x80000003, %eax       /* PG, MP, PE */
        movl    %eax, %cr0
        ljmpl   $8, $long

        .balign 8
packet: .word   16, 32                  /* its size, sectors to read */
        .word   0x7e00 & 15, 0x7e00 >> 4 /* to here */
        .quad   1                       /* from the second sector on */
gdt:    .quad   0, 0x00209a0000000000, 0x0000920000000000
descriptors:
        .word   . - gdt - 1
        .long   gdt

        .org    510
        .word   0xaa55

        .code64
long:   movl    $16, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        movl    $stack, %esp
        xorl    %ecx, %ecx
        movl    $0x600e7, %eax          /* x87, SSE, AVX, AVX-512, tiles */
        xorl    %edx, %edx
        xsetbv
        movl    $0xc0000100, %ecx       /* FS, below which a thread keeps its goroutine */
        movl    $goroutine + 0x808, %eax
        wrmsr
        movl    $goroutine, goroutine + 0x800
        movb    $8, %al                 /* reset the printer */
        call    command
        movb    $12, %al
        call    command

        /* The payload: number of blobs, of cases, place and bytes of C; then of each blob address, place and bytes; then of each case the function and 15 words of
           arguments. Places are counted from the payload's beginning. */
        movq    $payload, %rbp
        leaq    32(%rbp), %rbx
        movq    0(%rbp), %r12
3:      movq    0(%rbx), %rdi
        movq    8(%rbx), %rsi
        addq    %rbp, %rsi
        movq    16(%rbx), %rcx
        rep movsb
        addq    $24, %rbx
        decq    %r12
        jnz     3b

        movq    8(%rbp), %r12
4:      movl    $result, %edi
        movq    16(%rbp), %rsi
        addq    %rbp, %rsi
        movq    24(%rbp), %rcx
        rep movsb
        subq    $120, %rsp
        movq    %rsp, %rdi
        leaq    8(%rbx), %rsi
        movl    $15, %ecx
        rep movsq
        movq    %rbx, saved
        movq    %r12, saved + 8
        call    *(%rbx)
        addq    $120, %rsp
        movq    saved, %rbx
        movq    saved + 8, %r12
        movq    $payload, %rbp
        movl    $result, %esi
        movq    24(%rbp), %rcx
5:      lodsb
        movw    $data, %dx
        outb    %al, %dx
        movb    $13, %al
        call    command
        movb    $12, %al
        call    command
        decq    %rcx
        jnz     5b
        addq    $128, %rbx
        decq    %r12
        jnz     4b

        movw    $0x8900, %dx            /* where Bochs listens for the end */
        movq    $shutdown, %rsi
        movl    $8, %ecx
        rep outsb
6:      hlt
        jmp     6b

command:
        movw    $control, %dx
        outb    %al, %dx
        ret

shutdown:
        .ascii  "Shutdown"
saved:  .quad   0, 0
        .balign 64
payload:
