package kql

// Word is a function, aggregate or operator, for whoever completes queries.
type Word struct {
	Name        string `json:"name"`
	Kind        string `json:"kind" enum:"function,aggregate,operator"`
	Arguments   string `json:"arguments"`
	Description string `json:"description"`
}

// Words are all functions, aggregates and operators, each kind in order of names.
func Words() []Word {
	var out []Word
	functions := indexFunctions()
	for _, n := range sortedNames(functions) {
		f := functions[n]
		out = append(out, Word{n, "function", f.args, f.doc})
	}
	out = append(out, Word{"toscalar", "function", "table", "The first value of a table's first row."}, Word{"materialize", "function", "table", "A table that is read once, however often it is used."})
	for _, n := range sortedNames(aggregates) {
		a := aggregates[n]
		out = append(out, Word{n, "aggregate", a.args, a.doc})
	}
	out = append(out, Word{"arg_max", "aggregate", "value, column … or *", "The row with the largest value."}, Word{"arg_min", "aggregate", "value, column … or *", "The row with the smallest value."},
		Word{"percentiles", "aggregate", "number, percent, percent …", "Several percentiles, each a column."})
	for _, n := range sortedNames(operatorTable()) {
		out = append(out, Word{n, "operator", operatorWords[n][0], operatorWords[n][1]})
	}
	return out
}

// operatorWords are arguments and meaning of each operator.
var operatorWords = map[string][2]string{
	"as":              {"name", "Gives the rows up to here a name for what follows."},
	"consume":         {"", "Runs the query and shows nothing."},
	"count":           {"", "Counts rows."},
	"datatable":       {"(column: type, …) [value, …]", "A table of values that stand in the query."},
	"distinct":        {"column, …", "Every combination of values once."},
	"extend":          {"name = expression, …", "Adds columns."},
	"evaluate":        {"bag_unpack(column) | pivot(column, aggregate, column …) | narrow() | ipv4_lookup(table, address, range)", "Columns of the members of bags, of values, or rows of columns; or of the ranges that addresses are in."},
	"find":            {"in (table, …) where condition project column, …", "The rows of several tables that meet a condition; what is not named is in a bag."},
	"filter":          {"condition", "The same as where."},
	"getschema":       {"", "The columns of a table and their types."},
	"invoke":          {"function(argument, …)", "Calls a function of let with the rows up to here as its first argument, or FileProfile."},
	"join":            {"kind=… (table) on column", "Joins rows of two tables that have the same keys."},
	"limit":           {"number", "The same as take."},
	"lookup":          {"(table) on column", "Adds columns of another table."},
	"make-series":     {"aggregate default=value on column from a to b step c by column, …", "An array of values in even steps for every group."},
	"mv-apply":        {"column on (query)", "Runs a query over the values of each row's array."},
	"mvapply":         {"column on (query)", "The same as mv-apply."},
	"mv-expand":       {"column", "A row of every value of an array."},
	"mvexpand":        {"column", "The same as mv-expand."},
	"order":           {"by column asc|desc", "The same as sort."},
	"parse":           {"text with \"…\" column \"…\"", "Takes a text apart by a pattern."},
	"parse-kv":        {"text as (name: type, …) with (pair_delimiter=\" \", kv_delimiter=\"=\", quote='\"')", "Columns of what a text of names and values says."},
	"parse-where":     {"text with \"…\" column \"…\"", "Takes a text apart, and leaves out rows that do not fit."},
	"partition":       {"by column (operators)", "Runs operators over the rows of each value of a column."},
	"print":           {"expression", "One row of values."},
	"project":         {"column, name = expression, …", "Chooses and computes columns."},
	"project-away":    {"column, …", "Leaves columns out; * stands for any letters."},
	"project-keep":    {"column, …", "Keeps columns; * stands for any letters."},
	"project-rename":  {"new = old, …", "Renames columns."},
	"project-reorder": {"column, …", "Puts columns first."},
	"range":           {"name from a to b step c", "A row of every step from one value to another."},
	"render":          {"chart", "How the result is to be drawn."},
	"sample":          {"number", "Some rows."},
	"sample-distinct": {"number of column", "Some different values of a column."},
	"scan":            {"with_match_id=name declare (name: type = value) with (step name: condition => column = value; …)", "Finds sequences in rows that are in an order."},
	"search":          {"in (table, …) \"text\" and column:\"text\"", "The rows of several tables, or of the one before it, that have a text in any column."},
	"serialize":       {"name = expression", "Keeps the order of rows for functions that look at rows before."},
	"sort":            {"by column asc|desc nulls first|last", "Orders rows; descending where nothing is said."},
	"summarize":       {"aggregate, … by column, …", "One row of every group."},
	"take":            {"number", "Some rows."},
	"top":             {"number by column", "The first rows in an order."},
	"top-nested":      {"number of column by aggregate, …", "The first values in an order, and within each the first of others."},
	"union":           {"table, …", "The rows of several tables."},
	"where":           {"condition", "The rows that meet a condition."},
}
