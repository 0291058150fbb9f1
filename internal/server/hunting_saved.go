package server

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/kql"
	"github.com/picketsec/picket/internal/store"
)

// mostHuntQueries is how many queries a person may save.
const mostHuntQueries = 500

// HuntQueryEdit is what people say of a saved query.
type HuntQueryEdit struct {
	Name        string `json:"name" minLength:"1" maxLength:"200"`
	Description string `json:"description,omitempty" maxLength:"2000"`
	Query       string `json:"query" minLength:"1" maxLength:"65536"`
	Shared      bool   `json:"shared,omitempty" doc:"Everybody who may hunt can read it."`
}

// HuntQuery is a saved query.
type HuntQuery struct {
	ID string `json:"id"`
	HuntQueryEdit
	Author    string    `json:"author"`
	Own       bool      `json:"own"`      // the caller's
	Editable  bool      `json:"editable"` // the caller may change and delete it
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

func huntQueryOf(c Caller, q *store.HuntQuery) HuntQuery {
	own := c.UserID > 0 && q.Owner == c.UserID
	return HuntQuery{ID: strconv.FormatInt(q.ID, 10), HuntQueryEdit: editOf(q), Author: q.Author, Own: own, Editable: own || c.Admin, CreatedAt: q.Created, UpdatedAt: q.Updated}
}

func editOf(q *store.HuntQuery) HuntQueryEdit {
	return HuntQueryEdit{Name: q.Name, Description: q.Description, Query: q.Query, Shared: q.Shared}
}

// HuntQueries are the caller's own saved queries and those that are shared, by name.
func (s *Server) HuntQueries(ctx context.Context, c Caller) ([]HuntQuery, error) {
	if err := s.need(c, AdvancedQuery); err != nil {
		return nil, err
	}
	list, err := s.st.HuntQueries(ctx, c.UserID, 0)
	if err != nil {
		return nil, fmt.Errorf("read saved queries: %w", err)
	}
	out := make([]HuntQuery, len(list))
	for i := range list {
		out[i] = huntQueryOf(c, &list[i])
	}
	return out, nil
}

// savedHunt reads a query that the caller may change: an own one, and of an
// administrator every shared one.
func (s *Server) savedHunt(ctx context.Context, c Caller, id string) (store.HuntQuery, error) {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil || n <= 0 {
		return store.HuntQuery{}, fmt.Errorf("saved query %q: %w", id, ErrNotFound)
	}
	list, err := s.st.HuntQueries(ctx, c.UserID, n)
	if errors.Is(err, store.ErrNotFound) {
		return store.HuntQuery{}, fmt.Errorf("saved query %q: %w", id, ErrNotFound)
	}
	if err != nil {
		return store.HuntQuery{}, fmt.Errorf("read saved query %q: %w", id, err)
	}
	if q := huntQueryOf(c, &list[0]); !q.Editable {
		return store.HuntQuery{}, Deniedf("saved query %q is somebody else's", id)
	}
	return list[0], nil
}

// SaveHuntQuery saves a query; id "" makes a new one. A query that would not run
// is refused with a *HuntError.
func (s *Server) SaveHuntQuery(ctx context.Context, c Caller, id string, in HuntQueryEdit) (HuntQuery, error) {
	if err := s.need(c, AdvancedQuery); err != nil {
		return HuntQuery{}, err
	}
	if c.UserID == 0 {
		return HuntQuery{}, Deniedf("queries are saved by people who are signed in")
	}
	if in.Name = strings.TrimSpace(in.Name); in.Name == "" || len(in.Name) > 200 || len(in.Description) > 2000 || len(in.Query) > kql.MaxQuery {
		return HuntQuery{}, Invalidf("name", "must have 1 to 200 bytes; a description at most 2000 and a query at most %d", kql.MaxQuery)
	}
	q := store.HuntQuery{Owner: c.UserID, Author: c.Name}
	var before any
	if id != "" {
		var err error
		if q, err = s.savedHunt(ctx, c, id); err != nil {
			return HuntQuery{}, err
		}
		before = editOf(&q)
	}
	q.Name, q.Description, q.Query, q.Shared, q.Updated = in.Name, in.Description, in.Query, in.Shared, s.now()
	audit.Change(ctx, id, before, in)
	n, err := s.st.SaveHuntQuery(ctx, q, mostHuntQueries)
	switch {
	case errors.Is(err, store.ErrTaken):
		return HuntQuery{}, fmt.Errorf("there is another query named %q: %w", in.Name, ErrConflict)
	case errors.Is(err, store.ErrFull):
		return HuntQuery{}, fmt.Errorf("%d queries are saved, as many as a person may keep; delete one: %w", mostHuntQueries, ErrConflict)
	case err != nil:
		return HuntQuery{}, fmt.Errorf("save query: %w", err)
	}
	q.ID = n
	if id == "" {
		q.Created = q.Updated
	}
	return huntQueryOf(c, &q), nil
}

// DeleteHuntQuery deletes a saved query.
func (s *Server) DeleteHuntQuery(ctx context.Context, c Caller, id string) error {
	if err := s.need(c, AdvancedQuery); err != nil {
		return err
	}
	q, err := s.savedHunt(ctx, c, id)
	if err != nil {
		return err
	}
	audit.Change(ctx, id, editOf(&q), nil)
	if err := s.st.DeleteHuntQuery(ctx, q.ID); errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("saved query %q: %w", id, ErrNotFound)
	} else if err != nil {
		return fmt.Errorf("delete saved query: %w", err)
	}
	return nil
}
