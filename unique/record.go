package unique

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/solomq/solomq/msgcore/curve"
)

// A record is what the primary publishes about itself. It is a hint where to knock, never a proof that anybody lives
// there: that takes a WELCOME with the same generation.
type record struct {
	Proto      int       // version of the protocol that the primary speaks
	PID        int       // for humans
	UID        int       // -1 where users have no numbers
	Started    time.Time // when it became the primary
	Generation [16]byte  // random, new with each primary
	Endpoint   string    // of the control socket
	ChannelDir string    // where the sockets of its channels are
	AppVersion string

	// Of a primary on tcp only.
	ServerKey curve.PublicKey // which it proves to have
	ClientKey string          // the file with the key to show to it
	Reason    string          // why it is not on ipc; for humans
}

func (r *record) onTCP() bool { return strings.HasPrefix(r.Endpoint, "tcp://") }

// errNoRecord: nobody has published anything that can be used.
var errNoRecord = errors.New("unique: no record of a primary")

const (
	// recordMagic is the first word of a record, and the format's version.
	recordMagic = "solomq-primary/1"
	// maxRecord bounds what is read and written, in bytes. Quoting makes a path of 4096 bytes at most four times longer.
	maxRecord = 64 << 10
)

// appendTo encodes r as lines of text: magic and the length of all that follows, then key=value. Strings are quoted, so
// that paths of any bytes keep to their line. Keys that a reader does not know are for later versions.
func (r *record) appendTo(b []byte) []byte {
	body := make([]byte, 0, 512)
	number := func(key string, v int64) {
		body = append(append(body, key...), '=')
		body = append(strconv.AppendInt(body, v, 10), '\n')
	}
	text := func(key, v string) {
		body = append(append(body, key...), '=')
		body = append(strconv.AppendQuoteToASCII(body, v), '\n')
	}
	number("proto", int64(r.Proto))
	number("pid", int64(r.PID))
	number("uid", int64(r.UID))
	number("started", r.Started.UnixNano())
	body = append(hex.AppendEncode(append(body, "generation="...), r.Generation[:]), '\n')
	text("endpoint", r.Endpoint)
	text("channels", r.ChannelDir)
	text("version", r.AppVersion)
	if r.onTCP() {
		text("server-key", r.ServerKey.String())
		text("client-key", r.ClientKey)
		text("reason", r.Reason)
	}

	b = append(append(b, recordMagic...), ' ')
	b = append(strconv.AppendInt(b, int64(len(body)), 10), '\n')
	return append(b, body...)
}

// parseRecord decodes what appendTo made. Anything else, cut short or changed, is an error that wraps errNoRecord.
func parseRecord(data []byte) (record, error) {
	bad := func(format string, args ...any) (record, error) {
		return record{}, fmt.Errorf("%w: %s", errNoRecord, fmt.Sprintf(format, args...))
	}
	if len(data) > maxRecord {
		return bad("longer than %d bytes", maxRecord)
	}
	head, body, ok := strings.Cut(string(data), "\n")
	size, isOurs := strings.CutPrefix(head, recordMagic+" ")
	if !ok || !isOurs {
		return bad("not in the format %s", recordMagic)
	}
	if n, err := strconv.ParseUint(size, 10, 31); err != nil || int(n) != len(body) {
		return bad("length is %d, announced is %.20q", len(body), size)
	}
	r := record{UID: -1}
	var seen [recordFields]bool
	for line := range strings.Lines(body) {
		key, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		if !ok || !strings.HasSuffix(line, "\n") {
			return bad("line %.40q is not key=value", line)
		}
		field, err := r.set(key, value)
		if err != nil {
			return bad("%s is %.40q", key, value)
		}
		if field < 0 {
			continue
		}
		if seen[field] {
			return bad("%s is there twice", key)
		}
		seen[field] = true
	}
	for i, there := range seen {
		if !there && (i < requiredFields || r.onTCP()) {
			return bad("incomplete")
		}
	}
	if r.onTCP() && !isLoopback(strings.TrimPrefix(r.Endpoint, "tcp://")) {
		return bad("endpoint is not of this host")
	}
	return r, nil
}

// recordFields are known; those behind the first requiredFields are there on tcp only.
const requiredFields, recordFields = 8, 11

// set decodes one field and returns its number, -1 for a key that is not known.
func (r *record) set(key, value string) (field int, err error) {
	switch key {
	case "proto":
		r.Proto, err = parseCount(value, 1)
		return 0, err
	case "pid":
		r.PID, err = parseCount(value, 1)
		return 1, err
	case "uid":
		r.UID, err = parseCount(value, -1)
		return 2, err
	case "started":
		n, err := strconv.ParseInt(value, 10, 64)
		r.Started = time.Unix(0, n)
		return 3, err
	case "generation":
		if len(value) != 2*len(r.Generation) {
			return 4, strconv.ErrSyntax
		}
		_, err = hex.Decode(r.Generation[:], []byte(value))
		return 4, err
	case "endpoint":
		if r.Endpoint, err = unquote(value); err == nil && r.Endpoint == "" {
			err = strconv.ErrSyntax
		}
		return 5, err
	case "channels":
		r.ChannelDir, err = unquote(value)
		return 6, err
	case "version":
		r.AppVersion, err = unquote(value)
		return 7, err
	case "server-key":
		var key string
		if key, err = unquote(value); err == nil {
			r.ServerKey, err = curve.ParsePublicKey(key)
		}
		return 8, err
	case "client-key":
		r.ClientKey, err = unquote(value)
		return 9, err
	case "reason":
		r.Reason, err = unquote(value)
		return 10, err
	}
	return -1, nil
}

// parseCount reads a number of at least least that fits an int everywhere.
func parseCount(s string, least int64) (int, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < least || n > 1<<32-1 || int64(int(n)) != n {
		return 0, strconv.ErrRange
	}
	return int(n), nil
}

// unquote takes double quotes only: strconv knows two more kinds.
func unquote(s string) (string, error) {
	if !strings.HasPrefix(s, `"`) {
		return "", strconv.ErrSyntax
	}
	return strconv.Unquote(s)
}
