//go:build !unix && !windows

package unique

import (
	"io/fs"
	"os"
)

func openRecord(path string) (*os.File, error) { return os.Open(path) }

func foreign(error) bool { return false }

func replaceFile(from, to string) error { return os.Rename(from, to) }

func removeFile(path string) error { return os.Remove(path) }

func ownerOf(fs.FileInfo) int { return -1 }
