package unique

// faultHook is for this package's own tests, which end the process at a step of
// the protocol. It is nil in every program.
var faultHook func(step string)

// fault marks a step.
func fault(step string) {
	if faultHook != nil {
		faultHook(step)
	}
}
