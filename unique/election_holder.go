package unique

import (
	"bytes"
	"os"
	"strconv"
)

// maxHolderID bounds how much of an id is copied into a lock file.
const maxHolderID = 256

// writeHolder notes in the lock file who holds it, for humans and error texts. Nothing is ever decided by it, so it does
// not matter if it cannot be written. It must be called by the holder.
func writeHolder(path, id string) {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return
	}
	defer f.Close()
	if len(id) > maxHolderID {
		id = id[:maxHolderID] + "..."
	}
	text := "pid " + strconv.Itoa(os.Getpid()) + "\nborn " + bornOf(os.Getpid()) + "\nid " + strconv.QuoteToASCII(id) + "\n"
	n, _ := f.WriteAt([]byte(text), lockTextAt)
	_ = f.Truncate(int64(lockTextAt + n))
}

// holderPID names the process that holds the lock, 0 if it cannot be told. It is for error texts: by the time it is read
// it may be wrong.
func (s *site) holderPID() int {
	if pid := lockOwner(s.lockPath()); pid != 0 {
		return pid
	}
	s.mu.Lock()
	witness := s.witness
	s.mu.Unlock()
	if witness != 0 {
		return witness
	}
	pid, _ := readHolder(s.lockPath())
	return pid
}

// readHolder reads what writeHolder wrote; 0 and "" if that cannot be read.
func readHolder(path string) (pid int, born string) {
	f, err := openRecord(path)
	if err != nil {
		return 0, ""
	}
	defer f.Close()
	buf := make([]byte, 128)
	n, _ := f.ReadAt(buf, lockTextAt)
	first, rest, _ := bytes.Cut(buf[:n], []byte("\n"))
	digits, ok := bytes.CutPrefix(first, []byte("pid "))
	if !ok {
		return 0, ""
	}
	u, err := strconv.ParseUint(string(digits), 10, 31)
	if err != nil {
		return 0, ""
	}
	second, _, whole := bytes.Cut(rest, []byte("\n"))
	if text, ok := bytes.CutPrefix(second, []byte("born ")); ok && whole {
		born = string(text)
	}
	return int(u), born
}
