package selfcheck_test

import (
	"testing"

	"go.uber.org/goleak"
)

// root is the module's directory, as seen from this package's.
const root = "../../.."

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
