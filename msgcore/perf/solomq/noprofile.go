//go:build !profile

package main

import "errors"

// The profiler is not linked into a program whose memory is measured.
func profile(what string) error {
	if what != "" {
		return errors.New(`-profile needs a program that was built with "-tags profile"`)
	}
	return nil
}
