//go:build !linux

package tcp

import "net"

// What is said in congestion_linux.go does not concern other systems.

func unpace(uintptr, string) {}

func acceptsPaced(*net.TCPListener) bool { return false }

func unpaceAccepted(*net.TCPConn) {}
