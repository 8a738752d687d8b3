package unique

import (
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A long Write may take any time as long as the other side takes of it, and ends
// when it takes nothing for too long.
func TestLongWriteMoves(t *testing.T) {
	const stall = 10 * time.Second
	for _, c := range []struct {
		name  string
		piece int           // that the other side takes at once
		pause time.Duration // of it, ahead of each
		fails bool
	}{
		{"slow", writeStep, stall - time.Second, false},
		{"slow, less than a step", writeStep / 4, stall - time.Second, false},
		{"stopped", writeStep, 3 * stall, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ours, theirs := net.Pipe()
				conn := &patientConn{Conn: ours, stall: stall}
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					for err := error(nil); err == nil; {
						time.Sleep(c.pause)
						_, err = io.ReadFull(theirs, make([]byte, c.piece))
					}
				}()
				require.NoError(t, conn.SetWriteDeadline(time.Now().Add(stall)))
				began := time.Now()
				n, err := conn.Write(make([]byte, 10*writeStep))
				if c.fails {
					require.ErrorIs(t, err, os.ErrDeadlineExceeded)
					require.Zero(t, n)
					require.Equal(t, stall+grace, time.Since(began))
				} else {
					require.NoError(t, err)
					require.Equal(t, 10*writeStep, n)
					require.Equal(t, 10*writeStep/time.Duration(c.piece)*c.pause, time.Since(began))
				}
				require.EqualValues(t, n, conn.written.Load())
				require.NoError(t, conn.Close())
				<-ended
			})
		})
	}
}
