// Package picket is the root of Picket's module. It holds no code: its tests
// hold the rules of the house, which ARCHITECTURE.md tells in words.
//
//	arch_test.go    who may import whom, what the pure packages may do, how large things may be
//	deps_test.go    what the two binaries link
//	pkgdoc_test.go  every package and every exported name is documented
package picket
