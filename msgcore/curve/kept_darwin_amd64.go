//go:build !purego

package curve

import (
	"strconv"
	"strings"
	"syscall"
)

// kept returns XCR0 as it can be. XNU sets the bits of AVX-512 for a thread at the
// thread's first use of it, and tells elsewhere whether it would; before version
// 21.3 (macOS 12.2) it could lose the opmasks when a signal came.
func kept() uint32 {
	k := xcr0() &^ xcr0AVX512
	if on, err := syscall.SysctlUint32("hw.optional.avx512f"); err != nil || on == 0 {
		return k
	}
	release, _ := syscall.Sysctl("kern.osrelease")
	first, rest, _ := strings.Cut(release, ".")
	second, _, _ := strings.Cut(rest, ".")
	major, _ := strconv.Atoi(first)
	minor, _ := strconv.Atoi(second)
	if major > 21 || major == 21 && minor >= 3 {
		k |= xcr0AVX512
	}
	return k
}
