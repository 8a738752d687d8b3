//go:build !unix

package unique

import "os"

// A plainFile is a file to be read once.
type plainFile struct{ *os.File }

func openPlain(path string) (plainFile, error) {
	f, err := openRecord(path)
	return plainFile{f}, err
}

func (f plainFile) about() (fileFacts, error) {
	fi, err := f.Stat()
	if err != nil {
		return fileFacts{}, err
	}
	return fileFacts{regular: fi.Mode().IsRegular(), owner: ownerOf(fi), size: fi.Size()}, nil
}
