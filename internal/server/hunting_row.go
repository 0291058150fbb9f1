package server

import (
	"encoding/json"

	"github.com/picketsec/picket/internal/kql"
)

// HuntRow is a row of a result: a value for each column.
type HuntRow = []kql.Value

// AppendHuntRow appends a row as an array of JSON.
func AppendHuntRow(b []byte, row HuntRow) []byte {
	b = append(b, '[')
	for i, v := range row {
		if i > 0 {
			b = append(b, ',')
		}
		b = v.AppendJSON(b)
	}
	return append(b, ']')
}

// AppendHuntObject appends a row as an object of JSON, by the names of its columns.
func AppendHuntObject(b []byte, cols []HuntColumn, row HuntRow) []byte {
	b = append(b, '{')
	for i, v := range row {
		if i > 0 {
			b = append(b, ',')
		}
		name, _ := json.Marshal(cols[i].Name) // a text can always be encoded
		b = append(append(b, name...), ':')
		b = v.AppendJSON(b)
	}
	return append(b, '}')
}
