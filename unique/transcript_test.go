package unique_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
)

// Transcripts are whole conversations, byte for byte: what the secondary says, as
// our encoder writes it, and what the primary answers. A line is a direction (> to
// the primary), the name of the kind, and the frames in hexadecimal, an empty one
// as "-". SOLOMQ_UPDATE=1 writes them anew, for a version of the protocol that
// means to differ.

var transcripts = []struct {
	name, about string
	delimited   bool
	say         []unique.Message
}{
	{"req", "A REQ peer, which puts an empty frame first: \"true\" in the directory \"/\". A second GO finds nothing to run.", true, []unique.Message{
		{Kind: unique.KindHello, MinVersion: 1, MaxVersion: 1},
		{Kind: unique.KindRequest, Args: []string{"true"}, Dir: "/"},
		goes,
		goes,
	}},
	{"streams", "\"cat\" with all streams: input only after the primary's CREDIT, then its end.", false, []unique.Message{
		{Kind: unique.KindHello, MinVersion: 1, MaxVersion: 1, AppVersion: "1.0"},
		{
			Kind: unique.KindRequest, Args: []string{"cat", "", "\xff\n"}, Env: []string{"TERM=vt100"}, DirCode: 1, Token: "token", StartupID: "id",
			Streams: unique.WantStdin | unique.WantStdout | unique.WantStderr | unique.WantProgress, Window: 256 << 10, Payload: [][]byte{[]byte("data"), {}},
		},
		goes,
		{Kind: unique.KindStdin, Payload: [][]byte{[]byte("hello\n")}},
		{Kind: unique.KindCredit, Stream: 1, Credit: 6},
		{Kind: unique.KindCredit, Stream: 3, Credit: 1},
		{Kind: unique.KindStdin, End: unique.EndNormal},
	}},
	{"endings", "Every other way in which a request can end.", false, []unique.Message{
		{Kind: unique.KindRequest, Args: []string{"decline"}},
		goes,
		{Kind: unique.KindRequest, Args: []string{"panic"}},
		goes,
		{Kind: unique.KindRequest, Args: []string{"wait"}},
		goes,
		{Kind: unique.KindSignal, Signal: "TERM"},
		{Kind: unique.KindRequest, Args: []string{"wait"}},
		goes,
		cancel,
		{Kind: unique.KindRequest, Args: []string{strings.Repeat("x", 200)}},
		{Kind: unique.KindHello, MinVersion: 2, MaxVersion: 3},
		{Kind: unique.KindRequest, Args: []string{"true"}},
		cancel,
		goes,
	}},
	{"commands", "Commands with their answers, a terminal that changes its size, and an invocation that was deferred.", false, []unique.Message{
		{Kind: unique.KindRequest, Command: "open", Targets: []string{"a", "file:///b"}, Dir: "/"},
		goes,
		{Kind: unique.KindRequest, Command: "close"},
		goes,
		{
			Kind: unique.KindRequest, Args: []string{"size"}, Env: []string{"TERM=xterm"},
			Streams: unique.WantStdout, Terminal: unique.WantStdin | unique.WantStdout, Rows: 24, Columns: 80,
		},
		goes,
		{Kind: unique.KindSignal, Signal: "WINCH", Rows: 50, Columns: 132},
	}},
	{"takeover", "A successor without a ticket, which is refused, and one with it; what comes then is sent on to it.", false, []unique.Message{
		{Kind: unique.KindTakeover},
		{Kind: unique.KindTakeover, AppVersion: "3.0", Ticket: ticket},
		{Kind: unique.KindHello, MinVersion: 1, MaxVersion: 1},
		{Kind: unique.KindRequest, Args: []string{"true"}},
		{Kind: unique.KindTakeover, Ticket: ticket},
	}},
}

var ticket = [16]byte{15: 1}

func transcriptHandler(ctx context.Context, inv *unique.Invocation) int {
	switch inv.Command {
	case unique.CommandOpen:
		return len(inv.Targets)
	case unique.CommandClose:
		inv.Answer = unique.AnswerCanceled
		return 0
	}
	switch inv.Args[0] {
	case "cat":
		_, _ = io.Copy(inv.Stdout, inv.Stdin)
		fmt.Fprintln(inv.Stderr, "done")
		inv.Progress(unique.Progress{Done: 1, Total: 2, Text: "half"})
		inv.Progress(unique.Progress{Done: 2, Total: 2, Text: "all"})
		inv.Reply = inv.Data
	case "size":
		<-inv.Signals()
		rows, columns := inv.Terminal.Size()
		exit := inv.Defer()
		go func() {
			fmt.Fprintln(inv.Stdout, rows, columns, inv.Terminal.Term, inv.Terminal.Stderr)
			exit(6)
		}()
	case "decline":
		return unique.NotHandled
	case "panic":
		panic("value")
	case "wait":
		select {
		case sig := <-inv.Signals():
			fmt.Fprint(io.Discard, sig)
			return 143
		case <-ctx.Done():
			return 1
		}
	}
	return 0
}

func TestTranscripts(t *testing.T) {
	for _, tt := range transcripts {
		t.Run(tt.name, func(t *testing.T) {
			var got strings.Builder
			fmt.Fprintf(&got, "# %s\n", tt.about)
			synctest.Test(t, func(t *testing.T) { converse(t, &got, tt.delimited, tt.say) })
			name := filepath.Join("testdata", tt.name+".transcript")
			if os.Getenv("SOLOMQ_UPDATE") != "" {
				require.NoError(t, os.WriteFile(name, []byte(got.String()), 0o644))
			}
			want, err := os.ReadFile(name)
			require.NoError(t, err)
			require.Equal(t, strings.ReplaceAll(string(want), "\r\n", "\n"), got.String())
		})
	}
}

func converse(t *testing.T, log *strings.Builder, delimited bool, say []unique.Message) {
	note := func(direction string, frames [][]byte) {
		envelope := frames
		if delimited {
			require.Empty(t, frames[0])
			envelope = frames[1:]
		}
		m, err := unique.Decode(envelope)
		require.NoError(t, err)
		fmt.Fprintf(log, "%s %v", direction, m.Kind)
		for _, f := range frames {
			if len(f) == 0 {
				log.WriteString(" -")
				continue
			}
			log.WriteString(" " + hex.EncodeToString(f))
		}
		log.WriteString("\n")
	}
	port := &unique.FakePort{In: make(chan unique.Packet), Closed: make(chan struct{})}
	port.Out = func(_ string, frames [][]byte) { note("<", frames) }
	srv := unique.NewServer(port, &unique.Options{Version: "2.0", MaxRequest: 200, OnPanic: func(*unique.Invocation, any, []byte) {}})
	srv.Invite(ticket)
	go srv.Serve(t.Context(), transcriptHandler)
	for _, m := range say {
		synctest.Wait()
		frames := m.Frames()
		if delimited {
			frames = append([][]byte{{}}, frames...)
		}
		note(">", frames)
		port.In <- unique.Packet{From: "peer", Frames: frames}
		synctest.Wait()
	}
	srv.Close(t.Context())
}
