//go:build !linux

package msgcore

import (
	"errors"
	"syscall"
)

// A pollset would wait for many connections at once; see pollset_linux.go.
type pollset struct{}

type pollKey struct{ slot, gen int32 }

func newPollset() (*pollset, error) { return nil, errors.ErrUnsupported }

func (*pollset) watch(syscall.RawConn, pollKey, bool) error { return errors.ErrUnsupported }
func (*pollset) ignore(syscall.RawConn, pollKey)            {}
func (*pollset) wait(bool) (int, error)                     { return 0, errors.ErrUnsupported }
func (*pollset) event(int) (key pollKey, ended bool)        { return pollKey{}, false }
func (*pollset) interrupt()                                 {}
func (*pollset) resume()                                    {}
func (*pollset) close()                                     {}
