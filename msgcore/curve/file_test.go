package curve_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore/curve"
)

func certificate() *curve.Certificate {
	return &curve.Certificate{
		Public: serverKey.Public(), Secret: serverKey,
		Metadata: map[string]string{"name": "Bob's server", "email": `"bob" at example.org`, "empty": "", "a/b-c_d@e.f&g+h$": "#no = comment"},
	}
}

func TestCertificateFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "server.key")
	for range 2 { // again, over what is there
		require.NoError(t, certificate().Save(path))
		public, err := curve.LoadPublic(path)
		require.NoError(t, err)
		want := certificate()
		want.Secret = curve.SecretKey{}
		require.Equal(t, want, public)
		for _, name := range []string{path, path + "_secret"} {
			c, err := curve.LoadSecret(name)
			require.NoError(t, err)
			require.Equal(t, certificate(), c)
		}
	}
	public, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NotContains(t, string(public), serverKey.Z85())
	files, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, files, 2, "nothing is left over")

	// Of a peer's certificate there is no secret to write.
	peer := &curve.Certificate{Public: clientKey.Public()}
	path = filepath.Join(t.TempDir(), "peer.key")
	require.NoError(t, peer.Save(path))
	_, err = curve.LoadSecret(path)
	require.ErrorIs(t, err, fs.ErrNotExist)
	got, err := curve.LoadPublic(path)
	require.NoError(t, err)
	require.Equal(t, peer, got)
}

func TestCertificateNotSaved(t *testing.T) {
	dir := t.TempDir()
	for words, c := range map[string]*curve.Certificate{
		"without a public key": {Secret: serverKey},
		"not that of":          {Public: clientKey.Public(), Secret: serverKey},
		"name \"two words\"":   {Public: clientKey.Public(), Metadata: map[string]string{"two words": "x"}},
		"name \"\"":            {Public: clientKey.Public(), Metadata: map[string]string{"": "x"}},
		"value of \"lines\"":   {Public: clientKey.Public(), Metadata: map[string]string{"lines": "a\n    secret-key"}},
		"value of \"quotes\"":  {Public: clientKey.Public(), Metadata: map[string]string{"quotes": `"'`}},
		"the limit is 65536":   {Public: clientKey.Public(), Metadata: map[string]string{"long": strings.Repeat("x", 1<<16)}},
	} {
		err := c.Save(filepath.Join(dir, "key"))
		require.ErrorContains(t, err, words)
		require.ErrorContains(t, err, "curve: ")
		require.NotContains(t, err.Error(), serverKey.Z85())
	}
	require.ErrorIs(t, certificate().Save(filepath.Join(dir, "no", "such", "folder")), fs.ErrNotExist)
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, files)
}

// What CZMQ 4.2.1 and pyzmq 24.0.1 wrote. pyzmq keeps metadata with the secret only.
func TestForeignCertificates(t *testing.T) {
	want := &curve.Certificate{Public: clientKey.Public(), Secret: clientKey, Metadata: map[string]string{"name": "Bob", "email": "bob@example.org"}}
	for _, name := range []string{"czmq", "pyzmq"} {
		secret, err := os.ReadFile("testdata/" + name + ".key_secret")
		require.NoError(t, err)
		path := filepath.Join(t.TempDir(), "key_secret") // with the mode that a checkout does not keep
		require.NoError(t, os.WriteFile(path, secret, 0o600))
		c, err := curve.LoadSecret(path)
		require.NoError(t, err)
		require.Equal(t, want, c)
		c, err = curve.LoadPublic("testdata/" + name + ".key")
		require.NoError(t, err)
		public := &curve.Certificate{Public: want.Public, Metadata: want.Metadata}
		if name == "pyzmq" {
			public.Metadata = nil
		}
		require.Equal(t, public, c)
	}
}

func TestCertificateRefused(t *testing.T) {
	dir := t.TempDir()
	write := func(text string) string {
		path := filepath.Join(dir, "key_secret")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	public, secret := "    public-key = \""+serverKey.Public().String()+"\"\n", "    secret-key = \""+serverKey.Z85()+"\"\n"
	_, err := curve.LoadSecret(write("curve\n" + public + secret))
	require.NoError(t, err)
	for _, c := range []struct{ text, words string }{
		{"", "public-key"},
		{"curve\n", "public-key"},
		{public + "curve\n" + secret, "line 1"},
		{"curve\n" + public, "secret-key"},
		{"curve\n" + secret, "public-key"},
		{"curve\n" + public + "    secret-key = \"" + clientKey.Z85() + "\"\n", "not that of its public key"},
		{"curve\n" + public + "    secret-key = \"" + clientKey.Z85() + "\n", "line 3 of a key file lacks the quote"},
		{"curve\n" + public + "     secret-key = \"\"\n", "line 3 of a key file is not indented"},
		{"curve\n" + public + "\tsecret-key = \"\"\n", "line 3 of a key file is not indented"},
		{"curve\n        public-key\n", "line 2 of a key file is deeper"},
		{"a\n    b\n        c\n            d\n                e\n                    f\n                        g\n                            h\n                                i\n                                    j\n", "line 10 of a key file is deeper than 8"},
		{"curve = \"x\" y\n", "line 1 of a key file has something behind"},
		{"curve x\n", "line 1 of a key file has something behind"},
		{"= x\n", "line 1 of a key file does not begin with a name"},
		{strings.Repeat("#", 1<<16+1), "the limit is 65536"},
	} {
		_, err := curve.LoadSecret(write(c.text))
		require.ErrorContains(t, err, c.words, c.text)
		require.True(t, strings.HasPrefix(err.Error(), "curve: "), err)
		for _, key := range []string{serverKey.Z85(), clientKey.Z85()} {
			require.NotContains(t, err.Error(), key)
		}
	}
	_, err = curve.LoadPublic(dir)
	require.ErrorContains(t, err, "not a regular file")
}

func FuzzZPL(f *testing.F) {
	f.Add("# comment\n\nmetadata\n    name = \"Bob\" # more\n    bare = two words # more\n    quote = 'a \"b\"'\ncurve\n    public-key = \"x\"\n")
	f.Add("a = \n    b\r\n")
	f.Add("a='\n")
	f.Add("a\n        b")
	f.Fuzz(func(t *testing.T, text string) {
		written, values, err := curve.RoundTripZPL(text)
		if err != nil {
			require.True(t, strings.HasPrefix(err.Error(), "curve: "), err)
			return
		}
		_, again, err := curve.RoundTripZPL(written)
		require.NoError(t, err)
		require.Equal(t, values, again)
	})
}

// FuzzCertificate lets arbitrary text be a key file.
func FuzzCertificate(f *testing.F) {
	for _, name := range []string{"czmq.key", "czmq.key_secret", "pyzmq.key", "pyzmq.key_secret"} {
		text, err := os.ReadFile("testdata/" + name)
		require.NoError(f, err)
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, secret := range []bool{false, true} {
			c, err := curve.ParseCertificate(text, secret)
			if err != nil {
				require.True(t, strings.HasPrefix(err.Error(), "curve: "), err)
				continue
			}
			require.Equal(t, secret, c.Secret != curve.SecretKey{})
			if secret {
				require.Equal(t, c.Public, c.Secret.Public())
			}
		}
	})
}
