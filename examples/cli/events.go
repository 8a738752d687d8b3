package main

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/solomq/solomq/unique"
)

// channel is the application's PUB channel. The queue publishes an event, as
// one frame of JSON, for whatever happens.
const channel = "events"

// An event is what the queue tells its watchers.
type event struct {
	Seq     uint64        `json:"seq"`               // counts the events of a queue process, without gaps
	Job     *record       `json:"job,omitempty"`     // a job's new state
	Written map[int]int64 `json:"written,omitempty"` // by id, how many bytes the running jobs have written
	End     bool          `json:"end,omitempty"`     // the queue ends
}

// A snapshot is the state after the event Seq, which is published for it.
type snapshot struct {
	Seq  uint64   `json:"seq"`
	Jobs []record `json:"jobs"` // those that wait or run
}

// snapshot answers a watcher. The event that it publishes lets the watcher
// see that its subscription is in force; see attach.
func (q *queue) snapshot(inv *unique.Invocation) int {
	q.mu.Lock()
	q.publish(&event{})
	snap := snapshot{Seq: q.seq}
	for _, j := range q.alive {
		snap.Jobs = append(snap.Jobs, j.rec)
	}
	q.mu.Unlock()
	slices.SortFunc(snap.Jobs, func(a, b record) int { return a.ID - b.ID })
	if err := json.NewEncoder(inv.Stdout).Encode(snap); err != nil {
		return exitFailed
	}
	return 0
}

// publish tells the watchers. The caller holds q.mu.
func (q *queue) publish(e *event) {
	q.seq++
	e.Seq = q.seq
	body, err := json.Marshal(e)
	if err == nil {
		q.events.Send(context.Background(), body) // PUB drops what a slow watcher does not take; it will notice
	}
}

// reportOutput tells the watchers every second how much the running jobs have
// written.
func (q *queue) reportOutput(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	told := map[int]int64{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		q.mu.Lock()
		now := map[int]int64{}
		changed := false
		for id, j := range q.alive {
			if j.rec.State == running {
				now[id] = j.outputSize()
				changed = changed || now[id] != told[id]
			}
		}
		if changed {
			q.publish(&event{Written: now})
		}
		q.mu.Unlock()
		told = now
	}
}
