//go:build amd64 && !purego

#include "textflag.h"

// Both functions make many blocks of Salsa20 at once, a block in each lane of the
// registers: register i holds word i of the state of all blocks. At the end the
// table of words and blocks is turned over, so that each block lies in one piece.
//
// The states differ in words 6 to 9, which are in lanes; the others are the key
// and the constants.

DATA sigma<>+0(SB)/4, $0x61707865
DATA sigma<>+4(SB)/4, $0x3320646e
DATA sigma<>+8(SB)/4, $0x79622d32
DATA sigma<>+12(SB)/4, $0x6b206574
GLOBL sigma<>(SB), RODATA|NOPTR, $16

DATA step<>+0(SB)/4, $8
DATA step<>+4(SB)/4, $16
GLOBL step<>(SB), RODATA|NOPTR, $8

// ---- 16 blocks, AVX-512 ----

#define QUARTER16(a, b, c, d) \
	VPADDD d, a, Z16; VPROLD $7, Z16, Z16; VPXORD Z16, b, b; \
	VPADDD a, b, Z16; VPROLD $9, Z16, Z16; VPXORD Z16, c, c; \
	VPADDD b, c, Z16; VPROLD $13, Z16, Z16; VPXORD Z16, d, d; \
	VPADDD c, d, Z16; VPROLD $18, Z16, Z16; VPXORD Z16, a, a

// The words a to d, each of 16 blocks, become four words in a row of each block:
// a has those of blocks 0, 4, 8 and 12, b those of 1, 5, 9 and 13, and so on.
#define TURN16(a, b, c, d) \
	VPUNPCKLDQ b, a, Z16; VPUNPCKHDQ b, a, Z17; \
	VPUNPCKLDQ d, c, Z18; VPUNPCKHDQ d, c, Z19; \
	VPUNPCKLQDQ Z18, Z16, a; VPUNPCKHQDQ Z18, Z16, b; \
	VPUNPCKLQDQ Z19, Z17, c; VPUNPCKHQDQ Z19, Z17, d

// Stores blocks r, r+4, r+8 and r+12, whose words 0 to 3 are in a, 4 to 7 in b,
// 8 to 11 in c and 12 to 15 in d.
#define STORE16(r, a, b, c, d) \
	VSHUFI32X4 $0x44, b, a, Z16; VSHUFI32X4 $0xEE, b, a, Z17; \
	VSHUFI32X4 $0x44, d, c, Z18; VSHUFI32X4 $0xEE, d, c, Z19; \
	VSHUFI32X4 $0x88, Z18, Z16, Z20; VSHUFI32X4 $0xDD, Z18, Z16, Z21; \
	VSHUFI32X4 $0x88, Z19, Z17, Z22; VSHUFI32X4 $0xDD, Z19, Z17, Z23; \
	VMOVDQU32 Z20, (64*(r))(DI); VMOVDQU32 Z21, (64*((r)+4))(DI); \
	VMOVDQU32 Z22, (64*((r)+8))(DI); VMOVDQU32 Z23, (64*((r)+12))(DI)

#define ADD16(at, base, reg) VPBROADCASTD (at)(base), Z16; VPADDD Z16, reg, reg

// func blocks16(dst *byte, groups int, key *[32]byte, l *lanes)
TEXT ·blocks16(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ groups+8(FP), CX
	MOVQ key+16(FP), SI
	MOVQ l+24(FP), DX
	LEAQ sigma<>(SB), BX
	VMOVDQU32 0(DX), Z24
	VMOVDQU32 64(DX), Z25
	VMOVDQU32 128(DX), Z26
	VMOVDQU32 192(DX), Z27
	VPBROADCASTD step<>+4(SB), Z28

group16:
	VPBROADCASTD 0(BX), Z0
	VPBROADCASTD 0(SI), Z1
	VPBROADCASTD 4(SI), Z2
	VPBROADCASTD 8(SI), Z3
	VPBROADCASTD 12(SI), Z4
	VPBROADCASTD 4(BX), Z5
	VMOVDQA32 Z24, Z6
	VMOVDQA32 Z25, Z7
	VMOVDQA32 Z26, Z8
	VMOVDQA32 Z27, Z9
	VPBROADCASTD 8(BX), Z10
	VPBROADCASTD 16(SI), Z11
	VPBROADCASTD 20(SI), Z12
	VPBROADCASTD 24(SI), Z13
	VPBROADCASTD 28(SI), Z14
	VPBROADCASTD 12(BX), Z15
	MOVQ $10, AX

rounds16:
	QUARTER16(Z0, Z4, Z8, Z12)
	QUARTER16(Z5, Z9, Z13, Z1)
	QUARTER16(Z10, Z14, Z2, Z6)
	QUARTER16(Z15, Z3, Z7, Z11)
	QUARTER16(Z0, Z1, Z2, Z3)
	QUARTER16(Z5, Z6, Z7, Z4)
	QUARTER16(Z10, Z11, Z8, Z9)
	QUARTER16(Z15, Z12, Z13, Z14)
	DECQ AX
	JNZ rounds16

	ADD16(0, BX, Z0)
	ADD16(0, SI, Z1)
	ADD16(4, SI, Z2)
	ADD16(8, SI, Z3)
	ADD16(12, SI, Z4)
	ADD16(4, BX, Z5)
	VPADDD Z24, Z6, Z6
	VPADDD Z25, Z7, Z7
	VPADDD Z26, Z8, Z8
	VPADDD Z27, Z9, Z9
	ADD16(8, BX, Z10)
	ADD16(16, SI, Z11)
	ADD16(20, SI, Z12)
	ADD16(24, SI, Z13)
	ADD16(28, SI, Z14)
	ADD16(12, BX, Z15)

	TURN16(Z0, Z1, Z2, Z3)
	TURN16(Z4, Z5, Z6, Z7)
	TURN16(Z8, Z9, Z10, Z11)
	TURN16(Z12, Z13, Z14, Z15)
	STORE16(0, Z0, Z4, Z8, Z12)
	STORE16(1, Z1, Z5, Z9, Z13)
	STORE16(2, Z2, Z6, Z10, Z14)
	STORE16(3, Z3, Z7, Z11, Z15)

	VPADDD Z28, Z26, Z26
	ADDQ $1024, DI
	DECQ CX
	JNZ group16
	VZEROUPPER
	RET

// ---- 8 blocks, AVX2 ----

// There are 16 registers and 16 words, so words 10 and 15 are in memory. They are
// the first ones of their quarter rounds, always.

#define ROTATE8(left, right, to) \
	VPSLLD $left, Y14, Y15; VPSRLD $right, Y14, Y14; VPXOR Y15, to, to; VPXOR Y14, to, to

#define QUARTER8(a, b, c, d) \
	VPADDD d, a, Y14; ROTATE8(7, 25, b); \
	VPADDD a, b, Y14; ROTATE8(9, 23, c); \
	VPADDD b, c, Y14; ROTATE8(13, 19, d); \
	VPADDD c, d, Y14; ROTATE8(18, 14, a)

#define QUARTERM8(a, b, c, d) \
	VPADDD a, d, Y14; ROTATE8(7, 25, b); \
	VPADDD a, b, Y14; ROTATE8(9, 23, c); \
	VPADDD b, c, Y14; ROTATE8(13, 19, d); \
	VPADDD c, d, Y14; VPSLLD $18, Y14, Y15; VPSRLD $14, Y14, Y14; \
	VPXOR a, Y15, Y15; VPXOR Y14, Y15, Y15; VMOVDQU Y15, a

#define W10 0(R8)
#define W15 32(R8)
#define SAVE(word, reg) VMOVDQU reg, (64+32*(word))(R8)
#define ADD8(at, base, reg, word) VPBROADCASTD (at)(base), Y14; VPADDD Y14, reg, reg; SAVE(word, reg)

// Stores words w to w+7 of each block.
#define STORE8(w) \
	VMOVDQU (64+32*(w))(R8), Y0; VMOVDQU (64+32*((w)+1))(R8), Y1; \
	VMOVDQU (64+32*((w)+2))(R8), Y2; VMOVDQU (64+32*((w)+3))(R8), Y3; \
	VMOVDQU (64+32*((w)+4))(R8), Y4; VMOVDQU (64+32*((w)+5))(R8), Y5; \
	VMOVDQU (64+32*((w)+6))(R8), Y6; VMOVDQU (64+32*((w)+7))(R8), Y7; \
	VPUNPCKLDQ Y1, Y0, Y8; VPUNPCKHDQ Y1, Y0, Y9; \
	VPUNPCKLDQ Y3, Y2, Y10; VPUNPCKHDQ Y3, Y2, Y11; \
	VPUNPCKLDQ Y5, Y4, Y12; VPUNPCKHDQ Y5, Y4, Y13; \
	VPUNPCKLDQ Y7, Y6, Y14; VPUNPCKHDQ Y7, Y6, Y15; \
	VPUNPCKLQDQ Y10, Y8, Y0; VPUNPCKHQDQ Y10, Y8, Y1; \
	VPUNPCKLQDQ Y11, Y9, Y2; VPUNPCKHQDQ Y11, Y9, Y3; \
	VPUNPCKLQDQ Y14, Y12, Y4; VPUNPCKHQDQ Y14, Y12, Y5; \
	VPUNPCKLQDQ Y15, Y13, Y6; VPUNPCKHQDQ Y15, Y13, Y7; \
	VPERM2I128 $0x20, Y4, Y0, Y8; VPERM2I128 $0x31, Y4, Y0, Y12; \
	VPERM2I128 $0x20, Y5, Y1, Y9; VPERM2I128 $0x31, Y5, Y1, Y13; \
	VPERM2I128 $0x20, Y6, Y2, Y10; VPERM2I128 $0x31, Y6, Y2, Y14; \
	VPERM2I128 $0x20, Y7, Y3, Y11; VPERM2I128 $0x31, Y7, Y3, Y15; \
	VMOVDQU Y8, (4*(w))(DI); VMOVDQU Y9, (64+4*(w))(DI); \
	VMOVDQU Y10, (128+4*(w))(DI); VMOVDQU Y11, (192+4*(w))(DI); \
	VMOVDQU Y12, (256+4*(w))(DI); VMOVDQU Y13, (320+4*(w))(DI); \
	VMOVDQU Y14, (384+4*(w))(DI); VMOVDQU Y15, (448+4*(w))(DI)

// func blocks8(dst *byte, groups int, key *[32]byte, l *lanes)
//
// It counts word 8 of the lanes on, in l.
TEXT ·blocks8(SB), 0, $576-32
	MOVQ dst+0(FP), DI
	MOVQ groups+8(FP), CX
	MOVQ key+16(FP), SI
	MOVQ l+24(FP), DX
	LEAQ sigma<>(SB), BX
	LEAQ work-576(SP), R8

group8:
	VPBROADCASTD 8(BX), Y14
	VMOVDQU Y14, W10
	VPBROADCASTD 12(BX), Y15
	VMOVDQU Y15, W15
	VPBROADCASTD 0(BX), Y0
	VPBROADCASTD 0(SI), Y1
	VPBROADCASTD 4(SI), Y2
	VPBROADCASTD 8(SI), Y3
	VPBROADCASTD 12(SI), Y4
	VPBROADCASTD 4(BX), Y5
	VMOVDQU 0(DX), Y6
	VMOVDQU 64(DX), Y7
	VMOVDQU 128(DX), Y8
	VMOVDQU 192(DX), Y9
	VPBROADCASTD 16(SI), Y10
	VPBROADCASTD 20(SI), Y11
	VPBROADCASTD 24(SI), Y12
	VPBROADCASTD 28(SI), Y13
	MOVQ $10, AX

// Y10 to Y13 are words 11 to 14.
rounds8:
	QUARTER8(Y0, Y4, Y8, Y11)
	QUARTER8(Y5, Y9, Y12, Y1)
	QUARTERM8(W10, Y13, Y2, Y6)
	QUARTERM8(W15, Y3, Y7, Y10)
	QUARTER8(Y0, Y1, Y2, Y3)
	QUARTER8(Y5, Y6, Y7, Y4)
	QUARTERM8(W10, Y10, Y8, Y9)
	QUARTERM8(W15, Y11, Y12, Y13)
	DECQ AX
	JNZ rounds8

	ADD8(0, BX, Y0, 0)
	ADD8(0, SI, Y1, 1)
	ADD8(4, SI, Y2, 2)
	ADD8(8, SI, Y3, 3)
	ADD8(12, SI, Y4, 4)
	ADD8(4, BX, Y5, 5)
	VPADDD 0(DX), Y6, Y6
	SAVE(6, Y6)
	VPADDD 64(DX), Y7, Y7
	SAVE(7, Y7)
	VPADDD 128(DX), Y8, Y8
	SAVE(8, Y8)
	VPADDD 192(DX), Y9, Y9
	SAVE(9, Y9)
	VMOVDQU W10, Y15
	ADD8(8, BX, Y15, 10)
	ADD8(16, SI, Y10, 11)
	ADD8(20, SI, Y11, 12)
	ADD8(24, SI, Y12, 13)
	ADD8(28, SI, Y13, 14)
	VMOVDQU W15, Y15
	ADD8(12, BX, Y15, 15)
	STORE8(0)
	STORE8(8)

	VPBROADCASTD step<>+0(SB), Y0
	VPADDD 128(DX), Y0, Y0
	VMOVDQU Y0, 128(DX)
	ADDQ $512, DI
	DECQ CX
	JNZ group8

	// What is left of the key stream on the stack is not for others to find.
	VPXOR Y0, Y0, Y0
	MOVQ $18, AX
	MOVQ R8, DI

clear8:
	VMOVDQU Y0, (DI)
	ADDQ $32, DI
	DECQ AX
	JNZ clear8
	VZEROUPPER
	RET
