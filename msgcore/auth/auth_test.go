package auth_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/crypto/bcrypt"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/auth"
	"github.com/solomq/solomq/msgcore/curve"
	"github.com/solomq/solomq/msgcore/zmtp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 30 * time.Second

func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func newAuth(t testing.TB, o *auth.Options) *auth.Authorizer {
	t.Helper()
	a, err := auth.New(o)
	require.NoError(t, err)
	return a
}

// write writes a file as its owner would.
func write(t testing.TB, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

// bcrypted is password as htpasswd would have it, but quick.
func bcrypted(t testing.TB, password string) string {
	t.Helper()
	h, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	require.NoError(t, err)
	return strings.Replace(string(h), "$2a$", "$2y$", 1)
}

func plain(user, password string) *zmtp.AuthRequest {
	return &zmtp.AuthRequest{Address: "192.0.2.7:5555", Mechanism: "PLAIN", Credentials: [][]byte{[]byte(user), []byte(password)}}
}

func TestAddresses(t *testing.T) {
	for _, c := range []struct {
		deny, allow string
		in, out     string
	}{
		{"", "", "192.0.2.7:1 [2001:db8::1]:1 @ /run/x", ""},
		{"", "192.0.2.7", "192.0.2.7:1 [::ffff:192.0.2.7]:1", "192.0.2.8:1 [2001:db8::1]:1 @"},
		{"", "192.0.2.0/24 2001:db8::/32", "192.0.2.255:1 [2001:db8:1::1]:1 [2001:db8::1%eth0]:1", "192.0.3.0:1 [2001:db9::]:1 @"},
		{"192.0.2.128/25", "192.0.2.0/24 local", "192.0.2.127:1 @ /run/x", "192.0.2.128:1 192.0.2.255:1"},
		{"192.0.2.0/24", "", "192.0.3.1:1 @", "192.0.2.1:1 [::ffff:192.0.2.1]:1"},
		{"local", "", "192.0.3.1:1", "@ /run/x"},
		{"::ffff:192.0.2.0/120", "", "192.0.3.1:1", "192.0.2.200:1"},
		{"", "0.0.0.0/0", "192.0.3.1:1", "[2001:db8::1]:1 @"},
	} {
		a := newAuth(t, &auth.Options{Null: true, Deny: strings.Fields(c.deny), Allow: strings.Fields(c.allow)})
		ask := func(address string) error {
			if address == "@" {
				address = ""
			}
			_, err := a.Authorize(within(t), &zmtp.AuthRequest{Address: address, Mechanism: "NULL"})
			return err
		}
		for _, address := range strings.Fields(c.in) {
			require.NoError(t, ask(address), "%+v: %s", c, address)
		}
		for _, address := range strings.Fields(c.out) {
			require.ErrorContains(t, ask(address), "address is not admitted", "%+v: %s", c, address)
		}
	}
	for _, bad := range []string{"", "host", "192.0.2.0/33", "192.0.2.1/24", "fe80::1%eth0", "192.0.2.7:80", "::ffff:0.0.0.0/90"} {
		for _, o := range []*auth.Options{{Null: true, Deny: []string{bad}}, {Null: true, Allow: []string{bad}}} {
			_, err := auth.New(o)
			require.ErrorContains(t, err, "auth: Options.", bad)
		}
	}
}

// What was not asked for is refused.
func TestDoorsAreShut(t *testing.T) {
	for _, o := range []*auth.Options{nil, {}, {Allow: []string{"local"}}} {
		_, err := auth.New(o)
		require.ErrorContains(t, err, "admit nobody")
	}
	key := make([]byte, curve.KeySize)
	requests := map[string]*zmtp.AuthRequest{
		"NULL":  {Mechanism: "NULL"},
		"PLAIN": plain("bob", "x"),
		"CURVE": {Mechanism: "CURVE", Credentials: [][]byte{key}},
		"OTHER": {Mechanism: "OTHER"},
	}
	path := filepath.Join(t.TempDir(), "users")
	write(t, path, "")
	for name, o := range map[string]*auth.Options{
		"NULL": {Null: true}, "CURVE": {AnyKey: true}, "none": {Passwords: path},
	} {
		a := newAuth(t, o)
		for mechanism, r := range requests {
			_, err := a.Authorize(within(t), r)
			if mechanism == name {
				require.NoError(t, err)
			} else {
				require.Error(t, err, "%s, %s", name, mechanism)
			}
		}
	}
	a := newAuth(t, &auth.Options{AnyKey: true, Passwords: path, Null: true})
	for _, r := range []*zmtp.AuthRequest{
		{Mechanism: "CURVE"},
		{Mechanism: "CURVE", Credentials: [][]byte{key[1:]}},
		{Mechanism: "PLAIN", Credentials: [][]byte{[]byte("bob")}},
	} {
		_, err := a.Authorize(within(t), r)
		require.ErrorContains(t, err, "mechanism")
	}
}

func TestPasswords(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users")
	argon, err := auth.HashPassword([]byte("correct horse"))
	require.NoError(t, err)
	long := strings.Repeat("x", 72)
	write(t, path, fmt.Sprintf("# users\n\nbob:%s\r\nann:%s  \nwörld:%s\nlong:%s", bcrypted(t, "s3cret"), argon, bcrypted(t, ""), bcrypted(t, long)))
	a := newAuth(t, &auth.Options{Passwords: path})
	for user, password := range map[string]string{"bob": "s3cret", "ann": "correct horse", "wörld": "", "long": long} {
		p, err := a.Authorize(within(t), plain(user, password))
		require.NoError(t, err)
		require.Equal(t, zmtp.Properties{zmtp.UserID: user}, p)
	}
	for _, c := range [][2]string{
		{"bob", ""},
		{"bob", "s3cret "},
		{"bob", "correct horse"},
		{"ann", "correct hors"},
		{"eve", "s3cret"},
		{"", ""},
		{"# users", ""},
		{"Bob", "s3cret"},
		{"long", long + "y"},
	} {
		_, err := a.Authorize(within(t), plain(c[0], c[1]))
		require.ErrorContains(t, err, "unknown user or wrong password")
		if c[1] != "" {
			require.NotContains(t, err.Error(), c[1])
		}
	}
	require.NotContains(t, fmt.Sprintf("%v %+v", a, a), argon[20:])
}

// Whoever comes while as many are hashed as there are processors waits for a turn,
// and is told to come again if there is none in time.
func TestHashingIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users")
	write(t, path, "bob:"+bcrypted(t, "s3cret")+"\n")
	a := newAuth(t, &auth.Options{Passwords: path})
	for range cap(auth.Hashing) {
		auth.Hashing <- struct{}{}
	}
	ctx, cancel := context.WithCancel(within(t))
	cancel()
	for _, user := range []string{"bob", "eve"} { // known or not
		_, err := a.Authorize(ctx, plain(user, "s3cret"))
		var rejected *zmtp.RejectedError
		require.ErrorAs(t, err, &rejected)
		require.Equal(t, "300", rejected.Reason)
		require.ErrorIs(t, err, context.Canceled)
	}
	done := make(chan error, 1)
	go func() {
		_, err := a.Authorize(within(t), plain("bob", "s3cret"))
		done <- err
	}()
	select {
	case <-done:
		require.Fail(t, "hashed without a place")
	case <-time.After(10 * time.Millisecond):
	}
	<-auth.Hashing
	require.NoError(t, <-done)
	for range cap(auth.Hashing) - 1 {
		<-auth.Hashing
	}
}

// The file counts as it is now, without a restart; while it is wrong, as it was.
func TestPasswordsAreReloaded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users")
	write(t, path, "bob:"+bcrypted(t, "one")+"\n")
	var told []error
	a := newAuth(t, &auth.Options{Passwords: path, Age: -1, OnError: func(err error) { told = append(told, err) }})
	ask := func(user, password string) bool {
		_, err := a.Authorize(within(t), plain(user, password))
		return err == nil
	}
	require.True(t, ask("bob", "one"))
	write(t, path, "bob:"+bcrypted(t, "two")+"\n") // of the same size, at the same time
	require.False(t, ask("bob", "one"))
	require.True(t, ask("bob", "two"))
	require.Empty(t, told)

	write(t, path, "bob:"+bcrypted(t, "three")+"\nann:")
	require.True(t, ask("bob", "two"))
	require.NotEmpty(t, told)
	require.ErrorContains(t, told[0], path+": line 2: its hash")
	require.ErrorContains(t, a.Reload(), "line 2")

	require.NoError(t, os.Remove(path))
	require.False(t, ask("bob", "two"), "no file, no users")
	write(t, path, "bob:"+bcrypted(t, "four")+"\n")
	require.True(t, ask("bob", "four"))

	old := time.Now().Add(-time.Hour) // long ago: it is not read again
	require.NoError(t, os.Chtimes(path, old, old))
	require.True(t, ask("bob", "four"))
	require.True(t, ask("bob", "four"))
}

// With an age the files are not looked at for each peer.
func TestAge(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users")
	write(t, path, "bob:"+bcrypted(t, "one")+"\n")
	a := newAuth(t, &auth.Options{Passwords: path, Age: time.Hour})
	write(t, path, "")
	_, err := a.Authorize(within(t), plain("bob", "one"))
	require.NoError(t, err)
	require.NoError(t, a.Reload())
	_, err = a.Authorize(within(t), plain("bob", "one"))
	require.Error(t, err)
}

func TestKeys(t *testing.T) {
	dir := t.TempDir()
	save := func(name string, metadata map[string]string) *zmtp.AuthRequest {
		public, secret, err := curve.GenerateKey()
		require.NoError(t, err)
		require.NoError(t, (&curve.Certificate{Public: public, Secret: secret, Metadata: metadata}).Save(filepath.Join(dir, name)))
		return &zmtp.AuthRequest{Mechanism: "CURVE", Credentials: [][]byte{public[:]}}
	}
	bob := save("bob.key", map[string]string{"user-id": "bob", "email": "bob@example.org", "odd@name": "x"})
	ann := save("ann", nil)
	hidden := save(".hidden", nil)
	var told []error
	a := newAuth(t, &auth.Options{Keys: dir, Age: -1, OnError: func(err error) { told = append(told, err) }})
	p, err := a.Authorize(within(t), bob)
	require.NoError(t, err)
	require.Equal(t, zmtp.Properties{zmtp.UserID: "bob", "X-email": "bob@example.org"}, p)
	p, err = a.Authorize(within(t), ann)
	require.NoError(t, err)
	require.Equal(t, zmtp.Properties{zmtp.UserID: curve.PublicKey(ann.Credentials[0]).String()}, p)
	_, err = a.Authorize(within(t), hidden)
	require.ErrorContains(t, err, "not in the directory")

	eve := save("eve", nil)
	_, err = a.Authorize(within(t), eve)
	require.NoError(t, err, "a new one counts at once")
	require.NoError(t, os.Remove(filepath.Join(dir, "bob.key")))
	_, err = a.Authorize(within(t), bob)
	require.Error(t, err, "and so does one that was removed, though the secret one is there")

	require.Empty(t, told)
	write(t, filepath.Join(dir, "zoe"), "curve\n    public-key = \"short\"\n")
	_, err = a.Authorize(within(t), ann)
	require.NoError(t, err, "one that is wrong does not matter to others")
	require.ErrorContains(t, told[0], "zoe")
	require.ErrorContains(t, a.Reload(), "zoe")
	_, err = auth.New(&auth.Options{Keys: dir})
	require.ErrorContains(t, err, "zoe")

	require.NoError(t, os.RemoveAll(dir))
	_, err = a.Authorize(within(t), ann)
	require.Error(t, err, "no directory, no keys")
	_, err = auth.New(&auth.Options{Keys: dir})
	require.ErrorIs(t, err, os.ErrNotExist)
	write(t, dir, "")
	_, err = auth.New(&auth.Options{Keys: dir})
	require.ErrorContains(t, err, "not a directory")
}

// Sockets: who is known talks, who is not is told "400".
func TestSockets(t *testing.T) {
	dir := t.TempDir()
	users, keys := filepath.Join(dir, "users"), filepath.Join(dir, "keys")
	write(t, users, "bob:"+bcrypted(t, "s3cret")+"\n")
	require.NoError(t, os.Mkdir(keys, 0o700))
	server, client, stranger := curve.SecretKey{8}, curve.SecretKey{16}, curve.SecretKey{24}
	require.NoError(t, (&curve.Certificate{Public: client.Public(), Metadata: map[string]string{"user-id": "bob"}}).Save(filepath.Join(keys, "bob")))
	a := newAuth(t, &auth.Options{Passwords: users, Keys: keys, Null: true, Allow: []string{"127.0.0.0/8", "local"}})
	elsewhere := newAuth(t, &auth.Options{Null: true, Allow: []string{"192.0.2.0/24"}})
	for _, c := range []struct {
		name           string
		a              *auth.Authorizer
		server, client zmtp.Mechanism
		user           string // "" is refused
	}{
		{"PLAIN", a, zmtp.PlainServer(), zmtp.PlainClient("bob", "s3cret"), "bob"},
		{"PLAIN, wrong", a, zmtp.PlainServer(), zmtp.PlainClient("bob", "guess"), ""},
		{"CURVE", a, curve.Server(server), curve.Client(client, server.Public()), "bob"},
		{"CURVE, unknown", a, curve.Server(server), curve.Client(stranger, server.Public()), ""},
		{"NULL", a, nil, nil, "-"},
		{"NULL, elsewhere", elsewhere, nil, nil, ""},
	} {
		for _, endpoint := range []string{"tcp://127.0.0.1:*", "ipc://*"} {
			t.Run(c.name+"/"+endpoint[:3], func(t *testing.T) {
				rep := msgcore.NewRep(&msgcore.Options{Mechanism: c.server, Authorize: c.a.Authorize})
				defer rep.Close()
				bound, err := rep.Bind(within(t), endpoint)
				require.NoError(t, err)
				closed := make(chan error, 1)
				req := msgcore.NewReq(&msgcore.Options{
					Mechanism: c.client, Linger: msgcore.Discard,
					Reconnect: msgcore.Reconnect{Refused: -1},
					Monitor: func(e msgcore.Event) {
						if e.Kind == msgcore.Closed {
							closed <- e.Err
						}
					},
				})
				defer req.Close()
				require.NoError(t, req.Connect(bound))
				if c.user == "" {
					var rejected *zmtp.RejectedError
					select {
					case err := <-closed:
						require.ErrorAs(t, err, &rejected)
					case <-within(t).Done():
						require.Fail(t, "not refused")
					}
					require.Equal(t, "400", rejected.Reason)
					return
				}
				require.NoError(t, req.Send(within(t), []byte("hello")))
				m, err := rep.Recv(within(t))
				require.NoError(t, err)
				if c.user != "-" {
					require.Equal(t, c.user, m.Peer().Properties[zmtp.UserID])
				}
			})
		}
	}
}
