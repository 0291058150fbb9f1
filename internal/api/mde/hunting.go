package mde

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/picketsec/picket/internal/server"
)

// huntTypes are the Defender API's names of types.
var huntTypes = map[string]string{"string": "String", "long": "Int64", "int": "Int32", "real": "Double", "bool": "Boolean", "datetime": "DateTime", "timespan": "TimeSpan", "dynamic": "Object", "guid": "Guid", "null": "Object"}

// hunt runs a query of advanced hunting. The whole result is made before the
// first byte is sent, so that an error is an error.
func (h *Handler) hunt(q *request) error {
	var in struct{ Query string }
	if err := q.bodyOf(&in, `{"Query": "a text in the Kusto Query Language"}`); err != nil {
		return err
	}
	if in.Query == "" {
		return &Error{Status: http.StatusBadRequest, Code: "MissingRequiredParameter", Message: "The property Query is missing: it is a text in the Kusto Query Language."}
	}
	hunt, err := h.opt.Server.Hunt(q.ctx(), q.caller, server.HuntRequest{Query: in.Query, Fixed: true})
	if err == nil {
		err = hunt.Resolve(q.ctx())
	}
	if err != nil {
		return huntError(err)
	}
	cols := hunt.Columns()
	out := huntSchema(cols)
	first := true
	_, err = hunt.Run(q.ctx(), func(row server.HuntRow) error {
		if !first {
			out = append(out, ',')
		}
		first = false
		out = server.AppendHuntObject(out, cols, row)
		if len(out) > server.HuntBytes {
			return &server.HuntLimitError{Message: fmt.Sprintf("Query execution has exceeded the allowed result size of %d MB. Optimize your query by limiting the number of results and columns, and try again.", server.HuntBytes>>20)}
		}
		return nil
	}, nil)
	if err != nil {
		return huntError(err)
	}
	q.w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = q.w.Write(append(out, "]}"...)) // a client that has gone needs no answer
	return nil
}

// huntSchema is the beginning of an answer, up to its rows.
func huntSchema(cols []server.HuntColumn) []byte {
	type column struct{ Name, Type string }
	list := make([]column, len(cols))
	for i, c := range cols {
		list[i] = column{c.Name, huntTypes[c.Type]}
	}
	raw, _ := json.Marshal(list) // texts can always be encoded
	return append(append([]byte(`{"Schema":`), raw...), `,"Results":[`...)
}

// huntError gives what is wrong with a query the code that clients know.
func huntError(err error) error {
	var mistake *server.HuntError
	var limit *server.HuntLimitError
	switch {
	case errors.As(err, &mistake):
		return &Error{Status: http.StatusBadRequest, Code: "BadRequest", Message: "The query cannot be run: " + mistake.Error()}
	case errors.As(err, &limit):
		return &Error{Status: http.StatusBadRequest, Code: "BadRequest", Message: limit.Message}
	}
	return err
}
