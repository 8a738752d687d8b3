package msgcore_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"github.com/solomq/solomq/msgcore"
)

// A store is a map that others have copies of.
type store struct {
	updates, snapshots *msgcore.Socket // PUB and REP

	mu     sync.Mutex // guards what follows, and the order of updates
	values map[string]string
	seq    uint64
}

func (s *store) set(ctx context.Context, key, value string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq++
	s.values[key] = value
	return s.updates.Send(ctx, binary.BigEndian.AppendUint64(nil, s.seq), []byte(key), []byte(value))
}

// serve answers each request with the number of the last update, and all keys and
// values.
func (s *store) serve(ctx context.Context) {
	for m, err := range s.snapshots.Messages(ctx) {
		if err != nil {
			return
		}
		s.mu.Lock()
		snapshot := [][]byte{binary.BigEndian.AppendUint64(nil, s.seq)}
		for k, v := range s.values {
			snapshot = append(snapshot, []byte(k), []byte(v))
		}
		s.mu.Unlock()
		check(m.Reply(ctx, snapshot...))
	}
}

// Clone in small: a copy is a snapshot and the updates behind it. The copy
// subscribes first and asks then, so that no update is missed, and leaves out
// those that the snapshot has.
func Example_clone() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	s := &store{updates: msgcore.NewPub(nil), snapshots: msgcore.NewRep(nil), values: map[string]string{}}
	defer s.updates.Close()
	defer s.snapshots.Close()
	go s.serve(ctx)
	check(s.set(ctx, "colour", "red"))

	sub, req := msgcore.NewSub(nil), msgcore.NewReq(nil)
	defer sub.Close()
	defer req.Close()
	check(sub.Subscribe(""))
	connect(s.updates, sub)
	connect(s.snapshots, req)
	check(s.updates.WaitSubscribers(ctx, 1))
	check(s.set(ctx, "size", "large")) // comes both ways

	snapshot, err := req.Request(ctx, []byte("all"))
	check(err)
	clone := map[string]string{}
	have := binary.BigEndian.Uint64(snapshot.Frames[0])
	for pairs := snapshot.Frames[1:]; len(pairs) > 0; pairs = pairs[2:] {
		clone[string(pairs[0])] = string(pairs[1])
	}
	fmt.Println(have, clone)
	check(s.set(ctx, "colour", "blue"))
	for have < 3 {
		m, err := sub.Recv(ctx)
		check(err)
		if seq := binary.BigEndian.Uint64(m.Frames[0]); seq > have {
			clone[string(m.Frames[1])], have = string(m.Frames[2]), seq
		}
	}
	fmt.Println(have, clone)
	// Output:
	// 2 map[colour:red size:large]
	// 3 map[colour:blue size:large]
}
