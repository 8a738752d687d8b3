package unique

const fdDir = "/proc/self/fd"
