package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// A load tells how much of the processors others have used since it was begun: on
// a busy machine the figures say little.
type load struct {
	began     time.Time
	all, ours time.Duration
}

func beginLoad() load { return load{time.Now(), busy(), ownCPU()} }

// others returns the part of the processors' time that others have used, and
// whether it is known.
func (l load) others() (part float64, known bool) {
	all := busy() - l.all
	if l.all == 0 || all <= 0 {
		return 0, false
	}
	ours := ownCPU() - l.ours
	return max(0, (all-ours).Seconds()/(time.Since(l.began).Seconds()*float64(runtime.NumCPU()))), true
}

// tick is the unit of /proc/stat on every system that Linux runs on today.
const tick = time.Second / 100

// busy is the time that all processors together have worked since the start of
// the system; 0 if that is not known. The kernel's work on packets is left out: it
// is nobody's.
func busy() (d time.Duration) {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(stat), "\n")
	var user, nice, system, idle, wait, irq, soft, steal int64
	if _, err := fmt.Sscanf(line, "cpu %d %d %d %d %d %d %d %d", &user, &nice, &system, &idle, &wait, &irq, &soft, &steal); err != nil {
		return 0
	}
	return time.Duration(user+nice+system+steal) * tick
}
