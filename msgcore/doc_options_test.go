package msgcore_test

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/curve"
	"github.com/solomq/solomq/msgcore/zmtp"
)

// zmqOptions are the socket options of libzmq 4.3.5 by the order of their
// numbers, and then those of its contexts.
const zmqOptions = `
AFFINITY ROUTING_ID SUBSCRIBE UNSUBSCRIBE RATE RECOVERY_IVL SNDBUF RCVBUF RCVMORE FD EVENTS TYPE LINGER
RECONNECT_IVL BACKLOG RECONNECT_IVL_MAX MAXMSGSIZE SNDHWM RCVHWM MULTICAST_HOPS RCVTIMEO SNDTIMEO IPV4ONLY
LAST_ENDPOINT ROUTER_MANDATORY TCP_KEEPALIVE TCP_KEEPALIVE_CNT TCP_KEEPALIVE_IDLE TCP_KEEPALIVE_INTVL
TCP_ACCEPT_FILTER IMMEDIATE XPUB_VERBOSE ROUTER_RAW IPV6 MECHANISM PLAIN_SERVER PLAIN_USERNAME PLAIN_PASSWORD
CURVE_SERVER CURVE_PUBLICKEY CURVE_SECRETKEY CURVE_SERVERKEY PROBE_ROUTER REQ_CORRELATE REQ_RELAXED CONFLATE
ZAP_DOMAIN ROUTER_HANDOVER TOS IPC_FILTER_PID IPC_FILTER_UID IPC_FILTER_GID CONNECT_ROUTING_ID GSSAPI_SERVER
GSSAPI_PRINCIPAL GSSAPI_SERVICE_PRINCIPAL GSSAPI_PLAINTEXT HANDSHAKE_IVL SOCKS_PROXY XPUB_NODROP XPUB_MANUAL
XPUB_WELCOME_MSG STREAM_NOTIFY INVERT_MATCHING HEARTBEAT_IVL HEARTBEAT_TTL HEARTBEAT_TIMEOUT XPUB_VERBOSER
CONNECT_TIMEOUT TCP_MAXRT THREAD_SAFE MULTICAST_MAXTPDU VMCI_BUFFER_SIZE VMCI_BUFFER_MIN_SIZE
VMCI_BUFFER_MAX_SIZE VMCI_CONNECT_TIMEOUT USE_FD GSSAPI_PRINCIPAL_NAMETYPE GSSAPI_SERVICE_PRINCIPAL_NAMETYPE
BINDTODEVICE ZAP_ENFORCE_DOMAIN LOOPBACK_FASTPATH METADATA MULTICAST_LOOP ROUTER_NOTIFY XPUB_MANUAL_LAST_VALUE
SOCKS_USERNAME SOCKS_PASSWORD IN_BATCH_SIZE OUT_BATCH_SIZE WSS_KEY_PEM WSS_CERT_PEM WSS_TRUST_PEM WSS_HOSTNAME
WSS_TRUST_SYSTEM ONLY_FIRST_SUBSCRIBE RECONNECT_STOP HELLO_MSG DISCONNECT_MSG PRIORITY BUSY_POLL HICCUP_MSG
XSUB_VERBOSE_UNSUBSCRIBE TOPICS_COUNT NORM_MODE NORM_UNICAST_NACK NORM_BUFFER_SIZE NORM_SEGMENT_SIZE
NORM_BLOCK_SIZE NORM_NUM_PARITY NORM_NUM_AUTOPARITY NORM_PUSH
IO_THREADS MAX_SOCKETS SOCKET_LIMIT THREAD_PRIORITY THREAD_SCHED_POLICY MAX_MSGSZ MSG_T_SIZE
THREAD_AFFINITY_CPU_ADD THREAD_AFFINITY_CPU_REMOVE THREAD_NAME_PREFIX ZERO_COPY_RECV IPV6 BLOCKY`

// The table of options has a row for each of libzmq's, and all that it names in
// Go exists.
func TestOptionsTable(t *testing.T) {
	b, err := os.ReadFile("doc_options.go")
	require.NoError(t, err)
	row := regexp.MustCompile(`(?m)^//\tZMQ_(\S+) +(\S.*)$`)
	var names, rows []string
	for _, m := range row.FindAllStringSubmatch(string(b), -1) {
		names, rows = append(names, m[1]), append(rows, m[2])
	}
	require.ElementsMatch(t, strings.Fields(zmqOptions), names)

	types := map[string]reflect.Type{
		"Options":    reflect.TypeFor[msgcore.Options](),
		"Socket":     reflect.TypeFor[*msgcore.Socket](),
		"Msg":        reflect.TypeFor[msgcore.Msg](),
		"PeerInfo":   reflect.TypeFor[msgcore.PeerInfo](),
		"ZAPOptions": reflect.TypeFor[msgcore.ZAPOptions](),
	}
	functions := map[string]any{
		"curve.Client": curve.Client, "curve.Server": curve.Server,
		"zmtp.PlainClient": zmtp.PlainClient, "zmtp.PlainServer": zmtp.PlainServer,
	}
	path := regexp.MustCompile(`\b[A-Za-z]+(\.[A-Z]\w*)+`)
	for i, row := range rows {
		found := path.FindAllString(row, -1)
		if !strings.HasPrefix(row, "none") && row != "likewise" {
			require.NotEmpty(t, found, "%s says neither what nor why not: %s", names[i], row)
		}
		for _, name := range found {
			if functions[name] != nil {
				continue
			}
			parts := strings.Split(name, ".")
			typ := types[parts[0]]
			require.NotNil(t, typ, "%s names %s", names[i], name)
			for _, part := range parts[1:] {
				if _, ok := typ.MethodByName(part); ok {
					continue
				}
				require.Equal(t, reflect.Struct, typ.Kind(), "%s names %s", names[i], name)
				f, ok := typ.FieldByName(part)
				require.True(t, ok, "%s names %s, but there is no %s", names[i], name, part)
				typ = f.Type
			}
		}
	}

	// And every option that has to do with patterns is in it.
	text := strings.Join(rows, "\n")
	o := types["Options"]
	for _, group := range []string{"Req", "Router", "Pub", "Sub", "Stream", "Heartbeat", "Reconnect"} {
		f, _ := o.FieldByName(group)
		for i := range f.Type.NumField() {
			require.Contains(t, text, "Options."+group+"."+f.Type.Field(i).Name)
		}
	}
}
