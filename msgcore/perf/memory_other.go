//go:build !linux

package main

import (
	"errors"
	"fmt"
)

func resident(int) (all, anonymous float64, err error) {
	return 0, 0, fmt.Errorf("memory is measured on Linux only: %w", errors.ErrUnsupported)
}
