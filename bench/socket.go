package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
)

// importBySocket asks the running server to import a path over its admin
// socket, as "picket intel import" does, without the start of a program.
func importBySocket(ctx context.Context, dir, path string) error {
	body, err := json.Marshal(map[string]any{"verb": "intel import", "args": map[string]any{"paths": []string{path}}})
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(dir, "admin.sock"))
	}}}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://admin/verb", bytes.NewReader(body))
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	sc := bufio.NewScanner(res.Body)
	sc.Buffer(nil, 16<<20)
	for sc.Scan() {
		var l struct {
			Error string `json:"error"`
			End   bool   `json:"end"`
		}
		if err := json.Unmarshal(sc.Bytes(), &l); err != nil {
			return fmt.Errorf("read answer of the admin socket: %w", err)
		}
		if l.End && l.Error != "" {
			return fmt.Errorf("import over the admin socket: %s", l.Error)
		}
		if l.End {
			return nil
		}
	}
	return fmt.Errorf("the admin socket ended before it answered: %w", sc.Err())
}
