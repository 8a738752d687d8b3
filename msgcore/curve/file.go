package curve

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// secretSuffix makes the secret file's name of the public one's, as in CZMQ.
const secretSuffix = "_secret"

// Save writes c in two files, replacing what is there: path has the public key, for
// everybody to read, and path with "_secret" behind it both keys, for the owner
// alone (mode 0600; on Windows the folder's access rights decide). Without a secret
// key it writes path only. Each file is whole at any moment.
func (c *Certificate) Save(path string) error {
	text, err := c.text(false)
	if err != nil {
		return err
	}
	if c.Secret != (SecretKey{}) {
		secret, err := c.text(true)
		if err != nil {
			return err
		}
		if err := replace(path+secretSuffix, secret, 0o600); err != nil {
			return err
		}
	}
	return replace(path, text, 0o644)
}

// LoadPublic reads the public key and the metadata from the file at path. A secret
// key in it is not read.
func LoadPublic(path string) (*Certificate, error) {
	return load(path, false)
}

// LoadSecret reads both keys and the metadata of the certificate that was saved at
// path: from the file with that name and "_secret" behind it, which path may have
// already. On Unix it refuses a file that is not ours or root's, or that others may
// read or write; the check is of the very file that is then read. It refuses keys
// that are not a pair, too.
func LoadSecret(path string) (*Certificate, error) {
	if !strings.HasSuffix(path, secretSuffix) {
		path += secretSuffix
	}
	return load(path, true)
}

func load(path string, secret bool) (*Certificate, error) {
	text, err := readFile(path, secret)
	if err != nil {
		return nil, fmt.Errorf("curve: no certificate: %w", err)
	}
	c, err := parseCertificate(text, secret)
	if err != nil {
		return nil, fmt.Errorf("curve: certificate %s: %w", path, err)
	}
	return c, nil
}

// readFile reads a file of a reasonable size.
func readFile(path string, secret bool) (string, error) {
	f, err := openFile(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", &fs.PathError{Op: "read", Path: path, Err: errors.New("not a regular file")}
	}
	if secret {
		if err := private(info); err != nil {
			return "", &fs.PathError{Op: "read", Path: path, Err: err}
		}
	}
	b, err := io.ReadAll(io.LimitReader(f, maxZPL+1))
	defer clear(b)
	return string(b), err
}

// replace writes a file and only then gives it its name.
func replace(path, text string, mode fs.FileMode) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // with mode 0600
	if err != nil {
		return fmt.Errorf("curve: certificate not written: %w", err)
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
			err = fmt.Errorf("curve: certificate not written: %w", err)
		}
	}()
	_, err = f.WriteString(text)
	if err == nil && mode != 0o600 {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
