package main

import (
	"flag"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	hour := time.Hour
	for _, c := range []struct {
		args []string
		want command
	}{
		{[]string{"--", "make"}, command{verb: verbRun, args: []string{"make"}}},
		{[]string{"--", "make", "-j", "--", ""}, command{verb: verbRun, args: []string{"make", "-j", "--", ""}}},
		{[]string{"-v", "-n", "-slots", "3", "--", "x"}, command{verb: verbRun, args: []string{"x"}, verbose: true, noInput: true, slots: 3}},
		{[]string{"-d", "-name=night", "-idle", "1h", "--", "x"}, command{verb: verbRun, args: []string{"x"}, detach: true, name: "night", idle: &hour}},
		{[]string{"-slots", "2"}, command{verb: verbSet, slots: 2}},
		{[]string{"list"}, command{verb: "list"}},
		{[]string{"-name", "a", "list", "-json"}, command{verb: "list", name: "a", json: true}},
		{[]string{"list", "-name", "a"}, command{verb: "list", name: "a"}},
		{[]string{"cat", "-f", "12"}, command{verb: "cat", id: 12, follow: true}},
		{[]string{"wait", "1"}, command{verb: "wait", id: 1}},
		{[]string{"kill", "1"}, command{verb: "kill", id: 1}},
		{[]string{"stop"}, command{verb: "stop"}},
		{[]string{"watch"}, command{verb: "watch"}},
		{[]string{verbSnapshot}, command{verb: verbSnapshot}},
		{[]string{"-replace"}, command{verb: verbReplace, replace: true}},
		{[]string{"-replace", "-v", "-name", "a"}, command{verb: verbReplace, replace: true, verbose: true, name: "a"}},
	} {
		if c.want.name == "" {
			c.want.name = "default"
		}
		got, err := parse(c.args)
		require.NoError(t, err, c.args)
		require.Equal(t, &c.want, got, c.args)
	}
}

func TestParseWrong(t *testing.T) {
	for want, args := range map[string][]string{
		"nothing to do":                     {},
		"no command after --":               {"--"},
		"-d needs a command":                {"-d"},
		`to run it: spool -- make`:          {"make", "-j4"},
		"-x":                                {"-x", "--", "true"},
		"-replace stands alone":             {"-replace", "--", "true"},
		"-replace stands":                   {"-replace", "list"},
		"want a number from 1 to 10000":     {"-slots", "0", "--", "true"},
		"want a duration":                   {"-idle", "10", "--", "true"},
		`-name "../x"`:                      {"-name", "../x", "--", "true"},
		`-name ".x"`:                        {"list", "-name", ".x"},
		`"one" is not the id of a job`:      {"wait", "one"},
		`"0" is not the id of a job`:        {"kill", "0"},
		"cat takes one job's id":            {"cat"},
		"kill takes one job's id":           {"kill", "1", "2"},
		`list takes no argument`:            {"list", "7"},
		"-d does not go with list":          {"-d", "list"},
		"-slots and -idle do not go with w": {"-slots", "2", "watch"},
		"-slots and -idle do not go with s": {"stop", "-idle", "2s"},
		"stop: flag provided but not":       {"stop", "-json"},
	} {
		_, err := parse(args)
		require.ErrorContains(t, err, want, args)
		require.NotContains(t, err.Error(), "\n")
	}
	for _, args := range [][]string{{"-h"}, {"-help"}, {"list", "-h"}} {
		_, err := parse(args)
		require.ErrorIs(t, err, flag.ErrHelp)
	}
}

// The queue parses command lines that others hand over.
func FuzzParse(f *testing.F) {
	f.Add("-v\x00-slots\x003\x00--\x00make\x00-j")
	f.Add("cat\x00-f\x0012")
	f.Add("-idle\x00-1s\x00-name=x\x00-d\x00--\x00\x00")
	f.Fuzz(func(t *testing.T, line string) {
		c, err := parse(strings.Split(line, "\x00"))
		if err != nil {
			require.Nil(t, c)
			return
		}
		require.Equal(t, c.verb == verbRun, len(c.args) > 0)
		require.Regexp(t, nameRule, c.name)
	})
}
