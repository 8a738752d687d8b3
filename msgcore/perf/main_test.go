package main

import (
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain lets the test program stand in for a measuring program: one that acts
// as the environment says.
func TestMain(m *testing.M) {
	switch act := os.Getenv("PERF_TEST_ACT"); act {
	case "":
		goleak.VerifyTestMain(m)
	case "hang":
		fmt.Println("ready nowhere")
		<-time.After(2 * time.Minute)
	case "die":
		fmt.Fprintln(os.Stderr, "some detail\nthe reason")
		os.Exit(3)
	case "talk":
		fmt.Println("hello")
		fmt.Println("ready tcp://127.0.0.1:1")
		fmt.Println("result messages=500 seconds=0.5 total=1000 p50=7")
		<-time.After(2 * time.Minute)
	default:
		fmt.Fprintln(os.Stderr, "no act", act)
		os.Exit(2)
	}
}
