//go:build !unix

package curve

import (
	"io/fs"
	"os"
)

func openFile(path string) (*os.File, error) { return os.Open(path) }

// private knows of no mode that would tell who may read a file.
func private(fs.FileInfo) error { return nil }
