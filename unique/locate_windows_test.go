package unique_test

const onWindows = true
