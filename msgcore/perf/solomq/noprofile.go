//go:build !profile

package main

import "errors"

// The profiler is not linked into a program whose memory is measured.
func profile(file string) error {
	if file != "" {
		return errors.New(`-cpuprofile needs a program that was built with "-tags profile"`)
	}
	return nil
}
