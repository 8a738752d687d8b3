package unique

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// readRecord returns the record of the current primary, or errNoRecord. It touches no lock. What is not a plain file of
// this user, or not a whole record, counts as none.
func (s *site) readRecord() (record, error) {
	data, err := readOwnFile(s.recordPath(), s.owner, maxRecord)
	if err != nil {
		return record{}, err
	}
	return parseRecord(data)
}

// readOwnFile reads a file of at most limit bytes that belongs to uid. Everything that is wrong with it is errNoRecord,
// but not what is wrong with us, such as having no descriptors left.
func readOwnFile(path string, uid, limit int) ([]byte, error) {
	f, err := openPlain(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNoRecord // by far the most frequent reason: without any wrapping
	}
	if err != nil {
		if foreign(err) {
			return nil, fmt.Errorf("%w: %w", errNoRecord, err)
		}
		return nil, fmt.Errorf("unique: cannot read the record of the primary: %w", err)
	}
	defer f.Close()
	about, err := f.about()
	switch {
	case err != nil:
		return nil, fmt.Errorf("unique: cannot read the record of the primary: %w", err)
	case !about.regular:
		return nil, fmt.Errorf("%w: %s is not a plain file", errNoRecord, path)
	case uid >= 0 && about.owner != uid:
		return nil, fmt.Errorf("%w: %s belongs to uid %d", errNoRecord, path, about.owner)
	case about.size > int64(limit):
		return nil, fmt.Errorf("%w: %s is too long", errNoRecord, path)
	}
	data := make([]byte, about.size)
	n, err := io.ReadFull(f, data)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("unique: cannot read the record of the primary: %w", err)
	}
	return data[:n], nil
}

// fileFacts are what the system says of an open file.
type fileFacts struct {
	regular bool
	owner   int // -1 where files have none
	size    int64
}

// writeOwnFile puts data at path in one step: readers see the old file or the new one, whole. draft is the name it has
// until then; only the holder of the lock writes, so one name serves. It is not synced to disk: after a crash of the
// machine nobody is the primary, and a garbled record counts as none.
func writeOwnFile(path, draft string, data []byte) error {
	if err := os.Remove(draft); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(draft, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	mendMode(draft, 0o600)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = replaceFile(draft, path)
	}
	if err != nil {
		_ = os.Remove(draft)
	}
	return err
}
