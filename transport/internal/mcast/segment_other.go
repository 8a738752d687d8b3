//go:build !linux

package mcast

import "syscall"

// ControlSize is how much room Split needs in the OOB of a message, in bytes.
const ControlSize = 0

func joinable(syscall.RawConn) bool { return false }

func receiveJoined(syscall.RawConn) {}

func joinSegments(b []byte, _ int) []byte { return b }

func segmentSize([]byte) int { return 0 }
