//go:build unix && !linux

package unique_test

import "errors"

func waitNoReap(int) error { return errors.ErrUnsupported }
