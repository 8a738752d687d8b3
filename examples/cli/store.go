package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/solomq/solomq/unique"
)

// The states of a job.
const (
	queued    = "queued"    // waits for a slot
	running   = "running"   // has been started
	done      = "done"      // ended by itself or by a signal; Code says how
	cancelled = "cancelled" // never started, and never will be
	lost      = "lost"      // was running when its queue was killed; how it ended is unknown
)

// A record is what is known of a job: what list -json prints, what a watcher
// is told, and what the job's file in the state directory holds.
type record struct {
	ID       int       `json:"id"`
	State    string    `json:"state"`
	Detached bool      `json:"detached"` // enqueued with -d: its output is kept
	Args     []string  `json:"args"`
	Dir      string    `json:"dir"`
	Code     int       `json:"code"` // meaningful once it is done or cancelled
	Note     string    `json:"note,omitempty"`
	Queued   time.Time `json:"queued"`
	Started  time.Time `json:"started,omitzero"`
	Ended    time.Time `json:"ended,omitzero"`
	Queue    string    `json:"queue"` // the queue process that wrote this; see queueKey
}

// over reports whether the job has ended, or will never start.
func (r *record) over() bool { return r.State != queued && r.State != running }

// elapsed is how long the job ran, or has been running at now.
func (r *record) elapsed(now time.Time) time.Duration {
	switch {
	case r.Started.IsZero():
		return 0
	case r.Ended.IsZero():
		return now.Sub(r.Started)
	default:
		return r.Ended.Sub(r.Started)
	}
}

// A spec is everything needed to start a job, as bytes: an argument need not
// be valid UTF-8.
type spec struct {
	Args  [][]byte `json:"args"`
	Env   [][]byte `json:"env"`
	Dir   []byte   `json:"dir"`
	Umask int      `json:"umask"`
}

// raw and texts convert between strings and what a spec holds.
func raw(texts []string) [][]byte {
	b := make([][]byte, len(texts))
	for i, t := range texts {
		b[i] = []byte(t)
	}
	return b
}

func texts(raw [][]byte) []string {
	t := make([]string, len(raw))
	for i, b := range raw {
		t[i] = string(b)
	}
	return t
}

// A store is the state directory of one queue:
//
//	next       the id of the next job
//	ID.json    the record of job ID
//	ID.spec    present until job ID, enqueued with -d, is started or cancelled
//	ID.out     what job ID, enqueued with -d, has written
//	log        what queue processes had to complain about, crashes included
//
// Only the queue process writes, and it replaces whole files, so that others
// read at any time without a lock. The one exception is a spec: whoever
// removes it owns the job from then on, and that is what makes a job run at
// most once, whatever dies in between.
type store struct{ dir string }

// openStore returns the store of the queue called name, creating its directory.
func openStore(name string) (*store, error) {
	base := os.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(base) { // the XDG specification has relative ones ignored
		home, err := os.UserHomeDir()
		if err != nil || !filepath.IsAbs(home) {
			return fallbackStore(name, errors.New("neither XDG_STATE_HOME nor HOME is set"))
		}
		base = filepath.Join(home, ".local", "state")
	}
	dir := filepath.Join(base, "spool", name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fallbackStore(name, err)
	}
	return &store{dir}, nil
}

// fallbackStore keeps the state in the private directory that the library
// finds for every user, so that spool works for one without a home. It may be
// gone after a reboot.
func fallbackStore(name string, cause error) (*store, error) {
	where, err := unique.Where(appID, nil)
	if err != nil {
		return nil, fmt.Errorf("no place for the state of the jobs: %w; and %w", cause, err)
	}
	dir := filepath.Join(where.Dir, "spool", name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("no place for the state of the jobs: %w; and %w", cause, err)
	}
	return &store{dir}, nil
}

// id is the application id of the queue: who has the same state has the same
// queue, and the other way round.
func (s *store) id() string { return appID + " " + s.dir }

func (s *store) path(id int, ext string) string {
	return filepath.Join(s.dir, strconv.Itoa(id)+ext)
}

// replace writes a file in one step: a reader, or a crash, finds the old
// content or the new one.
func (s *store) replace(path string, content []byte) error {
	f, err := os.CreateTemp(s.dir, "tmp-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// nextID takes an id. It is on disk before it is used: no id is given twice.
func (s *store) nextID() (int, error) {
	path := filepath.Join(s.dir, "next")
	id := 1
	if b, err := os.ReadFile(path); err == nil {
		id, _ = strconv.Atoi(strings.TrimSpace(string(b)))
	} else if !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	for id < 1 || exists(s.path(id, ".json")) { // next was lost: go on after the newest
		ids, err := s.ids(".json")
		if err != nil {
			return 0, err
		}
		id = 1
		if len(ids) > 0 {
			id = ids[len(ids)-1] + 1
		}
	}
	return id, s.replace(path, []byte(strconv.Itoa(id+1)+"\n"))
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// save writes the record of a job.
func (s *store) save(r *record) error {
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return s.replace(s.path(r.ID, ".json"), append(b, '\n'))
}

// load reads the record of job id.
func (s *store) load(id int) (record, error) {
	var r record
	b, err := os.ReadFile(s.path(id, ".json"))
	if errors.Is(err, fs.ErrNotExist) {
		return r, fmt.Errorf("no job %d on record (%w)", id, fs.ErrNotExist)
	}
	if err == nil {
		err = json.Unmarshal(b, &r)
	}
	if err != nil {
		return r, fmt.Errorf("record of job %d: %w", id, err)
	}
	return r, nil
}

// ids returns the ids that have a file with the extension ext, in order.
func (s *store) ids(ext string) ([]int, error) {
	entries, err := os.ReadDir(s.dir)
	var ids []int
	for _, e := range entries {
		if base, ok := strings.CutSuffix(e.Name(), ext); ok {
			if id, err := strconv.Atoi(base); err == nil && id > 0 {
				ids = append(ids, id)
			}
		}
	}
	slices.Sort(ids)
	return ids, err
}

// records returns the records of all jobs, in order of their ids.
func (s *store) records() ([]record, error) {
	ids, err := s.ids(".json")
	if err != nil {
		return nil, err
	}
	records := make([]record, 0, len(ids))
	for _, id := range ids {
		r, err := s.load(id)
		if errors.Is(err, fs.ErrNotExist) {
			continue // dropped meanwhile
		}
		if err != nil {
			r = record{ID: id, State: lost, Code: exitSpool, Note: err.Error()}
		}
		records = append(records, r)
	}
	return records, nil
}

// saveSpec makes job id startable by this queue or, if it dies first, by the
// next one.
func (s *store) saveSpec(id int, sp *spec) error {
	b, err := json.Marshal(sp)
	if err != nil {
		return err
	}
	return s.replace(s.path(id, ".spec"), b)
}

// loadSpec reads what saveSpec wrote.
func (s *store) loadSpec(id int) (*spec, error) {
	b, err := os.ReadFile(s.path(id, ".spec"))
	if err != nil {
		return nil, err
	}
	sp := new(spec)
	if err := json.Unmarshal(b, sp); err != nil {
		return nil, fmt.Errorf("spec of job %d: %w", id, err)
	}
	return sp, nil
}

// takeSpec removes the spec of job id. Only one caller ever succeeds; it may
// start or cancel the job. The removal is on the disk when takeSpec returns,
// so that not even a power failure makes a started job startable again.
func (s *store) takeSpec(id int) error {
	if err := os.Remove(s.path(id, ".spec")); err != nil {
		return err
	}
	d, err := os.Open(s.dir)
	if err != nil {
		return err
	}
	defer d.Close()
	d.Sync() // not every system syncs a directory; then the removal is as durable as it gets
	return nil
}

// hasSpec reports whether job id can still be started.
func (s *store) hasSpec(id int) bool { return exists(s.path(id, ".spec")) }

// openOutput opens what job id has written.
func (s *store) openOutput(id int) (*os.File, error) { return os.Open(s.path(id, ".out")) }

// createOutput opens the file for what job id writes.
func (s *store) createOutput(id int) (*os.File, error) {
	return os.OpenFile(s.path(id, ".out"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
}

// forget removes all that is kept of a job.
func (s *store) forget(id int) {
	for _, ext := range []string{".spec", ".out", ".json"} {
		os.Remove(s.path(id, ext))
	}
}

// sweep removes what a killed queue process may have left half written.
func (s *store) sweep() {
	leftovers, _ := filepath.Glob(filepath.Join(s.dir, "tmp-*"))
	for _, path := range leftovers {
		os.Remove(path)
	}
}

// logPath is where a queue process complains.
func (s *store) logPath() string { return filepath.Join(s.dir, "log") }

// openLog makes the log the standard error of this process, which for a queue
// is the null device, and the place for the last words of a crash.
func (s *store) openLog() error {
	f, err := os.OpenFile(s.logPath(), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	os.Stderr = f
	return debug.SetCrashOutput(f, debug.CrashOptions{})
}
