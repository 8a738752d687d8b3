package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

type builder = func(ctx context.Context, dir string) (string, error)

// goProgram builds the package in folder, a program in Go alone, and beside it
// those in more.
func goProgram(folder, ldflags string, more ...string) builder {
	return func(ctx context.Context, dir string) (string, error) {
		for _, f := range more {
			if _, err := buildGo(ctx, dir, f, "CGO_ENABLED=0", "-ldflags="+ldflags); err != nil {
				return "", err
			}
		}
		return buildGo(ctx, dir, folder, "CGO_ENABLED=0", "-ldflags="+ldflags)
	}
}

// cgoProgram builds the package in folder, which calls C.
func cgoProgram(folder string) builder {
	return func(ctx context.Context, dir string) (string, error) {
		return buildGo(ctx, dir, folder, "CGO_ENABLED=1")
	}
}

func buildGo(ctx context.Context, dir, folder, env string, args ...string) (string, error) {
	bin := filepath.Join(dir, filepath.Base(folder))
	args = append([]string{"build", "-trimpath", "-o", bin}, args...)
	cmd := exec.CommandContext(ctx, "go", append(args, "./"+folder)...)
	cmd.Env = append(os.Environ(), env)
	return bin, runBuild(cmd)
}

// shared is the folder with what programs in C share.
const shared = "cbench"

// cProgram compiles the program in C whose sources are in folder.
func cProgram(folder string, libs ...string) builder {
	return func(ctx context.Context, dir string) (string, error) {
		src := filepath.Join(dir, "src")
		if err := os.RemoveAll(src); err != nil {
			return "", err
		}
		for _, f := range []string{folder, shared} {
			files, err := fs.Sub(sources, f)
			if err != nil {
				return "", err
			}
			if err := os.CopyFS(src, files); err != nil {
				return "", err
			}
		}
		units, err := filepath.Glob(filepath.Join(src, "*.c"))
		if err != nil {
			return "", err
		}
		bin := filepath.Join(dir, folder)
		args := append([]string{"-O2", "-Wall", "-o", bin}, units...)
		return bin, runBuild(exec.CommandContext(ctx, "cc", append(args, libs...)...))
	}
}

// glibProgram is cProgram with the flags that pkg-config tells for a package.
func glibProgram(folder, pkg string) builder {
	return func(ctx context.Context, dir string) (string, error) {
		if _, err := exec.LookPath("dbus-daemon"); err != nil {
			return "", err
		}
		flags, err := exec.CommandContext(ctx, "pkg-config", "--cflags", "--libs", pkg).Output()
		if err != nil {
			return "", fmt.Errorf("pkg-config %s: %w", pkg, err)
		}
		return cProgram(folder, strings.Fields(string(flags))...)(ctx, dir)
	}
}

// runBuild makes what a compiler says on standard error part of the error.
func runBuild(cmd *exec.Cmd) error {
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	err := cmd.Run()
	if err == nil {
		return nil
	}
	said := strings.TrimSpace(stderr.String())
	if lines := strings.SplitN(said, "\n", 5); len(lines) == 5 {
		said = strings.Join(lines[:4], "\n") + "\n..."
	}
	if said != "" {
		said = "\n" + said
	}
	return fmt.Errorf("%s: %w%s", filepath.Base(cmd.Path), err, said)
}

// install replaces the programs in dir by copies of themselves. What a linker has just
// written lies in the memory of the system in single pages, and the start of a program
// of some megabytes then takes a tenth longer than that of an installed one, as the
// libraries of other contenders are.
func install(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		path := filepath.Join(dir, e.Name())
		program, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		draft := path + ".installed"
		if err := os.WriteFile(draft, program, 0o755); err != nil {
			return err
		}
		if err := os.Rename(draft, path); err != nil {
			return err
		}
	}
	return nil
}

// programs are the paths of the programs that were built, by library.
type programs map[*library]string

// buildAll builds the programs of libs, and reports what cannot be had: as an
// error if named is set, because then it was asked for, else in missing.
func buildAll(ctx context.Context, libs []*library, named bool, dir string, say func(format string, args ...any)) (p programs, missing []string, err error) {
	p = programs{}
	for _, l := range libs {
		say("building %s", l.title)
		bin, err := l.build(ctx, dir)
		if err == nil {
			p[l] = bin
			continue
		}
		text := fmt.Sprintf("%s cannot be built: %v", l.title, err)
		if l.install != "" {
			text += "\n" + l.install
		}
		if named || ctx.Err() != nil || l.name == "solomq" {
			return nil, nil, fmt.Errorf("%s", text)
		}
		missing = append(missing, text)
	}
	return p, missing, install(dir)
}
