//go:build !unix

package main

import (
	"os"
	"os/exec"
	"time"
)

// Where there are no signals, an interrupt kills.
var (
	handedOver = []os.Signal{os.Interrupt}
	resized    os.Signal // there is none
	terminated os.Signal = os.Kill
)

func escalate(int, os.Signal) os.Signal { return os.Kill }

func signalCode(os.Signal) int { return exitSpool }

func surviveBrokenPipe() {}

func ownProgram() (string, error) { return os.Executable() }

func keepProgram(*store) (discard func(), err error) { return func() {}, nil }

func getUmask() int { return 0 }

func supervise(string, []string) int { return exitSpool }

// A process is a job's process. Without process groups only the first one is
// ended, and without a supervisor it survives a queue that is killed.
type process struct {
	cmd    *exec.Cmd
	exited chan int
	over   chan struct{}
}

func startProcess(sp *spec, stdio [3]*os.File) (*process, error) {
	args := texts(sp.Args)
	path, err := exec.LookPath(args[0])
	if err != nil {
		return nil, err
	}
	cmd := &exec.Cmd{
		Path:   path,
		Args:   args,
		Env:    texts(sp.Env),
		Dir:    string(sp.Dir),
		Stdin:  stdio[0],
		Stdout: stdio[1],
		Stderr: stdio[2],
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, exited: make(chan int, 1), over: make(chan struct{})}
	go func() {
		cmd.Wait()
		close(p.over)
		p.exited <- cmd.ProcessState.ExitCode()
	}()
	return p, nil
}

func (p *process) signal(os.Signal) { p.cmd.Process.Kill() }

func (p *process) hangUp() { p.cmd.Process.Kill() }

func (p *process) wantsInput() bool {
	select {
	case <-p.over:
		return false
	case <-time.After(inputDelay):
		return true
	}
}
