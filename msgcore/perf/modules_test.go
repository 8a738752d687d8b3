package main

import (
	"os"
	"strings"
	"testing"
)

// What is measured here must never become a dependency of the library: none of
// the modules that this one needs for itself may be named by the root's files.
func TestRootKnowsNoneOfOurDependencies(t *testing.T) {
	ours := requirements("go.mod")
	if len(ours) < 4 {
		t.Fatalf("go.mod requires only %v", ours)
	}
	for _, file := range []string{"../../go.mod", "../../go.sum"} {
		if found := named(t, file, ours); len(found) > 0 {
			t.Errorf("%s names %v", file, found)
		}
	}
	// The search finds what is there.
	if found := named(t, "go.mod", ours); len(found) < 4 {
		t.Errorf("go.mod names only %v", found)
	}
}

// named returns the modules of ours, but for those that the library may have
// itself, that file names.
func named(t *testing.T, file string, ours map[string]string) (found []string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for module := range ours {
		library := strings.HasPrefix(module, "golang.org/x/") || strings.HasPrefix(module, "github.com/solomq/") ||
			module == "github.com/gofrs/flock" || module == "github.com/adrg/xdg" || module == "go.uber.org/goleak"
		if !library && strings.Contains(string(text), module+" ") {
			found = append(found, module)
		}
	}
	return found
}
