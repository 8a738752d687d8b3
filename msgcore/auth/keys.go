package auth

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/solomq/solomq/msgcore/curve"
	"github.com/solomq/solomq/msgcore/zmtp"
)

// maxKeys is how many certificates a directory may have.
const maxKeys = 100_000

// keys is the directory of public keys.
type keys struct {
	dir  string // "" for none
	seen map[string]*keyFile
	now  map[curve.PublicKey]zmtp.Properties
}

type keyFile struct {
	seen       stamp
	public     curve.PublicKey
	properties zmtp.Properties
}

// refresh reads the files that have changed. A file that is wrong does not count,
// and is told of; the others do.
func (k *keys) refresh() error {
	if k.dir == "" {
		return nil
	}
	entries, err := k.list()
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			k.seen, k.now = nil, nil
		}
		return fmt.Errorf("auth: no keys: %w", err)
	}
	seen := make(map[string]*keyFile, len(entries))
	now := make(map[curve.PublicKey]zmtp.Properties, len(entries))
	var wrong []error
	for _, e := range entries {
		name := e.Name()
		if strings.HasPrefix(name, ".") || strings.HasSuffix(name, "_secret") || e.IsDir() {
			continue
		}
		f, err := k.file(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed in this moment
		}
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		seen[name] = f
		now[f.public] = f.properties
	}
	k.seen, k.now = seen, now
	return errors.Join(wrong...)
}

func (k *keys) list() ([]fs.DirEntry, error) {
	info, err := os.Stat(k.dir)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, &fs.PathError{Op: "read", Path: k.dir, Err: errors.New("not a directory")}
	}
	if err := guarded(info, false); err != nil {
		return nil, &fs.PathError{Op: "read", Path: k.dir, Err: err}
	}
	entries, err := os.ReadDir(k.dir)
	if len(entries) > maxKeys {
		return nil, &fs.PathError{Op: "read", Path: k.dir, Err: fmt.Errorf("it has %d files, the limit is %d", len(entries), maxKeys)}
	}
	return entries, err
}

// file returns the certificate name, from memory if its file is as it was.
func (k *keys) file(name string) (*keyFile, error) {
	path := filepath.Join(k.dir, name)
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if old := k.seen[name]; old != nil && old.seen.same(stampOf(info)) {
		return old, nil
	}
	if err := guarded(info, false); err != nil {
		return nil, &fs.PathError{Op: "read", Path: path, Err: err}
	}
	c, err := curve.LoadPublic(path)
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	return &keyFile{seen: stampOf(info).settled(), public: c.Public, properties: propertiesOf(c)}, nil
}

// propertiesOf is what a certificate says of its owner.
func propertiesOf(c *curve.Certificate) zmtp.Properties {
	p := zmtp.Properties{zmtp.UserID: c.Public.String()}
	for name, value := range c.Metadata {
		if name == "user-id" {
			if value != "" {
				p[zmtp.UserID] = value
			}
			continue
		}
		one := zmtp.Properties{"X-" + strings.TrimPrefix(name, "X-"): value}
		if one.Validate() != nil {
			continue // a name that ZMTP cannot carry
		}
		for name, value := range one {
			p[name] = value
		}
	}
	return p
}
