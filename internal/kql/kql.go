// Package kql is the language of hunting: queries in the Kusto Query Language
// over tables, as people write them for Defender's advanced hunting.
//
// [Prepare] checks a query against the tables that there are and makes a plan of
// it; [Query.Run] reads the tables through a [Reader] and gives the rows of the
// result. What a store can decide for itself (times, texts that a column has,
// words) is offered to it in a [Scan], and checked again here.
//
//	q, err := kql.Prepare("DeviceProcessEvents | where FileName == 'sh' | count", kql.Options{Tables: tables, Now: now})
//	out, err := q.Run(ctx, reader, kql.Limits{Rows: 1000, Memory: 64 << 20}, func(row []kql.Value) error { … })
//
// Everything is pure: a query, tables and a time give a result. Where the
// language leaves something open (which rows take gives, which value any has),
// it is what comes first. What is different from Kusto is in
// docs/manual/hunting.md.
package kql
