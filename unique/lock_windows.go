package unique

import "os"

const lockFlags = os.O_CREATE | os.O_RDWR

// lockTextAt leaves out the first byte: LockFileEx keeps others from reading and writing the byte that it locks.
const lockTextAt = 1

var lockSupport error
