package unique

const fdDir = "/dev/fd"
