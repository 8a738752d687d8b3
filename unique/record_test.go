package unique_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
)

func fullRecord() unique.Record {
	return unique.Record{
		Proto: 1, PID: 812, UID: 1000,
		Started:    time.Unix(1700000000, 123456789),
		Generation: [16]byte{0, 1, 2, 0xff, 15: 0x80},
		Endpoint:   "ipc:///run/user/1000/solomq/x.sock",
		ChannelDir: "/tmp/odd \"dir\"\nwith = and \xff and \x00",
		AppVersion: "1.2.3 grün",
	}
}

func TestRecordComesBack(t *testing.T) {
	for _, r := range []unique.Record{
		fullRecord(),
		{Proto: 1, PID: 1, UID: -1, Started: time.Unix(0, 0), Endpoint: "x"},
		{Proto: 1<<31 - 1, PID: 1<<31 - 1, UID: 1<<31 - 1, Started: time.Unix(0, -1), Endpoint: strings.Repeat("\n", 4096), ChannelDir: strings.Repeat("\xff", 4096)},
	} {
		data := r.AppendTo(nil)
		got, err := unique.ParseRecord(data)
		require.NoError(t, err)
		require.Equal(t, r, got)
	}
}

// TestRecordOfALaterVersion: keys that are not known are passed over.
func TestRecordOfALaterVersion(t *testing.T) {
	r := fullRecord()
	body := string(r.AppendTo(nil))
	_, body, _ = strings.Cut(body, "\n")
	body = "flavour=7\n" + body + "flavour=\"x\"\n"
	got, err := unique.ParseRecord([]byte(recordHead(body) + body))
	require.NoError(t, err)
	require.Equal(t, r, got)
}

func recordHead(body string) string {
	return "solomq-primary/1 " + strconv.Itoa(len(body)) + "\n"
}

func TestGarbledRecords(t *testing.T) {
	r := fullRecord()
	good := r.AppendTo(nil)
	refuse := func(data []byte) {
		t.Helper()
		_, err := unique.ParseRecord(data)
		require.ErrorIs(t, err, unique.ErrNoRecord, "%q", data)
	}
	for n := range good {
		refuse(good[:n])
	}
	refuse(append(bytes.Clone(good), '\n'))
	refuse(bytes.Replace(good, []byte("solomq-primary/1"), []byte("solomq-primary/2"), 1))
	refuse(make([]byte, 1<<20))
	change := func(old, new string) {
		t.Helper()
		_, body, _ := strings.Cut(string(good), "\n")
		require.Contains(t, body, old)
		body = strings.Replace(body, old, new, 1)
		refuse([]byte(recordHead(body) + body))
	}
	change("pid=812\n", "")
	change("pid=812\n", "pid=812\npid=812\n")
	change("pid=812", "pid=0")
	change("pid=812", "pid=-1")
	change("pid=812", "pid=18446744073709551617")
	change("pid=812", "pid= 812")
	change("proto=1", "proto=0")
	change("uid=1000", "uid=-2")
	change("generation=00", "generation=")
	change("generation=00", "generation=0")
	change("generation=00", "generation=zz")
	change("generation=00", "generation=0000")
	change(`endpoint="ipc:`, `endpoint=ipc:`)
	change(`"1.2.3`, "`1.2.3")
	change(`endpoint="ipc:///run/user/1000/solomq/x.sock"`, `endpoint=""`)
	change("uid=1000\n", "uid=1000\nnonsense\n")
	change("uid=1000\n", "uid=1000\n\n")
}

// TestForeignFilesAreNoRecord: whatever lies at the path, it is as if there was nothing, and no primary is hindered.
func TestForeignFilesAreNoRecord(t *testing.T) {
	s := openSite(t, "x", privateOptions(t))
	r := fullRecord()
	good := r.AppendTo(nil)
	for name, place := range map[string]func(path string) error{
		"nothing":   func(string) error { return nil },
		"empty":     func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"cut":       func(path string) error { return os.WriteFile(path, good[:len(good)-1], 0o600) },
		"huge":      func(path string) error { return os.WriteFile(path, make([]byte, 1<<20), 0o600) },
		"directory": func(path string) error { return os.Mkdir(path, 0o700) },
	} {
		require.NoError(t, place(s.RecordPath()), name)
		_, err := s.ReadRecord()
		require.ErrorIs(t, err, unique.ErrNoRecord, name)
		won := win(t, s)
		require.NoError(t, won.Publish(r), name)
		got, err := s.ReadRecord()
		require.NoError(t, err, name)
		require.Equal(t, r, got, name)
		require.NoError(t, won.Release(), name)
	}
}

// TestPublishFillsIn: what the primary need not know by itself.
func TestPublishFillsIn(t *testing.T) {
	s := openSite(t, "x", privateOptions(t))
	won := win(t, s)
	before := time.Now()
	require.NoError(t, won.Publish(unique.Record{Proto: 1, Endpoint: "ipc://x"}))
	r, err := s.ReadRecord()
	require.NoError(t, err)
	require.Equal(t, os.Getpid(), r.PID)
	require.Equal(t, os.Geteuid(), r.UID)
	require.Equal(t, filepath.Join(s.Dir(), "s"), r.ChannelDir)
	require.False(t, r.Started.Before(before.Truncate(0)) || r.Started.After(time.Now()))
	require.ErrorContains(t, won.Publish(unique.Record{Proto: 1, Endpoint: strings.Repeat("x", 1<<16)}), "at most 65536 are read")
	again, err := s.ReadRecord()
	require.NoError(t, err)
	require.Equal(t, r, again, "a record that could not be written leaves the last one")
	require.NoError(t, won.Release())
}

// TestReadersSeeWholeRecords: while the primary publishes again and again.
func TestReadersSeeWholeRecords(t *testing.T) {
	o := privateOptions(t)
	s, reader := openSite(t, "x", o), openSite(t, "x", o)
	won := win(t, s)
	require.NoError(t, won.Publish(testRecord(1)))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range size(300, 5000) {
			r := testRecord(byte(i))
			r.AppVersion = strings.Repeat("v", i%251)
			if err := won.Publish(r); err != nil {
				t.Error(err)
			}
		}
	}()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for reading := true; reading; {
		if onWindows { // where a file cannot be replaced while it is open, so there must be moments when it is not
			<-tick.C
		}
		select {
		case <-done:
			reading = false
		default:
		}
		_, err := reader.ReadRecord()
		require.NoError(t, err)
	}
	require.NoError(t, won.Release())
}

func FuzzRecord(f *testing.F) {
	r := fullRecord()
	good := r.AppendTo(nil)
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add([]byte("solomq-primary/1 0\n"))
	f.Add([]byte("solomq-primary/1 9999999999999999999\nproto=1\n"))
	f.Add(bytes.Replace(good, []byte("pid="), []byte("bid="), 1))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := unique.ParseRecord(data)
		if err != nil {
			require.ErrorIs(t, err, unique.ErrNoRecord)
			return
		}
		again, err := unique.ParseRecord(r.AppendTo(nil))
		require.NoError(t, err)
		require.Equal(t, r, again)
	})
}

func BenchmarkSecondLaunchLookup(b *testing.B) {
	o := &unique.Options{Dir: privateDir(b)}
	s := openSite(b, "x", o)
	won, err := s.Elect(b.Context())
	require.NoError(b, err)
	require.NoError(b, won.Publish(testRecord(1)))
	for b.Loop() {
		s, err := unique.OpenSite("x", o)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.ReadRecord(); err != nil {
			b.Fatal(err)
		}
	}
	require.NoError(b, won.Release())
}

// rewriteRecord changes the record of the primary of testID.
func rewriteRecord(t *testing.T, opts *unique.Options, pattern, with string) {
	t.Helper()
	where, err := unique.Where(testID, opts)
	require.NoError(t, err)
	old, err := os.ReadFile(where.Record)
	require.NoError(t, err)
	_, body, _ := strings.Cut(string(old), "\n")
	changed := regexp.MustCompile(pattern).ReplaceAllLiteralString(body, with)
	require.NotEqual(t, body, changed)
	text := fmt.Sprintf("solomq-primary/1 %d\n%s", len(changed), changed)
	require.NoError(t, os.WriteFile(where.Record, []byte(text), 0o600))
}
