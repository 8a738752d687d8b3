//go:build amd64 && !purego

package curve

import "sync/atomic"

// The processor is asked what it can do when the first key stream is made, not when
// a program starts: most starts make none, and on a virtual machine each CPUID is a
// way to the hypervisor and back.

// Widths are numbers of blocks of the key stream that are made at once.
const (
	narrow = 1
	wide   = 8  // needs AVX2
	wider  = 16 // needs no more than the foundation of AVX-512
)

// best is the width to be used, or 0 before width is called.
var best atomic.Int32

func width() int32 {
	if w := best.Load(); w != 0 {
		return w
	}
	w := widthOf(cpuid, kept)
	best.Store(w)
	return w
}

//go:noescape
func cpuid(leaf, sub uint32) (eax, ebx, ecx, edx uint32)

// xcr0 returns which registers the system keeps for each thread. Without OSXSAVE it
// is an illegal instruction.
func xcr0() uint32

// What CPUID and XCR0 say, from the manuals of Intel and AMD.
const (
	leafFeatures = 1
	leafExtended = 7
	ecxOSXSAVE   = 1 << 27 // leafFeatures
	ebxAVX2      = 1 << 5  // leafExtended
	ebxAVX512F   = 1 << 16 // leafExtended
	xcr0AVX      = 1<<1 | 1<<2
	xcr0AVX512   = 1<<5 | 1<<6 | 1<<7 // opmasks, and both halves of the zmm registers
)

// widthOf is the greatest width of a processor whose system keeps the registers for
// it. It calls xcr0 only where that is no illegal instruction.
func widthOf(cpuid func(leaf, sub uint32) (eax, ebx, ecx, edx uint32), xcr0 func() uint32) int32 {
	if last, _, _, _ := cpuid(0, 0); last < leafExtended {
		return narrow
	}
	if _, _, ecx, _ := cpuid(leafFeatures, 0); ecx&ecxOSXSAVE == 0 {
		return narrow
	}
	keeps := xcr0()
	_, has, _, _ := cpuid(leafExtended, 0)
	switch {
	case keeps&xcr0AVX != xcr0AVX || has&ebxAVX2 == 0:
		return narrow
	case keeps&xcr0AVX512 != xcr0AVX512 || has&ebxAVX512F == 0:
		return wide
	}
	return wider
}
