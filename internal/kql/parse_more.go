package kql

// apply reads mv-apply: what mv-expand has, and the operators behind on.
func (p *parser) apply(o *op) {
	p.expand(o)
	p.want("on", "before the query that runs over the values")
	o.tables = []*node{p.operators("after on")}
}

// operators reads operators in brackets, without a table before them.
func (p *parser) operators(after string) *node {
	q := &pipe{at: p.want("(", after).at}
	defer p.enter()()
	for {
		q.ops = append(q.ops, p.operator())
		if !p.is("|") {
			break
		}
	}
	q.at.to = p.want(")", "after the query").at.to
	return &node{kind: nodePipe, at: q.at, pipe: q}
}

// partition reads partition by: a column, and operators for the rows of each of its values.
func (p *parser) partition(o *op) {
	p.options(o)
	p.want("by", "after partition")
	name, at := p.name("a column")
	o.by = []*named{{at: at, expr: &node{kind: nodeName, at: at, text: name}}}
	if p.sees("{") {
		panic(fail(p.tok().at, "partition takes operators in round brackets").with("partition by DeviceId (top 3 by Timestamp)"))
	}
	o.tables = []*node{p.operators("after the column")}
}

// scan reads scan: columns that it declares, and its steps.
func (p *parser) scan(o *op) {
	p.options(o, "with_match_id")
	if p.is("declare") {
		p.want("(", "after declare")
		o.cols = p.params()
	}
	p.want("with", "before the steps")
	p.want("(", "after with")
	for !p.is(")") {
		st := scanStep{at: p.want("step", "before each step").at, output: "all"}
		st.name, st.at = p.name("a step")
		if p.is("output") {
			p.want("=", "after output")
			if st.output = p.take().text; st.output != "all" && st.output != "last" && st.output != "none" {
				p.pos--
				panic(p.unexpected("all, last or none is expected after output"))
			}
		}
		p.want(":", "after the name of a step")
		st.when = p.expr()
		if p.is("=>") {
			st.gives = p.nameds("=>")
		}
		if o.steps = append(o.steps, st); len(o.steps) > maxSteps {
			panic(fail(st.at, "scan has more than %d steps", maxSteps))
		}
		if !p.is(";") && !p.sees(")") {
			panic(p.unexpected("\";\" is expected behind a step"))
		}
	}
}

// maxSteps is the most steps of scan.
const maxSteps = 32

// series reads make-series: aggregates on an axis in steps, by groups.
func (p *parser) series(o *op) {
	p.options(o, "kind")
	for {
		n := p.named()
		if p.is("default") {
			p.want("=", "after default")
			n.value = p.unary()
		}
		o.list = append(o.list, n)
		if !p.is(",") {
			break
		}
	}
	p.want("on", "after the aggregates")
	o.on = []*node{p.postfix()}
	o.vals = make([]*node, 3) // from, to, step
	if p.is("in") {           // the older way
		p.want("range", "after in")
		p.want("(", "after range")
		o.vals[0] = p.expr()
		p.want(",", "after the first value")
		o.vals[1] = p.expr()
		p.want(",", "after the last value")
		o.vals[2] = p.expr()
		p.want(")", "after the step")
	} else {
		if p.is("from") {
			o.vals[0] = p.expr()
		}
		if p.is("to") {
			o.vals[1] = p.expr()
		}
		p.want("step", "after the axis")
		o.vals[2] = p.expr()
	}
	if p.is("by") {
		o.by = p.nameds("by")
	}
}

// nested reads top-nested: levels, each of the values of an expression by an aggregate.
func (p *parser) nested(o *op) {
	for {
		l := level{at: p.tok().at}
		if !p.sees("of") {
			l.most = p.expr()
		}
		p.want("of", "after the number of values")
		l.value = p.named()
		if p.is("with") {
			p.want("others", "after with")
			p.want("=", "after others")
			l.rest = p.unary()
		}
		p.want("by", "after the value")
		l.agg = p.named()
		if p.is("asc") {
			l.agg.asc = true
		} else {
			p.is("desc")
		}
		if o.levels = append(o.levels, l); len(o.levels) > maxLevels {
			panic(fail(l.at, "top-nested has more than %d levels", maxLevels))
		}
		if !p.is(",") {
			return
		}
		if p.sees("top") && p.seesAt(1, "-") && p.seesAt(2, "nested") {
			p.pos += 3
		}
	}
}

// maxLevels is the most levels of top-nested.
const maxLevels = 8
