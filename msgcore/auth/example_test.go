package auth_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/auth"
	"github.com/solomq/solomq/msgcore/zmtp"
)

// A server that admits the users of a file, from this host only.
func Example() {
	hash, err := auth.HashPassword([]byte("correct horse"))
	if err != nil {
		fmt.Println(err)
		return
	}
	dir, err := os.MkdirTemp("", "auth")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "users") // one that an administrator edits
	if err := os.WriteFile(file, []byte("bob:"+hash+"\n"), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	who, err := auth.New(&auth.Options{Allow: []string{"127.0.0.0/8", "::1", "local"}, Passwords: file})
	if err != nil {
		fmt.Println(err)
		return
	}

	ctx := context.Background()
	rep := msgcore.NewRep(&msgcore.Options{Mechanism: zmtp.PlainServer(), Authorize: who.Authorize})
	defer rep.Close()
	endpoint, err := rep.Bind(ctx, "tcp://127.0.0.1:*")
	if err != nil {
		fmt.Println(err)
		return
	}
	req := msgcore.NewReq(&msgcore.Options{Mechanism: zmtp.PlainClient("bob", "correct horse")})
	defer req.Close()
	if err := req.Connect(endpoint); err != nil {
		fmt.Println(err)
		return
	}
	if err := req.Send(ctx, []byte("hello")); err != nil {
		fmt.Println(err)
		return
	}
	m, err := rep.Recv(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s says %s\n", m.Peer().Properties[zmtp.UserID], m.Bytes())
	// Output: bob says hello
}
