package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// A process is a measuring program that runs.
type process struct {
	cmd    *exec.Cmd
	lines  chan string   // of standard output; closed at its end
	done   chan struct{} // closed when the program has ended and was waited for
	stderr tail
}

// start starts a program, on one processor only if cpu is not empty.
func start(ctx context.Context, cpu string, argv ...string) (*process, error) {
	if cpu != "" {
		argv = append([]string{"taskset", "-c", cpu}, argv...)
	}
	return startWith(ctx, nil, argv...)
}

// startWith is start with more in the environment.
func startWith(ctx context.Context, env []string, argv ...string) (*process, error) {
	p := &process{lines: make(chan string, 16), done: make(chan struct{})}
	p.cmd = exec.CommandContext(ctx, argv[0], argv[1:]...)
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.WaitDelay = 2 * time.Second
	p.cmd.Stderr = &p.stderr
	dieWithParent(p.cmd)
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		for s := bufio.NewScanner(out); s.Scan(); {
			select {
			case p.lines <- s.Text():
			default: // nobody reads so many
			}
		}
		close(p.lines)
		_ = p.cmd.Wait() // how it ended is in cmd.ProcessState
		close(p.done)
	}()
	return p, nil
}

// expect waits for a line that starts with word and returns the rest of it.
func (p *process) expect(ctx context.Context, word string) (string, error) {
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				<-p.done
				if ctx.Err() != nil {
					return "", errLate
				}
				return "", fmt.Errorf("ended without a word: %v: %s", p.cmd.ProcessState, p.stderr.String())
			}
			if rest, found := strings.CutPrefix(line, word); found {
				return strings.TrimSpace(rest), nil
			}
		case <-ctx.Done():
			return "", errLate
		}
	}
}

var errLate = errors.New("no result in time")

// end kills the program, if it still runs, and waits for it.
func (p *process) end() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// endGently lets the program end by itself, on a SIGTERM, so that it can write
// what it has to.
func (p *process) endGently(patience time.Duration) {
	if err := terminate(p.cmd.Process); err == nil {
		select {
		case <-p.done:
			return
		case <-time.After(patience):
		}
	}
	p.end()
}

// cpu returns the processor time that the program used, after its end.
func (p *process) cpu() time.Duration {
	s := p.cmd.ProcessState
	return s.UserTime() + s.SystemTime()
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// A tail keeps the last bytes written to it.
type tail struct{ b bytes.Buffer }

func (t *tail) Write(p []byte) (int, error) {
	if t.b.Len() > 4096 {
		t.b.Reset()
	}
	return t.b.Write(p)
}

func (t *tail) String() string {
	lines := strings.Split(strings.TrimSpace(t.b.String()), "\n")
	return lines[len(lines)-1]
}
