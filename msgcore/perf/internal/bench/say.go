package bench

import (
	"os"
	"strconv"
	"strings"
)

// Ready tells where the program is bound.
func Ready(addresses ...string) {
	os.Stdout.WriteString("ready " + strings.Join(addresses, ",") + "\n")
}

// Note tells something else that is waited for, such as "idle".
func Note(word string) { os.Stdout.WriteString(word + "\n") }

// A Value is one number of a result.
type Value struct {
	Key string
	V   float64
}

// Result tells what was measured and ends the process.
func Result(values ...Value) {
	var b strings.Builder
	b.WriteString("result")
	for _, v := range values {
		b.WriteString(" " + v.Key + "=" + strconv.FormatFloat(v.V, 'g', -1, 64))
	}
	os.Stdout.WriteString(b.String() + "\n")
	Exit(0)
}

// Sleep keeps the program as it is, idle, until it is ended.
func Sleep() error {
	<-make(chan struct{})
	return nil
}
