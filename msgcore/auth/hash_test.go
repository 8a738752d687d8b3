package auth_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore/auth"
)

const (
	goodBcrypt = "$2b$04$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234"
	goodArgon  = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$MDEyMzQ1Njc4OWFiY2RlZg"
)

func TestUsersRefused(t *testing.T) {
	n, err := auth.Users("a:" + goodBcrypt + "\n#\n \t\nb b:" + goodArgon + "\n")
	require.NoError(t, err)
	require.Equal(t, 2, n)
	for line, why := range map[string]string{
		"bob":                                   "no colon",
		":" + goodBcrypt:                        "0 bytes",
		strings.Repeat("x", 256) + ":":          "256 bytes",
		"x:" + goodBcrypt + "\nx:" + goodBcrypt: "line 2: its name stands in a line before",
		"x:":                                    "its hash is neither",
		"x:s3cret":                              "its hash is neither",
		"x:" + goodBcrypt[:59]:                  "its hash is neither",
		"x:" + goodBcrypt + "5":                 "its hash is neither",
		"x:$2b$04$" + strings.Repeat("*", 53):   "its hash is neither",
		"x:$2b$17$" + goodBcrypt[7:]:            "takes too long",
		"x:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=":   "its hash is neither",
		"x:" + strings.Replace(goodArgon, "19$", "16$", 1):                   "its hash is neither",
		"x:" + strings.Replace(goodArgon, "argon2id", "argon2i", 1):          "its hash is neither",
		"x:" + strings.Replace(goodArgon, "m=19456", "m=7", 1):               "its hash is neither",
		"x:" + strings.Replace(goodArgon, "m=19456", "m=9999999", 1):         "takes too much",
		"x:" + strings.Replace(goodArgon, "t=2", "t=0", 1):                   "its hash is neither",
		"x:" + strings.Replace(goodArgon, "t=2", "t=65", 1):                  "takes too much",
		"x:" + strings.Replace(goodArgon, "m=19456,t=2", "m=1048576,t=5", 1): "takes too much",
		"x:" + strings.Replace(goodArgon, "p=1", "p=99", 1):                  "takes too much",
		"x:" + strings.Replace(goodArgon, "p=1", "p=1,x=1", 1):               "its hash is neither",
		"x:" + strings.Replace(goodArgon, "c2FsdHNhbHQ", "c2Fs", 1):          "its hash is neither",
		"x:" + goodArgon[:len(goodArgon)-8]:                                  "its hash is neither",
		"x:" + goodArgon + "=":                                               "its hash is neither",
	} {
		_, err := auth.Users(line)
		require.ErrorContains(t, err, why, line)
		for _, secret := range []string{"s3cret", "W6ph5Mm5", "MDEyMzQ1"} {
			require.NotContains(t, err.Error(), secret)
		}
	}
}

func FuzzUsers(f *testing.F) {
	f.Add("bob:" + goodBcrypt + "\n# comment\n\nann:" + goodArgon)
	f.Add("x:$argon2id$v=19$m=1,t=1,p=1$$")
	f.Add(":")
	f.Add("x:$2a$99$")
	f.Fuzz(func(t *testing.T, text string) {
		n, err := auth.Users(text)
		if err != nil {
			require.Zero(t, n)
			require.Contains(t, err.Error(), "line ")
			require.Less(t, len(err.Error()), 400, "nothing of the file is quoted")
		}
		require.LessOrEqual(t, n, strings.Count(text, ":"))
	})
}
