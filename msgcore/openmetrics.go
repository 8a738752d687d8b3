package msgcore

import (
	"bufio"
	"cmp"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// OpenMetricsType is the Content-Type of what WriteOpenMetrics writes.
const OpenMetricsType = "application/openmetrics-text; version=1.0.0; charset=utf-8"

// metricPeers is how many peers of a socket have metrics of their own.
const metricPeers = 100

// WriteOpenMetrics writes the Stats and PeerStats of sockets as the text of
// OpenMetrics 1.0, which Prometheus and others read. The keys are the
// application's names of the sockets, by which they are told apart; one that is not
// valid UTF-8 has U+FFFD in place of what is not, and a number behind it where that
// leaves two alike. It may be called at any time, for
// closed sockets, too. The error is that of w.
//
// The families, with the labels socket (the name) and type:
//
//	solomq_messages_total, solomq_traffic_bytes_total                  with direction in or out
//	solomq_queued_messages, solomq_queued_bytes                        gauges, likewise
//	solomq_dropped_messages_total                                      with the DropCause as cause
//	solomq_in_doubt_messages_total, solomq_in_doubt_bytes_total
//	solomq_reconnects_total
//
//	solomq_connection_events_total                                     with the EventKind as event
//	solomq_lost_events_total                                           of Options.Monitor
//	solomq_packets_total                                               with what became of them as fate
//	solomq_peers                                                       a gauge: those that are connected
//
// Those down to the empty line are there for each peer as well, as
// solomq_peer_messages_total and so on, with the labels endpoint (of ours), peer (its
// address, or "pid 123" where it has none, as on ipc) and id (PeerStats.ID), which tells
// apart those that have the others in common: no counter ever falls. There are at most
// 100 peers of each socket, those with the most messages.
func WriteOpenMetrics(w io.Writer, sockets map[string]*Socket) error {
	var all []measured
	names := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(sockets)) {
		s := sockets[name]
		unique := strings.ToValidUTF8(name, "\uFFFD")
		for i := 2; names[unique]; i++ {
			unique = strings.ToValidUTF8(name, "\uFFFD") + strconv.Itoa(i)
		}
		names[unique] = true
		all = append(all, measure(unique, s))
	}
	m := metrics{w: bufio.NewWriter(w), escapes: strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)}
	m.traffic("solomq_", "", func(each func(labels []string, t *Traffic, d *DropStats)) {
		for i := range all {
			each(all[i].labels, &all[i].stats.Traffic, &all[i].stats.DropStats)
		}
	})
	m.family("solomq_connection_events", "counter", "", "What happened to connections.")
	for _, s := range all {
		st := &s.stats
		for _, e := range [...]struct {
			kind EventKind
			n    uint64
		}{
			{Accepted, st.Accepted},
			{AcceptRefused, st.AcceptRefused},
			{AcceptFailed, st.AcceptFailed},
			{Connected, st.Connected},
			{ConnectRetried, st.ConnectRetried},
			{HandshakeSucceeded, st.HandshakeSucceeded},
			{HandshakeFailed, st.HandshakeFailed},
			{Disconnected, st.Disconnected},
		} {
			m.sample("_total", e.n, s.labels, "event", e.kind.String())
		}
	}
	m.family("solomq_lost_events", "counter", "", "Events that the monitor was too slow for.")
	for _, s := range all {
		m.sample("_total", s.stats.LostEvents, s.labels)
	}
	m.family("solomq_packets", "counter", "", "Packets of udp, pgm and epgm that something is to be said of.")
	for _, s := range all {
		p := &s.stats.Packets
		m.sample("_total", p.Malformed, s.labels, "fate", "malformed")
		m.sample("_total", p.Unsent, s.labels, "fate", "unsent")
		m.sample("_total", p.Lost, s.labels, "fate", "lost")
		m.sample("_total", p.Repaired, s.labels, "fate", "repaired")
		m.sample("_total", p.Repairs, s.labels, "fate", "repair")
		m.sample("_total", p.Refused, s.labels, "fate", "refused")
	}
	m.family("solomq_peers", "gauge", "", "Peers that are connected.")
	for _, s := range all {
		m.sample("", s.connected, s.labels)
	}
	m.traffic("solomq_peer_", " of each peer", func(each func(labels []string, t *Traffic, d *DropStats)) {
		for i := range all {
			for _, p := range all[i].peers {
				labels := append(slices.Clip(all[i].labels), "endpoint", p.Endpoint, "peer", p.RemoteAddr, "id", strconv.FormatUint(p.ID, 10))
				each(labels, &p.Traffic, &p.DropStats)
			}
		}
	})
	m.text("# EOF\n")
	return m.w.Flush() // which has the first error
}

// A measured is what is written of one socket.
type measured struct {
	labels    []string // names and values
	stats     Stats
	connected uint64
	peers     []*PeerStats
}

func measure(name string, s *Socket) measured {
	m := measured{labels: []string{"socket", name, "type", s.typ.String()}, stats: s.Stats()}
	for _, p := range s.PeerStats() {
		if p.Connected {
			m.connected++
		}
		if (p.RemoteAddr == "" || p.RemoteAddr == "@") && p.PID > 0 {
			p.RemoteAddr = "pid " + strconv.Itoa(p.PID)
		}
		m.peers = append(m.peers, &p)
	}
	if len(m.peers) > metricPeers {
		slices.SortStableFunc(m.peers, func(a, b *PeerStats) int {
			return -cmp.Compare(a.MessagesIn+a.MessagesOut, b.MessagesIn+b.MessagesOut)
		})
		m.peers = m.peers[:metricPeers]
	}
	return m
}

// metrics writes families of samples.
type metrics struct {
	w       *bufio.Writer
	name    string            // of the family
	escapes *strings.Replacer // in labels
}

func (m *metrics) text(parts ...string) {
	for _, s := range parts {
		_, _ = m.w.WriteString(s) // Flush tells the error
	}
}

// family begins a family; unit, if there is one, is the end of its name.
func (m *metrics) family(name, kind, unit, help string) {
	m.name = name
	m.text("# TYPE ", name, " ", kind, "\n")
	if unit != "" {
		m.text("# UNIT ", name, " ", unit, "\n")
	}
	m.text("# HELP ", name, " ", help, "\n")
}

// sample writes one value, with the labels of what it is of, names and values, and more.
func (m *metrics) sample(suffix string, value uint64, of []string, more ...string) {
	m.text(m.name, suffix)
	sep := "{"
	for _, labels := range [...][]string{of, more} {
		for i := 0; i < len(labels); i += 2 {
			m.text(sep, labels[i], `="`, m.label(labels[i+1]), `"`)
			sep = ","
		}
	}
	m.text("} ", strconv.FormatUint(value, 10), "\n")
}

// label is how a label's value is written.
func (m *metrics) label(value string) string {
	return m.escapes.Replace(strings.ToValidUTF8(value, "\uFFFD"))
}

// traffic writes the families that sockets and peers have in common.
func (m *metrics) traffic(prefix, of string, all func(each func(labels []string, t *Traffic, d *DropStats))) {
	ways := func(suffix string, value func(t *Traffic) (in, out uint64)) {
		all(func(labels []string, t *Traffic, _ *DropStats) {
			in, out := value(t)
			m.sample(suffix, in, labels, "direction", "in")
			m.sample(suffix, out, labels, "direction", "out")
		})
	}
	one := func(value func(t *Traffic) uint64) {
		all(func(labels []string, t *Traffic, _ *DropStats) { m.sample("_total", value(t), labels) })
	}
	m.family(prefix+"messages", "counter", "messages", "Messages that came, and that were written"+of+".")
	ways("_total", func(t *Traffic) (in, out uint64) { return t.MessagesIn, t.MessagesOut })
	m.family(prefix+"traffic_bytes", "counter", "bytes", "Bytes of these messages"+of+", in their framing.")
	ways("_total", func(t *Traffic) (in, out uint64) { return t.BytesIn, t.BytesOut })
	m.family(prefix+"queued_messages", "gauge", "messages", "Messages that wait to be received, and to be written"+of+".")
	ways("", func(t *Traffic) (in, out uint64) { return t.QueuedIn, t.QueuedOut })
	m.family(prefix+"queued_bytes", "gauge", "bytes", "Bytes of these messages"+of+".")
	ways("", func(t *Traffic) (in, out uint64) { return t.QueuedInBytes, t.QueuedOutBytes })
	m.family(prefix+"dropped_messages", "counter", "messages", "Messages that were given up"+of+", by cause.")
	all(func(labels []string, _ *Traffic, d *DropStats) {
		for c, n := range d.byCause() {
			if n != nil {
				m.sample("_total", *n, labels, "cause", DropCause(c).String())
			}
		}
	})
	m.family(prefix+"in_doubt_messages", "counter", "messages", "Messages that were written to connections that then broke, and may not have arrived"+of+".")
	one(func(t *Traffic) uint64 { return t.InDoubt })
	m.family(prefix+"in_doubt_bytes", "counter", "bytes", "Bytes of these messages"+of+".")
	one(func(t *Traffic) uint64 { return t.InDoubtBytes })
	m.family(prefix+"reconnects", "counter", "", "Connections that were made again"+of+".")
	one(func(t *Traffic) uint64 { return t.Reconnects })
}
