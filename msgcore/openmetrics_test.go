package msgcore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

// A metricFamily is one of an exposition.
type metricFamily struct {
	kind, unit string
	samples    map[string]uint64 // by name and labels, in the order of the text
}

var (
	metricName = regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*$`)
	labelName  = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
	counterEnd = "_total"
)

// parseMetrics reads the text of OpenMetrics 1.0, as far as counters and gauges of
// whole numbers go, and accepts nothing that the specification forbids.
func parseMetrics(text string) (map[string]*metricFamily, error) {
	if !utf8.ValidString(text) {
		return nil, errors.New("not UTF-8")
	}
	body, ok := strings.CutSuffix(text, "# EOF\n")
	if !ok || body != "" && !strings.HasSuffix(body, "\n") {
		return nil, errors.New("the end is missing")
	}
	all := map[string]*metricFamily{}
	var cur *metricFamily
	var curName string
	for _, line := range strings.Split(strings.TrimSuffix(body, "\n"), "\n") {
		if about, ok := strings.CutPrefix(line, "# "); ok {
			word := strings.SplitN(about, " ", 3)
			if len(word) != 3 || !metricName.MatchString(word[1]) {
				return nil, fmt.Errorf("%q", line)
			}
			if word[1] != curName {
				if all[word[1]] != nil {
					return nil, fmt.Errorf("the family %s comes twice", word[1])
				}
				cur, curName = &metricFamily{samples: map[string]uint64{}}, word[1]
				all[curName] = cur
			}
			switch {
			case len(cur.samples) > 0:
				return nil, fmt.Errorf("%q behind samples", line)
			case word[0] == "TYPE" && cur.kind == "" && (word[2] == "counter" || word[2] == "gauge"):
				cur.kind = word[2]
			case word[0] == "UNIT" && cur.unit == "" && strings.HasSuffix(curName, "_"+word[2]):
				cur.unit = word[2]
			case word[0] == "HELP":
			default:
				return nil, fmt.Errorf("%q", line)
			}
			continue
		}
		name, labels, value, err := parseSample(line)
		if err != nil {
			return nil, err
		}
		want := curName
		if cur != nil && cur.kind == "counter" {
			want += counterEnd
		}
		if cur == nil || name != want {
			return nil, fmt.Errorf("%q is not of the family %q", line, curName)
		}
		key := name + fmt.Sprintf("%q", labels)
		if _, twice := cur.samples[key]; twice {
			return nil, fmt.Errorf("%q comes twice", line)
		}
		cur.samples[key] = value
	}
	return all, nil
}

// parseSample reads one line: a name, labels (names and values in turn) and a value.
func parseSample(line string) (name string, labels []string, value uint64, err error) {
	bad := fmt.Errorf("the sample %q", line)
	name, rest, ok := strings.Cut(line, "{")
	if !ok || !metricName.MatchString(name) {
		return "", nil, 0, bad
	}
	for seen := map[string]bool{}; ; {
		label, more, ok := strings.Cut(rest, `="`)
		if !ok || !labelName.MatchString(label) || seen[label] {
			return "", nil, 0, bad
		}
		seen[label] = true
		var text strings.Builder
		i := 0
		for ; i < len(more) && more[i] != '"'; i++ {
			c := more[i]
			if c == '\\' {
				if i++; i == len(more) {
					return "", nil, 0, bad
				}
				switch more[i] {
				case '\\', '"':
					c = more[i]
				case 'n':
					c = '\n'
				default:
					return "", nil, 0, bad
				}
			}
			text.WriteByte(c)
		}
		labels = append(labels, label, text.String())
		if i == len(more) {
			return "", nil, 0, bad
		}
		if rest, ok = strings.CutPrefix(more[i+1:], ","); !ok {
			break
		}
	}
	number, ok := strings.CutPrefix(rest, "} ")
	if !ok {
		return "", nil, 0, bad
	}
	value, err = strconv.ParseUint(number, 10, 64)
	return name, labels, value, err
}

func metricsOf(t testing.TB, sockets map[string]*msgcore.Socket) map[string]*metricFamily {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, msgcore.WriteOpenMetrics(&b, sockets))
	all, err := parseMetrics(b.String())
	require.NoError(t, err, b.String())
	return all
}

func TestOpenMetrics(t *testing.T) {
	overAll(t, func(t *testing.T, wildcard string) {
		router, dealer := open(t, msgcore.Router, nil), open(t, msgcore.Dealer, nil)
		endpoint := bindTo(t, router, wildcard)
		require.NoError(t, dealer.Connect(endpoint))
		sendTexts(t, dealer, "hello")
		m := recvTexts(t, router)
		sendTexts(t, router, m...)
		sendTexts(t, router, "nobody", "x")
		require.Equal(t, []string{"hello"}, recvTexts(t, dealer))
		require.Eventually(t, func() bool { return router.Stats().MessagesOut == 1 && router.Stats().HandshakeSucceeded == 1 }, patience, time.Millisecond)

		all := metricsOf(t, map[string]*msgcore.Socket{"front": router, "worker \"1\"\n": dealer})
		of := func(family, labels string) uint64 {
			f := all[family]
			require.NotNil(t, f, family)
			key := family + labels
			if f.kind == "counter" {
				key = family + counterEnd + labels
			}
			require.Contains(t, f.samples, key)
			return f.samples[key]
		}
		front := `"socket" "front" "type" "ROUTER"`
		require.EqualValues(t, 1, of("solomq_messages", "["+front+` "direction" "in"]`))
		require.EqualValues(t, 1, of("solomq_messages", "["+front+` "direction" "out"]`))
		require.EqualValues(t, 7, of("solomq_traffic_bytes", "["+front+` "direction" "in"]`))
		require.EqualValues(t, 1, of("solomq_dropped_messages", "["+front+` "cause" "unroutable"]`))
		require.EqualValues(t, 0, of("solomq_queued_messages", "["+front+` "direction" "out"]`))
		require.EqualValues(t, 1, of("solomq_peers", "["+front+`]`))
		require.EqualValues(t, 1, of("solomq_connection_events", "["+front+` "event" "handshake succeeded"]`))
		require.EqualValues(t, 1, of("solomq_messages", `["socket" "worker \"1\"\n" "type" "DEALER" "direction" "in"]`))
		require.Equal(t, "bytes", all["solomq_queued_bytes"].unit)
		peer := router.PeerStats()[0]
		addr := peer.RemoteAddr
		if strings.HasPrefix(wildcard, "ipc") && peer.PID > 0 {
			addr = fmt.Sprint("pid ", peer.PID)
		}
		require.EqualValues(t, 1, of("solomq_peer_messages", "["+front+fmt.Sprintf(` "endpoint" %q "peer" %q "id" "%d" "direction" "in"]`, endpoint, addr, peer.ID)))
	})
}

// Without sockets there are families without samples; closed ones keep their
// counters, and those without valid options have none.
func TestOpenMetricsOfClosedSockets(t *testing.T) {
	require.Len(t, metricsOf(t, nil)["solomq_messages"].samples, 0)
	s := open(t, msgcore.Router, nil)
	sendTexts(t, s, "nobody", "x")
	require.NoError(t, s.Close())
	all := metricsOf(t, map[string]*msgcore.Socket{"": s, "none": msgcore.New(0, nil)})
	require.EqualValues(t, 1, all["solomq_dropped_messages"].samples[`solomq_dropped_messages_total["socket" "" "type" "ROUTER" "cause" "unroutable"]`])
	require.Contains(t, all["solomq_peers"].samples, `solomq_peers["socket" "none" "type" "Type(0)"]`)
}

// A socket of many peers has metrics for those with the most messages, and peers
// that look alike are told apart, so that no counter falls when one goes.
func TestOpenMetricsOfManyPeers(t *testing.T) {
	const n = 150
	simulate(t, func(t *testing.T, net *sim) {
		pull, _ := at(t, net.server, msgcore.Pull, msgcore.Options{})
		bindTo(t, pull, simBind)
		for i := range n {
			push, _ := at(t, net.client, msgcore.Push, msgcore.Options{})
			require.NoError(t, push.Connect(simDial))
			for range i % 3 {
				sendTexts(t, push, "x")
				recvTexts(t, pull)
			}
		}
		require.NoError(t, pull.WaitPeers(t.Context(), n))
		all := metricsOf(t, map[string]*msgcore.Socket{"pull": pull})
		require.EqualValues(t, n, all["solomq_peers"].samples[`solomq_peers["socket" "pull" "type" "PULL"]`])
		sum, peers := uint64(0), 0
		for labels, v := range all["solomq_peer_messages"].samples {
			if strings.HasSuffix(labels, `"in"]`) {
				sum += v
				peers++
			}
		}
		require.Equal(t, 100, peers)
		require.EqualValues(t, n, sum, "those with messages are 100")
	})
	pull := open(t, msgcore.Pull, nil)
	endpoint := bindTo(t, pull, "inproc://*")
	var pushes []*msgcore.Socket
	for i := range 3 {
		push := open(t, msgcore.Push, nil)
		require.NoError(t, push.Connect(endpoint))
		for range i + 1 {
			sendTexts(t, push, "x")
			recvTexts(t, pull)
		}
		pushes = append(pushes, push)
	}
	came := func() map[string]uint64 {
		found := map[string]uint64{}
		for labels, v := range metricsOf(t, map[string]*msgcore.Socket{"pull": pull})["solomq_peer_messages"].samples {
			if strings.HasSuffix(labels, ` "in"]`) {
				found[labels] = v
			}
		}
		return found
	}
	series := func(id int) string {
		return fmt.Sprintf(`solomq_peer_messages_total["socket" "pull" "type" "PULL" "endpoint" %q "peer" %q "id" "%d" "direction" "in"]`, endpoint, endpoint, id)
	}
	require.Equal(t, map[string]uint64{series(1): 1, series(2): 2, series(3): 3}, came())
	require.NoError(t, pushes[1].Close())
	require.Eventually(t, func() bool { return len(came()) == 2 }, patience, time.Millisecond)
	again := open(t, msgcore.Push, nil)
	require.NoError(t, again.Connect(endpoint))
	sendTexts(t, again, "x")
	recvTexts(t, pull)
	require.Equal(t, map[string]uint64{series(1): 1, series(3): 3, series(4): 1}, came())
}

// The error is the writer's.
func TestOpenMetricsWriteError(t *testing.T) {
	r, w := io.Pipe()
	no := errors.New("full")
	r.CloseWithError(no)
	require.ErrorIs(t, msgcore.WriteOpenMetrics(w, nil), no)
}

func FuzzOpenMetricsLabels(f *testing.F) {
	s := msgcore.NewRouter(nil)
	defer s.Close()
	_ = s.Send(context.Background(), []byte("nobody"), []byte("x"))
	for _, name := range []string{"", "plain", `a"b\c`, "two\nlines", "\\n", "\xff", "\u2028", "} 1\n# EOF\n"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		all := metricsOf(t, map[string]*msgcore.Socket{name: s, name + "'s other": s})
		f := all["solomq_dropped_messages"]
		for _, n := range []string{name, name + "'s other"} {
			n = strings.ToValidUTF8(n, "\uFFFD")
			require.EqualValues(t, 1, f.samples[`solomq_dropped_messages_total`+fmt.Sprintf("%q", []string{"socket", n, "type", "ROUTER", "cause", "unroutable"})])
		}
	})
}
