package tcp_test

import (
	"testing"

	"github.com/solomq/solomq/transport/tcp"
	"github.com/solomq/solomq/transport/transporttest"
)

func TestConformance(t *testing.T) {
	transporttest.Run(t, tcp.Transport{}, func(testing.TB) string { return "127.0.0.1:*" })
}
