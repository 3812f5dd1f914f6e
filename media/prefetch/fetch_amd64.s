#include "textflag.h"

// func fetch(first *piece, n int)
TEXT ·fetch(SB), NOSPLIT, $0-16
	MOVQ first+0(FP), SI
	MOVQ n+8(FP), DI

next:
	TESTQ DI, DI
	JLE   done
	MOVQ  0(SI), AX
	MOVQ  8(SI), CX

line:
	TESTQ CX, CX
	JLE   over
	PREFETCHT0 (AX)
	ADDQ  $64, AX
	DECQ  CX
	JMP   line

over:
	ADDQ $16, SI
	DECQ DI
	JMP  next

done:
	RET
