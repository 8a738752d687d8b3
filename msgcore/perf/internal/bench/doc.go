// Package bench is what the measuring programs written in Go share, so that all
// of them measure in the same way: the command line, the line that tells where a
// program is bound, the window in which messages are counted, and the timing of
// round trips. libzmq/measure.c and cbench do the same in C.
//
// A program is called
//
//	BIN [-FLAG[=VALUE]]... MODE ADDRESS SIZE SECONDS [N]
//
// and speaks to whoever started it by lines on standard output:
//
//	ready ADDRESS        it is bound; the address has its wildcards resolved
//	result KEY=NUMBER... it has measured, and ends
//
// The package links little, because the memory of the programs is measured too.
package bench
