//go:build !unix && !windows

package unique

import "os"

// hostSurroundings has no places: nothing here can be checked to belong to one user only, see lockSupport.
func hostSurroundings() *surroundings {
	return &surroundings{getenv: os.Getenv, uid: -1}
}

func (su *surroundings) secure(string, bool, bool) error { return lockSupport }

func checkPrivate(string, int) error { return lockSupport }

func mayMakeIn(string) error { return nil }

func isReadOnly(error) bool { return false }
