//go:build !unix

package unique_test

import (
	"os"
	"testing"
)

func blockingFile(*testing.T, *os.File) *os.File { return nil }
