//go:build !linux

package mcast

import "syscall"

func onlyJoined(syscall.RawConn, bool) error { return nil }
