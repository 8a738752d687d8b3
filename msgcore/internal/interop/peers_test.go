package interop_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// A peer is a language, or a library of one, that the same program is written in.
type peer struct {
	name    string
	install string   // what to install
	try     []string // a command that succeeds if it is installed
	build   []string // makes it; OUT stands for a folder of its own
	run     []string // runs it; the sockets follow
	old     bool     // it speaks ZMTP 2.0, and no ipc that others understand
	drafts  bool     // it has the socket types that are drafts in libzmq

	once sync.Once
	dir  string
	err  error
}

const jeromq = "/usr/share/java/jeromq.jar"

var peers = []*peer{
	{
		name: "C", install: "gcc libzmq3-dev",
		build: []string{"gcc", "-o", "OUT/c", "testdata/peer.c", "-lzmq"}, run: []string{"OUT/c"},
	},
	{
		name: "CZMQ", install: "gcc libczmq-dev",
		build: []string{"gcc", "-o", "OUT/czmq", "testdata/czmq.c", "-lczmq", "-lzmq"}, run: []string{"OUT/czmq"},
	},
	{
		name: "C++", install: "g++ cppzmq-dev",
		build: []string{"g++", "-std=c++17", "-o", "OUT/cpp", "testdata/peer.cpp", "-lzmq"}, run: []string{"OUT/cpp"},
	},
	{
		name: "Java, JeroMQ", install: "default-jdk-headless libjeromq-java", old: true,
		build: []string{"javac", "-cp", jeromq, "-d", "OUT", "testdata/Peer.java"},
		run:   []string{"java", "-XX:TieredStopAtLevel=1", "-cp", jeromq + ":OUT", "Peer"},
	},
	{
		name: "JavaScript, zeromq", install: "nodejs, and zeromq by npm ci in .ci/node, with NODE_PATH", drafts: true,
		try: []string{"node", "-e", "require('zeromq')"}, run: []string{"node", "--no-warnings", "testdata/peer.js"},
	},
	{
		name: "Ruby, ffi-rzmq", install: "ruby-ffi-rzmq",
		try: []string{"ruby", "-e", "require 'ffi-rzmq'"}, run: []string{"ruby", "testdata/peer.rb"},
	},
	{
		name: "PHP, php-zmq", install: "php-cli php-zmq",
		try: []string{"php", "-r", "new ZMQContext();"}, run: []string{"php", "testdata/peer.php"},
	},
	{
		name: "Perl, ZMQ::FFI", install: "libzmq-ffi-perl",
		try: []string{"perl", "-e", "use ZMQ::FFI"}, run: []string{"perl", "testdata/peer.pl"},
	},
	{
		name: "Common Lisp, SBCL", install: "sbcl libzmq5",
		try: []string{"sbcl", "--version"}, run: []string{"sbcl", "--script", "testdata/peer.lisp", "--"},
	},
}

// ready makes the peer's program, once. A peer that is missing fails the test in
// CI, and skips it elsewhere.
func (p *peer) ready(t *testing.T) {
	t.Helper()
	p.once.Do(func() {
		if p.dir, p.err = os.MkdirTemp("", "peer"); p.err != nil {
			return
		}
		for _, cmd := range [][]string{p.try, p.build} {
			if len(cmd) == 0 || p.err != nil {
				continue
			}
			var out []byte
			if out, p.err = p.command(cmd).CombinedOutput(); p.err != nil {
				t.Logf("%s: %v\n%s", cmd, p.err, out)
			}
		}
	})
	switch {
	case p.err == nil:
	case os.Getenv("CI") == "true":
		t.Fatalf("no peer in %s (install %s): %v", p.name, p.install, p.err)
	default:
		t.Skipf("no peer in %s (install %s): %v", p.name, p.install, p.err)
	}
}

func (p *peer) command(words []string, more ...string) *exec.Cmd {
	var args []string
	for _, w := range words {
		args = append(args, string(bytes.ReplaceAll([]byte(w), []byte("OUT"), []byte(p.dir))))
	}
	return exec.Command(args[0], append(args[1:], more...)...)
}

// start runs the peer with the given sockets until the test ends.
func (p *peer) start(t *testing.T, sockets ...string) {
	t.Helper()
	cmd := p.command(p.run, sockets...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("%s said: %s", filepath.Base(cmd.Path), said.Bytes())
		}
	})
}
