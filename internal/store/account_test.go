package store

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

func accountStore(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestKeepIdentityFirstWins(t *testing.T) {
	s := accountStore(t)
	if _, err := s.Identity(t.Context(), "x"); !errors.Is(err, ErrNotFound) {
		t.Errorf("before = %v", err)
	}
	for _, v := range []string{"first", "second"} {
		if got, err := s.KeepIdentity(t.Context(), "x", []byte(v)); err != nil || string(got) != "first" {
			t.Errorf("KeepIdentity(%s) = %s, %v", v, got, err)
		}
	}
}

func TestSessionsAreBounded(t *testing.T) {
	s := accountStore(t)
	ctx := t.Context()
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	link := func(n int) []byte { return []byte(fmt.Sprint("link", n)) }
	var who Account
	for n := range sessionsPerAccount + 10 {
		now := at.Add(time.Duration(n) * time.Second)
		if err := s.AddLink(ctx, 0, link(n), now, now.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		var err error
		who, err = s.RedeemLink(ctx, link(n), Account{Name: "admin", Created: now},
			Session{Hash: []byte(fmt.Sprint("session", n)), Created: now, Used: now}, at.Add(-time.Hour), at.Add(-time.Hour))
		if err != nil {
			t.Fatal(err)
		}
	}
	if who.ID != 1 || who.Name != "admin" {
		t.Errorf("every link signs the same account in, got %+v", who)
	}
	if _, _, err := s.SessionByHash(ctx, []byte("session9")); !errors.Is(err, ErrNotFound) {
		t.Errorf("the oldest session = %v, want it gone", err)
	}
	n, a, err := s.SessionByHash(ctx, []byte("session59"))
	if err != nil || a.ID != who.ID || !n.Used.Equal(at.Add(59*time.Second)) {
		t.Errorf("the newest session = %+v, %v", n, err)
	}
	if err := s.AddSession(ctx, Session{Hash: []byte("late"), Account: who.ID, Created: at.Add(48 * time.Hour), Used: at.Add(48 * time.Hour)}, at.Add(24*time.Hour), at); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.SessionByHash(ctx, []byte("session59")); !errors.Is(err, ErrNotFound) {
		t.Errorf("a session older than allowed = %v, want it gone", err)
	}
}

func TestLinkIsConsumedOnce(t *testing.T) {
	s := accountStore(t)
	ctx := t.Context()
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	if err := s.AddLink(ctx, 0, []byte("l"), at, at.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	for n := range 8 {
		go func() {
			_, err := s.RedeemLink(ctx, []byte("l"), Account{Name: "admin"}, Session{Hash: []byte{byte(n)}, Created: at, Used: at}, at, at)
			done <- err
		}()
	}
	good := 0
	for range 8 {
		if err := <-done; err == nil {
			good++
		} else if !errors.Is(err, ErrNotFound) {
			t.Error(err)
		}
	}
	if good != 1 {
		t.Errorf("the link was redeemed %d times", good)
	}
}

func TestApps(t *testing.T) {
	s := accountStore(t)
	ctx := t.Context()
	want := App{Client: "c", Name: "n", Permissions: []string{"Machine.Read.All"}, Created: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	if err := s.AddApp(ctx, want, AppSecret{ID: "s", App: "c", Hash: []byte{1}, Created: want.Created}, 2); err != nil {
		t.Fatal(err)
	}
	if got, err := s.AppByClient(ctx, "c"); err != nil || got.Name != "n" || len(got.Permissions) != 1 || !got.Created.Equal(want.Created) {
		t.Errorf("AppByClient = %+v, %v", got, err)
	}
	if err := s.DeleteApp(ctx, "c"); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteApp(ctx, "c"); !errors.Is(err, ErrNotFound) {
		t.Errorf("the second time = %v", err)
	}
	if _, err := s.AppByClient(ctx, "c"); !errors.Is(err, ErrNotFound) {
		t.Errorf("after = %v", err)
	}
}
