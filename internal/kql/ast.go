package kql

// nodeKind is what an expression is.
type nodeKind uint8

const (
	nodeLiteral nodeKind = iota
	nodeName             // text
	nodeStar             // *
	nodeCall             // text(kids…)
	nodeBinary           // kids[0] text kids[1]
	nodeUnary            // text kids[0]
	nodePath             // kids[0].text
	nodeIndex            // kids[0][kids[1]]
	nodeIn               // kids[0] text (kids[1:]…), has_any and has_all too
	nodeBetween          // kids[0] text (kids[1] .. kids[2])
	nodePipe             // a tabular expression in brackets, or with operators
	nodeTable            // datatable, range, print, union: pipe.ops[0] makes the rows
	nodeWild             // a name with * in it
)

// node is an expression as it was written.
type node struct {
	kind nodeKind
	at   span
	text string
	val  Value
	typ  Type // of a literal, which may be null
	kids []*node
	pipe *pipe
	// label is the name of an argument of a plug-in
	label string
}

// pipe is a source with operators behind it.
type pipe struct {
	at     span
	source *node // nil: the first operator makes the rows
	ops    []*op
}

// op is one tabular operator.
type op struct {
	at     span // of its name
	name   string
	list   []*named
	by     []*named
	tables []*node
	on     []*node
	opts   map[string]option
	parts  []part
	cols   []colDef
	vals   []*node
	levels []level
	steps  []scanStep
}

// scanStep is one of scan.
type scanStep struct {
	at     span // of its name
	name   string
	output string // all, last or none
	when   *node
	gives  []*named
}

// level is one of top-nested.
type level struct {
	at    span
	most  *node // nil: all
	value *named
	rest  *node // what the others are called; nil: they are left out
	agg   *named
}

// option is name=value behind an operator's name.
type option struct {
	at   span
	text string
}

// named is an expression with the name that it is given, and its order.
type named struct {
	at    span
	name  string
	names []string // of (a, b) = …
	expr  *node
	typ   Type  // mv-expand: to typeof()
	value *node // make-series: of steps without rows
	asc   bool
	nulls int // −1 first, 1 last, 0 as the direction has it
}

// part is a piece of a pattern of parse: a text, a star or a column.
type part struct {
	at   span
	text string
	star bool
	name string
	typ  Type
}

// colDef is a column with its type.
type colDef struct {
	at    span
	name  string
	typ   Type
	table bool // a parameter that is a table
	value *node
}

// statement is a let, or the query itself.
type statement struct {
	at     span
	name   string // "" for the query
	expr   *node
	params []colDef
	body   []statement // of a function; its last is the result
	fn     bool
}
