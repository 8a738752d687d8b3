package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// list prints all jobs on record.
func (l *launch) list(w io.Writer) (int, error) {
	records, err := l.store.records()
	if err == nil {
		err = l.resolve(records)
	}
	if err != nil {
		return exitFailed, err
	}
	if l.json {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(records); err != nil {
			return exitFailed, err
		}
		return 0, nil
	}
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tSTATE\tCODE\tQUEUED\tTIME\tCOMMAND")
	for _, r := range records {
		code := "-"
		if r.State == done {
			code = strconv.Itoa(r.Code)
		}
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\n", r.ID, r.State, code,
			r.Queued.Local().Format("Jan _2 15:04"), brief(r.elapsed(time.Now())), r.command())
	}
	if err := t.Flush(); err != nil {
		return exitFailed, err
	}
	return 0, nil
}

// command returns the job's command line as one would type it in a shell,
// without anything that a terminal could mistake for an order.
func (r *record) command() string {
	words := make([]string, len(r.Args))
	for i, arg := range r.Args {
		words[i] = quote(arg)
	}
	return strings.Join(words, " ")
}

func quote(arg string) string {
	plain := arg != ""
	for _, c := range arg {
		switch {
		case c == unicode.ReplacementChar || !unicode.IsPrint(c):
			return "$" + strings.ReplaceAll(strconv.Quote(arg), `"`, "'")
		case unicode.IsLetter(c) || unicode.IsDigit(c) || strings.ContainsRune("%+,-./:=@_", c):
		default:
			plain = false
		}
	}
	if plain {
		return arg
	}
	return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
}

// brief prints a time that a job takes.
func brief(d time.Duration) string {
	switch {
	case d <= 0:
		return "-"
	case d < time.Minute:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d:%02d", d/time.Minute, d/time.Second%60)
	default:
		return fmt.Sprintf("%d:%02d:%02d", d/time.Hour, d/time.Minute%60, d/time.Second%60)
	}
}
