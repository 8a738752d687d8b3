package selfcheck_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/solomq/solomq"

// A rule says what the packages below one directory may import besides the
// standard library. Names without a dot in their first element are ours.
type rule struct {
	dir   string
	allow []string
}

// rules draw the one direction of imports, examples -> unique -> msgcore ->
// transport. The last one whose dir fits a package applies; a package that none
// fits has no place in the module. "dir/..." allows dir and what is below it.
var rules = []rule{
	{"transport", nil},
	{"transport/internal/netaddr", nil},
	{"transport/internal/backlog", nil},
	{"transport/internal/mcast", []string{"transport/internal/netaddr", "golang.org/x/net/...", "golang.org/x/sys/..."}},
	{"transport/udp", []string{"transport", "transport/internal/mcast"}},
	{"transport/pgm", []string{"transport", "transport/internal/mcast", "golang.org/x/net/..."}},
	{"transport/tcp", []string{"transport", "transport/internal/netaddr", "transport/internal/backlog", "golang.org/x/sys/..."}},
	{"transport/ipc", []string{"transport", "transport/internal/backlog", "github.com/gofrs/flock", "golang.org/x/sys/..."}},
	{"transport/inproc", []string{"transport"}},
	{"transport/simnet", []string{"transport"}},
	{"transport/transporttest", []string{"transport", "go.uber.org/goleak"}},
	{"msgcore", []string{"transport", "transport/tcp", "transport/ipc", "transport/inproc", "msgcore/zmtp", "msgcore/internal/...", "golang.org/x/sys/..."}},
	{"msgcore/zmtp", nil},
	{"msgcore/auth", []string{"msgcore/curve", "msgcore/zmtp", "golang.org/x/crypto/..."}},
	{"msgcore/curve", []string{"msgcore/zmtp", "golang.org/x/crypto/..."}},
	{"msgcore/internal", []string{"msgcore/internal/..."}},
	{"unique", []string{"msgcore", "msgcore/curve", "msgcore/zmtp", "transport", "transport/ipc", "transport/tcp", "github.com/gofrs/flock", "golang.org/x/sys/..."}},
	{"unique/uniquetest", []string{"unique", "msgcore"}},
	{"examples/cli", []string{"unique", "msgcore"}},
	{"examples/hello", []string{"unique"}},
}

// testsMayToo is what tests may import on top of what their package may.
var testsMayToo = []string{
	"github.com/stretchr/testify/...", "go.uber.org/goleak", "golang.org/x/net/nettest", "github.com/rogpeppe/go-internal/...",
	"transport/transporttest", "unique/uniquetest",
	"msgcore",                        // that a mechanism serves sockets is shown with sockets
	"transport/udp", "transport/pgm", // that others plug in is shown by import
	"golang.org/x/net/...",
	"golang.org/x/sys/...", // named pipes, locks
	"transport/simnet",     // so that time and the network are the test's own
	"transport/inproc",     // the suite for transports is tried out on one
}

// heavy are packages of the standard library that no program of a user should
// link, or initialize at each start, because of us: a second launch of a program
// is to end within a few milliseconds.
var heavy = []string{"net/http", "regexp", "encoding/gob", "encoding/xml", "text/template", "html/template", "net/rpc", "expvar", "testing"}

// slow are packages that ask the processor, at each start, what it can do, which on a
// virtual machine takes as long as all our own starts together, and those that bring
// them. Only a package that slow ones belong to may link them: Argon2 does.
var (
	slow    = []string{"golang.org/x/sys/cpu", "golang.org/x/crypto/blake2b"}
	maySlow = []string{"msgcore/auth"}
)

// unwanted are packages that a library of ours does not import itself: it does
// not log, and has no flags.
var unwanted = append([]string{"log", "flag", "encoding/json"}, heavy...)

// pkg is what go list tells of a package.
type pkg struct {
	ImportPath, Name                   string
	Standard                           bool
	Imports, TestImports, XTestImports []string
	CgoFiles                           []string
	Deps                               []string
}

func TestImportDirection(t *testing.T) {
	for _, system := range []string{"linux/amd64", "darwin/arm64", "windows/amd64", "plan9/amd64", "js/wasm"} {
		t.Run(strings.ReplaceAll(system, "/", "-"), func(t *testing.T) {
			pkgs := list(t, system)
			if len(pkgs) <= 5 {
				t.Fatalf("go list finds only %d packages", len(pkgs))
			}
			for _, p := range pkgs {
				for _, v := range violations(p) {
					t.Error(v)
				}
			}
		})
	}
}

// list asks the go command for the module's packages as they are on system.
func list(t *testing.T, system string) []pkg {
	t.Helper()
	goos, goarch, _ := strings.Cut(system, "/")
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Name,Standard,Imports,TestImports,XTestImports,CgoFiles,Deps", "./...")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}

	var pkgs []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return pkgs
		}
		if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}

// violations tells what of p breaks a rule.
func violations(p pkg) []string {
	var all []string
	add := func(format string, args ...any) {
		all = append(all, strings.TrimPrefix(p.ImportPath, module+"/")+" "+fmt.Sprintf(format, args...))
	}

	r, ok := ruleFor(p.ImportPath)
	if !ok {
		add("is in a directory that no rule knows")
		return all
	}
	for _, i := range p.Imports {
		if !allowed(i, r.allow) {
			add("imports %s", i)
		}
	}
	for _, i := range slices.Concat(p.TestImports, p.XTestImports) {
		own := i == p.ImportPath || strings.HasPrefix(i, p.ImportPath+"/")
		if !own && !allowed(i, r.allow) && !allowed(i, testsMayToo) {
			add("imports %s in a test", i)
		}
	}
	if len(p.CgoFiles) > 0 {
		add("uses cgo in %v", p.CgoFiles)
	}
	if p.Name == "main" || strings.HasSuffix(p.ImportPath, "test") {
		return all // a program chooses for itself, and test code is not linked
	}
	for _, h := range heavy {
		if slices.Contains(p.Deps, h) {
			add("links %s", h)
		}
	}
	for _, h := range slow {
		if slices.Contains(p.Deps, h) && !slices.Contains(maySlow, strings.TrimPrefix(p.ImportPath, module+"/")) {
			add("links %s", h)
		}
	}
	for _, u := range unwanted {
		if slices.Contains(p.Imports, u) {
			add("imports %s", u)
		}
	}
	return all
}

// ruleFor finds the rule of a package: of itself, or of the nearest directory
// above it that has one. The directory transport has none for what is below it,
// so that a new transport gets a rule of its own.
func ruleFor(importPath string) (rule, bool) {
	dir, ours := strings.CutPrefix(importPath, module+"/")
	for first := true; ours && dir != "."; dir, first = path.Dir(dir), false {
		for _, r := range rules {
			if r.dir == dir && (first || strings.Contains(dir, "/")) {
				return r, true
			}
		}
	}
	return rule{}, false
}

// allowed reports whether importPath is of the standard library or in list.
func allowed(importPath string, list []string) bool {
	name, ours := strings.CutPrefix(importPath, module+"/")
	if host, _, _ := strings.Cut(importPath, "/"); !ours && !strings.Contains(host, ".") {
		return importPath != "C"
	}
	return slices.ContainsFunc(list, func(pattern string) bool {
		if dir, all := strings.CutSuffix(pattern, "/..."); all {
			return name == dir || strings.HasPrefix(name, dir+"/")
		}
		return name == pattern
	})
}

// TestViolations shows that the rules above can be broken at all.
func TestViolations(t *testing.T) {
	for name, test := range map[string]struct {
		p    pkg
		want string // empty: none
	}{
		"transport is a leaf":        {pkg{ImportPath: "transport", Imports: []string{"net", "context"}}, ""},
		"and imports nothing":        {pkg{ImportPath: "transport", Imports: []string{"golang.org/x/sys/unix"}}, "imports golang.org/x/sys/unix"},
		"tcp has no sockets":         {pkg{ImportPath: "transport/tcp", Imports: []string{module + "/msgcore"}}, "imports " + module + "/msgcore"},
		"inproc knows no frames":     {pkg{ImportPath: "transport/inproc", Imports: []string{module + "/msgcore/zmtp"}}, "imports " + module + "/msgcore/zmtp"},
		"zmtp is a leaf":             {pkg{ImportPath: "msgcore/zmtp", Imports: []string{module + "/transport"}}, "imports " + module + "/transport"},
		"msgcore is below unique":    {pkg{ImportPath: "msgcore", Imports: []string{module + "/unique"}}, "imports " + module + "/unique"},
		"also in its tests":          {pkg{ImportPath: "msgcore", XTestImports: []string{module + "/unique"}}, "imports " + module + "/unique in a test"},
		"its insides, too":           {pkg{ImportPath: "msgcore/internal/trie", Imports: []string{module + "/msgcore"}}, "imports " + module + "/msgcore"},
		"nobody imports an example":  {pkg{ImportPath: "unique", Imports: []string{module + "/examples/cli"}}, "imports " + module + "/examples/cli"},
		"tests may use testify":      {pkg{ImportPath: "transport", XTestImports: []string{"github.com/stretchr/testify/require"}}, ""},
		"a package may not":          {pkg{ImportPath: "unique", Imports: []string{"github.com/stretchr/testify/require"}}, "imports github.com/stretchr/testify/require"},
		"no second-hand weight":      {pkg{ImportPath: "unique", Deps: []string{"net", "net/http"}}, "links net/http"},
		"nor a slow start":           {pkg{ImportPath: "unique", Deps: []string{"golang.org/x/sys/cpu"}}, "links golang.org/x/sys/cpu"},
		"but for hashes":             {pkg{ImportPath: "msgcore/auth", Deps: []string{"golang.org/x/sys/cpu"}}, ""},
		"no log":                     {pkg{ImportPath: "msgcore", Imports: []string{"log"}}, "imports log"},
		"a program may":              {pkg{ImportPath: "examples/cli", Name: "main", Imports: []string{"flag", "log"}, Deps: []string{"regexp"}}, ""},
		"no cgo":                     {pkg{ImportPath: "msgcore", CgoFiles: []string{"a.go"}}, "uses cgo in [a.go]"},
		"a new transport needs rule": {pkg{ImportPath: "transport/quic"}, "is in a directory that no rule knows"},
		"so does a new top":          {pkg{ImportPath: "pkg/util"}, "is in a directory that no rule knows"},
	} {
		t.Run(name, func(t *testing.T) {
			short := test.p.ImportPath
			test.p.ImportPath = module + "/" + short
			var want []string
			if test.want != "" {
				want = []string{short + " " + test.want}
			}
			if got := violations(test.p); !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}
