package main

import (
	"flag"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	o, err := parse([]string{"-wait", "a", "-", "--x"})
	require.NoError(t, err)
	require.Equal(t, &options{wait: true, files: []string{"a", "-", "--x"}}, o)
	o, err = parse([]string{"--", "-wait"})
	require.NoError(t, err)
	require.Equal(t, &options{files: []string{"-wait"}}, o)

	_, err = parse([]string{"-h"})
	require.ErrorIs(t, err, flag.ErrHelp)
	for want, args := range map[string][]string{
		"-wait needs": {"-wait"},
		"once only":   {"-", "-"},
		"go alone":    {"-list", "a"},
		"x":           {"-x"},
	} {
		_, err = parse(args)
		require.ErrorContains(t, err, want)
	}
	_, err = parse([]string{"-say", ""})
	require.ErrorContains(t, err, "say what")
}

func TestStartupID(t *testing.T) {
	require.Equal(t, uint32(4294967295), startupTime("gtk-launch-1-host-desktop_TIME4294967295"))
	for _, id := range []string{"", "x", "x_TIME", "x_TIME-1", "x_TIME4294967296", "x_TIME1x"} {
		require.Zero(t, startupTime(id), id)
	}
	require.Equal(t, `remove: ID="a\"b\\c"`, removal("a\"b\\c\x00"))
}
