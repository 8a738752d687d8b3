//go:build race && linux

package unique_test

const raceEnabled = true
