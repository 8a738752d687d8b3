package msgcore

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

// A readAll is a connection whose other end has read everything.
type readAll struct {
	net.Conn
	n int64
}

func (c *readAll) Delivery() (written, read int64, final bool) { return c.n, c.n, false }

// A connection on which only heartbeats go does not gather where they ended.
func TestTranslationForgetsWhatWasRead(t *testing.T) {
	c := &readAll{}
	tr := over(c)
	for range 100 * fewReceipts {
		tr.add(7, 30)
		c.n += 30
	}
	require.LessOrEqual(t, len(tr.ends), fewReceipts)
	read, final := tr.readBack()
	require.EqualValues(t, 100*fewReceipts*7, read)
	require.False(t, final)
}
