//go:build unix

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

// Signals that a waiting spool hands over to its job.
var handedOver = []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT}

// resized is the signal that tells of a new size of the terminal. It is handed
// over as well, but asks for no end.
var resized os.Signal = syscall.SIGWINCH

// escalate returns what the n-th signal of a caller does to its job.
func escalate(n int, sig os.Signal) os.Signal {
	switch n {
	case 1:
		return sig
	case 2:
		return syscall.SIGTERM
	default:
		return syscall.SIGKILL
	}
}

// signalCode is the exit code for a job that sig ended before it was started.
func signalCode(sig os.Signal) int {
	if s, ok := sig.(syscall.Signal); ok {
		return exitSignal + int(s)
	}
	return exitSpool
}

var terminated os.Signal = syscall.SIGTERM

// surviveBrokenPipe makes a write to a pipe that nobody reads an error instead
// of the end of this process. To catch the signal, unlike ignoring it, does not
// change it for processes that are started.
func surviveBrokenPipe() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

// getUmask returns the umask, which the system tells only to who sets it.
func getUmask() int {
	old := syscall.Umask(0o077)
	syscall.Umask(old)
	return old
}

// A process is a job's process as the queue sees it. Between the two stands a
// supervisor, which is this program again: it sets the umask, which os/exec
// cannot, and it ends the job if the queue is killed, because it then reads the
// end of its orders. Being the parent, it never signals a process that is not
// the job's.
type process struct {
	orders *os.File // to the supervisor: a byte is a signal's number, the end means: end the job
	hungry *os.File // from the supervisor: a byte means that the job may want its input
	exited chan int // receives the exit code
}

func startProcess(sp *spec, stdio [3]*os.File) (*process, error) {
	program, err := ownProgram()
	if err != nil {
		return nil, err
	}
	ordersR, ordersW, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer ordersR.Close()
	hungryR, hungryW, err := os.Pipe()
	if err != nil {
		ordersW.Close()
		return nil, err
	}
	defer hungryW.Close()
	cmd := &exec.Cmd{
		Path:       program,
		Args:       append([]string{os.Args[0], superviseArg, strconv.FormatInt(int64(sp.Umask), 8)}, texts(sp.Args)...),
		Env:        texts(sp.Env),
		Dir:        string(sp.Dir),
		Stdin:      stdio[0],
		Stdout:     stdio[1],
		Stderr:     stdio[2],
		ExtraFiles: []*os.File{ordersR, hungryW},
	}
	if err := cmd.Start(); err != nil {
		ordersW.Close()
		hungryR.Close()
		return nil, err
	}
	p := &process{orders: ordersW, hungry: hungryR, exited: make(chan int, 1)}
	go func() {
		cmd.Wait()
		p.exited <- exitCode(cmd.ProcessState)
	}()
	return p, nil
}

func (p *process) signal(sig os.Signal) {
	if s, ok := sig.(syscall.Signal); ok {
		p.orders.Write([]byte{byte(s)})
	}
}

func (p *process) hangUp() { p.orders.Close() }

// wantsInput waits until the job has run for inputDelay; it is false if the
// job ended before.
func (p *process) wantsInput() bool {
	defer p.hungry.Close()
	n, _ := p.hungry.Read(make([]byte, 1))
	return n > 0
}

// supervise runs one job and exits as the job does. Its streams are the job's;
// see process for the other two descriptors.
func supervise(umask string, args []string) int {
	// What is sent to the queue's process group must not end the supervisor.
	// Caught signals are back to normal in the job, even those that whoever
	// started the queue ignored.
	signal.Notify(make(chan os.Signal, 1))
	orders, hungry := os.NewFile(3, "orders"), os.NewFile(4, "hungry")
	syscall.CloseOnExec(3)
	syscall.CloseOnExec(4)
	if mask, err := strconv.ParseUint(umask, 8, 9); err == nil {
		syscall.Umask(int(mask))
	}
	cmd := exec.Command(args[0], args[1:]...)
	if errors.Is(cmd.Err, exec.ErrDot) {
		cmd.Err = nil // the caller's shell would have run it, too
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // signals reach all of the job and nothing else
	if err := cmd.Start(); err != nil {
		fmt.Fprintf(os.Stderr, "spool: %v\n", err)
		if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
			return exitNone
		}
		return exitExec
	}
	closeAll([]*os.File{os.Stdin, os.Stdout, os.Stderr}) // a broken pipe or an end of input is the job's to cause
	go obey(orders, cmd.Process.Pid)
	go func() {
		time.Sleep(inputDelay)
		for tries := 0; tries < 10 && !sleeps(cmd.Process.Pid); tries++ {
			time.Sleep(inputDelay) // it has not got to run yet, or does not read
		}
		hungry.Write([]byte{1})
	}()
	cmd.Wait()
	return exitCode(cmd.ProcessState)
}

// obey passes signals on to the job's process group until the queue hangs up
// or is gone. The job is then to end.
func obey(orders *os.File, group int) {
	order := make([]byte, 1)
	for {
		if n, _ := orders.Read(order); n == 0 {
			break
		}
		syscall.Kill(-group, syscall.Signal(order[0]))
	}
	syscall.Kill(-group, syscall.SIGTERM)
	syscall.Kill(-group, syscall.SIGCONT) // a stopped one would not notice
	time.Sleep(killTime)
	syscall.Kill(-group, syscall.SIGKILL)
}

// exitCode tells how a process ended in the way of a shell.
func exitCode(state *os.ProcessState) int {
	if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return exitSignal + int(ws.Signal())
	}
	return state.ExitCode()
}
