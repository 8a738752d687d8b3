package unique

// What the external tests need of an Instance.

// DropWitness makes it as if this system had none.
func (i *Instance) DropWitness() { (&Tenure{i.tenure}).DropWitness() }

// TerminateHolder and BornOf are what Terminate is made of.
var (
	TerminateHolder = terminate
	BornOf          = bornOf
)

// GrantFocus makes f called instead of asking the system.
func GrantFocus(f func(pid int)) (restore func()) {
	grantFocus = f
	return func() { grantFocus = passFocus }
}

// TendNothing makes primaries not look after their files.
func TendNothing() (restore func()) {
	watch = func() *watcher { return nil }
	return func() { watch = newWatcher }
}

// NoWait makes Forward not wait for the next primary, as in Run.
func (i *Instance) NoWait() { i.noWait = true }

// Mend is what i does when it notices.
func (i *Instance) Mend() {
	if _, err := i.mend(i.life); err != nil {
		i.srv.uproot(err)
	}
}

// MendAll is Mend that returns the error.
func (i *Instance) MendAll() error { return i.mendAll() }

func (i *Instance) mendAll() error {
	_, err := i.mend(i.life)
	return err
}
