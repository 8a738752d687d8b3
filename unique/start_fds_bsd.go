//go:build unix && !linux && !darwin && !aix && (!solaris || illumos)

package unique

// fdDir: without a special mount /dev/fd of the BSDs lists the standard descriptors only.
const fdDir = ""
