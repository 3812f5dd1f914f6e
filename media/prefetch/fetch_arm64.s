#include "textflag.h"

// func fetch(first *piece, n int)
TEXT ·fetch(SB), NOSPLIT, $0-16
	MOVD first+0(FP), R0
	MOVD n+8(FP), R1

next:
	CMP  $0, R1
	BLE  done
	MOVD 0(R0), R2
	MOVD 8(R0), R3

line:
	CMP  $0, R3
	BLE  over
	PRFM (R2), PLDL1KEEP
	ADD  $64, R2, R2
	SUB  $1, R3, R3
	B    line

over:
	ADD $16, R0, R0
	SUB $1, R1, R1
	B   next

done:
	RET
