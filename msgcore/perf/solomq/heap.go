package main

import (
	"fmt"
	"strconv"
)

// held is the live memory. The collector runs when the heap has doubled, so a
// program with next to nothing alive collects far more often than one with data.
var held []byte

func hold(mib string) error {
	n, err := strconv.ParseUint(mib, 10, 16)
	if err != nil {
		return fmt.Errorf("-heap is %q, want MiB", mib)
	}
	held = make([]byte, n<<20)
	for i := 0; i < len(held); i += 4096 {
		held[i] = 1
	}
	return nil
}
