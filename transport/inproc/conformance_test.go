package inproc_test

import (
	"testing"

	"github.com/solomq/solomq/transport/inproc"
	"github.com/solomq/solomq/transport/transporttest"
)

func TestConformance(t *testing.T) {
	transporttest.Run(t, inproc.Transport{}, func(testing.TB) string { return "*" })
}
