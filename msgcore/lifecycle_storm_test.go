package msgcore_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

// Sockets come, meet and go at the same moment, monitored: nothing panics,
// nothing hangs, and no peer stays behind.
func TestLifecycleStorm(t *testing.T) {
	for _, scheme := range []string{"tcp", "ipc", "inproc"} {
		t.Run(scheme, func(t *testing.T) {
			endpoint := unused(t, scheme)
			for round := range sized(100, 2000) {
				bo, _ := watched(msgcore.Options{Linger: msgcore.Discard})
				binder := msgcore.NewPull(bo)
				if scheme == "tcp" {
					endpoint = anyPort
				}
				bound := bindTo(t, binder, endpoint)
				var all sync.WaitGroup
				start := make(chan struct{})
				connecting := make([]*msgcore.Socket, 3)
				for i := range connecting {
					co, _ := watched(msgcore.Options{Linger: msgcore.Discard, SendHWM: 10})
					connecting[i] = msgcore.NewPush(co)
					all.Add(2)
					go func() {
						defer all.Done()
						<-start
						_ = connecting[i].Connect(bound)
						_, _ = connecting[i].TrySend(msgcore.Msg{Frames: [][]byte{fmt.Append(nil, round)}})
					}()
					go func() {
						defer all.Done()
						<-start
						if i == 0 {
							connecting[i].Close()
						}
					}()
				}
				all.Add(2)
				go func() {
					defer all.Done()
					<-start
					_ = binder.Unbind(bound)
				}()
				go func() {
					defer all.Done()
					<-start
					binder.Close()
				}()
				close(start)
				all.Wait()
				for _, s := range connecting[1:] {
					// The binder is closed: none of them has a peer any more.
					require.Eventually(t, func() bool { return !hasPeers(s) }, patience, 1e6)
				}
				for _, s := range connecting {
					s.Close()
				}
			}
		})
	}
}
