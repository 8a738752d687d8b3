package uniquetest

import (
	"bytes"
	"context"
	"embed"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/solomq/solomq/msgcore"
)

// A Client is a secondary that is put to the test, in whatever language: it
// hands args over to the primary whose record is at that path, and returns the
// exit code that it was told. If it was told none, that is an error. It ends
// when ctx does.
type Client func(ctx context.Context, record string, args []string) (exitCode int, err error)

//go:embed testdata/client
var clientTranscripts embed.FS

// Conform checks a client against recorded conversations, in which it meets
// primaries that do what the protocol lets them do (PROTOCOL.md). Each is a
// transcript in testdata/client: "> KIND" is what the client has to say, "<
// KIND" and the frames in hexadecimal, an empty one as "-", what it is answered,
// "x" the end of the primary, and "= CODE" or "= error" what has to come of it.
// What it says besides must not be GO.
func Conform(t *testing.T, c Client) {
	names, err := fs.Glob(clientTranscripts, "testdata/client/*.transcript")
	if err != nil || len(names) == 0 {
		t.Fatalf("uniquetest: no transcripts: %v", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(path.Base(name), ".transcript"), func(t *testing.T) {
			text, err := clientTranscripts.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			replay(t, c, strings.Split(strings.TrimSpace(string(text)), "\n"))
		})
	}
}

// clientArgs are what the client hands over.
var clientArgs = []string{"program", "", "a\nb", "c|d \xff"}

// generation is that of the primary in all transcripts.
const generation = "000102030405060708090a0b0c0d0e0f"

// A replayer is the primary of a transcript.
type replayer struct {
	t      *testing.T
	router *msgcore.Socket
	record string
	last   msgcore.Msg // of the client

	welcome string // the line that answers HELLO, once that was said
}

func replay(t *testing.T, c Client, lines []string) {
	t.Log(lines[0])
	dir := Options(t).Dir
	r := &replayer{t: t, router: msgcore.NewRouter(nil), record: filepath.Join(dir, "x.primary")}
	defer r.router.Close()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	endpoint, err := r.router.Bind(ctx, "ipc://"+filepath.Join(dir, "x.sock"))
	if err != nil {
		t.Fatal(err)
	}
	r.publish(dir, endpoint)
	type result struct {
		code int
		err  error
	}
	done := make(chan result, 1)
	client, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		code, err := c(client, r.record, clientArgs)
		done <- result{code, err}
	}()
	var want string
	for _, line := range lines[1:] {
		what, rest, _ := strings.Cut(line, " ")
		switch what {
		case ">":
			r.expect(ctx, rest)
		case "<":
			r.answer(ctx, rest)
		case "x":
			r.router.Close()
		case "=":
			want = rest
		default:
			t.Fatalf("uniquetest: %q is no line of a transcript", line)
		}
	}
	if err := os.Remove(r.record); err != nil {
		t.Error(err)
	}
	got := make(chan result, 1)
	go func() {
		// A client that starts over finds nobody, but it may try for long.
		timer := time.AfterFunc(time.Second, func() {
			if want == "error" {
				stop()
			}
		})
		defer timer.Stop()
		got <- <-done
		cancel() // ends idle
	}()
	r.idle(ctx)
	switch res := <-got; {
	case want == "error" && res.err == nil:
		t.Errorf("the client says code %d, which nobody told it", res.code)
	case want != "error" && res.err != nil:
		t.Errorf("the client fails: %v", res.err)
	case want != "error" && strconv.Itoa(res.code) != want:
		t.Errorf("the client says code %d, it was told %s", res.code, want)
	}
}

// publish writes the record of the primary.
func (r *replayer) publish(dir, endpoint string) {
	body := fmt.Sprintf("proto=1\npid=812\nuid=%d\nstarted=1777777777000000000\ngeneration=%s\nendpoint=%q\nchannels=%q\nversion=\"\"\n",
		os.Geteuid(), generation, endpoint, dir)
	text := fmt.Sprintf("solomq-primary/1 %d\n%s", len(body), body)
	if err := os.WriteFile(r.record, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// kinds are those that a client may say, by name.
var kinds = map[string]byte{"HELLO": 1, "REQUEST": 3, "GO": 7, "CANCEL": 16}

// expect waits for a message of the client, which has to be of that kind. A HELLO
// may come again at any time before GO.
func (r *replayer) expect(ctx context.Context, kind string) {
	r.t.Helper()
	for {
		m, err := r.router.Recv(ctx)
		if err != nil {
			r.t.Fatalf("the client did not say %s: %v", kind, err)
		}
		r.last = m
		head, err := headOf(m)
		if err != nil {
			r.t.Fatalf("instead of %s: %v", kind, err)
		}
		if head[3] == kinds["HELLO"] && r.welcome != "" { // it may ask again while it waits
			r.answer(ctx, r.welcome)
			continue
		}
		if head[3] != kinds[kind] {
			r.t.Fatalf("the client said kind %d instead of %s", head[3], kind)
		}
		if kind == "REQUEST" {
			r.checkRequest(head)
		}
		return
	}
}

// headOf returns the first frame of the envelope.
func headOf(m msgcore.Msg) ([]byte, error) {
	frames := m.Frames[1:]
	if len(frames) > 1 && len(frames[0]) == 0 {
		frames = frames[1:] // the delimiter of a REQ
	}
	if len(frames) == 0 || len(frames[0]) < 4 || !bytes.HasPrefix(frames[0], []byte("UQ\x01")) {
		return nil, errors.New("what came is no message of version 1")
	}
	return frames[0], nil
}

// checkRequest looks at what a REQUEST has to hold.
func (r *replayer) checkRequest(head []byte) {
	var args []string
	dir := false
	for b := head[4:]; len(b) > 0; {
		if len(b) < 5 || uint64(binary.BigEndian.Uint32(b[1:])) > uint64(len(b)-5) {
			r.t.Fatal("a field of REQUEST goes beyond its end")
		}
		tag, n := b[0], binary.BigEndian.Uint32(b[1:])
		value := b[5 : 5+n]
		switch tag {
		case 16:
			args = append(args, string(value))
		case 18, 19, 20:
			dir = true
		}
		b = b[5+n:]
	}
	if !slices.Equal(args, clientArgs) {
		r.t.Errorf("REQUEST holds the arguments %q instead of %q", args, clientArgs)
	}
	if !dir {
		r.t.Error("REQUEST holds neither a directory nor why there is none")
	}
}

// answer sends what a transcript says.
func (r *replayer) answer(ctx context.Context, line string) {
	fields := strings.Fields(line)
	if fields[0] == "WELCOME" {
		r.welcome = line
	}
	var frames [][]byte
	for _, f := range fields[1:] {
		b, err := hex.DecodeString(strings.TrimSuffix(f, "-"))
		if err != nil {
			r.t.Fatalf("uniquetest: transcript: %v", err)
		}
		frames = append(frames, b)
	}
	to := [][]byte{r.last.Frames[0]}
	if len(r.last.Frames) > 2 && len(r.last.Frames[1]) == 0 {
		to = append(to, nil)
	}
	if err := r.router.Send(ctx, append(to, frames...)...); err != nil {
		r.t.Fatalf("uniquetest: the answer was not sent: %v", err)
	}
}

// idle listens on until ctx ends: nothing may be run any more.
func (r *replayer) idle(ctx context.Context) {
	for {
		m, err := r.router.Recv(ctx)
		if err != nil {
			<-ctx.Done() // of a primary that has ended
			return
		}
		if head, err := headOf(m); err == nil && head[3] == kinds["GO"] {
			r.t.Error("the client said GO although nothing was offered to it")
		}
	}
}
