package main

import (
	"strconv"
	"strings"
)

// startupTime is the time of the user's action in a startup id, in milliseconds of
// the X server; 0 if it has none.
func startupTime(id string) uint32 {
	i := strings.LastIndex(id, "_TIME")
	if i < 0 {
		return 0
	}
	t, err := strconv.ParseUint(id[i+len("_TIME"):], 10, 32)
	if err != nil {
		return 0
	}
	return uint32(t)
}

// removal is the message that a startup is complete.
func removal(id string) string {
	return `remove: ID="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\x00", "").Replace(id) + `"`
}
