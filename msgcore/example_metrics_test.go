package msgcore_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/solomq/solomq/msgcore"
)

// A program shows Prometheus, or whatever else reads OpenMetrics, what its sockets
// do.
func ExampleWriteOpenMetrics() {
	router := msgcore.NewRouter(nil)
	defer router.Close()
	check(router.Send(context.Background(), []byte("nobody"), []byte("hello")))

	mux := http.NewServeMux()
	mux.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", msgcore.OpenMetricsType)
		_ = msgcore.WriteOpenMetrics(w, map[string]*msgcore.Socket{"frontend": router})
	})
	server := httptest.NewServer(mux) // in a program: http.ListenAndServe
	defer server.Close()

	answer, err := http.Get(server.URL + "/metrics")
	check(err)
	defer answer.Body.Close()
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		if strings.Contains(lines.Text(), "unroutable") {
			fmt.Println(lines.Text())
		}
	}
	// Output:
	// solomq_dropped_messages_total{socket="frontend",type="ROUTER",cause="unroutable"} 1
}
