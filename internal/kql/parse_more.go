package kql

// apply reads mv-apply: what mv-expand has, and the operators behind on.
func (p *parser) apply(o *op) {
	p.expand(o)
	at := p.want("on", "before the query that runs over the values").at
	p.want("(", "after on")
	defer p.enter()()
	q := &pipe{at: at}
	for {
		q.ops = append(q.ops, p.operator())
		if !p.is("|") {
			break
		}
	}
	q.at.to = p.want(")", "after the query").at.to
	o.tables = []*node{{kind: nodePipe, at: q.at, pipe: q}}
}

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
