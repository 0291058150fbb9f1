package respond

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

// TestRedact proves of every form of secret that it does not pass, and of texts
// that only look like one that they do.
func TestRedact(t *testing.T) {
	const secret = "hunter2Hunter2"
	for _, line := range []string{
		"mysqld --password=" + secret,
		"tool --password " + secret + " --verbose",
		"tool --token '" + secret + "' x",
		"DB_PASSWORD=" + secret,
		`{"api_key": "` + secret + `", "n": 1}`,
		"http_proxy=http://user:" + secret + "@proxy.example:3128/",
		"https://" + secret + ":" + secret + "@example.org/x",
		"Authorization: Bearer " + secret,
		"curl -H 'Authorization: Basic " + secret + "=='",
		"root:$y$j9T$" + secret + "$" + secret + ":19000:0:99999:7:::",
		"x $6$rounds=5000$" + secret + "/abcdefgh y",
		"picket-agent run --token pkt_" + secret,
		"aws AKIA" + strings.ToUpper(secret),
		"jwt eyJ" + secret + ".eyJ" + secret + "." + secret,
		"-----BEGIN OPENSSH PRIVATE KEY-----\n" + secret + "\n" + secret + "\n-----END OPENSSH PRIVATE KEY-----",
		"key: -----BEGIN RSA PRIVATE KEY-----" + secret + "-----END RSA PRIVATE KEY-----",
	} {
		text := "before\n" + line + "\nafter\n"
		for _, step := range []int{len(text), 7, 1} {
			got := redactBy(t, text, step)
			if strings.Contains(strings.ToLower(got), strings.ToLower(secret)) {
				t.Errorf("%q in pieces of %d: %q", line, step, got)
			}
			if !strings.HasPrefix(got, "before\n") || !strings.HasSuffix(got, "\nafter\n") {
				t.Errorf("%q takes other lines with it: %q", line, got)
			}
			if again := redactBy(t, got, len(got)); again != got {
				t.Errorf("%q, a second time: %q", got, again)
			}
		}
	}
	for _, line := range []string{
		"Accepted password for root from 10.0.0.1 port 22", "tcp LISTEN 0.0.0.0:22", "root:x:0:0:root:/root:/bin/bash", "passphrase", "PasswordAuthentication yes",
		"https://example.org/a:b@c", "pam_unix(sshd:auth): authentication failure", "$HOME/$5", "Keyboard: us", "sk-x",
	} {
		if got := redactBy(t, line+"\n", 5); got != line+"\n" {
			t.Errorf("%q becomes %q", line, got)
		}
	}
}

func redactBy(t *testing.T, text string, step int) string {
	t.Helper()
	var b bytes.Buffer
	r := redactor{w: &b}
	for rest := text; rest != ""; {
		n := min(step, len(rest))
		if _, err := io.WriteString(&r, rest[:n]); err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestRedactLongLine proves that a line without an end needs no memory, and that
// what follows it is there.
func TestRedactLongLine(t *testing.T) {
	var b bytes.Buffer
	r := redactor{w: &b}
	for range 100 {
		if _, err := r.Write(bytes.Repeat([]byte("x"), maxLine)); err != nil {
			t.Fatal(err)
		}
	}
	if cap(r.line) > 4*maxLine {
		t.Errorf("the line has %d bytes of memory", cap(r.line))
	}
	if _, err := io.WriteString(&r, "\nafter\n"); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); !strings.HasSuffix(got, "x [line cut]\nafter\n") || len(got) > maxLine+100 {
		t.Errorf("%d bytes, end %q", len(got), got[len(got)-30:])
	}
}

func FuzzRedact(f *testing.F) {
	f.Add([]byte("a\nb --password x\n"), 3)
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----"), 1)
	f.Fuzz(func(t *testing.T, text []byte, step int) {
		step = max(step, 1)
		whole, parts := redactBy(t, string(text), max(len(text), 1)), redactBy(t, string(text), step)
		if whole != parts {
			t.Fatalf("%q whole, %q in pieces of %d", whole, parts, step)
		}
	})
}
