//go:build race

package unique_test

const raceEnabled = true
