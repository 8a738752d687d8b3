package msgcore_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

// A REQ with several connections reads the one that its request went out on,
// while Requests are under way on all of them, and Recv is
// given up now and then.
func TestLockstepManyConnections(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		const peers, trips, callers = 3, 300, 4
		req := msgcore.NewReq(nil)
		defer req.Close()
		var served sync.WaitGroup
		defer served.Wait()
		for i := range peers {
			rep := msgcore.NewRep(nil)
			defer rep.Close()
			where := ep
			if where[:3] != "tcp" {
				where += fmt.Sprint(i)
			}
			bound, err := rep.Bind(ctx30(t), where)
			require.NoError(t, err)
			require.NoError(t, req.Connect(bound))
			served.Go(func() {
				for m, err := range rep.Messages(ctx30(t)) {
					if err != nil || m.Reply(ctx30(t), m.Frames...) != nil {
						return
					}
					m.Release()
				}
			})
		}
		require.NoError(t, req.WaitPeers(ctx30(t), peers))

		var done sync.WaitGroup
		for c := range callers {
			done.Go(func() {
				for i := range trips {
					ask := fmt.Sprintf("caller %d, request %d", c, i)
					m, err := req.Request(ctx30(t), []byte(ask))
					if err != nil || string(m.Bytes()) != ask {
						t.Errorf("%s: the reply is %q, %v", ask, m.Bytes(), err)
						return
					}
					m.Release()
				}
			})
		}
		for i := range trips {
			ask := fmt.Sprint("request ", i)
			require.NoError(t, req.Send(ctx30(t), []byte(ask)))
			if i%10 == 0 {
				impatient, cancel := context.WithTimeout(t.Context(), time.Microsecond)
				m, err := req.Recv(impatient)
				cancel()
				if err == nil {
					require.Equal(t, ask, string(m.Bytes()))
					continue
				}
			}
			m, err := req.Recv(ctx30(t))
			require.NoError(t, err)
			require.Equal(t, ask, string(m.Bytes()))
			m.Release()
		}
		done.Wait()
	})
}
