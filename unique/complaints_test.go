package unique_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A complaint is what users of other single-instance helpers suffer from, and
// what shows that it does not happen here: tests, or a sentence of doc.go that
// says why it cannot.
type complaint struct {
	about string
	tests []string
	doc   string
}

var complaints = []complaint{
	// Election and what is left behind.
	{about: "P1 after a crash the program never starts again", tests: []string{"TestKilledPrimary", "TestProcessKilledPrimary"}},
	{about: "P2 a reused process id keeps it from starting", tests: []string{"TestTextOfTheLockDecidesNothing"}},
	{about: "P3 process ids of another namespace are believed", tests: []string{"TestProcessContainers"}, doc: "nothing is decided by process ids"},
	{about: "P4 two primaries after a restart, since the lock file is removed", tests: []string{"TestProcessStorm", "TestLockFilesStay", "TestReplacedLockFile"}},
	{about: "P5 a lock vanishes when any descriptor of its file is closed", tests: []string{"TestElection"}},
	{about: "P6 the garbage collector gives the lock back", tests: []string{"TestCollectorKeepsTheLock", "TestProcessForgottenInstance"}},
	{about: "P7 a child process inherits the place", tests: []string{"TestChildDoesNotInheritThePlace", "TestDetachedDoesNotKeepThePlace"}},
	{about: "P8 a secondary hangs although a time-out was given", tests: []string{"TestProcessStoppedPrimary", "TestProcessFullBacklog"}},
	{about: "P9 the loser of the election goes on as a second primary", tests: []string{"TestProcessCrowd", "TestStaleRecord"}},
	{about: "P10 a primary that boots is not reached", tests: []string{"TestForwardBeforeServe", "TestRequestWaitsForServe"}},
	{about: "P11 a lock of a host of another name", tests: []string{"TestProcessContainers", "TestNetworkFileSystems"}, doc: "nothing is decided by process ids, names or"},
	{about: "P12 a lock on a network file system freezes the program", tests: []string{"TestGateHoldsElectionsBack", "TestNetworkFileSystems"}},
	{about: "P13 a live lock is stolen because of its age", doc: "names or\nages"},
	{about: "P14 every launch exits silently because the owner hangs", tests: []string{"TestProcessStoppedPrimary"}},
	{about: "P15 some want to start anyway, others never two", tests: []string{"TestProcessHungPrimary"}},
	// Primaries that hang or leave.
	{about: "P16 a frozen primary swallows launches", tests: []string{"TestProcessStoppedPrimary", "TestServeThreeSteps"}},
	{about: "P17 connecting blocks, as the queue of connections is full", tests: []string{"TestProcessFullBacklog"}},
	{about: "P18 a healthy primary is killed because a message is large", tests: []string{"TestForwardLargest", "TestForwardTooLarge", "TestInnocentIsNotTerminated"}},
	{about: "P19 a primary that ends takes a request with it", tests: []string{"TestIdleExitWindow", "TestProcessRunStorm", "TestLeaving"}},
	{about: "P19b the old process deletes the new one's socket", tests: []string{"TestWithdrawLeavesOthersAlone", "TestWipedDirectory"}},
	{about: "P20 after an update nothing runs", tests: []string{"TestProcessRelaunchStorm", "TestProcessRelaunchVersion"}},
	{about: "P21 a restart after a crash comes too early", tests: []string{"TestProcessKilledPrimary", "TestForwardFindsTheNextPrimary"}},
	{about: "P22 the loser boots before it notices", doc: "It should come first of all in a program"},
	// What is handed over.
	{about: "P23 arguments are cut, split or garbled", tests: []string{"TestForwardAnyBytes", "TestWireArguments"}},
	{about: "P24 arguments are reordered", tests: []string{"TestForwardEverything"}},
	{about: "P25 a relative path is opened in the wrong directory", tests: []string{"TestForwardMissingDir", "TestProcessDeletedDir", "TestTargetPath"}},
	{about: "P26 many launches at once lose or repeat some", tests: []string{"TestProcessCrowd"}},
	{about: "P27 what comes before the handler is set is lost", tests: []string{"TestForwardBeforeServe"}},
	{about: "P28 a handler that panics freezes the primary", tests: []string{"TestPanicIsReportedAndSurvived", "TestForwardPanicAndNotHandled"}},
	{about: "P29 a reply reaches the wrong secondary", tests: []string{"TestProcessRunStorm", "TestProcessCrowd"}},
	{about: "P30 waiting for the end of the work never ends", tests: []string{"TestDefer", "TestDeferredAtTheEnd"}},
	{about: "P31 waiting until the primary exits is wanted", tests: []string{"TestWaitExit"}},
	{about: "P32 completion waits for a collector", tests: []string{"TestDefer"}},
	{about: "P33 Ctrl-C at the waiting secondary is not passed on", tests: []string{"TestProcessSignal", "TestProcessCallerGone", "TestForwardCanceled", "TestProcessTerminal"}},
	{about: "P34 files and URLs that macOS hands over as events", doc: "Open events of macOS"},
	{about: "P35 notifications that a sandbox blocks", doc: "no notifications, no bus and no broker"},
	// Identity and place.
	{about: "P36 each AppImage has a path of its own", tests: []string{"TestProcessAppImage"}, doc: "nor by the path of the executable"},
	{about: "P37 Flatpak and Snap have directories of their own", tests: []string{"TestOrderOfDirectories"}},
	{about: "P38 cron, su, ssh and services have another environment", tests: []string{"TestOrderOfDirectories", "TestBareAccount"}},
	{about: "P39 the path of a socket is too long", tests: []string{"TestLongID", "TestDeepDir"}},
	{about: "P40 another version has the same name", tests: []string{"TestOnVersion", "TestWireUnknownFieldIsSkipped", "TestTranscripts"}},
	{about: "P41 several users, or sessions, on one machine", tests: []string{"TestScopes", "TestScopeOfDisplays", "TestServerOfAnotherUser"}},
	{about: "P42 several displays", tests: []string{"TestScopeOfDisplays", "TestForwardedEnv"}},
	{about: "P43 an elevated primary ignores a normal launch", tests: []string{"TestErrorsTellTheHolder", "TestServerOfAnotherUser"}},
	{about: "P44 a bus that is gone, a socket that was cleaned away", tests: []string{"TestPrimaryIsFoundAgain", "TestDirectoryIsKeptLocked", "TestLostPlace"}},
	// Focus.
	{about: "P45 on Windows the window only flashes", tests: []string{"TestFocusIsGrantedFirst"}},
	{about: "P46 Wayland and X11 need a token", tests: []string{"TestTokensTravel", "TestCurrent", "TestChildEnv"}},
	// Other users.
	{about: "P47 any local user can connect", tests: []string{"TestUnsafeDir", "TestClientOfAnotherUser"}},
	{about: "P48 any local user can pose as the primary", tests: []string{"TestServerOfAnotherUser"}},
	{about: "P49 any local user can keep the program from starting", tests: []string{"TestSquattedWitness", "TestPlantedLockFiles"}},
	{about: "P50 a key in the program authenticates nobody", tests: []string{"TestTCPKeys"}},
	{about: "P51 a socket of tcp alarms the firewall", doc: "only at a loopback address"},
	{about: "P52 a silent client blocks others", tests: []string{"TestOfferExpires", "TestForwardStalledCaller"}},
}

// Each complaint has an answer that exists.
func TestComplaintsAreAnswered(t *testing.T) {
	exist := map[string]bool{}
	names, err := filepath.Glob("*_test.go")
	require.NoError(t, err)
	for _, name := range names {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && strings.HasPrefix(fn.Name.Name, "Test") {
				exist[fn.Name.Name] = true
			}
		}
	}
	require.Greater(t, len(exist), 100)
	numbers := map[string]bool{}
	for _, c := range complaints {
		number, _, _ := strings.Cut(c.about, " ")
		require.False(t, numbers[number], "%s stands twice", number)
		numbers[number] = true
	}
	for n := range 52 {
		require.True(t, numbers["P"+strconv.Itoa(n+1)], "P%d is missing", n+1)
	}
	require.Len(t, numbers, 53) // with P19b
	f, err := parser.ParseFile(token.NewFileSet(), "doc.go", nil, parser.ParseComments)
	require.NoError(t, err)
	doc := f.Doc.Text()
	f, err = parser.ParseFile(token.NewFileSet(), "unique.go", nil, parser.ParseComments)
	require.NoError(t, err)
	for _, g := range f.Comments {
		doc += g.Text()
	}
	for _, c := range complaints {
		require.True(t, len(c.tests) > 0 || c.doc != "", c.about)
		for _, name := range c.tests {
			require.True(t, exist[name], "%s: there is no %s, but %v", c.about, name, similar(exist, name))
		}
		require.True(t, strings.Contains(unwrap(doc), unwrap(c.doc)), "%s: no comment says %q", c.about, c.doc)
	}
}

// unwrap makes one line of text.
func unwrap(text string) string { return strings.Join(strings.Fields(text), " ") }

func similar(names map[string]bool, name string) (some []string) {
	for _, n := range slices.Sorted(maps.Keys(names)) {
		if n[:min(8, len(n))] == name[:min(8, len(name))] {
			some = append(some, n)
		}
	}
	return some
}
